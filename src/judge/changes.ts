/** What is different between two reports: rows and checks that newly fail, recovered, changed, came or went. Pure. */
import type { Change, Changes, Report } from '../model/report.ts';

interface Judged {
  readonly id: string;
  readonly verdict: string | null;
}

/** Worst changes first, each in the order of the newer report; what stayed as it was is not told. */
export function changesBetween(older: Report, newer: Pick<Report, 'rows' | 'checks'>): Changes {
  return {
    since: older.startedAt,
    rows: changed(older.rows, newer.rows),
    checks: changed(older.checks, newer.checks),
  };
}

function changed(older: readonly Judged[], newer: readonly Judged[]): Change[] {
  const before = new Map(older.map((each) => [each.id, each.verdict]));
  const after = new Set(newer.map(({ id }) => id));
  const changes = newer.flatMap(({ id, verdict: now }): Change[] => {
    const isNew = !before.has(id);
    const was = before.get(id) ?? null;
    if (!isNew && was === now) return [];
    const kind =
      now === 'fail' ? 'newly-failing' : isNew ? 'new' : was === 'fail' && isGood(now) ? 'recovered' : 'changed';
    return [{ id, was, now, kind }];
  });
  const gone = older
    .filter(({ id }) => !after.has(id))
    .map(({ id, verdict }): Change => ({ id, was: verdict, now: null, kind: 'gone' }));
  return [...changes, ...gone].toSorted((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
}

const isGood = (verdict: string | null): boolean => verdict === 'pass' || verdict === 'warn';

const order: readonly Change['kind'][] = ['newly-failing', 'changed', 'recovered', 'new', 'gone'];
