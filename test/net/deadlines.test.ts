import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Deadlines } from '../../src/net/deadlines.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setImmediate', 'performance'] }));
afterEach(() => void vi.useRealTimers());

test('a deadline is told once, not before its time and at most two ticks after it', () => {
  const deadlines = new Deadlines();
  const told: number[] = [];
  for (const ms of [5, 500, 30, 1000, 30]) deadlines.add(ms, () => told.push(performance.now() - ms));
  const began = performance.now();
  vi.advanceTimersByTime(2000);
  expect(told).toHaveLength(5);
  for (const at of told) {
    expect(at).toBeGreaterThanOrEqual(began);
    expect(at).toBeLessThanOrEqual(began + 40);
  }
  expect(deadlines.size).toBe(0);
});

test('a cancelled one is never told, and its neighbours are', () => {
  const deadlines = new Deadlines();
  const told: string[] = [];
  const entries = ['a', 'b', 'c'].map((name) => deadlines.add(100, () => told.push(name)));
  deadlines.cancel(entries[1]!);
  deadlines.cancel(entries[1]!);
  vi.advanceTimersByTime(200);
  expect(told).toEqual(['a', 'c']);
});

test('when the loop was late, what came in meanwhile is heard first', async () => {
  const deadlines = new Deadlines();
  const told = vi.fn<() => void>();
  const entry = deadlines.add(100, told);
  // The clock jumps as it does when the process was stopped: the tick that follows is late by far.
  const now = performance.now();
  vi.spyOn(performance, 'now').mockReturnValue(now + 5000);
  vi.advanceTimersByTime(10);
  expect(told).not.toHaveBeenCalled();
  deadlines.cancel(entry);
  await vi.advanceTimersByTimeAsync(1);
  expect(told).not.toHaveBeenCalled();
  vi.restoreAllMocks();
});

test('a stall of our own is given back to every deadline that it fell into', async () => {
  const deadlines = new Deadlines();
  const told = vi.fn<() => void>();
  deadlines.add(1000, told);
  const stalledMs = 6000;
  const real = performance.now.bind(performance);
  vi.spyOn(performance, 'now').mockImplementation(() => real() + stalledMs);
  await vi.advanceTimersByTimeAsync(20);
  expect(told).not.toHaveBeenCalled();
  // The rest of its second is still there, for the steps that are left.
  await vi.advanceTimersByTimeAsync(900);
  expect(told).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(200);
  expect(told).toHaveBeenCalledOnce();
  vi.restoreAllMocks();
});

test('whoever asks or adds after a stall, and before the tick that is late, has the time back already', async () => {
  const deadlines = new Deadlines();
  deadlines.add(1000, () => undefined);
  const before = deadlines.now();
  const real = performance.now.bind(performance);
  vi.spyOn(performance, 'now').mockImplementation(() => real() + 6000);
  const told = vi.fn<() => void>();
  deadlines.add(1000, told);
  expect(deadlines.now() - before).toBeLessThan(50);
  await vi.advanceTimersByTimeAsync(20);
  expect(deadlines.now() - before).toBeLessThan(100);
  await vi.advanceTimersByTimeAsync(900);
  expect(told).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(200);
  expect(told).toHaveBeenCalledOnce();
  vi.restoreAllMocks();
});

test('nor does a stall count that comes between a tick that is late and what it puts off', async () => {
  const deadlines = new Deadlines();
  const told = vi.fn<() => void>();
  deadlines.add(1000, told);
  const real = performance.now.bind(performance);
  let aheadMs = 50;
  vi.spyOn(performance, 'now').mockImplementation(() => real() + aheadMs);
  const tick = vi.spyOn(globalThis, 'setImmediate');
  vi.advanceTimersByTime(10);
  expect(tick).toHaveBeenCalledOnce();
  aheadMs = 6000;
  await vi.advanceTimersByTimeAsync(5);
  expect(told).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1000);
  expect(told).toHaveBeenCalledOnce();
  vi.restoreAllMocks();
});

test('no timer is left when nobody waits', () => {
  const deadlines = new Deadlines();
  deadlines.add(10, () => undefined);
  vi.advanceTimersByTime(100);
  expect(vi.getTimerCount()).toBe(0);
  deadlines.add(10_000, () => undefined);
  deadlines.clear();
  expect(vi.getTimerCount()).toBe(0);
});
