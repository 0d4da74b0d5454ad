/**
 * Opens the file of the history. What is damaged is put aside and a new one begun: to look after the site is worth more
 * than the past. A newer version's file is left alone.
 */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type * as Sqlite from 'node:sqlite';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { UsageError } from '../../model/errors.ts';
import { codeOf } from '../../net/failure.ts';
import { prepareTables } from './tables.ts';

/** How long another process may hold it. */
const busyMs = 250;

export interface Opened {
  readonly db: Database;
  /** What had to be done to open it, in a sentence, or null. */
  readonly told: string | null;
}

/** A database whose statements are prepared once. */
export class Database {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** Of one text always the same statement. */
  sql(text: string): StatementSync {
    let statement = this.#statements.get(text);
    if (!statement) this.#statements.set(text, (statement = this.#db.prepare(text)));
    return statement;
  }

  /** All of it, or nothing. */
  atomically<T>(act: () => T): T {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const result = act();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      try {
        this.#db.exec('ROLLBACK');
      } catch {
        // What cannot even be rolled back was never begun; the first error says why.
      }
      throw error;
    }
  }

  exec(text: string): void {
    this.#db.exec(text);
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }
}

export interface OpenOptions {
  /** Another process may be writing it. */
  readonly readOnly?: boolean;
  /** It was found out while it was used. */
  readonly isDamaged?: boolean;
}

/** Null where this Node has no SQLite. */
export function openDatabase(file: string, { readOnly = false, isDamaged = false }: OpenOptions = {}): Opened | null {
  const sqlite = sqliteOfNode();
  if (!sqlite) return null;
  if (!readOnly) makeFolder(file);
  try {
    if (isDamaged) throw Object.assign(new Error('its pages do not fit together'), { errcode: 11 });
    return { db: opened(sqlite, file, readOnly), told: null };
  } catch (error) {
    if (readOnly || error instanceof UsageError || !saysDamaged(error)) throw explained(error, file);
    const aside = `${file}.damaged-${new Date().toISOString().replaceAll(':', '')}`;
    renameSync(file, aside);
    for (const end of ['-wal', '-shm']) rmSync(`${file}${end}`, { force: true });
    return {
      db: opened(sqlite, file, false),
      told: `the history was damaged (${textOf(error)}): it lies at ${aside}, and a new one has begun`,
    };
  }
}

/** Node 22 and 24 warn that it is experimental: nobody who watches a site can do anything about that. */
function sqliteOfNode(): typeof Sqlite | undefined {
  const warn = Object.getOwnPropertyDescriptor(process, 'emitWarning')!;
  Object.defineProperty(process, 'emitWarning', { ...warn, value: () => undefined });
  try {
    return process.getBuiltinModule('node:sqlite');
  } finally {
    Object.defineProperty(process, 'emitWarning', warn);
  }
}

function opened({ DatabaseSync: Class }: typeof Sqlite, file: string, readOnly: boolean): Database {
  const db = new Class(file, { readOnly, timeout: busyMs });
  try {
    if (!readOnly) prepareTables(db, file);
    db.exec('PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -4000;');
    // FULL: what was acknowledged is on the disk when the power goes.
    if (!readOnly)
      db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 4000000;');
    touchEach(db);
    return new Database(db);
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Damage at the top of a table is met now. To look at every page would take a second for each 100 MB. */
function touchEach(db: DatabaseSync): void {
  for (const name of ['source', 'span', 'run', 'outbox', 'latest']) db.prepare(`SELECT * FROM ${name} LIMIT 1`).get();
}

export function makeFolder(file: string): void {
  const folder = dirname(file);
  if (existsSync(folder)) return;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o750 });
  } catch (error) {
    throw explained(error, file);
  }
}

/** SQLITE_CORRUPT and SQLITE_NOTADB. */
const damaged = new Set([11, 26]);
const saysDamaged = (error: unknown): boolean =>
  error instanceof Error && 'errcode' in error && damaged.has(Number(error.errcode) & 0xff);

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function explained(error: unknown, file: string): UsageError {
  if (error instanceof UsageError) return error;
  const why = codeOf(error) === undefined || codeOf(error) === 'ERR_SQLITE_ERROR' ? textOf(error) : codeOf(error);
  return new UsageError(
    `${file}: the history cannot be opened (${why}); name a place to write to under history: file:`,
    {
      cause: error,
    },
  );
}
