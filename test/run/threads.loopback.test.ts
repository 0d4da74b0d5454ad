/** Bare connections on threads of their own: told as without them, and nothing of a thread is left after the run. */
import type { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import type { Observation } from '../../src/model/outcome.ts';
import type { Check } from '../../src/model/plan.ts';
import { checkOf } from '../support/builders.ts';
import { listening, vacantPort, type Listening } from '../support/real-io.ts';
import { observedOf, start, type Observed } from '../support/run-plan.ts';

const threads = 2;
const rate = 1_000_000;

/** Open, closed, and an address that the system call itself refuses: turn by turn. */
async function field(server: Listening): Promise<Check[]> {
  const closed = await vacantPort();
  const ways = [
    { host: '127.0.0.1', port: server.port },
    { host: '127.0.0.2', port: closed },
    { host: '::1', port: closed },
    { host: '127.255.255.255', port: closed },
  ];
  return Array.from({ length: 400 }, (_, i) => checkOf({ id: `check ${i}`, options: { linger: 0 }, ...ways[i % 4]! }));
}

/** Without what differs between any two runs. */
const said = ({ byCheck }: Observed): unknown =>
  [...byCheck.values()].flat().map(({ startedAt, durationMs, evidence, ...rest }: Observation) => {
    expect(Date.parse(startedAt)).toBeGreaterThan(0);
    expect(durationMs).toBeGreaterThan(0);
    return [rest, Object.keys(evidence)];
  });

test('every outcome is the one that it is without threads', async () => {
  await using server = await listening((socket) => socket.resume());
  const checks = await field(server);
  const made = watchWorkers();
  const alone = await observedOf(checks, { rate });
  expect(made).toHaveLength(0);
  const together = await observedOf(checks, { rate, threads });
  expect(made).toHaveLength(threads);
  expect(said(together)).toEqual(said(alone));
  expect(together.stats).toMatchObject({ connects: checks.length, datagrams: 0 });
  expect(made.map(({ threadId }) => threadId)).toEqual([-1, -1]);
});

test('the bound on sockets is one for all of them', async () => {
  await using server = await listening((socket) => socket.resume());
  const { stats } = await observedOf(await field(server), { rate, threads, concurrency: 7 });
  expect(stats.maxInFlight).toBe(7);
});

test('what a lost thread leaves behind is done without it', async () => {
  await using server = await listening((socket) => socket.resume());
  const checks = await field(server);
  const made = watchWorkers((worker) => void worker.terminate());
  const { byCheck, bugs } = await observedOf(checks, { rate, threads });
  expect(made).toHaveLength(threads);
  expect(bugs).toEqual([]);
  const outcomes = [...byCheck.values()].map((all) => all.map(({ outcome }) => outcome));
  expect(outcomes.filter(([only]) => only === 'answered')).toHaveLength(checks.length / 4);
  expect(outcomes.flat()).not.toContain('local');
});

test('a run that is stopped ends them with what they have open', async () => {
  await using server = await listening((socket) => socket.resume());
  const made = watchWorkers();
  const { control, observed } = start(await field(server), { rate, threads, concurrency: 20 });
  while (control.inFlight() === 0) await new Promise(setImmediate);
  control.stop('enough');
  const { byCheck } = await observed;
  expect([...byCheck.values()].flat().some(({ outcome }) => outcome === 'aborted')).toBe(true);
  expect(made.map(({ threadId }) => threadId)).toEqual([-1, -1]);
  expect(control.inFlight()).toBe(0);
});

/** Those that are made from now on. */
function watchWorkers(then: (worker: Worker) => void = () => undefined): Worker[] {
  const made: Worker[] = [];
  const listen = (worker: Worker): void => {
    made.push(worker);
    then(worker);
  };
  process.on('worker', listen);
  onTestFinished(() => void process.off('worker', listen));
  return made;
}
