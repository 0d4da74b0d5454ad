/** What the reporters for people say in the same words: endpoints, outcomes, rows, the exit code. Raw text: escape it. */
import { vantageOf } from '../model/merged.ts';
import type { SkipReason } from '../model/plan.ts';
import { portRuns } from '../model/ports.ts';
import type { Cause, Change, Report, ReportCheck, ReportRow } from '../model/report.ts';
import type { RowVerdict } from '../model/verdict.ts';
import { seenFrom, type CheckedBy } from './vantages.ts';

export const words: Readonly<Record<RowVerdict, string>> = {
  pass: 'PASS',
  warn: 'WARN',
  fail: 'FAIL',
  unverified: 'UNVERIFIED',
  skipped: 'SKIP',
};

const skipReasons: Readonly<Record<SkipReason, string>> = {
  'other-vantage': 'starts at another machine',
  'role-is-empty': 'the site names no host for it',
  'not-applicable': 'does not apply to this site',
  'not-selected': 'was not asked for',
};

/** Nothing was sent: there are checks to come and no verdicts. */
export function isPlan(report: Report): boolean {
  return report.summary.verdict === null && report.checks.every((check) => check.outcome === null);
}

export function rowWord(row: ReportRow): string {
  return row.verdict === null ? (row.skip === null ? 'PLAN' : words.skipped) : words[row.verdict];
}

export const isSkipped = (row: ReportRow): boolean => row.skip !== null || row.verdict === 'skipped';

/** "lon-pool-1 against xenserver-8 (2026-05-12), as xenserver-host on xs-lon-01, service mode" */
export function subject(report: Report): string {
  const { site, spec, vantage } = report;
  const origin = site.origin === 'file' ? '' : ` (${site.origin})`;
  if (report.merged) {
    const reports = plural(report.merged.length, 'report');
    return `${site.name}${origin} against ${spec.id} (${spec.revision}), merged from ${reports}, ${report.mode} mode`;
  }
  const here = vantage.hostname === '' ? '' : ` on ${vantage.hostname}`;
  const roles = vantage.roles.join(', ') || 'no role';
  return `${site.name}${origin} against ${spec.id} (${spec.revision}), as ${roles}${here}, ${report.mode} mode`;
}

/** "ntp: xenserver-host -> ntp-server, tcp+udp 123" */
export function route(row: ReportRow): string {
  return `${row.id}: ${row.from} -> ${row.to}, ${service(row)}`;
}

/** "tcp+udp 53"; "udp 161, supplement" where several specs were joined. */
export function service({ transports, ports, catalogue }: ReportRow): string {
  const wanted = [transports.join('+'), ports].filter((part) => part !== '').join(' ');
  return [wanted, catalogue].filter((part) => part !== undefined && part !== '').join(', ');
}

/** "page, high": what the row is there for, and how sure that is. */
export const basisOf = ({ basis = 'page', confidence = 'high' }: ReportRow): string => `${basis}, ${confidence}`;

/** "fs01.example.test:445 (10.20.30.9)", "[2001:db8::5]:123" */
export function endpoint({
  host,
  address,
  port,
  isName,
}: Pick<ReportCheck, 'host' | 'address' | 'port' | 'isName'>): string {
  const name = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  const at = port > 0 && !isName ? `${name}:${port}` : name;
  return address === null || address === host ? at : `${at} (${address})`;
}

/** "udp ntp": the transport, and the probe where its name says more. */
export function protocol({ transport, probe }: Pick<ReportCheck, 'transport' | 'probe'>): string {
  return probe === transport ? transport : `${transport} ${probe}`;
}

/** "unreachable (host-down) at connect" */
function happening({ outcome, hint, stage }: Pick<ReportCheck, 'outcome' | 'hint' | 'stage'>): string {
  if (outcome === null) return 'to be tried';
  return outcome + (hint === null ? '' : ` (${hint})`) + (stage === null ? '' : ` at ${stage}`);
}

/** `by`: in a merged report, who checked. */
export function checkLine(check: ReportCheck, by: CheckedBy = () => ''): string {
  const detail = check.detail === null || check.detail === '' ? '' : `, ${check.detail}`;
  return `${seenFrom([check], by)}${endpoint(check)} ${protocol(check)}: ${happening(check)}${detail}`;
}

