/** Columns, cuts and line breaks on a terminal. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { columns, fit, pad, wrap } from '../../src/report/layout.ts';

test.for([
  ['plain', 5],
  ['東京', 4],
  ['e\u0301', 1],
  ['👍', 2],
  ['[2001:db8::5]', 13],
] as const)('%s takes %d columns', ([text, width]) => {
  expect(columns(text)).toBe(width);
});

test('a cut shows', () => {
  expect(fit('storage.example.test', 10)).toBe('storage.e…');
  expect(fit('東京東京', 4)).toBe('東…');
  expect(fit('東京', 4)).toBe('東京');
  expect(pad('ab', 4)).toBe('ab  ');
});

test('lines break between words and hang under the first', () => {
  expect(wrap('one two three', 10, '- ')).toEqual(['- one two', '  three']);
  expect(wrap('', 10, '- ')).toEqual([]);
});

test('a word longer than a line keeps its two ends', () => {
  expect(wrap('see storage-controller.example.test:3260', 24)).toEqual(['see', 'storage-controlle…t:3260']);
});

test('nothing is ever wider than it may be', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 60 }), (text, width) => {
      expect(columns(fit(text, width))).toBeLessThanOrEqual(width);
      expect(columns(pad(text, width))).toBe(width);
      expect(Math.max(0, ...wrap(text, width + 10, '- ').map(columns))).toBeLessThanOrEqual(width + 10);
    }),
  );
});
