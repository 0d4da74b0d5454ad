/** For a ticket: what fails with reason and remedy, then every row in one table. */
import type { Cause, Report, Reporter, ReportRow } from '../model/report.ts';
import { cell } from './escape.ts';
import { matrixOf } from './matrix.ts';
import * as say from './phrases.ts';
import { checkedBy, sourcesText, unheard, vantageSummaries, type CheckedBy } from './vantages.ts';

const culpritsShown = 8;

export const markdown: Reporter = {
  about: 'a table for a ticket or a wiki',
  render(report, options) {
    const checksOf = say.indexChecks(report);
    const { verdict } = report.summary;
    const title = say.isPlan(report) ? 'plan' : verdict === null ? 'nothing checked' : say.words[verdict];
    const judged = report.rows.filter((row) => !say.isSkipped(row));
    const unwell = judged.filter((row) => row.verdict === 'fail');
    const shown = options.quiet ? unwell : judged;
    const skipped = options.quiet ? [] : say.skipGroups(report);
    const lines = [
      `## xenreach: ${title}`,
      '',
      cell(say.subject(report)),
      '',
      cell(closing(report)),
      '',
      ...vantageTable(report),
      ...say.byCause(report, 'fail', checksOf).shared.flatMap(cause),
      ...say.byCause(report, 'fail', checksOf).single.flatMap((row) => failure(row, checksOf, checkedBy(report))),
      ...(options.quiet || !report.merged ? [] : matrixTable(report)),
      ...(shown.length === 0 ? [] : ['| Verdict | Row | From → to | Ports | Because |', '|---|---|---|---|---|']),
      ...shown.map((row) =>
        line([
          say.rowWord(row),
          row.id,
          `${row.from} → ${row.to}`,
          say.service(row),
          [row.because ?? '', ...seen(row), ...row.notes.map((note) => `Note: ${note}`)].join('. '),
        ]),
      ),
      ...(shown.length === 0 ? [] : ['']),
      ...(skipped.length === 0 ? [] : ['| Skipped | Rows | Because | To do |', '|---|---|---|---|']),
      ...skipped.map(({ reason, rows, because, remedy }) =>
        line([reason, rows.map((row) => row.id).join(', '), because, remedy ?? '']),
      ),
    ];
    return `${lines.join('\n').trimEnd()}\n`;
  },
};

function seen(row: ReportRow): string[] {
  const text = sourcesText(row);
  return text === '' ? [] : [`Seen: ${text}`];
}

/** Who was heard; nothing for a single run. */
function vantageTable(report: Report): string[] {
  const all = vantageSummaries(report);
  if (all.length === 0) return [];
  return [
    '| Vantage | Roles | When | Rows |',
    '|---|---|---|---|',
    ...all.map(({ run, counts, trouble }) =>
      line([
        run.vantage,
        run.roles.join(', '),
        run.startedAt,
        [trouble, say.countsText(counts)].filter((each) => each !== '').join(', '),
      ]),
    ),
    '',
    ...unheard(report).flatMap((each) => [cell(each), '']),
  ];
}

function matrixTable({ rows }: Report): string[] {
  const { from, to, cell: at } = matrixOf(rows);
  if (rows.length === 0) return [];
  return [
    line(['To / from', ...from]),
    `|${'---|'.repeat(from.length + 1)}`,
    ...to.map((destination) =>
      line([
        destination,
        ...from.map((source) => {
          const verdict = at(source, destination)?.verdict;
          return verdict === undefined ? '' : verdict === 'plan' ? 'PLAN' : say.words[verdict];
        }),
      ]),
    ),
    '',
  ];
}

function cause({ text, remedy, rows }: Cause): string[] {
  return [
    `### FAIL, ${say.plural(rows.length, 'row')}: ${cell(text)}`,
    '',
    ...(remedy === null ? [] : [`**Do:** ${cell(remedy)}`, '']),
    `Rows: ${cell(rows.join(', '))}`,
    '',
  ];
}

function failure(row: ReportRow, checksOf: say.ChecksOf, by: CheckedBy): string[] {
  const failed = say.culprits(row, checksOf(row));
  // One line for all who met the same; of one run every check has its own.
  const lines = row.sources ? say.hostLines(failed, by) : failed.map((check) => say.checkLine(check));
  const hidden = lines.length - culpritsShown;
  return [
    `### FAIL ${cell(row.id)}`,
    '',
    cell(`${row.from} → ${row.to}, ${say.service(row)}: ${row.because ?? ''}`),
    '',
    ...(row.remedy === null ? [] : [`**Do:** ${cell(row.remedy)}`, '']),
    ...lines.slice(0, culpritsShown).map((each) => `* ${cell(each)}`),
    ...(hidden > 0 ? [`* and ${hidden} more`] : []),
    ...(failed.length > 0 ? [''] : []),
  ];
}

function closing(report: Report): string {
  const took = report.durationMs === null || report.merged ? '' : ` in ${say.took(report.durationMs)}`;
  const at = report.merged ? say.when(report) : report.startedAt;
  const checked = `${say.plural(report.summary.checks, 'check')}${took}, ${at}.`;
  const sentences = [
    say.isPlan(report) ? 'Nothing was sent.' : `${say.counts(report)}.`,
    checked,
    say.elsewhere(report),
    say.sinceThen(report),
    say.incompleteness(report),
    say.exitMeaning(report),
  ];
  return sentences.filter((sentence) => sentence !== '').join(' ');
}

const line = (cells: readonly string[]): string => `| ${cells.map((each) => cell(each) || ' ').join(' | ')} |`;
