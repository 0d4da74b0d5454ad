import { describe, expect, test } from 'vitest';
import { Limit } from '../../src/run/limit.ts';

describe('while every place is taken', () => {
  test('silence doubles the limit, up to what it may grow to', () => {
    const limit = new Limit(512, 1500);
    limit.wasFull(0);
    expect([limit.current, limit.mayGrow]).toEqual([1024, true]);
    limit.wasFull(0);
    expect([limit.current, limit.mayGrow]).toEqual([1500, false]);
  });

  test('endpoints that answer leave it where it is', () => {
    const limit = new Limit(512, 8192);
    limit.wasFull(128);
    expect(limit.current).toBe(512);
    limit.wasFull(127);
    expect(limit.current).toBe(1024);
  });

  test('what was asked for is kept', () => {
    expect(new Limit(16).mayGrow).toBe(false);
    expect(new Limit(16, 4).mayGrow).toBe(false);
  });
});

describe('a machine out of resources', () => {
  test('gets half of what is in flight, once for what comes together', () => {
    const limit = new Limit(64);
    limit.halve(40, 1000);
    limit.halve(40, 1099);
    expect(limit.current).toBe(20);
    limit.halve(20, 1100);
    expect(limit.current).toBe(10);
  });

  test('always gets one', () => {
    const limit = new Limit(1);
    limit.halve(1, 0);
    expect(limit.current).toBe(1);
  });

  test('gets one more each second, up to what was asked for', () => {
    const limit = new Limit(4, 4096);
    limit.halve(4, 0);
    limit.recover(999);
    expect(limit.current).toBe(2);
    for (const nowMs of [1000, 1500, 2000, 3000, 4000]) limit.recover(nowMs);
    expect(limit.current).toBe(4);
  });

  test('is not given more than was asked for, silence or not', () => {
    const limit = new Limit(64, 4096);
    limit.halve(64, 0);
    limit.wasFull(0);
    limit.wasFull(0);
    expect([limit.current, limit.mayGrow]).toEqual([64, false]);
  });
});
