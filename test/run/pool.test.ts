import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SocketBudget } from '../../src/net/socket-budget.ts';
import { Pool, type PoolOptions } from '../../src/run/pool.ts';
import { HandClock } from '../support/hand-clock.ts';

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
  rate: fc.constantFrom(50, 1000, 1_000_000),
});
const work = fc.array(
  fc.record({ host: fc.integer({ min: 0, max: 9 }), turns: fc.integer({ min: 0, max: 5 }), isDatagram: fc.boolean() }),
  { maxLength: 120 },
);

test('never more in flight than asked for, in all and to one address, and each is started once', () => {
  fc.assert(
    fc.property(asked, work, (options, drafts) => {
      const seen = play(options, jobsOf(drafts));
      expect(seen.most).toBeLessThanOrEqual(options.concurrency);
      expect(seen.mostToOne).toBeLessThanOrEqual(options.perHost);
      expect(seen.started.toSorted((a, b) => a - b)).toEqual(drafts.map((_, i) => i));
    }),
  );
});

test('the same plan is tried in the same order', () => {
  const drafts = fc.sample(work, { numRuns: 1, seed: 7 })[0]!;
  const options = { concurrency: 1, perHost: 1, rate: 1_000_000 };
  expect(play(options, jobsOf(drafts)).started).toEqual(play(options, jobsOf(drafts)).started);
});

test('hosts take turns in the order of the plan', () => {
  const drafts = [0, 0, 0, 1, 1, 2].map((host) => ({ host, turns: 0, isDatagram: false }));
  const { started } = play({ concurrency: 1, perHost: 3, rate: 1_000_000 }, jobsOf(drafts));
  expect(started).toEqual([0, 3, 5, 1, 4, 2]);
});

test('new checks a second stay below the rate', () => {
  const rate = 500;
  const drafts = Array.from({ length: 150 }, (_, host) => ({ host, turns: 0, isDatagram: false }));
  const { startedAt } = play({ concurrency: 1000, perHost: 1, rate }, jobsOf(drafts));
  const beganAt = startedAt[0]!;
  for (const [i, at] of startedAt.entries()) expect(i + 1).toBeLessThanOrEqual(17 + ((at - beganAt) / 1000) * rate);
  expect(startedAt.at(-1)! - beganAt).toBeLessThan(290);
});

test('a host whose datagrams must wait is connected to meanwhile', () => {
  const jobs = jobsOf([
    { host: 0, turns: 0, isDatagram: true },
    { host: 0, turns: 0, isDatagram: false },
  ]);
  let delayMs = 30;
  const { started, startedAt } = play({ concurrency: 4, perHost: 4, rate: 1_000_000 }, jobs, () => {
    const now = delayMs;
    delayMs = 0;
    return now;
  });
  expect(started).toEqual([1, 0]);
  expect(startedAt[1]! - startedAt[0]!).toBe(30);
});

test('while silence holds every place the pool grows, and not beyond what it may', () => {
  const { budget, clock } = silentPool({ concurrency: 16, growTo: 100, perHost: 1, rate: 1_000_000 });
  clock.advance(200);
  expect(budget.inUse).toBe(16);
  clock.advance(2000);
  expect(budget.inUse).toBe(100);
});

test('a concurrency that was asked for is kept, silence or not', () => {
  const { budget, clock } = silentPool({ concurrency: 16, perHost: 1, rate: 1_000_000 });
  clock.advance(3000);
  expect(budget.mostInUse).toBe(16);
});

test('a machine that is out of resources gets half as much to do, and the rest later', () => {
  const clock = new HandClock();
  let room = 8;
  let open = 0;
  let refused = 0;
  const finished: number[] = [];
  const budget = new SocketBudget(64);
  const pool: Pool<Job> = new Pool({ concurrency: 64, perHost: 64, rate: 1_000_000 }, budget, clock, {
    room: () => 16,
    datagramDelayMs: () => 0,
    start: (job, done) => {
      open += 1;
      const isTooMuch = open > room;
      clock.after(5, () => {
        open -= 1;
        if (isTooMuch) {
          refused += 1;
          pool.putBack(job, job.host, job.isDatagram, 10);
        } else finished.push(job.name);
        done();
      });
    },
  });
  for (const job of jobsOf(Array.from({ length: 60 }, () => ({ host: 0, turns: 0, isDatagram: false }))))
    pool.add(job, job.host, job.isDatagram);
  clock.advance(20);
  expect(budget.inUse).toBeLessThanOrEqual(32);
  room = 64;
  clock.exhaust();
  expect(refused).toBeGreaterThan(0);
  expect(finished.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, i) => i));
});

test('what waits is dropped when the run is stopped', async () => {
  const { pool, budget, clock, open } = silentPool({ concurrency: 4, perHost: 4, rate: 1_000_000 });
  clock.settle();
  expect(open).toHaveLength(4);
  pool.stop();
  for (const done of open) done();
  await pool.idle();
  clock.exhaust();
  expect(budget.mostInUse).toBe(4);
});

function jobsOf(drafts: readonly { host: number; turns: number; isDatagram: boolean }[]): Job[] {
  return drafts.map(({ host, turns, isDatagram }, name) => ({ name, host: `192.0.2.${host}`, turns, isDatagram }));
}

interface Silent {
  readonly pool: Pool<Job>;
  readonly budget: SocketBudget;
  readonly clock: HandClock;
  readonly open: (() => void)[];
}

function silentPool(options: PoolOptions): Silent {
  const clock = new HandClock();
  const budget = new SocketBudget(options.concurrency);
  const open: (() => void)[] = [];
  const pool = new Pool<Job>(options, budget, clock, {
    room: () => 16,
    datagramDelayMs: () => 0,
    start: (_, done) => void open.push(done),
  });
  const drafts = Array.from({ length: 500 }, (_, host) => ({ host, turns: 0, isDatagram: false }));
  for (const job of jobsOf(drafts)) pool.add(job, job.host, job.isDatagram);
  return { pool, budget, clock, open };
}

function play(
  options: PoolOptions,
  jobs: readonly Job[],
  datagramDelayMs = (): number => 0,
): { started: number[]; startedAt: number[]; most: number; mostToOne: number } {
  const clock = new HandClock();
  const seen = { started: [] as number[], startedAt: [] as number[], most: 0, mostToOne: 0 };
  const toHost = new Map<string, number>();
  let inFlight = 0;
  const pool = new Pool<Job>(options, new SocketBudget(options.concurrency), clock, {
    room: () => 16,
    datagramDelayMs,
    start: ({ name, host, turns }, done) => {
      inFlight += 1;
      toHost.set(host, (toHost.get(host) ?? 0) + 1);
      seen.started.push(name);
      seen.startedAt.push(clock.now());
      seen.most = Math.max(seen.most, inFlight);
      seen.mostToOne = Math.max(seen.mostToOne, toHost.get(host)!);
      afterTurns(clock, turns, () => {
        inFlight -= 1;
        toHost.set(host, toHost.get(host)! - 1);
        done();
      });
    },
  });
  for (const job of jobs) pool.add(job, job.host, job.isDatagram);
  clock.exhaust();
  return seen;
}

function afterTurns(clock: HandClock, turns: number, then: () => void): void {
  if (turns === 0) then();
  else clock.nextTurn(() => afterTurns(clock, turns - 1, then));
}
