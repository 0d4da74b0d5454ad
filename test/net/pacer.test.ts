/** The rhythm of datagrams to one host: a burst, then one in the time that its ICMP errors take; a fake clock throughout. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Pacer } from '../../src/net/pacer.ts';
import type { Scope } from '../../src/net/scope.ts';

const host = '192.0.2.5';

/** All of a scope that the pacer uses. */
const scope = {
  after: (ms: number, then: () => void) => {
    const timer = setTimeout(then, ms);
    return () => clearTimeout(timer);
  },
} as unknown as Scope;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Asks for `count` turns at once and tells when each came, in milliseconds from now. */
function turns(pacer: Pacer, count: number, address = host): { sentAt: number[]; cancels: (() => void)[] } {
  const began = performance.now();
  const sentAt: number[] = [];
  const cancels = Array.from({ length: count }, () =>
    pacer.turn(scope, address, () => void sentAt.push(Math.round(performance.now() - began))),
  );
  return { sentAt, cancels };
}

test('five go at once, the others one by one in the rhythm of a host that says no', () => {
  const pacer = new Pacer();
  const { sentAt } = turns(pacer, 8);
  expect(sentAt).toEqual([0, 0, 0, 0, 0]);
  for (let i = 0; i < 5; i += 1) pacer.rejected(host);
  vi.advanceTimersByTime(10_000);
  expect(sentAt.slice(5)).toEqual([1050, 2100, 3150]);
});

test('a host never gets more in any time than the kernel would answer', () => {
  const pacer = new Pacer();
  const { sentAt } = turns(pacer, 40);
  pacer.rejected(host);
  vi.advanceTimersByTime(100_000);
  expect(sentAt).toHaveLength(40);
  for (const [i, at] of sentAt.entries()) {
    const inOneSecond = sentAt.slice(i).filter((other) => other < at + 1000).length;
    expect(inOneSecond).toBeLessThanOrEqual(6);
  }
});

test('one host does not wait for another', () => {
  const pacer = new Pacer();
  turns(pacer, 20);
  expect(turns(pacer, 5, '192.0.2.6').sentAt).toEqual([0, 0, 0, 0, 0]);
});

test('loopback waits for nothing, and is not counted', () => {
  const pacer = new Pacer();
  expect(turns(pacer, 100, '127.0.0.9').sentAt).toHaveLength(100);
  expect(turns(pacer, 100, '::1').sentAt).toHaveLength(100);
  expect(pacer.delayMs('127.0.0.9')).toBe(0);
});

test('an answer gives its place back: a host that answers is not slowed down', () => {
  const pacer = new Pacer();
  for (let i = 0; i < 50; i += 1) {
    expect(turns(pacer, 1).sentAt).toEqual([0]);
    pacer.answered(host);
  }
});

test.for([
  [false, 0, 100],
  [true, 500, 1050],
] as const)(
  'a host that lets its burst pass is soon asked faster, unless it has sent an error: %s',
  ([rejects, from, to]) => {
    const pacer = new Pacer();
    turns(pacer, 5);
    if (rejects) pacer.rejected(host);
    vi.advanceTimersByTime(1600);
    turns(pacer, 5);
    expect(pacer.delayMs(host)).toBeGreaterThan(from);
    expect(pacer.delayMs(host)).toBeLessThanOrEqual(rejects ? 6 * to : to);
  },
);

test('a wish that is taken back is never granted, and the next one is', () => {
  const pacer = new Pacer();
  const { sentAt, cancels } = turns(pacer, 7);
  pacer.rejected(host);
  cancels[5]?.();
  cancels[5]?.();
  vi.advanceTimersByTime(2200);
  expect(sentAt).toHaveLength(6);
  vi.advanceTimersByTime(20_000);
  expect(sentAt).toHaveLength(6);
});

test('tells the scheduler how long a host is to be left alone', () => {
  const pacer = new Pacer();
  expect(pacer.delayMs(host)).toBe(0);
  turns(pacer, 5);
  pacer.rejected(host);
  const delay = pacer.delayMs(host);
  expect(delay).toBeGreaterThan(900);
  expect(delay).toBeLessThanOrEqual(1050);
  vi.advanceTimersByTime(delay + 1);
  expect(pacer.delayMs(host)).toBe(0);
  // What already waits goes first.
  turns(pacer, 3);
  expect(pacer.delayMs(host)).toBeGreaterThan(2000);
});
