import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import * as v from 'valibot';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { probes } from '../../src/check/registry.ts';
import { settingsFor } from '../../src/check/settings.ts';
import { heartbeatSchema, lettersOf } from '../../src/fleet/heartbeat.ts';
import { takeRun, takeSign, type RunMessage } from '../../src/fleet/inflow.ts';
import { putAside } from '../../src/fleet/rejected.ts';
import { parseSite } from '../../src/load/site.ts';
import { loadSpec } from '../../src/load/spec.ts';
import type { Report } from '../../src/model/report.ts';
import { systemClock } from '../../src/watch/clock.ts';
import { WatchFile } from '../../src/watch/config.ts';
import { ulid } from '../../src/watch/event.ts';
import { latest } from '../../src/watch/history/ask.ts';
import { History } from '../../src/watch/history/history.ts';
import { Keeper } from '../../src/watch/keeper.ts';
import { Watch } from '../../src/watch/watch.ts';
import { wholeSite } from '../../src/watch/whole-site.ts';

const sample = JSON.parse(readFileSync('fixtures/reports/mixed.json', 'utf8')) as Report;
const report: Report = {
  ...sample,
  site: { ...sample.site, name: 'lon' },
  vantage: { ...sample.vantage, hostname: 'xs-1' },
};
const all = new Set(report.rows.map(({ id }) => id));
const now = 1_795_600_000_000;

let folder = '';
let history: History;
let watch: Watch;
let wallMs = now;

beforeEach(async () => {
  wallMs = now;
  folder = mkdtempSync(join(tmpdir(), 'xenreach-inflow-'));
  history = History.open(join(folder, 'history.db'))!;
  const spec = await loadSpec('xenserver-8', probes);
  const site = await parseSite('name: hub\n', 'hub', spec);
  const vantage = { hostname: 'hub', addresses: [] };
  const settings = settingsFor({}, site, vantage, probes);
  const file = v.parse(WatchFile, { confirm: { runs: 2 } });
  const none = { path: null, site: null, auth: null, tls: null, inbox: null, notifiers: [] };
  const config = { ...none, file, historyFile: join(folder, 'history.db') };
  watch = new Watch(
    { config, spec, site, vantage, settings, prepare: null },
    {
      clock: { ...systemClock, wall: () => wallMs },
      keeper: new Keeper('history', history, () => undefined),
      say: () => undefined,
    },
  );
});
afterEach(() => {
  watch.keeper.close();
  rmSync(folder, { recursive: true });
});

