/** Saved reports come from other machines, other versions and other people's editors. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseReport, readReport } from '../../src/load/report.ts';
import { UsageError } from '../../src/model/errors.ts';
import { ReportShape } from '../../src/model/report.ts';
import { json } from '../../src/report/json.ts';
import { anyReport, asked, mixed } from '../report/sample.ts';

const file = 'fixtures/reports/mixed.json';
const text = readFileSync(file, 'utf8');
type Changed = Record<string, unknown> & { rows: Record<string, unknown>[]; checks: Record<string, unknown>[] };

function changed(change: (report: Changed) => void): string {
  const report = JSON.parse(text) as Changed;
  change(report);
  return JSON.stringify(report);
}

test('what was written is read as it was', () => {
  expect(readReport(file)).toEqual(mixed);
});

test('every key that a check may have is read', () => {
  const keys = Object.keys(ReportShape.entries.checks.item.entries);
  const whole = changed((report) => Object.assign(report.checks[0]!, { viaProxy: true }));
  expect(Object.keys(parseReport(whole, 'r.json').checks[0]!).toSorted()).toEqual(keys.toSorted());
});

/** Keys that every object has already are no keys of a report: valibot leaves them out. */
const withoutTraps = (report: object): unknown =>
  JSON.parse(JSON.stringify(report), (key, value: unknown) =>
    ['__proto__', 'constructor', 'prototype'].includes(key) ? undefined : value,
  );

test('any report survives being written and read', () => {
  fc.assert(
    fc.property(anyReport, (report) => {
      const startedAt = '2026-08-30T02:11:09.000Z';
      const timed = {
        ...report,
        startedAt,
        checks: report.checks.map((check) => Object.assign({}, check, { startedAt })),
      };
      expect(withoutTraps(parseReport(json.render(timed, asked), 'r.json'))).toEqual(withoutTraps(timed));
    }),
    { numRuns: 30 },
  );
});

test('what a newer xenreach adds is passed over, what an older one does not have is filled in', () => {
  const newer = changed((report) => {
    report['fleet'] = { agents: 3 };
    report.rows[0]!['colour'] = 'blue';
  });
  expect(parseReport(newer, 'r.json')).toEqual(mixed);
  const older = changed((report) => {
    delete report['causes'];
    for (const check of report.checks) {
      delete check['isName'];
      delete check['remedy'];
    }
  });
  expect(parseReport(older, 'r.json')).toEqual({ ...mixed, causes: [] });
});

describe('what is no report is refused, with what it is:', () => {
  const table: readonly (readonly [string, string, RegExp])[] = [
    ['nothing', '', /^r\.json: is not JSON; give a report of --format json$/],
    ['text', 'PASS  ntp', /is not JSON/],
    ['half of a report', text.slice(0, 4000), /is cut short: the end of the JSON is missing/],
    ['another program’s JSON', '{"rows": []}', /is no report of xenreach: its "schema" is nothing/],
    ['a list', '[]', /is no report of xenreach/],
    [
      'one of a later schema',
      changed((report) => (report['schema'] = 'xenreach.report/2')),
      /has the schema "xenreach\.report\/2".*it reads xenreach\.report\/1/,
    ],
    [
      'a row without its verdict',
      changed((report) => delete report.rows[3]!['verdict']),
      /^r\.json:\/rows\/3: the key "verdict" is missing/,
    ],
    [
      'a verdict that is none',
      changed((report) => (report.rows[3]!['verdict'] = 'failed')),
      /^r\.json:\/rows\/3\/verdict: "verdict" must be .*not "failed"/,
    ],
    [
      'an outcome that is none',
      changed((report) => (report.checks[0]!['outcome'] = 'refusd')),
      /\/checks\/0\/outcome:/,
    ],
    [
      'a port that is none',
      changed((report) => (report.checks[0]!['port'] = 70_000)),
      /\/checks\/0\/port: "port" must be a port, not 70000/,
    ],
  ];
  test.for(table)('%s', ([, source, words]) => {
    expect(() => parseReport(source, 'r.json')).toThrow(UsageError);
    expect(() => parseReport(source, 'r.json')).toThrow(words);
  });
});

test('any bytes end in a report or a UsageError', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 200 }),
        fc.json().map((each) => new TextEncoder().encode(each)),
      ),
      (bytes) => {
        expect(() => parseReport(bytes, 'r.json')).toThrow(UsageError);
      },
    ),
  );
});
