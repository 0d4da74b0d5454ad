/** What changed between two reports: each row and check in one kind, the worst first, and nothing that stayed as it was. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { changesBetween } from '../../src/judge/changes.ts';
import type { Report } from '../../src/model/report.ts';
import type { RowVerdict } from '../../src/model/verdict.ts';
import { anyReport, mixed } from '../report/sample.ts';

const reportWith = (verdicts: Readonly<Record<string, RowVerdict>>): Report => ({
  ...mixed,
  rows: Object.entries(verdicts).map(([id, verdict]) => Object.assign({}, mixed.rows[0], { id, verdict })),
  checks: [],
});

test('each row is of one kind, and what stayed as it was is not told', () => {
  const older = reportWith({
    a: 'pass',
    b: 'fail',
    c: 'fail',
    d: 'warn',
    e: 'fail',
    f: 'pass',
    g: 'pass',
    h: 'skipped',
  });
  const newer = reportWith({
    a: 'fail',
    b: 'pass',
    c: 'fail',
    d: 'pass',
    e: 'unverified',
    g: 'pass',
    h: 'fail',
    i: 'pass',
    j: 'fail',
  });
  expect(changesBetween(older, newer).rows.map(({ id, kind }) => `${id} ${kind}`)).toEqual([
    'a newly-failing',
    'h newly-failing',
    'j newly-failing',
    'd changed',
    'e changed',
    'b recovered',
    'i new',
    'f gone',
  ]);
});

test('a report did not change from itself', () => {
  fc.assert(
    fc.property(anyReport, (report) => {
      const { rows, checks } = changesBetween(report, report);
      // Ids that a hostile report has twice may change from one to the other.
      const isOnce = (each: readonly { id: string }[]): boolean =>
        new Set(each.map(({ id }) => id)).size === each.length;
      if (isOnce(report.rows)) expect(rows).toEqual([]);
      if (isOnce(report.checks)) expect(checks).toEqual([]);
    }),
  );
});
