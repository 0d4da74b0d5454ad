/**
 * The tables of the history. What stays the same for days is one span and not a record a run; where nobody looked there is a
 * gap. Times are milliseconds since 1970.
 */
import type { DatabaseSync } from 'node:sqlite';
import { UsageError } from '../../model/errors.ts';

/** "xenr": whose file it is. */
const applicationId = 0x78656e72;
const version = 1;

const tables = `
  -- Who looked at which site. The vantage that this process is itself has own = 1.
  CREATE TABLE source (
    id INTEGER PRIMARY KEY, site TEXT NOT NULL, vantage TEXT NOT NULL, own INTEGER NOT NULL,
    rows TEXT NOT NULL DEFAULT '[]', last INTEGER NOT NULL DEFAULT 0, state TEXT, UNIQUE (site, vantage));
  CREATE TABLE span (
    source INTEGER NOT NULL, row TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL,
    verdict TEXT NOT NULL, because TEXT, hint TEXT, run INTEGER, PRIMARY KEY (source, row, since)) WITHOUT ROWID;
  CREATE INDEX span_until ON span (until);
  CREATE TABLE gap (
    id INTEGER PRIMARY KEY, source INTEGER NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL, why TEXT NOT NULL);
  -- A letter a row, in the order of source.rows. The digest is there for reports from elsewhere: each counts once.
  CREATE TABLE run (
    id INTEGER PRIMARY KEY, source INTEGER NOT NULL, at INTEGER NOT NULL, ms INTEGER NOT NULL,
    verdicts TEXT NOT NULL, complete INTEGER NOT NULL, digest TEXT);
  CREATE INDEX run_at ON run (source, at);
  CREATE UNIQUE INDEX run_digest ON run (digest) WHERE digest IS NOT NULL;
  CREATE TABLE endpoint (id INTEGER PRIMARY KEY, source INTEGER NOT NULL, name TEXT NOT NULL, UNIQUE (source, name));
  -- Microseconds.
  CREATE TABLE hour (
    endpoint INTEGER NOT NULL, hour INTEGER NOT NULL, n INTEGER NOT NULL, least INTEGER NOT NULL, sum INTEGER NOT NULL,
    most INTEGER NOT NULL, PRIMARY KEY (endpoint, hour)) WITHOUT ROWID;
  CREATE TABLE report (run INTEGER PRIMARY KEY, source INTEGER NOT NULL, at INTEGER NOT NULL, gz BLOB NOT NULL);
  CREATE INDEX report_at ON report (source, at);
  CREATE TABLE latest (source INTEGER PRIMARY KEY, run INTEGER NOT NULL, gz BLOB NOT NULL);
  CREATE TABLE incident (
    id TEXT PRIMARY KEY, source INTEGER NOT NULL, since INTEGER NOT NULL, until INTEGER, kind TEXT NOT NULL,
    text TEXT NOT NULL, remedy TEXT, rows TEXT NOT NULL, run INTEGER) WITHOUT ROWID;
  CREATE INDEX incident_since ON incident (since);
  CREATE TABLE outbox (
    id INTEGER PRIMARY KEY, notifier TEXT NOT NULL, event TEXT NOT NULL, body TEXT NOT NULL, first INTEGER NOT NULL,
    due INTEGER NOT NULL, tries INTEGER NOT NULL DEFAULT 0, trouble TEXT, UNIQUE (notifier, event));
  CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
`;

/** Makes what is missing. Throws a UsageError where another program or a newer one wrote the file. */
export function prepareTables(db: DatabaseSync, file: string): void {
  const has = numberOf(db.prepare('PRAGMA user_version').get());
  const owner = numberOf(db.prepare('PRAGMA application_id').get());
  if (has === version && owner === applicationId) return;
  if (owner === applicationId && has > version) {
    throw new UsageError(
      `${file}: was written by a newer xenreach (version ${has} of its tables, this one knows ${version}); update xenreach, or name another file under history: file:`,
    );
  }
  const isEmpty = numberOf(db.prepare('SELECT count(*) FROM sqlite_schema').get()) === 0;
  if (!isEmpty)
    throw new UsageError(`${file}: is the database of another program; name another file under history: file:`);
  db.exec(`PRAGMA auto_vacuum = INCREMENTAL; PRAGMA application_id = ${applicationId}; BEGIN; ${tables}
    PRAGMA user_version = ${version}; COMMIT;`);
}

/** The one value of a row that has only one. */
const numberOf = (row: Record<string, unknown> | undefined): number => Number(Object.values(row ?? {})[0] ?? 0);
