/**
 * From what runs saw to what is believed: one bad run is no news. A worse verdict is believed after so many agreeing runs, a
 * good one after two; what changes all the time is said to do so, once. Pure: time comes in with each run.
 */
import type { RowVerdict } from '../model/verdict.ts';

export const goodRuns = 2;
const flapping = { changes: 4, withinMs: 3_600_000 } as const;

/** Changes of the last hour. */
export interface Restless {
  readonly changes: readonly number[];
  readonly isFlapping: boolean;
}

export const calm: Restless = { changes: [], isFlapping: false };

/** After four changes in an hour it flaps, until an hour has passed without one. */
export function restlessAt({ changes, isFlapping }: Restless, at: number, hasChanged: boolean): Restless {
  const recent = changes.filter((when) => at - when < flapping.withinMs);
  const all = hasChanged ? [...recent, at].slice(-flapping.changes * 2) : recent;
  return { changes: all, isFlapping: all.length >= flapping.changes || (isFlapping && all.length > 0) };
}

export interface RowBelief extends Restless {
  /** Null until something was believed. */
  readonly believed: RowVerdict | null;
  /** Of what is believed. */
  readonly since: number;
  /** What the last runs agreed on instead, and how many. */
  readonly pending: RowVerdict | null;
  readonly count: number;
  /** When the first of them was. */
  readonly from: number;
}

export const noBelief: RowBelief = { ...calm, believed: null, since: 0, pending: null, count: 0, from: 0 };

const order: readonly RowVerdict[] = ['skipped', 'pass', 'warn', 'unverified', 'fail'];

export interface RowSight {
  readonly verdict: RowVerdict;
  readonly isConclusive: boolean;
  readonly at: number;
}

export function believe(before: RowBelief, { verdict, isConclusive, at }: RowSight, runs: number): RowBelief {
  if (!isConclusive) return { ...before, ...restlessAt(before, at, false) };
  if (verdict === before.believed) return { ...before, ...restlessAt(before, at, false), pending: null, count: 0 };
  const isOn = before.pending === verdict;
  const [count, from] = isOn ? [before.count + 1, before.from] : [1, at];
  if (count < runsFor(before.believed, verdict, runs)) {
    return { ...before, ...restlessAt(before, at, false), pending: verdict, count, from };
  }
  const isFirst = before.believed === null;
  return { ...restlessAt(before, at, !isFirst), believed: verdict, since: from, pending: null, count: 0, from };
}

/** What the site does not have is no matter of belief, and of a row that nobody knew good news are taken as they are. */
function runsFor(was: RowVerdict | null, now: RowVerdict, runs: number): number {
  if (was === 'skipped' || now === 'skipped') return 1;
  if (was === null) return now === 'fail' ? runs : 1;
  return order.indexOf(now) > order.indexOf(was) ? runs : goodRuns;
}
