/** The history: spans and gaps, evidence on both sides of a change, what is forgotten, and files that cannot be used. */
import {
  copyFileSync,
  existsSync,
  globSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import type { RowVerdict } from '../../src/model/verdict.ts';
import * as ask from '../../src/watch/history/ask.ts';
import { History } from '../../src/watch/history/history.ts';
import { renderHistory } from '../../src/watch/history/tell.ts';
import { noState } from '../../src/watch/incidents.ts';
import { sampleReport } from './sample.ts';

const folder = mkdtempSync(join(tmpdir(), 'xenreach-history-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const newFile = (): string => join(folder, `history-${(files += 1)}.db`);
const minute = 60_000;

interface Step {
  readonly at: number;
  readonly verdict: RowVerdict;
}

/** A row's verdicts at their times, looked at every minute or so. */
function record(history: History, steps: readonly Step[], digest: string | null = null): (number | null)[] {
  const source = history.source('sample', 'here', true);
  return steps.map(({ at, verdict }) => {
    const report = sampleReport([{ id: 'ntp', verdict }], new Date(at).toISOString());
    const rows = new Set(['ntp']);
    const nothing = { state: noState, events: [], incidents: [], notifiersOf: () => [] };
    const patienceMs = (): number => 3 * minute;
    return history.recorder.record({ source, at, report, rows, checks: report.checks, patienceMs, digest, ...nothing });
  });
}

const spansOf = (history: History): string[] =>
  ask
    .spans(history.db, 1, 0, 1e15)
    .map(({ since, until, verdict }) => `${since / minute}-${until / minute} ${verdict}`);

const opened = (file = newFile()): History => History.open(file)!;

test('what stays the same is one span; what changes begins another; where nobody looked there is none', () => {
  const history = opened();
  const letters: [number, RowVerdict][] = [
    [1, 'pass'],
    [2, 'pass'],
    [3, 'fail'],
    [4, 'fail'],
    [20, 'fail'],
    [21, 'pass'],
  ];
  record(
    history,
    letters.map(([at, verdict]) => ({ at: at * minute, verdict })),
  );
  expect(spansOf(history)).toEqual(['1-3 pass', '3-4 fail', '20-21 fail', '21-21 pass']);
  const uptime = ask.uptimeOf(ask.spans(history.db, 1, 0, 1e15), minute, 21 * minute);
  expect(uptime).toEqual({ good: 0.5, watched: 0.2 });
});

test('the evidence on both sides of a change is kept', () => {
  const history = opened();
  const runs = record(history, [
    { at: minute, verdict: 'pass' },
    { at: 2 * minute, verdict: 'pass' },
    { at: 3 * minute, verdict: 'fail' },
    { at: 4 * minute, verdict: 'fail' },
  ]);
  expect(ask.reportOf(history.db, runs[2]!)?.summary.fail).toBe(1);
  expect(ask.reportBefore(history.db, 1, runs[2]!)?.startedAt).toBe(new Date(2 * minute).toISOString());
  expect(ask.reportOf(history.db, runs[3]!)).toBeNull();
  expect(ask.latest(history.db, 1)?.startedAt).toBe(new Date(4 * minute).toISOString());
});

test('the same report of elsewhere counts once', () => {
  const history = opened();
  expect(record(history, [{ at: 5, verdict: 'pass' }], 'abc')).toEqual([1]);
  expect(record(history, [{ at: 6, verdict: 'pass' }], 'abc')).toEqual([null]);
  expect(ask.runs(history.db, 1, 1e9, 10)).toHaveLength(1);
});

test('whatever comes, the spans of a row follow each other and say what was seen', () => {
  const step = fc.record({
    afterMs: fc.integer({ min: 1, max: 10 * minute }),
    verdict: fc.constantFrom<RowVerdict>('pass', 'fail', 'warn', 'unverified'),
    isNew: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 25 }), (steps) => {
      const file = newFile();
      let [history, at] = [opened(file), 1000];
      for (const { afterMs, verdict, isNew } of steps) {
        // A process that was killed knows no more than what lies on the disk.
        if (isNew) [, history] = [history.close(), opened(file)];
        record(history, [{ at: (at += afterMs), verdict }]);
      }
      const found = ask.spans(history.db, 1, 0, 1e15);
      for (const [i, { since, until, verdict }] of found.entries()) {
        expect(until).toBeGreaterThanOrEqual(since);
        const next = found[i + 1];
        if (!next) continue;
        expect(next.since).toBeGreaterThanOrEqual(until);
        if (next.since === until) expect(next.verdict).not.toBe(verdict);
      }
      expect(found.at(-1)).toMatchObject({ until: at, verdict: steps.at(-1)!.verdict });
      history.close();
      rmSync(file);
    }),
    { numRuns: 15 },
  );
});

test('what is too old is forgotten a little at a time, and the file gets smaller', () => {
  const history = opened();
  record(
    history,
    Array.from({ length: 600 }, (_, i) => ({ at: (i + 1) * minute, verdict: i % 3 === 0 ? 'fail' : 'pass' }) as const),
  );
  const pages = (): number => Number(history.db.sql('PRAGMA page_count').get()!['page_count']);
  const before = pages();
  let turns = 1;
  while (history.prune(590 * minute)) turns += 1;
  expect(turns).toBeGreaterThan(1);
  expect(ask.runs(history.db, 1, 1e9, 2000)).toHaveLength(11);
  for (let i = 0; i < 10; i += 1) history.db.exec('PRAGMA incremental_vacuum(200)');
  expect(pages()).toBeLessThan(before);
});

test('a file of a newer version is refused and left as it is', () => {
  const file = newFile();
  opened(file).close();
  const db = new DatabaseSync(file);
  db.exec('PRAGMA user_version = 99');
  db.close();
  expect(() => History.open(file)).toThrow(/written by a newer xenreach \(version 99.*update xenreach/);
});

test('a file of another program is refused and left as it is', () => {
  const file = newFile();
  const db = new DatabaseSync(file);
  db.exec('CREATE TABLE theirs (x)');
  db.close();
  expect(() => History.open(file)).toThrow(/another program/);
});

test.for<[about: string, damage: (file: string) => void]>([
  ['that is no database', (file) => writeFileSync(file, 'this is no database, it is a text of some length')],
  ['whose end is missing', (file) => truncateSync(file, statSync(file).size - 4096 * 3)],
  [
    'whose middle is overwritten',
    (file) => {
      const bytes = readFileSync(file);
      bytes.fill(0xaa, 4096, bytes.length - 4096);
      writeFileSync(file, bytes);
    },
  ],
])('a file %s is put aside, told, and a new one begun', ([, damage]) => {
  const file = newFile();
  const history = opened(file);
  record(history, [{ at: minute, verdict: 'pass' }]);
  history.close();
  damage(file);
  const again = opened(file);
  expect(again.told).toMatch(/damaged.*a new one has begun/);
  expect(record(again, [{ at: 2 * minute, verdict: 'pass' }])).toEqual([1]);
  expect(globSync(`${file}.damaged-*`)).toHaveLength(1);
  again.close();
});

test('it is read while another process writes it', () => {
  const file = newFile();
  const writer = opened(file);
  record(writer, [{ at: minute, verdict: 'fail' }]);
  const reader = History.open(file, { readOnly: true })!;
  expect(spansOf(reader)).toEqual(['1-1 fail']);
  reader.close();
  expect(existsSync(`${file}-wal`)).toBe(true);
  const copy = newFile();
  copyFileSync(file, copy);
  writer.close();
});

test('it is told as text, JSON and CSV', () => {
  const history = opened();
  record(history, [
    { at: minute, verdict: 'pass' },
    { at: 2 * minute, verdict: 'fail' },
    { at: 3 * minute, verdict: 'fail' },
  ]);
  history.gap(1, 4 * minute, 9 * minute, 'xenreach did not run');
  const question = { from: 0, to: 10 * minute, rows: ['ntp'] };
  expect(renderHistory(history, question, 'text'))
    .toBe(`sample, seen from here, 1970-01-01T00:00:00.000Z to 1970-01-01T00:10:00.000Z
  gap   1970-01-01T00:04:00.000Z, 5 min: xenreach did not run
  ntp                          50.00 % good of 20.00 % watched
    1970-01-01T00:01:00.000Z  PASS       60 s
    1970-01-01T00:02:00.000Z  FAIL       60 s: ntp is fail
`);
  expect(JSON.parse(renderHistory(history, question, 'json'))).toMatchObject({
    sources: [{ site: 'sample', rows: [{ id: 'ntp', good: 0.5, spans: [{ verdict: 'pass' }, { verdict: 'fail' }] }] }],
  });
  expect(renderHistory(history, question, 'csv').split('\n')).toEqual([
    'site,vantage,row,since,until,seconds,verdict,because',
    'sample,here,ntp,1970-01-01T00:01:00.000Z,1970-01-01T00:02:00.000Z,60,pass,',
    'sample,here,ntp,1970-01-01T00:02:00.000Z,1970-01-01T00:03:00.000Z,60,fail,ntp is fail',
    'sample,here,,1970-01-01T00:04:00.000Z,1970-01-01T00:09:00.000Z,300,not watched,xenreach did not run',
    '',
  ]);
  expect(() => renderHistory(history, { ...question, rows: ['npt'] }, 'text')).toThrow(/--row npt.*did you mean "ntp"/);
});
