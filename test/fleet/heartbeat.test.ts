import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lettersOf, newsIn, readHeartbeat, type Heartbeat } from '../../src/fleet/heartbeat.ts';
import { rowVerdicts } from '../../src/model/verdict.ts';

const beat: Heartbeat = {
  schema: 'xenreach.heartbeat/1',
  site: 'lon-pool-1',
  vantage: 'xs-lon-01',
  roles: ['xenserver-host'],
  run: '01M89FS4AJJV0RN9QY2JEDWP74',
  boot: '7f3a',
  n: 8123,
  verdicts: 'PPpf'.repeat(12),
  revision: 12,
  refused: null,
  full: '01M89FS4AJJV0RN9QY2JEDWP73',
  next: 300,
  every: 300,
  at: '2026-11-25T02:10:31.890Z',
  version: '0.2.0',
};
const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

test('one of 48 rows has less than 500 bytes, and is read as it was', () => {
  expect(bytesOf(beat).length).toBeLessThan(500);
  expect(readHeartbeat(bytesOf(beat))).toEqual(beat);
});

test.for<readonly [string, object]>([
  ['of no site', { site: 'a.b' }],
  ['with a time that never comes', { next: 1e9 }],
  ['with letters that are no verdicts', { verdicts: 'px' }],
  ['at no time', { at: 'yesterday' }],
  ['of another schema', { schema: 'xenreach.heartbeat/2' }],
  ['that is too long', { version: 'v'.repeat(9000) }],
])('one %s is none', ([, change]) => {
  expect(readHeartbeat(bytesOf({ ...beat, ...change }))).toBeNull();
});

test('any bytes are one or none', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        fc.json().map((text) => new TextEncoder().encode(text)),
      ),
      (bytes) => {
        expect(readHeartbeat(bytes)).toBeNull();
      },
    ),
  );
});

const Rows = fc.array(fc.record({ id: fc.uuid(), verdict: fc.option(fc.constantFrom(...rowVerdicts)) }), {
  maxLength: 60,
});

test('the letters say again which rows a run has news of', () => {
  fc.assert(
    fc.property(Rows, fc.nat(), (rows, seed) => {
      const news = new Set(
        rows.filter((row, i) => row.verdict !== null && (seed >> (i % 31)) % 2 === 1).map(({ id }) => id),
      );
      expect(newsIn(lettersOf(rows, news), rows)).toEqual(news);
    }),
  );
});

test('of other rows, or of another verdict, they say nothing', () => {
  const rows = [
    { id: 'a', verdict: 'pass' as const },
    { id: 'b', verdict: 'fail' as const },
  ];
  expect(newsIn('Pf', rows)).toEqual(new Set(['a']));
  for (const verdicts of ['', 'P', 'PP', 'pfp', 'fp']) expect(newsIn(verdicts, rows)).toBeNull();
});
