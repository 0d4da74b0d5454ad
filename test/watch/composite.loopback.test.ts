/** Rows of different intervals: each is checked as often as it should, and an endpoint of several is shared. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { probes } from '../../src/check/registry.ts';
import { prepare } from '../../src/check/prepare.ts';
import { selectionOf } from '../../src/check/select.ts';
import { settingsFor } from '../../src/check/settings.ts';
import { parseSite } from '../../src/load/site.ts';
import { loadSpec } from '../../src/load/spec.ts';
import { Composite } from '../../src/watch/composite.ts';
import { Door, portsSite, portsSpec, watchFolder, type WatchFolder } from '../support/watching.ts';

let folder: WatchFolder;
const [shared, own] = [new Door(), new Door()];
const stop = new AbortController();
const [minuteMs, dayMs] = [60_000, 86_400_000];

beforeAll(async () => {
  folder = watchFolder();
  await Promise.all([shared.open(), own.open()]);
  folder.put('spec.yaml', portsSpec(3));
});

afterAll(async () => {
  await Promise.all([shared.close(), own.close()]);
  folder[Symbol.dispose]();
});

/** row-1 each minute and row-2 once a day want the same endpoint; row-3, once a day, has one of its own. */
async function composite(): Promise<Composite> {
  const vantage = { hostname: 'here', addresses: ['127.0.0.1'] };
  const spec = await loadSpec(`${folder.path}/spec.yaml`, probes);
  const site = await parseSite(
    portsSite(['127.0.0.1', '127.0.0.1', '127.0.0.1'], [shared.port, shared.port, own.port]),
    'site.yaml',
    spec,
  );
  const settings = settingsFor({}, site, vantage, probes);
  const prepared = await prepare({ spec, site, vantage, selection: selectionOf({}, spec, site) }, settings.run);
  return new Composite(prepared, settings, (row) => (row === 'row-1' ? minuteMs : dayMs));
}

const at = 1_795_600_000_000;

test('what a quicker row checked a moment ago is not checked again, but for doubt', async () => {
  const one = await composite();
  const first = await one.round(new Set(['row-1', 'row-2', 'row-3']), false, at, stop.signal);
  expect(first?.checks).toHaveLength(2);
  expect(first?.report.summary).toMatchObject({ pass: 3, checks: 2 });
  const daily = await one.round(new Set(['row-2', 'row-3']), false, at + 30_000, stop.signal);
  expect(daily?.checks.map(({ rows }) => rows)).toEqual([['row-3']]);
  expect(daily?.report.summary).toMatchObject({ pass: 3 });
  const doubted = await one.round(new Set(['row-2']), true, at + 40_000, stop.signal);
  expect(doubted?.checks).toHaveLength(1);
});

test('a row hears of its endpoint when another row has it checked', async () => {
  const one = await composite();
  await one.round(new Set(one.rows()), false, at, stop.signal);
  await shared.close();
  const round = await one.round(new Set(['row-1']), false, at + minuteMs, stop.signal);
  expect([...(round?.rows ?? [])]).toEqual(['row-1', 'row-2']);
  expect(round?.report.rows.map(({ verdict }) => verdict)).toEqual(['fail', 'fail', 'pass']);
  expect(round?.report.causes).toMatchObject([{ kind: 'host', rows: ['row-1', 'row-2'] }]);
  await shared.open();
});

test('rows at a host are known by it, and fresh is what was checked within its interval', async () => {
  const one = await composite();
  expect(one.isFresh(['row-1'], minuteMs, at)).toBe(false);
  await one.round(new Set(one.rows()), false, at, stop.signal);
  expect(one.rowsAt(new Set(['127.0.0.1']))).toEqual(['row-1', 'row-2', 'row-3']);
  expect(one.rowsAt(new Set(['192.0.2.1']))).toEqual([]);
  expect([one.isFresh(['row-1'], minuteMs, at + 59_000), one.isFresh(['row-1'], minuteMs, at + 60_000)]).toEqual([
    true,
    false,
  ]);
});

test('a round that is stopped teaches nothing', async () => {
  const one = await composite();
  await one.round(new Set(one.rows()), false, at, stop.signal);
  const ended = new AbortController();
  const round = one.round(new Set(one.rows()), true, at + 1000, ended.signal);
  ended.abort();
  expect(await round).toBeNull();
  expect(one.isFresh(['row-1'], minuteMs, at + 59_000)).toBe(true);
});
