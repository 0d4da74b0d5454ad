/**
 * Incidents: one for each cause, not for each row. Rows join when enough runs agree that they fail by that cause, and leave
 * after two runs in which they do not. Whoever is told hears of an incident when it opens, changes and closes. Three rules
 * hold for all of it: only telling is ever held back, never checking; what hides a cause (this vantage, the resolver, the
 * proxy) does not end an incident of a host behind it; and what nobody could try neither opens nor closes anything.
 */
import { causeKinds, type CauseKind } from '../model/report.ts';
import type { RowVerdict } from '../model/verdict.ts';
import { believe, calm, goodRuns, noBelief, restlessAt, type Restless, type RowBelief } from './belief.ts';
import type { Seen, SeenCause, SeenRow } from './seen.ts';

/** Whether a row fails by a cause. */
interface Membership extends Restless {
  readonly isMember: boolean;
  /** Runs in a row that say otherwise. */
  readonly against: number;
  /** When the first of them was; of a member, when it began to fail. */
  readonly from: number;
  /** What the row was believed to be when they began. */
  readonly was: RowVerdict | null;
}

export interface RowState extends RowBelief {
  /** Of the last run. */
  readonly seen: RowVerdict;
  readonly because: string | null;
  readonly remedy: string | null;
  /** By the key of a cause. */
  readonly causes: Readonly<Record<string, Membership>>;
}

export interface Incident {
  readonly id: string;
  readonly key: string;
  readonly kind: CauseKind;
  readonly text: string;
  readonly remedy: string | null;
  readonly since: number;
  readonly rows: readonly string[];
  /** Every row that was ever part of it. */
  readonly everyRow: readonly string[];
  readonly isFlapping: boolean;
}

/** All of it is plain JSON: it is kept as it is, and a new process goes on from it. */
export interface State {
  readonly rows: Readonly<Record<string, RowState>>;
  /** The open ones, oldest first. */
  readonly incidents: readonly Incident[];
}

export const noState: State = { rows: {}, incidents: [] };

export type NewsType = 'opened' | 'changed' | 'closed' | 'flapping';

export interface RowNews {
  readonly id: string;
  readonly was: RowVerdict | null;
  readonly now: RowVerdict;
  readonly because: string | null;
  readonly remedy: string | null;
}

export interface News {
  readonly type: NewsType;
  readonly incident: Incident;
  readonly rows: readonly RowNews[];
}

export interface Confirm {
  readonly runs: number;
  readonly newId: () => string;
}

export function observe(before: State, seen: Seen, { runs, newId }: Confirm): { state: State; news: News[] } {
  const rows: Record<string, RowState> = { ...before.rows };
  for (const row of seen.rows) rows[row.id] = updated(rows[row.id], row, seen, runs);
  const changed = settle(rows, seen.at, runs);
  const state = { rows, incidents: before.incidents };
  return incidentsOf(state, seen, changed, newId);
}

/** Rows that the site no longer has: their incidents end without a word of their own. */
export const without = (state: State, isKnown: (row: string) => boolean): State => ({
  ...state,
  rows: Object.fromEntries(Object.entries(state.rows).filter(([id]) => isKnown(id))),
});

/** Rows about which the last runs did not agree yet, with the causes that are in doubt. */
export function inDoubt({ rows }: State): ReadonlyMap<string, readonly string[]> {
  const found = Object.entries(rows).flatMap(([id, { count, causes }]): [string, string[]][] => {
    const keys = Object.keys(causes).filter((key) => causes[key]!.against > 0);
    return count > 0 || keys.length > 0 ? [[id, keys]] : [];
  });
  return new Map(found);
}

function updated(before: RowState | undefined, row: SeenRow, { at, causes }: Seen, runs: number): RowState {
  const belief = believe(before ?? noBelief, { verdict: row.verdict, isConclusive: row.isConclusive, at }, runs);
  const kindOf = (key: string): number => rankOf(causes.find((cause) => cause.key === key)?.kind ?? kindIn(key));
  const nearest = Math.min(...row.causes.map(kindOf), Infinity);
  const old = before?.causes ?? {};
  const next: Record<string, Membership> = {};
  for (const key of new Set([...Object.keys(old), ...row.causes])) {
    const was = old[key] ?? { ...calm, isMember: false, against: 0, from: at, was: before?.believed ?? null };
    const isSeen = row.causes.includes(key);
    // A row that nobody could try, or that fails nearer to us, says nothing of this cause.
    if (!isSeen && (!row.isConclusive || rankOf(kindIn(key)) > nearest)) next[key] = was;
    else if (isSeen === was.isMember) next[key] = { ...was, against: 0 };
    else if (was.against > 0) next[key] = { ...was, against: was.against + 1 };
    else next[key] = { ...was, against: 1, from: at, was: before?.believed ?? null };
  }
  const { verdict: seen, because, remedy } = row;
  return { ...belief, seen, because, remedy, causes: next };
}

const rankOf = (kind: CauseKind): number => Math.min(causeKinds.indexOf(kind), causeKinds.indexOf('host'));
const kindIn = (key: string): CauseKind => causeKinds.find((kind) => key.split(':')[0] === kind) ?? 'row';

