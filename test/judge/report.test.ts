/** Counts, the summary's verdict, the exit code, and what TCP tells about hosts that were silent on UDP. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exitCodeOf, isComplete, plannedCheck, reportCheck, summarize } from '../../src/judge/report.ts';
import { outcomes } from '../../src/model/outcome.ts';
import { rowVerdicts, type RowVerdict } from '../../src/model/verdict.ts';
import { checkedOf, checkOf, seen, usual } from '../support/builders.ts';
import { mixed } from '../report/sample.ts';

const rowsOf = (...verdicts: readonly (RowVerdict | null)[]): typeof mixed.rows =>
  verdicts.map((verdict) => Object.assign({}, mixed.rows[0]!, { verdict }));

const byVerdict = ['fail', 'unverified', 'warn'] as const;

describe('the exit code', () => {
  test.for([
    [
      ['pass', 'skipped'],
      [0, 0, 0],
    ],
    [
      ['warn', 'pass'],
      [0, 0, 1],
    ],
    [
      ['unverified', 'warn'],
      [0, 1, 1],
    ],
    [
      ['fail', 'pass'],
      [1, 1, 1],
    ],
    [['skipped'], [0, 0, 0]],
  ] as const)('for rows %s is %s by --fail-on fail, unverified, warn', ([verdicts, codes]) => {
    expect(byVerdict.map((failOn) => exitCodeOf(rowsOf(...verdicts), failOn, true))).toEqual(codes);
  });

  test('is 3 for an incomplete run, and 1 where both hold', () => {
    expect(exitCodeOf(rowsOf('pass', 'unverified'), 'fail', false)).toBe(3);
    expect(exitCodeOf(rowsOf('pass', 'fail'), 'fail', false)).toBe(1);
    expect(exitCodeOf(rowsOf('unverified'), 'unverified', false)).toBe(1);
  });

  test('by --fail-on new counts failures that the baseline did not have', () => {
    const row = { verdict: 'fail' } as const;
    expect(exitCodeOf([{ ...row, was: 'fail' }], 'new', true)).toBe(0);
    expect(exitCodeOf([{ ...row, was: 'pass' }], 'new', true)).toBe(1);
    expect(exitCodeOf([{ ...row, was: null }], 'new', true)).toBe(1);
    expect(exitCodeOf([{ verdict: 'unverified', was: 'pass' }], 'new', true)).toBe(0);
  });

  test('is never 0 for what is incomplete, and grows with what is asked', () => {
    const any = fc.array(fc.constantFrom(...rowVerdicts), { maxLength: 8 });
    fc.assert(
      fc.property(any, (verdicts) => {
        const codes = byVerdict.map((failOn) => exitCodeOf(rowsOf(...verdicts), failOn, true));
        expect(codes).toEqual(codes.toSorted((a, b) => a - b));
        expect(byVerdict.map((failOn) => exitCodeOf(rowsOf(...verdicts), failOn, false))).not.toContain(0);
      }),
    );
  });
});

test('the summary counts each row once, and is as bad as the worst of them', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...rowVerdicts), { maxLength: 50 }), fc.nat(), (verdicts, checks) => {
      const { verdict, checks: told, ...counts } = summarize(rowsOf(...verdicts), checks);
      expect(told).toBe(checks);
      expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(verdicts.length);
      for (const each of rowVerdicts) expect(counts[each]).toBe(verdicts.filter((one) => one === each).length);
      const worst = (['fail', 'unverified', 'warn', 'pass'] as const).find((each) => verdicts.includes(each));
      expect(verdict).toBe(worst ?? null);
    }),
  );
});

test.for([...outcomes])('a run that ended in %s is complete or not', (outcome) => {
  const checked = [checkedOf(checkOf(), seen()), checkedOf(checkOf({ port: 1 }), seen(), seen({ outcome }))];
  expect(isComplete(checked)).toBe(outcome !== 'local' && outcome !== 'aborted');
});

describe('a check in the report', () => {
  const check = checkOf({
    uses: [
      { ...usual, row: 'a', expect: 'path' },
      { ...usual, row: 'b', level: 'advisory' },
      { ...usual, row: 'a', expect: 'path' },
    ],
  });

  test('lists each row once, and has the worst verdict of them', () => {
    const told = reportCheck(check, seen({ outcome: 'refused', stage: 'connect' }), 'service');
    expect(told).toMatchObject({ rows: ['a', 'b'], verdict: 'fail', advisory: false, outcome: 'refused' });
  });

  test('is advisory when every row takes it so', () => {
    const advisory = checkOf({ uses: [{ ...usual, level: 'advisory' }] });
    expect(reportCheck(advisory, seen(), 'service').advisory).toBe(true);
  });

  test('that was not run is null in all that only a run can know', () => {
    const { outcome, stage, verdict, detail, startedAt, durationMs, attempts } = plannedCheck(check);
    expect([outcome, stage, verdict, detail, startedAt, durationMs, attempts]).toEqual([
      ...Array.from({ length: 6 }, () => null),
      0,
    ]);
  });
});