/** Checks of one host that met the same, in one line: twenty-one silent ports are no twenty-one news, nor are 64 witnesses. */
export function hostLines(checks: readonly ReportCheck[], by: CheckedBy = () => ''): string[] {
  const groups = Map.groupBy(checks, (check) =>
    JSON.stringify([check.host, check.address, protocol(check), happening(check), check.detail]),
  );
  return [...groups.values()].map((members) => {
    const [first] = members;
    if (members.length === 1) return checkLine(first!, by);
    const ports = portRuns(members.map(({ port }) => port));
    const detail = first!.detail === null ? '' : `, ${first!.detail}`;
    return `${seenFrom(members, by)}${endpoint({ ...first!, port: 0 })} ${protocol(first!)} ${ports}: ${happening(first!)}${detail}`;
  });
}

/** Finds checks by id, in the order a row names them. */
export type ChecksOf = (row: ReportRow) => readonly ReportCheck[];

/** Without those of a run that is too old: they prove nothing. */
export function indexChecks({ checks, merged = [] }: Report): ChecksOf {
  const stale = new Set(merged.filter((run) => run.stale).map(({ vantage }) => vantage));
  const fresh = stale.size === 0 ? checks : checks.filter(({ id }) => !stale.has(vantageOf(id)));
  const byId = new Map(fresh.map((check) => [check.id, check]));
  return (row) => row.checks.flatMap((id) => byId.get(id) ?? []);
}

/** The checks that made the row what it is; for a shared check judged otherwise elsewhere, whatever is not a pass. */
export function culprits(row: ReportRow, checks: readonly ReportCheck[]): readonly ReportCheck[] {
  const counting = checks.filter((check) => !check.advisory);
  const same = counting.filter((check) => check.verdict === row.verdict);
  return same.length > 0 ? same : counting.filter((check) => check.verdict !== 'pass');
}

export const changeWords: Readonly<Record<Change['kind'], string>> = {
  'newly-failing': 'newly failing',
  changed: 'changed',
  recovered: 'recovered',
  new: 'new',
  gone: 'gone',
};

/** "Since TIME: newly failing ntp, dns; recovered iscsi."; empty without a baseline. */
export function sinceThen({ changes }: Report): string {
  if (!changes) return '';
  const groups = [...Map.groupBy(changes.rows, ({ kind }) => kind)];
  const told = groups.map(([kind, members]) => `${changeWords[kind]} ${members.map(({ id }) => id).join(', ')}`);
  return `Since ${changes.since}: ${told.join('; ') || 'no row changed'}.`;
}

export interface Failures {
  /** Each with several rows: one thing to mend. */
  readonly shared: readonly Cause[];
  /** Rows that fail for a reason of their own. */
  readonly single: readonly ReportRow[];
}

/** Rows with this verdict by what they have in common, so that one cause is told once. */
export function byCause(report: Report, verdict: 'fail' | 'unverified', checksOf: ChecksOf): Failures {
  const rows = report.rows.filter((row) => row.verdict === verdict);
  const ids = new Set(rows.map(({ id }) => id));
  const shared = report.causes.filter((cause) => cause.rows.length > 1 && cause.rows.every((id) => ids.has(id)));
  const explained = new Set(shared.flatMap(({ checks }) => checks));
  const isExplained = (row: ReportRow): boolean =>
    // Where nobody looked there is no check to explain.
    shared.some((cause) => cause.rows.includes(row.id) && cause.checks.length === 0) ||
    (shared.some((cause) => cause.rows.includes(row.id)) &&
      culprits(row, checksOf(row)).every(({ id }) => explained.has(id)));
  return { shared, single: rows.filter((row) => !isExplained(row)) };
}

export interface Section {
  readonly title: string;
  readonly rows: readonly ReportRow[];
}

/** Rows by section, in the spec's order, sections without rows left out. */
export function bySection(report: Report, rows: readonly ReportRow[]): Section[] {
  return [...Map.groupBy(rows, (row) => row.section)].map(([id, members]) => ({
    title: Object.hasOwn(report.sections, id) ? (report.sections[id] ?? id) : id,
    rows: members,
  }));
}

