import { expect, test } from 'vitest';
import { Rate } from '../../src/run/rate.ts';

const spend = (rate: Rate, count: number): void => {
  for (let i = 0; i < count; i += 1) rate.spend();
};

test('so many may start at once, and after a pause what came in a fiftieth of a second', () => {
  const rate = new Rate(1000, 16, 0);
  expect(rate.allowed(0)).toBe(16);
  spend(rate, 16);
  expect([rate.allowed(0), rate.isSpent]).toEqual([0, true]);
  expect(rate.allowed(5)).toBe(5);
  expect(rate.allowed(60_000)).toBe(20);
});

test('over any time no more start than the rate allows', () => {
  const rate = new Rate(250, 16, 0);
  let started = 0;
  for (let nowMs = 0; nowMs <= 4000; nowMs += 3) {
    const allowed = rate.allowed(nowMs);
    spend(rate, allowed);
    started += allowed;
    expect(started).toBeLessThanOrEqual(16 + (nowMs / 1000) * 250);
  }
  expect(started).toBeGreaterThan(990);
});

test('a rate below one in a fiftieth of a second still lets one start', () => {
  const rate = new Rate(2, 16, 0);
  expect(rate.allowed(0)).toBe(1);
  rate.spend();
  expect([rate.everyMs, rate.allowed(499), rate.allowed(500)]).toEqual([500, 0, 1]);
});
