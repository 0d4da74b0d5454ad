/** What goes wrong around a watch: clocks, disks, damaged files, hosts that cannot be looked up. Checks go on, and it is told. */
import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { probes } from '../../src/check/registry.ts';
import { prepare } from '../../src/check/prepare.ts';
import { selectionOf } from '../../src/check/select.ts';
import { settingsFor } from '../../src/check/settings.ts';
import { parseSite } from '../../src/load/site.ts';
import { loadSpec } from '../../src/load/spec.ts';
import type { Clock } from '../../src/watch/clock.ts';
import * as ask from '../../src/watch/history/ask.ts';
import { History } from '../../src/watch/history/history.ts';
import { Keeper } from '../../src/watch/keeper.ts';
import { readConfig } from '../../src/watch/load-config.ts';
import type { Subject } from '../../src/watch/viewpoint.ts';
import { Watch } from '../../src/watch/watch.ts';
import { Door, portsSite, portsSpec, watchFolder, type WatchFolder } from '../support/watching.ts';

/** Stands still but for what a test, or a wait, moves it by. */
class TestClock implements Clock {
  wallMs = 1_795_600_000_000;
  nowMs = 1000;

  wall(): number {
    return this.wallMs;
  }

  now(): number {
    return this.nowMs;
  }

  wait(ms: number): Promise<void> {
    this.pass(ms);
    return new Promise((resolve) => setImmediate(resolve));
  }

  pass(ms: number): void {
    this.wallMs += ms;
    this.nowMs += ms;
  }
}

let folder: WatchFolder;
const door = new Door();
const vantage = { hostname: 'here', addresses: ['127.0.0.1'] };

beforeAll(async () => {
  folder = watchFolder();
  await door.open();
  folder.put('spec.yaml', portsSpec(3));
  folder.put('watch.yaml', 'every: 60s\n');
});

afterAll(async () => {
  await door.close();
  folder[Symbol.dispose]();
});

interface Watched {
  readonly watch: Watch;
  readonly keeper: Keeper;
  readonly clock: TestClock;
  readonly said: string[];
  readonly stop: AbortController;
  /** Lets it run for so long by its own clock. */
  go(ms: number): Promise<void>;
}

async function watched(file: string, clock = new TestClock()): Promise<Watched> {
  const spec = await loadSpec(join(folder.path, 'spec.yaml'), probes);
  const site = await parseSite(
    portsSite(['127.0.0.1', '127.0.0.1', '127.0.0.1'], [door.port, 1, door.port]),
    'site.yaml',
    spec,
  );
  const settings = settingsFor({ timeoutMs: 2000 }, site, vantage, probes);
  const selection = selectionOf({}, spec, site);
  const config = await readConfig(join(folder.path, 'watch.yaml'));
  const subject: Subject = {
    config,
    spec,
    site,
    vantage,
    settings,
    prepare: (signal) => prepare({ spec, site, vantage, selection }, settings.run, signal),
  };
  const said: string[] = [];
  const keeper = new Keeper(file, History.open(file), (text) => said.push(text));
  const watch = new Watch(subject, { clock, keeper, say: (text) => said.push(text) });
  const stop = new AbortController();
  await watch.begin(stop.signal);
  const go = async (ms: number): Promise<void> => {
    const over = clock.nowMs + ms;
    const part = new AbortController();
    const wait = clock.wait.bind(clock);
    clock.wait = (each) => {
      if (clock.nowMs + each >= over) part.abort();
      return wait(each);
    };
    await watch.run(part.signal);
    clock.wait = wait;
  };
  return { watch, keeper, clock, said, stop, go };
}

let files = 0;
const newFile = (): string => join(folder.path, `history-${(files += 1)}.db`);
const gapsOf = ({ keeper }: Watched): string[] => ask.gaps(keeper.history!.db, 1, 0, 1e15).map(({ why }) => why);
const runsOf = ({ keeper }: Watched): number => ask.runs(keeper.history!.db, 1, 1e9, 10_000).length;

test('rounds come at their rate for as long as it runs', async () => {
  const one = await watched(newFile());
  await one.go(3_600_000);
  // The first, sixty in phase, and two rechecks of the row that fails.
  expect(runsOf(one)).toBeGreaterThanOrEqual(60);
  expect(runsOf(one)).toBeLessThanOrEqual(66);
  expect(one.watch.status()).toMatchObject({ isHealthy: true, skipped: 0, troubles: [] });
  expect(one.watch.viewpoints()[0]?.state.incidents).toMatchObject([{ rows: ['row-2'] }]);
  one.keeper.close();
});

test('a machine that slept has a gap, and its spans begin anew', async () => {
  const one = await watched(newFile());
  await one.go(600_000);
  one.clock.wallMs += 7_200_000;
  await one.go(600_000);
  expect(gapsOf(one)).toEqual([expect.stringMatching(/suspended.*7200 s/)]);
  const spans = ask.spans(one.keeper.history!.db, 1, 0, 1e15, 'row-1');
  expect(spans.map(({ verdict }) => verdict)).toEqual(['pass', 'pass']);
  expect(spans[1]!.since - spans[0]!.until).toBeGreaterThan(7_000_000);
  expect(one.watch.status().gapMs).toBeGreaterThan(7_000_000);
  one.keeper.close();
});

