import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Deadlines } from '../../src/net/deadlines.ts';
import { Pacer } from '../../src/net/pacer.ts';
import { Scope } from '../../src/net/scope.ts';

const host = '192.0.2.7';
const burst = 5;

beforeEach(() => vi.useFakeTimers({ now: 0 }));
afterEach(() => vi.useRealTimers());

function paced(): { readonly pacer: Pacer; readonly sent: string[]; readonly ask: (name: string) => () => void } {
  const pacer = new Pacer();
  const deadlines = new Deadlines();
  const sent: string[] = [];
  const ask = (name: string): (() => void) =>
    pacer.turn(new Scope(deadlines, 60_000), host, () => void sent.push(name));
  return { pacer, sent, ask };
}

const names = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

test('after its burst a host is asked once a second, in the order of asking', () => {
  const { pacer, sent, ask } = paced();
  for (const name of [...names('burst', burst), 'sixth', 'seventh']) {
    ask(name);
    pacer.rejected(host);
  }
  expect(sent).toEqual(names('burst', burst));
  vi.advanceTimersByTime(1200);
  expect(sent).toHaveLength(burst + 1);
  vi.advanceTimersByTime(1200);
  expect(sent.slice(burst)).toEqual(['sixth', 'seventh']);
});

test('whoever gives up waiting for a turn holds up nobody behind', () => {
  const { pacer, sent, ask } = paced();
  for (const name of names('burst', burst)) ask(name);
  pacer.rejected(host);
  const giveUp = ask('impatient');
  ask('patient');
  giveUp();
  vi.advanceTimersByTime(2500);
  expect(sent.slice(burst)).toEqual(['patient']);
});

test('no more are told to go on than may send', () => {
  const { pacer, ask } = paced();
  expect(Array.from({ length: burst }, () => pacer.delayMs(host))).toEqual(Array(burst).fill(0));
  expect(pacer.delayMs(host)).toBeGreaterThan(0);
  for (const name of names('promised', burst)) ask(name);
  expect(pacer.delayMs(host)).toBeGreaterThan(1000);
});

test('a promise that came to no datagram is forgotten', () => {
  const { pacer } = paced();
  for (let i = 0; i < burst; i++) pacer.delayMs(host);
  vi.advanceTimersByTime(600);
  expect(pacer.delayMs(host)).toBe(0);
});

test('loopback has no such limit', () => {
  const { pacer } = paced();
  expect(Array.from({ length: 50 }, () => pacer.delayMs('127.0.0.1'))).toEqual(Array(50).fill(0));
});

test('while an attempt waits for its turn its clock stands still', async () => {
  const scope = new Scope(new Deadlines(), 1000);
  const outcome = scope.wait(() => undefined).catch((error: unknown) => error);
  const settled = vi.fn<() => void>();
  void outcome.then(settled);
  await vi.advanceTimersByTimeAsync(400);
  const resume = scope.pause();
  await vi.advanceTimersByTimeAsync(5000);
  resume();
  await vi.advanceTimersByTimeAsync(500);
  expect(settled).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(200);
  expect(await outcome).toMatchObject({ failure: { outcome: 'timeout' } });
});
