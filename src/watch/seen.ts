/**
 * One run as the watch sees it: what each row was found to be, and by which cause it fails. A cause has a key that stays the
 * same from run to run, so that rows join and leave one incident: this vantage, the resolver, the proxy, a host, or a row.
 */
import type { Cause, CauseKind, Report, ReportCheck, ReportRow } from '../model/report.ts';
import type { RowVerdict } from '../model/verdict.ts';
import { checkLine } from '../report/phrases.ts';

export interface SeenCause {
  /** "vantage", "resolver", "proxy", "host:10.0.0.5", "row:ntp" */
  readonly key: string;
  readonly kind: CauseKind;
  readonly text: string;
  readonly remedy: string | null;
}

export interface SeenRow {
  readonly id: string;
  readonly verdict: RowVerdict;
  readonly because: string | null;
  readonly remedy: string | null;
  /** False where this machine could not try, or was interrupted: it says nothing of the site. */
  readonly isConclusive: boolean;
  /** Keys of `causes`; empty while the row is good. */
  readonly causes: readonly string[];
}

export interface Seen {
  readonly at: number;
  readonly rows: readonly SeenRow[];
  readonly causes: readonly SeenCause[];
}

/** The mildest verdict that is an incident. */
export type Mildest = 'fail' | 'unverified' | 'warn';

const badFrom: Readonly<Record<Mildest, readonly RowVerdict[]>> = {
  fail: ['fail'],
  unverified: ['fail', 'unverified'],
  warn: ['fail', 'unverified', 'warn'],
};

/** So much of everything at once, over so many hosts, is no fault of the hosts. */
const share = { ofRows: 0.8, leastRows: 5, leastHosts: 3 } as const;

/** `touched`: the rows that this run has news of; all of them where it is undefined. */
export function seenOf(report: Report, at: number, mildest: Mildest, touched?: ReadonlySet<string>): Seen {
  const checks = new Map(report.checks.map((check) => [check.id, check]));
  const causes = keyedCauses(report, checks, mildest);
  const keysOf = new Map<string, string[]>();
  for (const { key, rows } of causes)
    for (const row of rows) keysOf.set(row, [...new Set([...(keysOf.get(row) ?? []), key])]);
  const rows = report.rows.flatMap((row): SeenRow[] => {
    if (row.verdict === null || (touched && !touched.has(row.id))) return [];
    const { id, verdict, because, remedy } = row;
    const isConclusive = !isInconclusive(row, checks);
    return [{ id, verdict, because, remedy, isConclusive, causes: keysOf.get(id) ?? [] }];
  });
  return { at, rows, causes };
}

/** The verdict comes from what was not tried. */
function isInconclusive({ verdict, checks: ids }: ReportRow, checks: ReadonlyMap<string, ReportCheck>): boolean {
  if (verdict !== 'unverified') return false;
  return ids.some((id) => {
    const check = checks.get(id);
    return check?.advisory === false && (check.outcome === 'local' || check.outcome === 'aborted');
  });
}

interface KeyedCause extends SeenCause {
  readonly rows: readonly string[];
}

function keyedCauses(report: Report, checks: ReadonlyMap<string, ReportCheck>, mildest: Mildest): KeyedCause[] {
  const bad = report.rows.filter(({ verdict }) => verdict !== null && badFrom[mildest].includes(verdict));
  const badIds = new Set(bad.map(({ id }) => id));
  const told = report.causes.map((cause) => keyed(cause, checks, report.causes));
  const everything = everythingAtOnce(report, told);
  if (everything) return [everything];
  const single = Map.groupBy(
    told.filter(({ key, rows }) => key.startsWith('host:') && rows.length === 1),
    ({ rows }) => rows[0]!,
  );
  const grouped = told.flatMap((cause): KeyedCause[] => {
    const rows = cause.kind === 'vantage' ? cause.rows : cause.rows.filter((id) => badIds.has(id));
    if (rows.length === 0) return [];
    // One row at many hosts is one thing to look at; the hosts are in its own sentence.
    const own = rows.length === 1 ? (single.get(rows[0]!) ?? []) : [];
    if (own.length < 2 || !own.includes(cause)) return [{ ...cause, rows }];
    return own[0] === cause ? [ofRow(report.rows.find(({ id }) => id === rows[0])!)] : [];
  });
  const explained = new Set(grouped.flatMap(({ rows }) => rows));
  return merged([...grouped, ...bad.filter(({ id }) => !explained.has(id)).map(ofRow)]);
}

function keyed(cause: Cause, checks: ReadonlyMap<string, ReportCheck>, all: readonly Cause[]): KeyedCause {
  const { kind, remedy, rows } = cause;
  if (kind !== 'host' && kind !== 'row') return { key: kind, kind, text: cause.text, remedy, rows };
  const [first] = cause.checks.flatMap((id) => checks.get(id) ?? []);
  // The row's own sentence may be of another of its causes.
  const isOneOfMany = kind === 'row' && all.filter((other) => other.rows.includes(rows[0]!)).length > 1;
  const text = isOneOfMany && first ? checkLine(first) : cause.text;
  if (!first) return { key: `row:${rows.join(',')}`, kind, text, remedy, rows };
  return { key: `host:${first.address ?? first.host}`, kind, text, remedy, rows };
}

const ofRow = ({ id, because, remedy }: ReportRow): KeyedCause => ({
  key: `row:${id}`,
  kind: 'row',
  text: because ?? id,
  remedy,
  rows: [id],
});

/** A host may be silent on one port and refuse on another: still one host to look at. The cause with most rows speaks. */
function merged(causes: readonly KeyedCause[]): KeyedCause[] {
  return [...Map.groupBy(causes, ({ key }) => key).values()].map((members) => {
    const { key, kind, text, remedy } = members.toSorted((a, b) => b.rows.length - a.rows.length)[0]!;
    const rows = [...new Set(members.flatMap((each) => each.rows))];
    return { key, kind: rows.length > 1 && kind === 'row' ? 'host' : kind, text, remedy, rows };
  });
}

function everythingAtOnce({ rows, checks }: Report, causes: readonly KeyedCause[]): KeyedCause | null {
  const tried = rows.filter(({ verdict }) => verdict !== null && verdict !== 'skipped');
  const failing = tried.filter(({ verdict }) => verdict === 'fail');
  if (failing.length < share.leastRows || failing.length < tried.length * share.ofRows) return null;
  const ids = new Set(failing.flatMap((row) => row.checks));
  const hosts = new Set(
    checks.flatMap(({ id, verdict, address, host }) => (verdict === 'fail' && ids.has(id) ? [address ?? host] : [])),
  );
  if (hosts.size < share.leastHosts) return null;
  const own = causes.find(({ kind }) => kind === 'vantage');
  const many = `${failing.length} of ${tried.length} rows fail at once`;
  return {
    key: 'vantage',
    kind: 'vantage',
    text: own ? `${own.text}; ${many}` : `${many}, at ${hosts.size} hosts`,
    remedy:
      own?.remedy ??
      "Look at this machine's own link, its gateway and its firewall first: they are common to all of it.",
    rows: failing.map(({ id }) => id),
  };
}
