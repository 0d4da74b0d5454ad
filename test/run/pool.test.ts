import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { Deadlines } from '../../src/net/deadlines.ts';
import { Pool, type PoolOptions } from '../../src/run/pool.ts';

interface Job {
  readonly host: string;
  readonly isDatagram: boolean;
  readonly name: number;
  /** Turns of the event loop that it takes. */
  readonly turns: number;
}

const asked = fc.record({
  concurrency: fc.integer({ min: 1, max: 20 }),
  perHost: fc.integer({ min: 1, max: 4 }),
  rate: fc.constant(1_000_000),
});
const work = fc.array(
  fc.record({ host: fc.integer({ min: 0, max: 9 }), turns: fc.integer({ min: 0, max: 5 }), isDatagram: fc.boolean() }),
  { maxLength: 120 },
);

test('never more in flight than asked for, in all and to one address, and each is started once', async () => {
  await fc.assert(
    fc.asyncProperty(asked, work, async (options, drafts) => {
      const seen = await play(options, jobsOf(drafts));
      expect(seen.most).toBeLessThanOrEqual(options.concurrency);
      expect(seen.mostToOne).toBeLessThanOrEqual(options.perHost);
      expect(seen.started.toSorted((a, b) => a - b)).toEqual(drafts.map((_, i) => i));
    }),
    { numRuns: 60 },
  );
});

test('the same plan is tried in the same order', async () => {
  const drafts = fc.sample(work, { numRuns: 1, seed: 7 })[0]!;
  const options = { concurrency: 1, perHost: 1, rate: 1_000_000 };
  const first = await play(options, jobsOf(drafts));
  const second = await play(options, jobsOf(drafts));
  expect(first.started).toEqual(second.started);
});

test('hosts take turns in the order of the plan', async () => {
  const drafts = [0, 0, 0, 1, 1, 2].map((host) => ({ host, turns: 0, isDatagram: false }));
  const { started } = await play({ concurrency: 1, perHost: 3, rate: 1_000_000 }, jobsOf(drafts));
  expect(started).toEqual([0, 3, 5, 1, 4, 2]);
});

test('new checks a second stay below the rate', async () => {
  const rate = 500;
  const drafts = Array.from({ length: 150 }, (_, host) => ({ host, turns: 0, isDatagram: false }));
  const began = performance.now();
  const { startedAt } = await play({ concurrency: 1000, perHost: 1, rate }, jobsOf(drafts));
  const atOnce = Math.max(16, rate / 50);
  for (const [i, at] of startedAt.entries())
    expect(i + 1).toBeLessThanOrEqual(atOnce + 1 + ((at - began) / 1000) * rate);
});

test('a host whose datagrams must wait is connected to meanwhile', async () => {
  const jobs = jobsOf([
    { host: 0, turns: 0, isDatagram: true },
    { host: 0, turns: 0, isDatagram: false },
  ]);
  let delayMs = 30;
  const { started } = await play({ concurrency: 4, perHost: 4, rate: 1_000_000 }, jobs, () => {
    const now = delayMs;
    delayMs = 0;
    return now;
  });
  expect(started).toEqual([1, 0]);
});

test('while silence holds every place the pool grows, and not beyond what it may', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setImmediate', 'performance'] });
  try {
    const { pool, open } = silentPool({ concurrency: 16, growTo: 100, perHost: 1, rate: 1_000_000 });
    await vi.advanceTimersByTimeAsync(200);
    expect(pool.inFlight).toBe(16);
    await vi.advanceTimersByTimeAsync(2000);
    expect(pool.inFlight).toBe(100);
    for (const done of open) done();
  } finally {
    vi.useRealTimers();
  }
});

test('a concurrency that was asked for is kept, silence or not', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setImmediate', 'performance'] });
  try {
    const { pool } = silentPool({ concurrency: 16, perHost: 1, rate: 1_000_000 });
    await vi.advanceTimersByTimeAsync(3000);
    expect(pool.maxInFlight).toBe(16);
  } finally {
    vi.useRealTimers();
  }
});

test('a machine that is out of resources gets half as much to do, and the rest later', async () => {
  const deadlines = new Deadlines();
  let room = 8;
  let open = 0;
  let refused = 0;
  const finished: number[] = [];
  const pool = new Pool<Job>({ concurrency: 64, perHost: 64, rate: 1_000_000 }, deadlines, {
    room: () => 16,
    datagramDelayMs: () => 0,
    start: (job, done) => {
      open += 1;
      const isTooMuch = open > room;
      setTimeout(() => {
        open -= 1;
        if (isTooMuch) {
          refused += 1;
          pool.putBack(job, job.host, job.isDatagram, 10);
        } else finished.push(job.name);
        done();
      }, 5);
    },
  });
  for (const job of jobsOf(Array.from({ length: 60 }, () => ({ host: 0, turns: 0, isDatagram: false }))))
    pool.add(job, job.host, job.isDatagram);
  setTimeout(() => (room = 64), 300);
  await pool.idle();
  deadlines.clear();
  expect(refused).toBeGreaterThan(0);
  expect(finished.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, i) => i));
});

test('what waits is dropped when the run is stopped', async () => {
  const { pool, open } = silentPool({ concurrency: 4, perHost: 4, rate: 1_000_000 });
  await vi.waitUntil(() => open.length === 4);
  pool.stop();
  for (const done of open) done();
  await pool.idle();
  expect(pool.maxInFlight).toBe(4);
});

function jobsOf(drafts: readonly { host: number; turns: number; isDatagram: boolean }[]): Job[] {
  return drafts.map(({ host, turns, isDatagram }, name) => ({ name, host: `192.0.2.${host}`, turns, isDatagram }));
}

function silentPool(options: PoolOptions): { pool: Pool<Job>; open: (() => void)[] } {
  const open: (() => void)[] = [];
  const pool = new Pool<Job>(options, new Deadlines(), {
    room: () => 16,
    datagramDelayMs: () => 0,
    start: (_, done) => void open.push(done),
  });
  const drafts = Array.from({ length: 500 }, (_, host) => ({ host, turns: 0, isDatagram: false }));
  for (const job of jobsOf(drafts)) pool.add(job, job.host, job.isDatagram);
  return { pool, open };
}

async function play(
  options: PoolOptions,
  jobs: readonly Job[],
  datagramDelayMs = (): number => 0,
): Promise<{ started: number[]; startedAt: number[]; most: number; mostToOne: number }> {
  const deadlines = new Deadlines();
  const seen = { started: [] as number[], startedAt: [] as number[], most: 0, mostToOne: 0 };
  const toHost = new Map<string, number>();
  let inFlight = 0;
  const pool = new Pool<Job>(options, deadlines, {
    room: () => 16,
    datagramDelayMs,
    start: ({ name, host, turns }, done) => {
      inFlight += 1;
      toHost.set(host, (toHost.get(host) ?? 0) + 1);
      seen.started.push(name);
      seen.startedAt.push(performance.now());
      seen.most = Math.max(seen.most, inFlight);
      seen.mostToOne = Math.max(seen.mostToOne, toHost.get(host)!);
      afterTurns(turns, () => {
        inFlight -= 1;
        toHost.set(host, toHost.get(host)! - 1);
        done();
      });
    },
  });
  for (const job of jobs) pool.add(job, job.host, job.isDatagram);
  await pool.idle();
  deadlines.clear();
  return seen;
}

function afterTurns(turns: number, then: () => void): void {
  if (turns === 0) then();
  else setImmediate(() => afterTurns(turns - 1, then));
}
