/**
 * What is merged: one run of one vantage, with what it said of each row. A report of one vantage is one part; a merged one
 * is taken apart into those that it was made of, so that grouping changes nothing.
 */
import { UsageError } from '../model/errors.ts';
import { separator, vantageOf } from '../model/merged.ts';
import type { MergedRun, Report, ReportCheck, RowSource } from '../model/report.ts';

/** What was given to be merged: `file` for the words about it, the hash of its bytes. */
export interface MergeInput {
  readonly file: string;
  readonly sha256: string;
  readonly report: Report;
}

/** A run, without what only its place among others says. */
export type PartRun = Omit<MergedRun, 'vantage' | 'ageMs' | 'stale'>;

/** In its own words. */
type Said = Omit<RowSource, 'vantage' | 'stale'>;

/** What one run said of a row, and the checks it said it by, as they were called there. */
export interface Word extends Said {
  readonly checks: readonly ReportCheck[];
  /** The ids of those that count for nothing; absent where there are none. */
  readonly spared?: readonly string[];
}

export interface Part {
  readonly run: PartRun;
  /** By row. */
  readonly words: ReadonlyMap<string, Word>;
}

/** Throws a UsageError where it is no report of a run, or does not hold together. */
export function partsOf({ file, sha256, report }: MergeInput): Part[] {
  refuseTwice(file, 'row', report.rows);
  refuseTwice(file, 'check', report.checks);
  if (report.merged) return partsOfMerged(file, report, report.merged);
  if (report.exitCode === null && report.checks.every(({ outcome }) => outcome === null))
    throw new UsageError(`${file}: is the report of a plan: nothing was observed; give one of \`xenreach check\``);
  const byId = new Map(report.checks.map((check) => [check.id, check]));
  const words = report.rows.flatMap((row): [string, Word][] => {
    const { id, verdict, because, remedy, skip, notes } = row;
    const checks = row.checks.flatMap((name) => byId.get(name) ?? []);
    // That it starts elsewhere is no word about it.
    return verdict === null || skip === 'other-vantage'
      ? []
      : [[id, { verdict, because, remedy, skip, notes, checks, ...(row.spared && { spared: row.spared }) }]];
  });
  return [{ run: runOf(report, sha256), words: new Map(words) }];
}

function runOf(report: Report, sha256: string): PartRun {
  const { vantage, startedAt, complete, durationMs, tool, stats } = report;
  const { roles, hostname, addresses, roots } = vantage;
  const { version } = tool;
  return {
    roles,
    startedAt,
    complete,
    sha256,
    hostname,
    addresses,
    ...(roots && { roots }),
    durationMs,
    version,
    stats,
  };
}

function runOfMerged(merged: MergedRun): PartRun {
  const { roles, startedAt, complete, sha256, hostname, addresses, roots, durationMs, version, stats } = merged;
  return {
    roles,
    startedAt,
    complete,
    sha256,
    hostname,
    addresses,
    ...(roots && { roots }),
    durationMs,
    version,
    stats,
  };
}

function partsOfMerged(file: string, report: Report, merged: readonly MergedRun[]): Part[] {
  const parts = new Map(
    merged.map((each) => [each.vantage, { run: runOfMerged(each), words: new Map<string, Word>() }]),
  );
  if (parts.size < merged.length) throw new UsageError(`${file}: has two vantages of one name; merge the reports anew`);
  const byId = new Map(report.checks.map((check) => [check.id, check]));
  for (const row of report.rows) {
    const checksOf = Map.groupBy(row.checks, (id) => vantageOf(id));
    for (const { vantage, verdict, because, remedy, skip, notes } of row.sources ?? []) {
      const part = parts.get(vantage);
      if (!part)
        throw new UsageError(`${file}: row "${row.id}" has a word of "${vantage}", which is none of its vantages`);
      const checks = (checksOf.get(vantage) ?? []).flatMap((id) => ownCheck(byId.get(id), vantage));
      const spared =
        row.spared?.flatMap((id) => (vantageOf(id) === vantage ? [withoutVantage(id, vantage)] : [])) ?? [];
      const said = { verdict, because, remedy, skip, notes, checks };
      part.words.set(row.id, spared.length > 0 ? { ...said, spared } : said);
    }
  }
  return [...parts.values()];
}

/** With the id that it had in the report of its vantage. */
const ownCheck = (check: ReportCheck | undefined, vantage: string): ReportCheck[] =>
  check ? [{ ...check, id: withoutVantage(check.id, vantage) }] : [];

const withoutVantage = (id: string, vantage: string): string => id.slice(vantage.length + separator.length);

function refuseTwice(file: string, what: string, items: readonly { readonly id: string }[]): void {
  const seen = new Set<string>();
  for (const { id } of items) {
    if (seen.has(id)) throw new UsageError(`${file}: has the ${what} "${id}" twice; it is not as xenreach wrote it`);
    seen.add(id);
  }
}
