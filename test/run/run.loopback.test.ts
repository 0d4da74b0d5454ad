/** Plans run on loopback: every check is told, within its bounds, also when the run is stopped in the middle. */
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { NetError } from '../../src/model/errors.ts';
import type { Check } from '../../src/model/plan.ts';
import { checkOf } from '../support/builders.ts';
import { listening, vacantPort } from '../support/real-io.ts';
import { observedOf, start, stub } from '../support/run-plan.ts';
import { patienceMs } from '../support/patience.ts';

const tcpTo = (port: number, parts: Partial<Check> = {}): Check =>
  checkOf({ host: '127.0.0.1', port, options: { linger: 0 }, ...parts });

const many = (count: number, port: number, parts: Partial<Check> = {}): Check[] =>
  Array.from({ length: count }, (_, i) => tcpTo(port, { id: `check ${i}`, ...parts }));

/** A probe that talks, so that it takes the long way: it waits for what never comes. */
const listen = { probe: 'tcp', options: { linger: 0, expect: 'never' } };

test('a check of an address is observed once, with when and where', async () => {
  await using server = await listening((socket) => socket.resume());
  const check = tcpTo(server.port);
  const { only, stats, byCheck } = await observedOf([check]);
  expect(byCheck.get(check.id)).toHaveLength(1);
  expect(only).toMatchObject({
    check: check.id,
    address: '127.0.0.1',
    outcome: 'answered',
    stage: null,
    hint: null,
    code: null,
    attempts: 1,
    warnings: [],
    notes: [],
  });
  expect(Math.abs(Date.parse(only.startedAt) - Date.now())).toBeLessThan(patienceMs);
  expect(only.evidence['connectMs']).toBeGreaterThan(0);
  expect(stats).toMatchObject({ maxInFlight: 1, connects: 1, datagrams: 0 });
  expect(stats.peakRssMiB).toBeGreaterThan(10);
});

test('a refusal is told whichever way the probe takes', async () => {
  const port = await vacantPort();
  const { byCheck } = await observedOf([tcpTo(port, { id: 'short' }), tcpTo(port, { id: 'long', ...listen })]);
  for (const observations of byCheck.values())
    expect(observations).toMatchObject([{ outcome: 'refused', stage: 'connect', code: 'ECONNREFUSED' }]);
});

test('a name is tried at each of its addresses, and one that is not known is unresolved', async () => {
  await using server = await listening((socket) => socket.resume());
  const named = tcpTo(server.port, { id: 'named', host: 'localhost', address: null });
  const { byCheck } = await observedOf([named], { family: '4' });
  expect(byCheck.get('named')).toMatchObject([{ address: '127.0.0.1', outcome: 'answered' }]);
});

test('a host whose every address is this machine’s own is left out; loopback is not', async () => {
  const peer = { mayBeSelf: true, host: 'localhost', address: null } as const;
  await using server = await listening((socket) => socket.resume());
  const { selves, byCheck } = await observedOf([tcpTo(server.port, { id: 'peer', ...peer })], {
    family: '4',
    ownAddresses: ['127.0.0.1'],
  });
  expect(selves).toEqual([]);
  expect(byCheck.get('peer')).toHaveLength(1);
});

test('a probe of the name itself has no address', async () => {
  const check = checkOf({ probe: 'resolve', transport: 'udp', host: 'localhost', address: null, port: 53 });
  const { only, stats } = await observedOf([check]);
  expect(only).toMatchObject({ address: null, outcome: 'answered', evidence: { addresses: expect.any(Array) } });
  expect(stats).toMatchObject({ connects: 0, datagrams: 0 });
});

