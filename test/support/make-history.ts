/**
 * Writes a history as years of watching leave it: a run every five minutes, a failure of each row every few days, an hour's
 * figures for each endpoint, evidence on both sides of each change. The same seed gives the same file.
 *
 *     node test/support/make-history.ts FILE [DAYS]
 */
import { gzipSync } from 'node:zlib';
import { hostname } from 'node:os';
import { History } from '../../src/watch/history/history.ts';
import { noState } from '../../src/watch/incidents.ts';
import { sampleReport } from '../watch/sample.ts';

const [minuteMs, hourMs, dayMs] = [60_000, 3_600_000, 86_400_000];
const everyMs = 5 * minuteMs;

export interface Past {
  readonly days: number;
  readonly rows: readonly string[];
  /** Of each row, the id of its check. */
  readonly endpoints: readonly string[];
  readonly site: string;
  readonly vantage?: string;
  /** When it ends. @default now */
  readonly end?: number;
}

export function makeHistory(
  file: string,
  { days, rows, endpoints, site, vantage = hostname(), end = Date.now() }: Past,
): void {
  const history = History.open(file)!;
  const { db } = history;
  // Nobody mourns a half-written one.
  db.exec('PRAGMA synchronous = OFF');
  const random = randomFrom(1);
  const { id: source } = history.source(site, vantage, true);
  const start = end - days * dayMs;
  /** Of each row: when it fails, and until when. */
  const failures = rows.map(() => {
    const found: [number, number][] = [];
    for (let at = start + random() * 3 * dayMs; at < end - dayMs; at += dayMs * (1 + 5 * random()))
      found.push([at, at + everyMs * (1 + Math.floor(random() * 24))]);
    return found;
  });
  const isFailing = (row: number, at: number): boolean => failures[row]!.some(([from, to]) => at >= from && at < to);
  const reportAt = (at: number): Uint8Array => {
    const verdicts = rows.map((id, i) => ({
      id,
      verdict: isFailing(i, at) ? ('fail' as const) : ('pass' as const),
      durationMs: 1 + random(),
    }));
    return gzipSync(JSON.stringify(sampleReport(verdicts, new Date(at).toISOString(), site)));
  };
  db.atomically(() => {
    const last = rows.map(() => ({ since: start, verdict: 'pass', run: 1 }));
    const span = (row: number, until: number): void => {
      const { since, verdict, run } = last[row]!;
      const because =
        verdict === 'pass' ? 'it answers' : 'firewall: nothing came back in 5 s: the packets are dropped on the way';
      db.sql('INSERT INTO span (source, row, since, until, verdict, because, run) VALUES (?, ?, ?, ?, ?, ?, ?)').run(
        source,
        rows[row]!,
        since,
        until,
        verdict,
        because,
        run,
      );
    };
    let [run, keptAt] = [0, 0];
    for (let at = start; at < end; at += everyMs) {
      const failing = rows.map((_, i) => isFailing(i, at));
      const verdicts = failing.map((fails) => (fails ? 'F' : 'P')).join('');
      db.sql('INSERT INTO run (source, at, ms, verdicts, complete) VALUES (?, ?, ?, ?, 1)').run(
        source,
        at,
        Math.round(1000 + 4000 * random()),
        verdicts,
      );
      run += 1;
      let hasChanged = false;
      for (const [i, fails] of failing.entries()) {
        const verdict = fails ? 'fail' : 'pass';
        if (last[i]!.verdict === verdict) continue;
        span(i, at);
        last[i] = { since: at, verdict, run };
        hasChanged = true;
      }
      if (!hasChanged && at - keptAt < dayMs) continue;
      db.sql('INSERT OR IGNORE INTO report (run, source, at, gz) VALUES (?, ?, ?, ?)').run(
        run,
        source,
        at,
        reportAt(at),
      );
      keptAt = at;
      if (hasChanged && failing.includes(true)) {
        const members = rows.filter((_, i) => failing[i]);
        db.sql(
          'INSERT INTO incident (id, source, since, until, kind, text, remedy, rows, run) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
        ).run(
          `incident-${run}`,
          source,
          at,
          at + 30 * minuteMs,
          'host',
          'nothing comes back from 192.0.2.5',
          'Ask for the rule.',
          JSON.stringify(members),
          run,
        );
      }
    }
    for (const i of rows.keys()) span(i, end);
    for (const name of endpoints) {
      const { lastInsertRowid } = db.sql('INSERT INTO endpoint (source, name) VALUES (?, ?)').run(source, name);
      for (let hour = Math.floor(start / hourMs); hour < end / hourMs; hour += 1) {
        const mean = 1000 + Math.round(3000 * random());
        db.sql('INSERT INTO hour (endpoint, hour, n, least, sum, most) VALUES (?, ?, 12, ?, ?, ?)').run(
          lastInsertRowid,
          hour,
          Math.round(mean / 2),
          mean * 12,
          mean * 3,
        );
      }
    }
    db.sql('INSERT INTO latest (source, run, gz) VALUES (?, ?, ?)').run(source, run, reportAt(end - everyMs));
    db.sql('UPDATE source SET last = ?, state = ? WHERE id = ?').run(end, JSON.stringify(noState), source);
  });
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  history.close();
}

/** A small generator of Lehmer's: what it gives is the same everywhere. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

if (import.meta.main) {
  const [file = 'history.db', days = '400'] = process.argv.slice(2);
  const rows = Array.from({ length: 48 }, (_, i) => `row-${i + 1}`);
  makeHistory(file, { days: Number(days), rows, endpoints: rows.map((id) => `tcp/${id}`), site: 'ports-site' });
}
