/** The history of all sources: what is written, what is asked, what is forgotten. Its methods throw what SQLite says. */
import type { State } from '../incidents.ts';
import { openDatabase, type Database, type OpenOptions } from './open.ts';
import { Recorder, type Source } from './record.ts';

export interface OutboxEntry {
  readonly id: number;
  readonly notifier: string;
  readonly body: string;
  readonly first: number;
  readonly tries: number;
}

/** Rows deleted in one transaction: a check waits for no more than that. */
const batch = 500;

export class History {
  readonly file: string;
  readonly db: Database;
  readonly recorder: Recorder;
  /** What had to be done to open it. */
  readonly told: string | null;

  private constructor(file: string, db: Database, told: string | null) {
    this.file = file;
    this.db = db;
    this.told = told;
    this.recorder = new Recorder(db);
  }

  /** Null where this Node has no SQLite. Throws a UsageError where the file cannot be used. */
  static open(file: string, options: OpenOptions = {}): History | null {
    const opened = openDatabase(file, options);
    return opened && new History(file, opened.db, opened.told);
  }

  close(): void {
    this.db.close();
  }

  source(site: string, vantage: string, isOwn: boolean): Source {
    this.db.sql('INSERT OR IGNORE INTO source (site, vantage, own) VALUES (?, ?, ?)').run(site, vantage, isOwn ? 1 : 0);
    const found = this.sources().find((each) => each.site === site && each.vantage === vantage);
    if (!found) throw new Error(`the source ${site} ${vantage} is not there after it was written`);
    return found;
  }

  sources(): Source[] {
    return this.db
      .sql('SELECT id, site, vantage, own, last, state FROM source ORDER BY own DESC, site, vantage')
      .all()
      .map(({ id, site, vantage, own, last, state }) => ({
        id: Number(id),
        site: String(site),
        vantage: String(vantage),
        isOwn: own === 1,
        last: Number(last),
        state: stateOf(state),
      }));
  }

  gap(source: number, since: number, until: number, why: string): void {
    this.db.sql('INSERT INTO gap (source, since, until, why) VALUES (?, ?, ?, ?)').run(source, since, until, why);
  }

  /** The oldest of each notifier that is due, and all behind it that are due as well. */
  due(notifier: string, at: number): OutboxEntry[] {
    return this.db
      .sql('SELECT id, notifier, body, first, tries, due FROM outbox WHERE notifier = ? ORDER BY id LIMIT 100')
      .all(notifier)
      .filter((entry, _i, all) => Number(all[0]!['due']) <= at && Number(entry['due']) <= at)
      .map(({ id, body, first, tries }) => ({
        id: Number(id),
        notifier,
        body: String(body),
        first: Number(first),
        tries: Number(tries),
      }));
  }

  delivered(ids: readonly number[]): void {
    this.db.atomically(() => {
      for (const id of ids) this.db.sql('DELETE FROM outbox WHERE id = ?').run(id);
    });
  }

  postponed(ids: readonly number[], due: number, trouble: string): void {
    this.db.atomically(() => {
      for (const id of ids)
        this.db.sql('UPDATE outbox SET due = ?, tries = tries + 1, trouble = ? WHERE id = ?').run(due, trouble, id);
    });
  }

  count(name: string, by: number): void {
    this.db
      .sql('INSERT INTO counter (name, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = value + ?2')
      .run(name, by);
  }

  counters(): ReadonlyMap<string, number> {
    const found = this.db.sql('SELECT name, value FROM counter').all();
    return new Map(found.map(({ name, value }) => [String(name), Number(value)]));
  }

  /** Forgets a little of what is older than that; true while there is more. */
  prune(before: number): boolean {
    const deleted = this.db.atomically(() => this.#pruneSome(before));
    if (deleted > 0) this.db.exec('PRAGMA incremental_vacuum(200)');
    return deleted >= batch;
  }

  #pruneSome(before: number): number {
    const some = (sql: string, ...values: number[]): number => Number(this.db.sql(sql).run(...values).changes);
    const endpoints = this.db.sql('SELECT id FROM endpoint').all();
    const hours = endpoints.reduce(
      (sum, { id }) =>
        sum + some('DELETE FROM hour WHERE endpoint = ? AND hour < ?', Number(id), Math.floor(before / 3_600_000)),
      0,
    );
    return (
      hours +
      some('DELETE FROM run WHERE id IN (SELECT id FROM run WHERE at < ? ORDER BY id LIMIT ?)', before, batch) +
      some('DELETE FROM report WHERE run IN (SELECT run FROM report WHERE at < ? LIMIT ?)', before, batch) +
      some('DELETE FROM gap WHERE until < ?', before) +
      some('DELETE FROM incident WHERE until IS NOT NULL AND until < ?', before) +
      some(
        'DELETE FROM span WHERE (source, row, since) IN (SELECT source, row, since FROM span WHERE until < ? LIMIT ?)',
        before,
        batch,
      )
    );
  }
}

/** What an older version kept is forgotten where it cannot be read: it is learned again in three runs. */
function stateOf(text: unknown): State | null {
  if (typeof text !== 'string') return null;
  try {
    const value: unknown = JSON.parse(text);
    const isState = typeof value === 'object' && value !== null && 'rows' in value && 'incidents' in value;
    // Written by this program, into a file that nobody else writes.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return isState ? (value as State) : null;
  } catch {
    return null;
  }
}