export interface SkipGroup {
  readonly reason: string;
  readonly because: string;
  readonly remedy: string | null;
  readonly rows: readonly ReportRow[];
}

/** Skipped rows that say the same and have the same remedy, together. */
export function skipGroups(report: Report): SkipGroup[] {
  const skipped = report.rows.filter(isSkipped);
  const groups = Map.groupBy(skipped, ({ skip, because, remedy, from }) =>
    JSON.stringify([skip, because, remedy, skip === 'other-vantage' ? from : '']),
  );
  return [...groups.values()].flatMap((rows) => {
    const first = rows[0];
    if (!first) return [];
    const reason = first.skip ?? 'skipped';
    const because = first.because ?? (first.skip === null ? '' : skipReasons[first.skip]);
    return { reason, because, remedy: first.remedy ?? whereToRun(first), rows };
  });
}

/** "2 fail, 1 unverified, 27 pass, 17 skipped": worst first, zeroes left out. */
export const counts = ({ summary }: Report): string => countsText(summary);

export function countsText({ fail, unverified, warn, pass, skipped }: Readonly<Record<RowVerdict, number>>): string {
  const parts = Object.entries({ fail, unverified, warn, pass, skipped }).filter(([, count]) => count > 0);
  return parts.map(([word, count]) => `${count} ${word}`).join(', ') || 'no rows';
}

/** "Not checkable from here: 14 rows of other machines (xencenter 9, windows-vm 5).", or "". */
export function elsewhere(report: Report): string {
  const away = report.rows.filter((row) => row.skip === 'other-vantage');
  if (away.length === 0) return '';
  const sources = [...Map.groupBy(away, (row) => row.from)].map(([from, rows]) => `${from} ${rows.length}`);
  const rows = plural(away.length, 'row');
  return report.merged
    ? `No report from where ${rows} start (${sources.join(', ')}).`
    : `Not checkable from here: ${rows} of other machines (${sources.join(', ')}).`;
}

export function exitMeaning(report: Report): string {
  switch (report.exitCode) {
    case null:
      return '';
    case 0:
      return 'Exit 0: no row is bad enough for --fail-on.';
    case 1:
      return 'Exit 1: at least one row is bad enough for --fail-on.';
    case 2:
      return 'Exit 2: no check applies, nothing was tried.';
    case 3:
      return 'Exit 3: the run is incomplete.';
    default:
      return `Exit ${report.exitCode}.`;
  }
}

/** "" where Node's own roots are all, and for the demo, which brings its own world. */
export function roots({ vantage, site }: Report): string {
  const [first, ...others] = vantage.roots ?? [];
  if (first === undefined || others.length === 0 || site.origin === 'embedded') return '';
  return `Certificates are held against ${first} roots and ${others.join(', ')}.`;
}

/** "" for a run that got to its end. */
export function incompleteness(report: Report): string {
  if (report.complete || isPlan(report)) return '';
  const open = report.checks.filter(({ outcome }) => outcome === 'aborted' || outcome === 'local' || outcome === null);
  const count = open.length === 0 ? '' : `: ${plural(open.length, 'check')} did not get an outcome`;
  return `The run is incomplete${count}; what was learned until then stands.`;
}

/** "0.8 ms", "412 ms", "5.13 s" */
export function took(ms: number): string {
  if (ms < 1000) return `${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)} ms`;
  return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
}

/** When: "2026-11-25T10:36:19.655Z, 5.05 s", and of several runs from the first to the last. */
export function when({ startedAt, durationMs, merged }: Report): string {
  const [last] = (merged ?? []).map((run) => run.startedAt).toSorted((a, b) => Date.parse(b) - Date.parse(a));
  if (last !== undefined) return last === startedAt ? startedAt : `from ${startedAt} to ${last}`;
  return durationMs === null ? startedAt : `${startedAt}, ${took(durationMs)}`;
}

export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

function whereToRun({ skip, from }: ReportRow): string | null {
  return skip === 'other-vantage' ? `run xenreach on a ${from}` : null;
}