/** Who joins and who leaves now. The rows come as they are and are put right in place; the keys that had a change come out. */
function settle(rows: Record<string, RowState>, at: number, runs: number): ReadonlySet<string> {
  const pairs = Object.entries(rows).flatMap(([id, { causes }]) =>
    Object.entries(causes).map(([key, membership]) => ({ id, key, membership })),
  );
  const changed = new Set<string>();
  for (const [key, members] of Map.groupBy(pairs, (pair) => pair.key)) {
    const isOpen = members.some(({ membership }) => membership.isMember);
    const joining = members.filter(({ membership: { isMember, against } }) => !isMember && against > 0);
    // A cause that enough runs agree on takes in whoever showed it more than once.
    const isSure = !isOpen && joining.some(({ membership }) => membership.against >= runs);
    const least = isSure ? Math.min(2, runs) : runs;
    const leaving = members.filter(({ membership: { isMember, against } }) => isMember && against > 0);
    // Who recovers together leaves together, but nobody waits for long.
    const isWaiting = leaving.some(({ membership }) => membership.against < goodRuns);
    const leaves = (against: number): boolean => against >= (isWaiting ? goodRuns + 2 : goodRuns);
    for (const { id, membership } of members) {
      const { isMember, against } = membership;
      const turns = isMember ? leaves(against) : against >= least && against > 0;
      const restless = restlessAt(membership, at, turns);
      const causes = { ...rows[id]!.causes };
      const now = { ...membership, ...restless, ...(turns && { isMember: !isMember, against: 0 }) };
      if (turns || restless.isFlapping !== membership.isFlapping) changed.add(key);
      if (isOver(now)) delete causes[key];
      else causes[key] = now;
      rows[id] = { ...rows[id]!, causes };
    }
  }
  return changed;
}

const isOver = ({ isMember, against, changes }: Membership): boolean =>
  !isMember && against === 0 && changes.length === 0;

/** While it flaps a row stays where it is: in. */
const counts = ({ isMember, isFlapping }: Membership): boolean => isMember || isFlapping;

function incidentsOf(
  state: State,
  seen: Seen,
  changed: ReadonlySet<string>,
  newId: () => string,
): { state: State; news: News[] } {
  const news: News[] = [];
  const open = new Map(state.incidents.map((incident) => [incident.key, incident]));
  const gone = [...open.keys()].filter((key) => membersOf(state, key).length === 0);
  for (const key of new Set([...changed, ...gone])) {
    const before = open.get(key);
    const rows = membersOf(state, key);
    const isFlapping = rows.some((id) => state.rows[id]!.causes[key]!.isFlapping);
    if (!before && rows.length === 0) continue;
    const cause = seen.causes.find((each) => each.key === key);
    // It began with the first run that saw it, and not with the one that made it believed.
    const since = Math.min(...rows.map((id) => state.rows[id]!.causes[key]!.from));
    const incident = { ...(before ?? opened(key, cause, since, newId)), ...spoken(cause), rows, isFlapping };
    const everyRow = [...new Set([...incident.everyRow, ...rows])];
    const type = newsOf(before, incident);
    if (rows.length === 0) open.delete(key);
    else open.set(key, { ...incident, everyRow });
    if (type) news.push({ type, incident: { ...incident, everyRow }, rows: rowNews(state, key, before, incident) });
  }
  return { state: { ...state, incidents: [...open.values()] }, news };
}

const membersOf = ({ rows }: State, key: string): string[] =>
  Object.keys(rows).filter((id) => {
    const membership = rows[id]!.causes[key];
    return membership !== undefined && counts(membership);
  });

const opened = (key: string, cause: SeenCause | undefined, since: number, newId: () => string): Incident => ({
  id: newId(),
  key,
  kind: cause?.kind ?? kindIn(key),
  text: cause?.text ?? key,
  remedy: cause?.remedy ?? null,
  since,
  rows: [],
  everyRow: [],
  isFlapping: false,
});

/** As the last run has it. */
const spoken = (cause: SeenCause | undefined): Partial<Incident> =>
  cause ? { kind: cause.kind, text: cause.text, remedy: cause.remedy } : {};

function newsOf(before: Incident | undefined, now: Incident): NewsType | null {
  if (now.rows.length === 0) return 'closed';
  if (now.isFlapping && before?.isFlapping !== true) return 'flapping';
  if (!before) return 'opened';
  const isSame = before.rows.length === now.rows.length && before.rows.every((id) => now.rows.includes(id));
  return isSame ? null : 'changed';
}

/** Its rows, and those that have just left it. */
function rowNews({ rows }: State, key: string, before: Incident | undefined, now: Incident): RowNews[] {
  return [...new Set([...now.rows, ...(before?.rows ?? [])])].flatMap((id): RowNews[] => {
    const row = rows[id];
    if (!row) return [];
    const { seen, because, remedy, causes } = row;
    const was = now.rows.includes(id) ? (causes[key]?.was ?? null) : 'fail';
    return [{ id, was, now: seen, because, remedy }];
  });
}
