/**
 * Writing: one run in one transaction, with all that follows from it. What is acknowledged is there after a power cut, and
 * what is not there was never told to anybody.
 */
import { gzipSync } from 'node:zlib';
import type { Report, ReportCheck } from '../../model/report.ts';
import { rowVerdicts, type RowVerdict } from '../../model/verdict.ts';
import type { Event, EventType } from '../event.ts';
import type { Incident, State } from '../incidents.ts';
import type { Database } from './open.ts';

export interface Source {
  readonly id: number;
  readonly site: string;
  readonly vantage: string;
  readonly isOwn: boolean;
  /** When the last run was recorded; 0 before the first. */
  last: number;
  /** As it was kept; null where there is none. */
  readonly state: State | null;
}

export interface Recorded {
  readonly source: Source;
  readonly at: number;
  readonly report: Report;
  /** The rows and checks that this run has news of. */
  readonly rows: ReadonlySet<string>;
  readonly checks: readonly ReportCheck[];
  /** After so long without a look a row's time is no longer the same span. */
  readonly patienceMs: (row: string) => number;
  readonly state: State;
  readonly events: readonly Event[];
  /** Those that opened, changed or closed. */
  readonly incidents: readonly { readonly incident: Incident; readonly isOpen: boolean }[];
  /** Who is told of an event of this type. */
  readonly notifiersOf: NotifiersOf;
  readonly digest: string | null;
}

export type NotifiersOf = (type: EventType) => readonly string[];

const letters: Readonly<Record<RowVerdict, string>> = {
  pass: 'P',
  warn: 'W',
  fail: 'F',
  unverified: 'U',
  skipped: 'S',
};
export const verdictOfLetter: ReadonlyMap<string, RowVerdict> = new Map(
  rowVerdicts.map((verdict) => [letters[verdict], verdict]),
);

interface SpanEnd {
  since: number;
  until: number;
  verdict: string;
}

const dayMs = 86_400_000;
/** Something that changes with every run would fill the disk with its evidence. */
const mostReportsADay = 300;

/** The last span of each row, by source: looked up once, then known. */
type LastSpans = Map<number, Map<string, SpanEnd>>;

export class Recorder {
  readonly #db: Database;
  readonly #last: LastSpans = new Map();
  /** By source, the newest report: a run that only says that nothing changed since is not packed anew. */
  readonly #newest = new Map<number, Report>();

  constructor(db: Database) {
    this.#db = db;
  }

  /** The number of the run. Null: this very report is there already. */
  record(run: Recorded): number | null {
    try {
      return this.#db.atomically(() => this.#write(run));
    } catch (error) {
      // What was rolled back is not what this remembers.
      this.forget();
      throw error;
    }
  }

  forget(): void {
    this.#last.clear();
    this.#newest.clear();
  }

  #write(run: Recorded): number | null {
    const { source, report, at, digest } = run;
    if (digest !== null && this.#db.sql('SELECT 1 FROM run WHERE digest = ?').get(digest)) return null;
    const verdicts = report.rows.map(({ verdict }) => (verdict === null ? '.' : letters[verdict])).join('');
    const { lastInsertRowid } = this.#db
      .sql('INSERT INTO run (source, at, ms, verdicts, complete, digest) VALUES (?, ?, ?, ?, ?, ?)')
      .run(source.id, at, report.durationMs ?? 0, verdicts, report.complete ? 1 : 0, digest);
    const id = Number(lastInsertRowid);
    const hasChanged = this.#writeSpans(run, id);
    this.#writeReport(run, id, hasChanged);
    this.#writeHours(run);
    this.#writeIncidents(run, id);
    this.#db.sql('UPDATE source SET last = ?, state = ? WHERE id = ?').run(at, JSON.stringify(run.state), source.id);
    return id;
  }