test('a clock that is set back is told, and no span overlaps another', async () => {
  const one = await watched(newFile());
  await one.go(600_000);
  one.clock.wallMs -= 3_600_000;
  const before = runsOf(one);
  await one.go(1_200_000);
  expect(gapsOf(one)).toEqual([expect.stringMatching(/set back by 3600 s/)]);
  expect(runsOf(one) - before).toBeGreaterThanOrEqual(19);
  const overlaps = 'SELECT 1 FROM span a JOIN span b ON a.row = b.row AND a.since < b.since AND a.until > b.since';
  expect(one.keeper.history!.db.sql(overlaps).all()).toEqual([]);
  one.keeper.close();
});

test('while another holds the file checks and beliefs go on, the page says so, and what comes later is written', async () => {
  const file = newFile();
  const one = await watched(file);
  await one.go(120_000);
  const other = new DatabaseSync(file);
  other.exec('BEGIN EXCLUSIVE');
  const round = one.watch.status().lastRoundAgoMs;
  await one.go(70_000);
  expect(one.watch.status().troubles).toEqual([expect.stringMatching(/cannot be written \(database is locked\)/)]);
  expect(one.watch.status().lastRoundAgoMs).toBeLessThan(70_000);
  expect(round).not.toBeNull();
  other.exec('ROLLBACK');
  other.close();
  const before = runsOf(one);
  await one.go(70_000);
  expect(runsOf(one)).toBeGreaterThan(before);
  expect(one.watch.status().troubles).toEqual([]);
  expect(one.said).toEqual(
    expect.arrayContaining([expect.stringMatching(/locked/), 'the history can be written again']),
  );
  one.keeper.close();
});

test('a file that is damaged while it is used is put aside, and a new one begun', async () => {
  const file = newFile();
  const one = await watched(file);
  await one.go(300_000);
  one.keeper.history!.db.exec('PRAGMA wal_checkpoint(TRUNCATE); PRAGMA cache_size = 0; PRAGMA mmap_size = 0;');
  const bytes = readFileSync(file);
  bytes.fill(0x5a, 4096);
  writeFileSync(file, bytes);
  await one.go(600_000);
  expect(globSync(`${file}.damaged-*`)).toHaveLength(1);
  expect(one.watch.status().troubles).toEqual([expect.stringMatching(/damaged.*a new one has begun/)]);
  expect(runsOf(one)).toBeGreaterThan(5);
  expect(one.watch.viewpoints()[0]?.state.incidents).toHaveLength(1);
  one.keeper.close();
});

const mayMount = process.getuid?.() === 0 && process.platform === 'linux';

describe.skipIf(!mayMount)('a disk that is full', () => {
  test('checks go on and the page says so; with room again it goes on writing', async () => {
    const place = join(folder.path, 'full');
    mkdirSync(place);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', place]);
    try {
      const one = await watched(join(place, 'history.db'));
      await one.go(120_000);
      const filler = join(place, 'filler');
      try {
        writeFileSync(filler, Buffer.alloc(2 << 20));
      } catch {
        // That is what it is for.
      }
      await one.go(3_600_000);
      expect(one.watch.status().troubles).toEqual([
        expect.stringMatching(/cannot be written \((?:database or disk is full|disk I\/O error)\)/),
      ]);
      expect(one.watch.status().isHealthy).toBe(true);
      rmSync(filler);
      const before = runsOf(one);
      await one.go(300_000);
      expect(runsOf(one)).toBeGreaterThan(before);
      expect(one.watch.status().troubles).toEqual([]);
      expect(one.keeper.history!.db.sql('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }]);
      one.keeper.close();
    } finally {
      execFileSync('umount', ['--lazy', place]);
    }
  });
});

test('a new process goes on with what the last one knew, without a herd', async () => {
  const file = newFile();
  const clock = new TestClock();
  clock.wallMs = Date.now();
  const first = await watched(file, clock);
  await first.watch.once(first.stop.signal);
  const [before] = first.watch.viewpoints();
  first.keeper.close();
  first.clock.pass(5000);
  const second = await watched(file, first.clock);
  const [after] = second.watch.viewpoints();
  expect(after?.state).toEqual(before?.state);
  expect(after?.report?.summary).toEqual(before?.report?.summary);
  // What is fresh waits for its turn.
  expect(second.watch.status().nextRoundInMs).toBeGreaterThan(0);
  expect(gapsOf(second)).toEqual([]);
  second.keeper.close();
});

test('without SQLite it watches all the same, and says what is missing', async () => {
  const clock = new TestClock();
  const said: string[] = [];
  const one = await watched(newFile(), clock);
  one.keeper.close();
  const keeper = new Keeper('none', null, (text) => said.push(text));
  const watch = new Watch(one.watch.subject, { clock, keeper, say: (text) => said.push(text) });
  await watch.begin(one.stop.signal);
  for (let i = 0; i < 3; i += 1) await watch.once(one.stop.signal);
  expect(watch.status().troubles).toEqual([expect.stringMatching(/this Node has no SQLite/)]);
  expect(watch.viewpoints()[0]?.state.incidents).toHaveLength(1);
});
