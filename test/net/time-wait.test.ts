import { expect, test } from 'vitest';
import { TimeWaitBudget } from '../../src/net/time-wait.ts';

test('connections to one address and port are reset beyond the bound, others are not', () => {
  const budget = new TimeWaitBudget({ most: 3 });
  const resets = Array.from({ length: 5 }, () => budget.mustReset('192.0.2.1', 443));
  expect(resets).toEqual([false, false, false, true, true]);
  expect(budget.mustReset('192.0.2.1', 80)).toBe(false);
  expect(budget.mustReset('2001:db8::1', 443)).toBe(false);
});

test('none of a million endpoints is reset at its first connection', () => {
  const budget = new TimeWaitBudget();
  let reset = 0;
  for (let i = 0; i < 1_000_000; i += 1)
    if (budget.mustReset(`10.${i >>> 16}.${(i >>> 8) & 255}.${i & 255}`, 443)) reset += 1;
  expect(reset).toBe(0);
});