describe('the bounds', () => {
  test('of sockets in flight hold, and mute endpoints wait side by side', async () => {
    let open = 0;
    let most = 0;
    await using server = await listening((socket: Socket) => {
      most = Math.max(most, (open += 1));
      socket.resume().once('close', () => (open -= 1));
    });
    const { stats, ms } = await observedOf(many(30, server.port, listen), { concurrency: 10, timeoutMs: 200 });
    expect(stats.maxInFlight).toBe(10);
    expect(most).toBeLessThanOrEqual(11);
    expect(ms).toBeGreaterThan(550);
    expect(ms).toBeLessThan(patienceMs);
  });

  test('of sockets to one address hold, and another address does not wait', async () => {
    await using server = await listening((socket) => socket.resume());
    const elsewhere = tcpTo(server.port, { id: 'elsewhere', host: '127.0.0.2', address: '127.0.0.2' });
    const checks = [...many(6, server.port, listen), elsewhere];
    const { stats, byCheck, ms } = await observedOf(checks, { perHost: 2, timeoutMs: 200 });
    expect(stats.maxInFlight).toBeLessThanOrEqual(3);
    expect(ms).toBeGreaterThan(550);
    const [other] = byCheck.get('elsewhere') ?? [];
    const [last] = byCheck.get('check 5') ?? [];
    expect(Date.parse(other!.startedAt)).toBeLessThan(Date.parse(last!.startedAt));
  });

  test('of new checks a second hold', async () => {
    await using server = await listening((socket) => socket.resume());
    const { ms } = await observedOf(many(20, server.port), { rate: 40 });
    expect(ms).toBeGreaterThan(300);
    expect(ms).toBeLessThan(patienceMs);
  });

  test('a thousand checks are each told once', async () => {
    await using server = await listening((socket) => socket.resume());
    const { byCheck, stats } = await observedOf(many(1000, server.port), { rate: 100_000, concurrency: 100 });
    expect(new Set([...byCheck.values()].flat().map(({ outcome }) => outcome))).toEqual(new Set(['answered']));
    expect(stats.connects).toBe(1000);
    expect(stats.maxInFlight).toBeLessThanOrEqual(64);
  });
});

describe('a run that is stopped', () => {
  test('tells every open check as aborted, at once, and those that were done as they are', async () => {
    await using server = await listening((socket) => socket.resume());
    const checks = [tcpTo(server.port, { id: 'quick' }), ...many(20, server.port, listen)];
    const { control, observed } = start(checks, { concurrency: 5, timeoutMs: 30_000 });
    await sleep(100);
    expect(control.inFlight()).toBe(5);
    control.stop('the run was interrupted (SIGINT)');
    control.stop('once more');
    const { byCheck, ms } = await observed;
    expect(ms).toBeLessThan(patienceMs);
    const [quick, ...others] = [...byCheck.values()].flat();
    expect(quick?.outcome).toBe('answered');
    expect(others).toHaveLength(20);
    for (const { outcome, detail } of others)
      expect([outcome, detail]).toEqual(['aborted', 'the run was interrupted (SIGINT)']);
    await sleep(20);
    expect(server.sockets.every(({ destroyed }) => destroyed)).toBe(true);
  });

  test('before it began tells all of them', async () => {
    const { control, observed } = start(many(3, 9, listen));
    control.stop('at once');
    const { byCheck } = await observed;
    expect([...byCheck.values()].flat().map(({ outcome }) => outcome)).toEqual(['aborted', 'aborted', 'aborted']);
  });
});

describe('a machine out of resources', () => {
  const out = new NetError({ outcome: 'local', stage: 'connect', code: 'EMFILE', detail: 'no descriptor left' });

  test('tries again, and blames nobody', async () => {
    let tries = 0;
    const probes = stub(() => {
      tries += 1;
      return tries < 3
        ? Promise.reject(out)
        : Promise.resolve({ outcome: 'answered', detail: 'at last', evidence: {} });
    });
    const { only } = await observedOf([tcpTo(9, { probe: 'stub' })], { probes });
    expect(only).toMatchObject({ outcome: 'answered', detail: 'at last' });
    expect(tries).toBe(3);
  });

  test('can be interrupted while it waits', async () => {
    const probes = stub(() => Promise.reject(out));
    const { control, observed } = start([tcpTo(9, { probe: 'stub' })], { probes });
    await sleep(250);
    control.stop('enough');
    const { only, ms } = await observed;
    expect(only).toMatchObject({ outcome: 'aborted', detail: 'enough' });
    expect(ms).toBeLessThan(patienceMs);
  });
});