  /** Whether a row is not what it was. */
  #writeSpans({ source, report, rows, at, patienceMs }: Recorded, run: number): boolean {
    const last = this.#lastOf(source.id);
    let hasChanged = false;
    for (const { id, verdict, because, checks } of report.rows) {
      if (verdict === null || !rows.has(id)) continue;
      const before = last.get(id);
      const isWatched = before !== undefined && at - before.until <= patienceMs(id);
      if (before && (isWatched || before.until > at)) {
        before.until = Math.max(at, before.until);
        this.#db
          .sql('UPDATE span SET until = ? WHERE source = ? AND row = ? AND since = ?')
          .run(before.until, source.id, id, before.since);
      }
      if (before && isWatched && before.verdict === verdict) continue;
      hasChanged ||= before?.verdict !== verdict;
      const hint = report.checks.find((check) => check.verdict === verdict && checks.includes(check.id))?.hint ?? null;
      this.#db
        .sql(
          'INSERT INTO span (source, row, since, until, verdict, because, hint, run) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
        )
        .run(source.id, id, at, at, verdict, because, hint, run);
      last.set(id, { since: at, until: at, verdict });
    }
    return hasChanged;
  }

  #lastOf(source: number): Map<string, SpanEnd> {
    let known = this.#last.get(source);
    if (!known) {
      const found = this.#db
        .sql('SELECT row, max(since) AS since, until, verdict FROM span WHERE source = ? GROUP BY row')
        .all(source);
      known = new Map(
        found.map(({ row, since, until, verdict }) => [
          String(row),
          { since: Number(since), until: Number(until), verdict: String(verdict) },
        ]),
      );
      this.#last.set(source, known);
    }
    return known;
  }

  /** The newest always; beside it the ones on both sides of a change, and one a day. */
  #writeReport({ source, report, at }: Recorded, run: number, hasChanged: boolean): void {
    let gz: Buffer | undefined;
    const packed = (): Buffer => (gz ??= gzipSync(JSON.stringify(report), { level: 6 }));
    const kept = this.#db
      .sql('SELECT count(*) AS n, max(at) AS last FROM report WHERE source = ? AND at > ?')
      .get(source.id, at - dayMs);
    const count = Number(kept?.['n'] ?? 0);
    if (count === 0 || (hasChanged && count < mostReportsADay)) {
      this.#db
        .sql(
          'INSERT OR IGNORE INTO report SELECT latest.run, latest.source, run.at, gz FROM latest JOIN run ON run.id = latest.run WHERE latest.source = ?',
        )
        .run(source.id);
      this.#db.sql('INSERT INTO report (run, source, at, gz) VALUES (?, ?, ?, ?)').run(run, source.id, at, packed());
    }
    if (this.#newest.get(source.id) === report) {
      this.#db.sql('UPDATE latest SET run = ? WHERE source = ?').run(run, source.id);
      return;
    }
    this.#db.sql('INSERT OR REPLACE INTO latest (source, run, gz) VALUES (?, ?, ?)').run(source.id, run, packed());
    this.#newest.set(source.id, report);
  }

  #writeHours({ source, checks, at }: Recorded): void {
    const hour = Math.floor(at / 3_600_000);
    for (const { id, durationMs, outcome } of checks) {
      if (durationMs === null || outcome !== 'answered') continue;
      const micros = Math.round(durationMs * 1000);
      this.#db.sql('INSERT OR IGNORE INTO endpoint (source, name) VALUES (?, ?)').run(source.id, id);
      this.#db
        .sql(
          `INSERT INTO hour (endpoint, hour, n, least, sum, most)
             SELECT id, ?3, 1, ?4, ?4, ?4 FROM endpoint WHERE source = ?1 AND name = ?2
           ON CONFLICT DO UPDATE SET n = n + 1, least = min(least, ?4), sum = sum + ?4, most = max(most, ?4)`,
        )
        .run(source.id, id, hour, micros);
    }
  }

  #writeIncidents({ source, incidents, events, notifiersOf, at }: Recorded, run: number): void {
    for (const { incident, isOpen } of incidents) {
      const { id, since, kind, text, remedy, everyRow } = incident;
      this.#db
        .sql(
          `INSERT INTO incident (id, source, since, until, kind, text, remedy, rows, run) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (id) DO UPDATE SET until = excluded.until, kind = excluded.kind, text = excluded.text,
             remedy = excluded.remedy, rows = excluded.rows`,
        )
        .run(id, source.id, since, isOpen ? null : at, kind, text, remedy, JSON.stringify(everyRow), run);
    }
    this.putEvents(events, notifiersOf, at);
  }

  /** Each for each notifier, once. */
  putEvents(events: readonly Event[], notifiersOf: NotifiersOf, at: number): void {
    for (const event of events) {
      for (const notifier of notifiersOf(event.type)) {
        this.#db
          .sql('INSERT OR IGNORE INTO outbox (notifier, event, body, first, due) VALUES (?, ?, ?, ?, ?)')
          .run(notifier, event.id, JSON.stringify(event), at, at);
      }
    }
  }
}
