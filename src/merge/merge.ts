/**
 * Reports of any number of vantages → one report of the whole site. Pure, and a join: order, repetition and grouping of what
 * is given change nothing, for a merged report holds all that it was made of and still counts.
 */
import { causesOf } from '../judge/causes.ts';
import { changesBetween } from '../judge/changes.ts';
import { exitCodeOf, summarize, type FailOn } from '../judge/report.ts';
import type { Receipts } from '../model/pair.ts';
import { version } from '../load/version.ts';
import { UsageError } from '../model/errors.ts';
import { separator, vantageOf } from '../model/merged.ts';
import {
  reportSchema,
  type Cause,
  type MergedRun,
  type Report,
  type ReportCheck,
  type ReportRow,
  type Stats,
} from '../model/report.ts';
import { Coverage, machinesOf } from './coverage.ts';
import { named, type Named } from './names.ts';
import { checksOf, compare, newestWords } from './newest.ts';
import { partsOf, type MergeInput } from './part.ts';
import { withReceipts } from './receipts.ts';
import { mergedRow, type Fixed, type MergedRow } from './row.ts';

export interface MergeSettings {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** What began longer ago proves nothing. */
  readonly maxAgeMs: number;
  /** @default 'fail' */
  readonly failOn?: FailOn | undefined;
  readonly baseline?: Report | undefined;
  /** What other ends saw arrive, of what these reports met silence with. */
  readonly receipts?: readonly Receipts[] | undefined;
}

/** Throws a UsageError where the reports cannot be one picture. */
export function mergeReports(inputs: readonly MergeInput[], settings: MergeSettings): Report {
  const { now, maxAgeMs, failOn = 'fail', baseline, receipts = [] } = settings;
  const first = inputs[0]?.report;
  if (!first) throw new UsageError('merge takes reports of `xenreach check`, in JSON: xenreach merge REPORT...');
  for (const input of inputs) refuseOther(inputs[0]!, input);
  const runs = named(newestWords(withReceipts(inputs.flatMap(partsOf), receipts)));
  if (runs.length === 0) throw new UsageError('no report says anything about a row: no check applies to any of them');

  const isStale = ({ run }: Named): boolean => now - Date.parse(run.startedAt) > maxAgeMs;
  const fixed = fixedRows(inputs);
  const ids = fixed.map(({ id }) => id);
  const coverage = new Coverage(machinesOf(runs), fixed);
  const merged = fixed.map((row) => mergedRow(row, runs, isStale, coverage.of(row.from)));
  const bare = merged.map(({ row }) => row);
  const rows = baseline ? besideBaseline(bare, baseline) : bare;
  const told = runs.map((each) => ({ each, checks: checksOf(each, ids).map((check) => ofVantage(check, each)) }));
  const checks = told.flatMap((one) => one.checks);
  const fresh = told.filter(({ each }) => !isStale(each)).flatMap((one) => one.checks);
  const complete = fresh.every(isConclusive);
  const { startedAt, durationMs, newest } = spanOf(runs);
  return {
    schema: reportSchema,
    tool: { name: 'xenreach', version: version() },
    spec: first.spec,
    site: { name: first.site.name, origin: originOf(inputs) },
    // Those of each are in `merged`.
    vantage: { roles: [...new Set(runs.flatMap(({ run }) => run.roles))].toSorted(), hostname: '', addresses: [] },
    mode: first.mode,
    startedAt,
    merged: runs.map((each) => runOf(each, newest, isStale(each))),
    durationMs,
    complete,
    exitCode: exitCodeOf(rows, failOn, complete),
    summary: summarize(rows, checks.length),
    stats: statsOf(runs),
    sections: sectionsOf(inputs),
    causes: [...causesOf(rows, fresh, ({ id }) => vantageOf(id)), ...unheardCauses(merged)],
    rows,
    checks,
    ...(baseline && { changes: changesBetween(baseline, { rows, checks }) }),
  };
}

function refuseOther(one: MergeInput, other: MergeInput): void {
  const [a, b] = [one.report, other.report];
  if (JSON.stringify(a.spec) !== JSON.stringify(b.spec))
    throw new UsageError(
      `${other.file} is of the spec ${specText(b)}, ${one.file} of ${specText(a)}: different requirements make no one picture; judge them by one spec first: xenreach judge REPORT --format json`,
    );
  if (a.site.name !== b.site.name)
    throw new UsageError(
      `${other.file} is of the site "${b.site.name}", ${one.file} of "${a.site.name}"; merge the reports of one site`,
    );
  if (a.mode !== b.mode)
    throw new UsageError(
      `${other.file} was made in ${b.mode} mode, ${one.file} in ${a.mode} mode; judge one of them in the other's first: xenreach judge ${other.file} --mode ${a.mode} --format json`,
    );
  if (a.rows.length !== b.rows.length || a.rows.some(({ id }, at) => id !== b.rows[at]?.id))
    throw new UsageError(
      `${other.file} has other rows than ${one.file}, though both name one spec: they are not as xenreach wrote them`,
    );
}

