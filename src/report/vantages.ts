/** What a report of several vantages says of them: who saw what, who is missing. Raw text: escape it. Empty for a single run. */
import { nameList } from '../judge/causes.ts';
import { vantageOf } from '../model/merged.ts';
import type { MergedRun, Report, ReportCheck, ReportRow } from '../model/report.ts';
import type { RowVerdict } from '../model/verdict.ts';

/** Whose a check is; '' in the report of one run. */
export type CheckedBy = (check: Pick<ReportCheck, 'id'>) => string;

export const checkedBy = ({ merged }: Report): CheckedBy => (merged ? ({ id }) => vantageOf(id) : () => '');

/** "from xs1, xs2, xs3, xs4 and 60 more: ", or ''. */
export function seenFrom(checks: readonly ReportCheck[], by: CheckedBy): string {
  const names = [...new Set(checks.map(by))].filter((name) => name !== '');
  return names.length === 0 ? '' : `from ${nameList(names)}: `;
}

export interface VantageSummary {
  readonly run: MergedRun;
  /** How many rows it gave which verdict. */
  readonly counts: Readonly<Record<RowVerdict, number>>;
  /** "too old", "cut short", or ''. */
  readonly trouble: string;
}

/** Those with failures first. */
export function vantageSummaries({ merged = [], rows }: Report): VantageSummary[] {
  const counts = new Map(merged.map(({ vantage }) => [vantage, noCounts()]));
  for (const { sources = [] } of rows) {
    for (const { vantage, verdict } of sources) {
      const mine = counts.get(vantage);
      if (mine) mine[verdict] += 1;
    }
  }
  return merged
    .map((run) => ({ run, counts: counts.get(run.vantage)!, trouble: troubleOf(run) }))
    .toSorted((a, b) => b.counts.fail - a.counts.fail || b.counts.unverified - a.counts.unverified);
}

const noCounts = (): Record<RowVerdict, number> => ({ pass: 0, warn: 0, fail: 0, unverified: 0, skipped: 0 });

const troubleOf = ({ stale, complete }: MergedRun): string => (stale ? 'too old' : complete ? '' : 'cut short');

/** "1 fail, xs1; 1 pass, xs2; not heard: xs3": the worst first; '' where all were heard and say the same. */
export function sourcesText({ sources = [], coverage }: ReportRow): string {
  const fresh = sources.filter(({ stale }) => stale !== true);
  const groups = Map.groupBy(fresh, ({ verdict }) => verdict);
  const missing = coverage?.missing ?? [];
  if (fresh.length === 0 || (groups.size < 2 && missing.length === 0)) return '';
  const told = [...groups].toSorted(([a], [b]) => severity.indexOf(a) - severity.indexOf(b));
  const said = told.map(
    ([verdict, members]) => `${members.length} ${verdict}, ${nameList(members.map(({ vantage }) => vantage))}`,
  );
  return [...said, ...(missing.length === 0 ? [] : [`not heard: ${nameList(missing)}`])].join('; ');
}

const severity: readonly RowVerdict[] = ['fail', 'unverified', 'warn', 'pass', 'skipped'];

/** For each source role whom no report of it is from, as a sentence with what to run there. */
export function unheard({ rows, merged }: Report): string[] {
  if (!merged) return [];
  const byRole = Map.groupBy(rows, ({ from }) => from);
  return [...byRole].flatMap(([role, members]) => {
    const names = [...new Set(members.flatMap(({ coverage }) => coverage?.missing ?? []))];
    if (names.length === 0) return [];
    const who = names.every((name) => name === role)
      ? `No report from a ${role}`
      : `Not heard as ${role}: ${nameList(names)}`;
    return [`${who}; there: xenreach check --as ${role} --output json=FILE`];
  });
}
