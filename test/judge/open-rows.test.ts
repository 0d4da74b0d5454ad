/** Rows as their checks are told: when each is judged, in which order it names its checks, and what waits for the end. */
import { expect, test } from 'vitest';
import { OpenRows } from '../../src/judge/open-rows.ts';
import type { Check, Plan } from '../../src/model/plan.ts';
import { checkOf, requirementOf, rowOf, seen, usual } from '../support/builders.ts';

const useOf = (row: string): Check['uses'][number] => ({ ...usual, row });
const idsOf = (rows: readonly { readonly id: string }[]): string[] => rows.map(({ id }) => id);

/** `b` names first what `a` has planned last. */
const shared = checkOf({ port: 2, uses: [useOf('a'), useOf('b')] });
const checks = [checkOf({ port: 1, uses: [useOf('a')] }), shared, checkOf({ port: 3, uses: [useOf('b')] })];
const plan: Plan = {
  rows: [
    rowOf(checks.slice(0, 2), { requirement: requirementOf({ id: 'a' }) }),
    rowOf([checks[2]!, shared], { requirement: requirementOf({ id: 'b' }) }),
  ],
  checks,
};

test('a row is judged with its last check, and a check that two rows want serves both', () => {
  const book = new OpenRows(plan, 'service');
  const tell = (at: number): string[] => {
    book.observe(at, seen());
    return idsOf(book.finish(at));
  };
  expect([tell(1), tell(0), tell(2)]).toEqual([[], ['a'], ['b']]);
  expect(book.finishAll()).toEqual([]);
  expect(idsOf(book.rows())).toEqual(['a', 'b']);
});

test('a row names its checks in its own order, not in that of the plan', () => {
  const book = new OpenRows(plan, 'service');
  for (const at of [0, 1, 2]) {
    book.observe(at, seen());
    book.finish(at);
  }
  expect(book.rows().map((row) => row.checks)).toEqual(plan.rows.map((row) => row.checks));
});

test('silence on UDP waits for what other checks learn', () => {
  const mute = checkOf({ transport: 'udp', uses: [useOf('a')] });
  const other = checkOf({ port: 7, uses: [useOf('b')] });
  const rows = [
    rowOf([mute], { requirement: requirementOf({ id: 'a' }) }),
    rowOf([other], { requirement: requirementOf({ id: 'b' }) }),
  ];
  const book = new OpenRows({ rows, checks: [mute, other] }, 'service');
  book.observe(0, seen({ outcome: 'timeout', stage: 'exchange' }));
  expect(book.finish(0)).toEqual([]);
  book.observe(1, seen());
  expect(idsOf(book.finish(1))).toEqual(['b']);
  expect(book.finishAll()[0]).toMatchObject({ id: 'a', verdict: 'unverified' });
  expect(book.finishAll()).toEqual([]);
});

test('what was not tried for want of time or resources leaves the run incomplete', () => {
  const book = new OpenRows(plan, 'service');
  book.observe(0, seen({ outcome: 'aborted' }));
  expect(book.complete).toBe(false);
  expect(idsOf(book.finishAll())).toEqual(['a', 'b']);
});
