/**
 * Maintenance: who is told what while rows are under repair. Only the telling is held back. An incident that opened in a
 * window and is still open behind it is told then; one that ended within it is never told; and what was told to be broken is
 * told to be good again, window or not.
 */
import type { Incident, News, State } from './incidents.ts';

export interface Hushed {
  /** Ids of open incidents that nobody was told of. */
  readonly untold: readonly string[];
  readonly told: readonly News[];
}

export function hush(
  untold: readonly string[],
  { state, news }: { readonly state: State; readonly news: readonly News[] },
  isQuiet: (row: string) => boolean,
): Hushed {
  const held = new Set(untold);
  const told: News[] = [];
  for (const each of news) {
    const { incident, type } = each;
    const isHeld = held.has(incident.id);
    if (type === 'closed') {
      if (!isHeld) told.push(each);
      held.delete(incident.id);
    } else if (isAllQuiet(incident, isQuiet)) {
      if (type !== 'changed' && (isHeld || type === 'opened')) held.add(incident.id);
    } else if (!isHeld) told.push(each);
  }
  // What is still open when its window is over is news then.
  for (const incident of state.incidents) {
    if (!held.has(incident.id) || isAllQuiet(incident, isQuiet)) continue;
    held.delete(incident.id);
    told.push({ type: 'opened', incident, rows: incident.rows.flatMap((id) => rowNewsOf(state, id)) });
  }
  return { untold: [...held].filter((id) => state.incidents.some((open) => open.id === id)), told };
}

const isAllQuiet = ({ rows }: Incident, isQuiet: (row: string) => boolean): boolean =>
  rows.length > 0 && rows.every(isQuiet);

function rowNewsOf({ rows }: State, id: string): News['rows'] {
  const row = rows[id];
  return row ? [{ id, was: 'pass', now: row.seen, because: row.because, remedy: row.remedy }] : [];
}