const specText = ({ spec: { id, revision, sha256 } }: Report): string =>
  `${id} (${revision}, SHA-256 ${sha256.slice(0, 12)})`;

/** What is the same in every report of the site; should two differ, the lesser text, whoever comes first. */
function fixedRows(inputs: readonly MergeInput[]): Fixed[] {
  const [first, ...others] = inputs.map(({ report }) => report.rows.map(fixedPartOf));
  return first!.map((row, at) => others.reduce((least, rows) => lesser(least, rows[at]!), row));
}

function fixedPartOf(row: ReportRow): Fixed {
  const { id, section, from, to, transports, ports, purpose, require, catalogue, confidence, basis } = row;
  return {
    id,
    section,
    from,
    to,
    transports,
    ports,
    purpose,
    ...(require && { require }),
    ...(catalogue !== undefined && { catalogue }),
    ...(confidence && { confidence }),
    ...(basis && { basis }),
  };
}

function lesser<T>(one: T, other: T): T {
  return compare(JSON.stringify(one), JSON.stringify(other)) <= 0 ? one : other;
}

function sectionsOf(inputs: readonly MergeInput[]): Report['sections'] {
  const titles = new Map<string, string>();
  for (const { report } of inputs)
    for (const [id, title] of Object.entries(report.sections)) titles.set(id, lesser(titles.get(id) ?? title, title));
  return Object.fromEntries([...titles].toSorted(([a], [b]) => compare(a, b)));
}

/** A file that somebody wrote knows the site best. */
const originOf = (inputs: readonly MergeInput[]): Report['site']['origin'] =>
  (['file', 'discovered', 'embedded'] as const).find((origin) =>
    inputs.some(({ report }) => report.site.origin === origin),
  )!;

function besideBaseline(rows: readonly ReportRow[], baseline: Report): ReportRow[] {
  const was = new Map(baseline.rows.map(({ id, verdict }) => [id, verdict]));
  return rows.map((row) => Object.assign({}, row, { was: was.get(row.id) ?? null }));
}

/** A machine that nothing was heard of keeps many rows from being proven, and is one thing to mend. */
function unheardCauses(merged: readonly MergedRow[]): Cause[] {
  const groups = Map.groupBy(
    merged.filter(({ unheard }) => unheard !== null),
    ({ unheard, row }) => JSON.stringify([unheard, row.remedy]),
  );
  return [...groups.values()].map((members): Cause => {
    const { unheard, row } = members[0]!;
    return {
      kind: 'vantage',
      text: unheard!,
      rows: members.map((each) => each.row.id),
      checks: [],
      remedy: row.remedy,
    };
  });
}

const ofVantage = (check: ReportCheck, { name }: Named): ReportCheck => ({
  ...check,
  id: `${name}${separator}${check.id}`,
});

const isConclusive = ({ outcome }: ReportCheck): boolean =>
  outcome !== null && outcome !== 'local' && outcome !== 'aborted';

function runOf({ name, run }: Named, newest: number, stale: boolean): MergedRun {
  const { roles, startedAt, complete, sha256, ...more } = run;
  return { vantage: name, roles, startedAt, ageMs: newest - Date.parse(startedAt), complete, sha256, stale, ...more };
}

/** From the first beginning to the last end. */
function spanOf(runs: readonly Named[]): { startedAt: string; durationMs: number; newest: number } {
  const starts = runs.map(({ run: { startedAt } }) => startedAt);
  const [first = ''] = starts.toSorted((a, b) => Date.parse(a) - Date.parse(b) || compare(a, b));
  const ends = runs.map(({ run }) => Date.parse(run.startedAt) + (run.durationMs ?? 0));
  return {
    startedAt: first,
    durationMs: Math.max(0, Math.round(Math.max(...ends) - Date.parse(first))),
    newest: Math.max(...starts.map((start) => Date.parse(start))),
  };
}

function statsOf(runs: readonly Named[]): Stats {
  const all = runs.map(({ run }) => run.stats);
  return {
    maxInFlight: Math.max(...all.map((each) => each.maxInFlight)),
    connects: all.reduce((sum, each) => sum + each.connects, 0),
    datagrams: all.reduce((sum, each) => sum + each.datagrams, 0),
    peakRssMiB: Math.max(...all.map((each) => each.peakRssMiB)),
  };
}
