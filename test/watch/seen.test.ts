/** From a report to causes whose keys stay the same from run to run. */
import { expect, test } from 'vitest';
import { causesOf } from '../../src/judge/causes.ts';
import type { Report, ReportCheck } from '../../src/model/report.ts';
import { seenOf } from '../../src/watch/seen.ts';
import { sampleReport, type SampleRow } from './sample.ts';

/** With its causes, as a run makes them. */
function seen(rows: readonly SampleRow[], change: (check: ReportCheck) => Partial<ReportCheck> = () => ({})): string[] {
  const bare = sampleReport(rows, '2026-11-25T00:00:00.000Z');
  const checks = bare.checks.map((check) => Object.assign(check, change(check)));
  const report: Report = { ...bare, checks, causes: causesOf(bare.rows, checks) };
  const found = seenOf(report, 0, 'fail');
  return found.rows.map(({ id, causes, isConclusive }) => `${id}: ${causes.join(' ')}${isConclusive ? '' : '?'}`);
}

const fails = (id: string, host = '192.0.2.5'): SampleRow => ({ id, verdict: 'fail', host });

test('rows of one host have its key, whether one of them fails or many', () => {
  expect(seen([fails('a'), { id: 'b' }])).toEqual(['a: host:192.0.2.5', 'b: ']);
  expect(seen([fails('a'), fails('b')])).toEqual(['a: host:192.0.2.5', 'b: host:192.0.2.5']);
});

test('a host that is silent on one port and refuses on another is one cause', () => {
  const change = ({ id }: ReportCheck): Partial<ReportCheck> => (id === 'tcp/b' ? { outcome: 'refused' } : {});
  expect(seen([fails('a'), fails('b')], change)).toEqual(['a: host:192.0.2.5', 'b: host:192.0.2.5']);
});

test('what this machine could not try is its own cause, and says nothing of the row', () => {
  expect(seen([{ id: 'a', verdict: 'unverified' }])).toEqual(['a: vantage?']);
});

test('no route is this vantage; a silent resolver and a proxy are causes of their own', () => {
  const kinds: Record<string, Partial<ReportCheck>> = {
    'tcp/a': { hint: 'no-route', outcome: 'unreachable' },
    'tcp/b': { outcome: 'unresolved', address: null },
    'tcp/c': { stage: 'proxy' },
  };
  expect(seen([fails('a'), fails('b'), fails('c')], ({ id }) => kinds[id] ?? {})).toEqual([
    'a: vantage',
    'b: resolver',
    'c: proxy',
  ]);
});

const many = (failing: number, good: number, hosts: number): SampleRow[] => [
  ...Array.from({ length: failing }, (_, i) => fails(`f${i}`, `192.0.2.${i % hosts}`)),
  ...Array.from({ length: good }, (_, i) => ({ id: `g${i}` })),
];

test('four fifths of all rows at many hosts are this vantage', () => {
  expect(new Set(seen(many(8, 2, 4)).map((line) => line.split(': ')[1]))).toEqual(new Set(['vantage', '']));
});

test.for<[about: string, failing: number, good: number, hosts: number]>([
  ['less than four fifths', 7, 3, 4],
  ['few rows', 4, 0, 4],
  ['few hosts', 9, 0, 2],
])('%s are their hosts', ([, failing, good, hosts]) => {
  expect(seen(many(failing, good, hosts)).filter((line) => line.includes('vantage'))).toEqual([]);
});

test('one row at many hosts is one cause of its own', () => {
  const report = sampleReport([fails('a')], '2026-11-25T00:00:00.000Z');
  const [check] = report.checks;
  const second: ReportCheck = { ...check!, id: 'tcp/a2', address: '192.0.2.6', host: '192.0.2.6' };
  const rows = [{ ...report.rows[0]!, checks: ['tcp/a', 'tcp/a2'] }];
  const checks = [check!, second];
  const found = seenOf({ ...report, rows, checks, causes: causesOf(rows, checks) }, 0, 'fail');
  expect(found.causes).toMatchObject([{ key: 'row:a', kind: 'row' }]);
});

test('only what is as bad as --fail-on is an incident', () => {
  const report = sampleReport([{ id: 'a', verdict: 'warn' }], '2026-11-25T00:00:00.000Z');
  expect(seenOf(report, 0, 'fail').rows[0]?.causes).toEqual([]);
  expect(seenOf(report, 0, 'warn').rows[0]?.causes).toEqual(['row:a']);
});
