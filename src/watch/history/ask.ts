/** What pages and `xenreach history` want to know. Reads alone. */
import { gunzipSync } from 'node:zlib';
import type { CauseKind, Report } from '../../model/report.ts';
import type { RowVerdict } from '../../model/verdict.ts';
import type { Database } from './open.ts';

export interface Span {
  readonly row: string;
  readonly since: number;
  readonly until: number;
  readonly verdict: RowVerdict;
  readonly because: string | null;
  readonly run: number;
}

export interface Gap {
  readonly since: number;
  readonly until: number;
  readonly why: string;
}

export interface Run {
  readonly id: number;
  readonly at: number;
  readonly ms: number;
  readonly verdicts: string;
  readonly complete: boolean;
}

export interface PastIncident {
  readonly id: string;
  readonly source: number;
  readonly since: number;
  readonly until: number | null;
  readonly kind: CauseKind;
  readonly text: string;
  readonly remedy: string | null;
  readonly rows: readonly string[];
  readonly run: number;
}

export interface Hour {
  readonly endpoint: string;
  readonly hour: number;
  readonly n: number;
  readonly leastMs: number;
  readonly meanMs: number;
  readonly mostMs: number;
}

type Value = string | number | bigint | null | Uint8Array;
type Row = Readonly<Record<string, Value>>;

// What SQLite gives is what record.ts wrote: the columns have one type each.
const number = (row: Row, name: string): number => Number(row[name]);
const text = (row: Row, name: string): string => String(row[name]);
const textOrNull = (row: Row, name: string): string | null => (row[name] === null ? null : String(row[name]));

/** Of one row or of all, what touches the time; oldest first. */
export function spans(db: Database, source: number, from: number, to: number, row?: string): Span[] {
  const found =
    row === undefined
      ? db
          .sql('SELECT * FROM span WHERE source = ? AND until >= ? AND since <= ? ORDER BY row, since')
          .all(source, from, to)
      : db
          .sql('SELECT * FROM span WHERE source = ? AND row = ? AND until >= ? AND since <= ? ORDER BY since')
          .all(source, row, from, to);
  return found.map((each) => ({
    row: text(each, 'row'),
    since: number(each, 'since'),
    until: number(each, 'until'),
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    verdict: text(each, 'verdict') as RowVerdict,
    because: textOrNull(each, 'because'),
    run: number(each, 'run'),
  }));
}

export const gaps = (db: Database, source: number, from: number, to: number): Gap[] =>
  db
    .sql('SELECT since, until, why FROM gap WHERE source = ? AND until >= ? AND since <= ? ORDER BY since')
    .all(source, from, to)
    .map((each) => ({ since: number(each, 'since'), until: number(each, 'until'), why: text(each, 'why') }));

export const runs = (db: Database, source: number, beforeId: number, limit: number): Run[] =>
  db
    // The plus keeps SQLite from sorting a whole source: the runs are in the order of their ids.
    .sql('SELECT id, at, ms, verdicts, complete FROM run WHERE +source = ? AND id < ? ORDER BY id DESC LIMIT ?')
    .all(source, beforeId, limit)
    .map((each) => ({
      id: number(each, 'id'),
      at: number(each, 'at'),
      ms: number(each, 'ms'),
      verdicts: text(each, 'verdicts'),
      complete: each['complete'] === 1,
    }));

/** Open ones first, then the newest. */
export const incidents = (db: Database, source: number, limit: number): PastIncident[] =>
  db
    .sql('SELECT * FROM incident WHERE source = ? ORDER BY until IS NOT NULL, since DESC LIMIT ?')
    .all(source, limit)
    .map(pastIncident);

export function incident(db: Database, id: string): PastIncident | null {
  const found = db.sql('SELECT * FROM incident WHERE id = ?').get(id);
  return found ? pastIncident(found) : null;
}

function pastIncident(each: Row): PastIncident {
  const rows: unknown = JSON.parse(text(each, 'rows'));
  return {
    id: text(each, 'id'),
    source: number(each, 'source'),
    since: number(each, 'since'),
    until: each['until'] === null ? null : number(each, 'until'),
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    kind: text(each, 'kind') as CauseKind,
    text: text(each, 'text'),
    remedy: textOrNull(each, 'remedy'),
    rows: Array.isArray(rows) ? rows.map(String) : [],
    run: number(each, 'run'),
  };
}

/** What this very run found, where it was kept. */
export const reportOf = (db: Database, run: number): Report | null =>
  unpacked(db.sql('SELECT gz FROM report WHERE run = ?').get(run));

/** The newest that was kept before this run. */
export const reportBefore = (db: Database, source: number, run: number): Report | null =>
  unpacked(db.sql('SELECT gz FROM report WHERE source = ? AND run < ? ORDER BY run DESC LIMIT 1').get(source, run));

export const latest = (db: Database, source: number): Report | null =>
  unpacked(db.sql('SELECT gz FROM latest WHERE source = ?').get(source));

function unpacked(row: Row | undefined): Report | null {
  const gz = row?.['gz'];
  // Written by record.ts from a report.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return gz instanceof Uint8Array ? (JSON.parse(gunzipSync(gz).toString('utf8')) as Report) : null;
}

export function hours(db: Database, source: number, endpoint: string, from: number): Hour[] {
  return db
    .sql(
      `SELECT hour, n, least, sum, most FROM hour JOIN endpoint ON endpoint.id = hour.endpoint
       WHERE endpoint.source = ? AND endpoint.name = ? AND hour >= ? ORDER BY hour`,
    )
    .all(source, endpoint, Math.floor(from / 3_600_000))
    .map((each) => ({
      endpoint,
      hour: number(each, 'hour'),
      n: number(each, 'n'),
      leastMs: number(each, 'least') / 1000,
      meanMs: number(each, 'sum') / number(each, 'n') / 1000,
      mostMs: number(each, 'most') / 1000,
    }));
}

export interface Uptime {
  /** Of the time that was watched; null where none was. */
  readonly good: number | null;
  /** Of the whole time. */
  readonly watched: number;
}

/** Time-weighted. What was not looked at, and what could not be proven, is neither good nor bad: it is told apart. */
export function uptimeOf(its: readonly Span[], from: number, to: number): Uptime {
  let [good, bad] = [0, 0];
  for (const { since, until, verdict } of its) {
    const ms = Math.max(0, Math.min(until, to) - Math.max(since, from));
    if (verdict === 'pass' || verdict === 'warn') good += ms;
    if (verdict === 'fail') bad += ms;
  }
  const watched = good + bad;
  return { good: watched === 0 ? null : good / watched, watched: to > from ? watched / (to - from) : 0 };
}
