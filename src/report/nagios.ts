/**
 * A monitoring plugin's output: one line with the state and performance figures, then the rows that are not well.
 * Nagios Plugin Development Guidelines: states 0 to 3; a `|` begins performance figures, so no text may hold one.
 */
import type { Report, ReportCheck, Reporter, ReportRow } from '../model/report.ts';
import type { RowVerdict } from '../model/verdict.ts';
import { plain } from './escape.ts';
import { fit } from './layout.ts';
import * as say from './phrases.ts';
import { checkedBy, type CheckedBy } from './vantages.ts';

const states = ['OK', 'WARNING', 'CRITICAL', 'UNKNOWN'] as const;

/** Old agents cut at one kilobyte: the first line names a few rows, the long output all. */
const namesShown = 8;
const longestName = 40;

/**
 * A failing row is critical. An unverified row alarms only where the run's exit code says so, that is with --fail-on. A
 * run that was cut short, or that checked nothing, knows too little to be anything but UNKNOWN.
 */
export function nagiosExitCode(report: Report): 0 | 1 | 2 | 3 {
  if (report.summary.fail > 0) return 2;
  if (report.exitCode === 1) return 1;
  if (!report.complete || report.exitCode !== 0 || judged(report) === 0) return 3;
  return report.summary.warn > 0 ? 1 : 0;
}

export const nagios: Reporter = {
  about: 'one line with performance figures for Nagios and its kin; exit codes 0, 1, 2, 3',
  convention: { exitCode: nagiosExitCode, trouble, troubleCode: 3 },
  render(report, options) {
    const checksOf = say.indexChecks(report);
    const by = checkedBy(report);
    const verdicts = options.quiet ? (['fail'] as const) : (['fail', 'unverified', 'warn'] as const);
    const unwell = verdicts.flatMap((verdict) => withVerdict(report, verdict));
    const long = unwell.flatMap((row) =>
      rowLines(row, row.verdict === 'fail' || options.verbose ? checksOf(row) : [], by),
    );
    const closing = options.quiet ? [] : [say.elsewhere(report)].filter((line) => line !== '');
    const state = states[nagiosExitCode(report)];
    const first = `XENREACH ${state} - ${withoutPipe(headline(report))} | ${figures(report)}`;
    return `${[first, ...[...long, ...closing].map(withoutPipe)].join('\n')}\n`;
  },
};

/** The plugin's own trouble: a check that could not be made, or told, is UNKNOWN (3), and its first line says why. */
function trouble(why: string): string {
  return `XENREACH ${states[3]} - ${withoutPipe(plain(why.split('\n')[0] ?? ''))}\n`;
}

function rowLines(row: ReportRow, checks: readonly ReportCheck[], by: CheckedBy): string[] {
  const culprits = say.culprits(row, checks);
  const lines = row.sources ? say.hostLines(culprits, by) : culprits.map((check) => say.checkLine(check));
  return [
    `${say.rowWord(row)} ${say.route(row)}: ${row.because ?? ''}`,
    ...(row.remedy === null ? [] : [`  Do: ${row.remedy}`]),
    ...lines.map((line) => `  ${line}`),
  ];
}

function headline(report: Report): string {
  const { fail, unverified, warn, pass } = report.summary;
  if (say.isPlan(report)) return report.checks.length === 0 ? 'no check applies' : 'a plan: nothing was sent';
  const total = judged(report);
  if (total === 0) return 'nothing was checked';
  const parts = [
    fail > 0
      ? `${fail} of ${say.plural(total, 'row')} fail: ${names(report, 'fail')}`
      : `${pass} of ${say.plural(total, 'row')} pass`,
    ...(report.complete ? [] : ['the run is incomplete']),
    ...(unverified > 0 ? [`${unverified} unverified${fail > 0 ? '' : `: ${names(report, 'unverified')}`}`] : []),
    ...(warn > 0 ? [`${warn} warn${fail > 0 ? '' : `: ${names(report, 'warn')}`}`] : []),
  ];
  return parts.join('; ');
}

function names(report: Report, verdict: RowVerdict): string {
  const rows = withVerdict(report, verdict);
  const shown = rows.slice(0, namesShown).map((row) => fit(row.id, longestName));
  return rows.length > namesShown ? `${shown.join(', ')} and ${rows.length - namesShown} more` : shown.join(', ');
}

function figures({ summary, durationMs }: Report): string {
  const { pass, warn, fail, unverified } = summary;
  const time = ((durationMs ?? 0) / 1000).toFixed(3);
  return `pass=${pass} warn=${warn} fail=${fail} unverified=${unverified} time=${time}s`;
}

const judged = ({ summary }: Report): number => summary.pass + summary.warn + summary.fail + summary.unverified;

function withVerdict(report: Report, verdict: RowVerdict): ReportRow[] {
  return report.rows.filter((row) => row.verdict === verdict);
}

const withoutPipe = (text: string): string => plain(text).replaceAll('|', '/');