interface Sent {
  readonly id?: string;
  readonly subject?: string;
  readonly data?: Uint8Array;
  readonly at?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

const full = ({
  id = ulid(now),
  subject = 'xr.report.lon.xs-1',
  data,
  at = now,
  headers = {},
}: Sent = {}): RunMessage => {
  const told: Readonly<Record<string, string>> = {
    'Nats-Msg-Id': id,
    'Xr-Kind': 'full',
    'Xr-Verdicts': lettersOf(report.rows, all),
    'Xr-Every': '300',
    'Xr-Age-Ms': '0',
    ...headers,
  };
  return { subject, data: data ?? gzipSync(JSON.stringify(report)), at, header: (name) => told[name] ?? '' };
};

const beatOf = (run: string, verdicts: string): Uint8Array =>
  Buffer.from(
    JSON.stringify({
      ...{ schema: heartbeatSchema, site: 'lon', vantage: 'xs-1', roles: [], run, boot: 'b', n: 1, verdicts },
      ...{ revision: 1, refused: null, full: null, next: 300, every: 300, at: new Date(now - 240_000).toISOString() },
      version: '0.2.0',
    }),
  );

function beat(at: number, change: Sent = {}): RunMessage {
  const id = change.id ?? ulid(at);
  const verdicts = lettersOf(report.rows, all);
  return full({ ...change, id, at, data: beatOf(id, verdicts), headers: { 'Xr-Kind': 'beat', ...change.headers } });
}

const runs = (): number[] =>
  history.db
    .sql('SELECT at FROM run ORDER BY at')
    .all()
    .map(({ at }) => Number(at));

test('a report is taken once, dated by the server’s clock and by how long it lay there', () => {
  const message = full({ headers: { 'Xr-Age-Ms': '90000' } });
  expect(takeRun(watch, message)).toEqual({ kind: 'taken' });
  expect(takeRun(watch, message)).toEqual({ kind: 'known' });
  expect(takeRun(watch, { ...message, at: now + 600_000 })).toEqual({ kind: 'known' });
  expect(runs()).toEqual([now - 90_000]);
});

test('what says that nothing changed lengthens the spans, and one before any report asks for one', () => {
  expect(takeRun(watch, beat(now))).toEqual({ kind: 'unknown', place: { site: 'lon', agent: 'xs-1' } });
  takeRun(watch, full());
  expect(takeRun(watch, beat(now + 300_000))).toEqual({ kind: 'taken' });
  expect(takeRun(watch, beat(now + 600_000))).toEqual({ kind: 'taken' });
  expect(runs()).toEqual([now, now + 300_000, now + 600_000]);
  const lengths = history.db.sql("SELECT DISTINCT until - since AS ms FROM span WHERE verdict <> 'skipped'").all();
  expect(lengths.map(({ ms }) => ms)).toEqual([600_000]);
  // The newest run has that report, without having brought it.
  expect(latest(history.db, watch.viewpoints()[0]!.id)?.rows).toEqual(watch.viewpoints()[0]!.report!.rows);
  expect(history.db.sql('SELECT run FROM latest').all()).toEqual(
    history.db.sql('SELECT max(id) AS run FROM run').all(),
  );
  const other = lettersOf(report.rows, all).toLowerCase().replaceAll('p', 'f');
  expect(takeRun(watch, beat(now + 900_000, { headers: { 'Xr-Verdicts': other, 'Xr-Kind': 'beat' } }))).toMatchObject({
    kind: 'unknown',
  });
});

test('where the disk takes nothing it is not acknowledged and nothing has happened; later it is taken, once', () => {
  takeRun(watch, full());
  history.db.exec('PRAGMA query_only = ON');
  const before = structuredClone(watch.viewpoints()[0]!.state);
  const next = beat(now + 300_000);
  expect(takeRun(watch, next)).toEqual({ kind: 'later' });
  expect(takeRun(watch, next)).toEqual({ kind: 'later' });
  expect(watch.viewpoints()[0]!.state).toEqual(before);
  expect(watch.status().troubles.join()).toContain('the history cannot be written');
  history.db.exec('PRAGMA query_only = OFF');
  expect(takeRun(watch, next)).toEqual({ kind: 'taken' });
  expect(runs()).toEqual([now, now + 300_000]);
  expect(watch.status().troubles).toEqual([]);
});

test.for<readonly [string, Sent]>([
  ['it is of the site lon', { subject: 'xr.report.par.xs-1' }],
  ['it is of xs-1', { subject: 'xr.report.lon.xs-2' }],
  ['its subject is of no agent', { subject: 'xr.do.lon.xs-1' }],
  ['it has no id of a run', { id: 'x' }],
  ['it is neither', { headers: { 'Xr-Kind': 'other' } }],
  ['its verdicts are not those of its rows', { headers: { 'Xr-Verdicts': 'PPP' } }],
  ['it cannot be unpacked', { data: Buffer.from('no gzip') }],
  ['or has more than 4 MiB', { data: gzipSync(Buffer.alloc(64 * 1024 * 1024)) }],
  ['is no report of xenreach', { data: gzipSync('{}') }],
  ['it is no heartbeat', { headers: { 'Xr-Kind': 'beat' } }],
  ['it is of another run', { data: beatOf(ulid(now + 5), 'P'), headers: { 'Xr-Kind': 'beat' } }],
])('rejected: %s', ([why, change]) => {
  expect(takeRun(watch, full(change))).toEqual({ kind: 'rejected', why: expect.stringContaining(why) });
  expect(runs()).toEqual([]);
});

test('any message is settled', () => {
  const Text = fc.string();
  fc.assert(
    fc.property(fc.uint8Array(), Text, Text, fc.constantFrom('full', 'beat', 'x'), (data, verdicts, age, kind) => {
      for (const bytes of [data, gzipSync(data)]) {
        const headers = { 'Xr-Kind': kind, 'Xr-Verdicts': verdicts, 'Xr-Age-Ms': age, 'Xr-Every': age };
        expect(takeRun(watch, full({ data: bytes, headers })).kind).toBe('rejected');
      }
    }),
  );
});

test('who is silent for more than twice its time counts as stale in the picture of the site', () => {
  takeRun(watch, full());
  const sign = { ...full({ subject: 'xr.alive.lon.xs-1' }), data: beatOf(ulid(now), 'P') };
  expect(takeSign(watch, sign)).toBe(true);
  expect(watch.viewpoints()[0]).toMatchObject({ isStale: false, presence: { skewMs: -240_000, nextMs: 300_000 } });
  expect(wholeSite(watch, 'lon')!.merged).toMatchObject([{ vantage: 'xs-1', stale: false }]);
  wallMs = now + 700_000;
  expect(wholeSite(watch, 'lon')!.merged).toMatchObject([{ vantage: 'xs-1', stale: true }]);
  expect(takeSign(watch, { ...sign, data: beatOf(ulid(now), 'P'), subject: 'xr.alive.lon.xs-2' })).toBe(false);
  expect(wholeSite(watch, 'nowhere')).toBeNull();
});

test('what was rejected lies beside the history with the reason, the last hundred of it', () => {
  const place = join(folder, 'rejected');
  for (let i = 0; i < 105; i++) putAside(place, { ...full({ data: Buffer.from('bytes') }), at: now + i }, 'no good');
  const names = readdirSync(place).toSorted();
  expect(names).toHaveLength(100);
  const [head, body] = readFileSync(join(place, names[0]!), 'utf8').split('\n');
  expect(JSON.parse(head!)).toEqual({
    subject: 'xr.report.lon.xs-1',
    at: new Date(now + 5).toISOString(),
    why: 'no good',
    bytes: 5,
  });
  expect(body).toBe('bytes');
});
