import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { printable } from '../../src/wire/text.ts';

test.for([
  ['plain', 'dc1.example.test', 'dc1.example.test'],
  ['escape sequences', '\u001B[2Jdc1\u009B0m', '[2Jdc10m'],
  ['lines', 'a\r\nb\u2028c', 'abc'],
  ['direction marks', 'a\u202Eb', 'ab'],
  ['other alphabets', 'Größe 日本', 'Größe 日本'],
] as const)('%s', ([, text, shown]) => {
  expect(printable(text)).toBe(shown);
  expect(printable(Buffer.from(text))).toBe(shown);
});

test('any text and any bytes become one short line', () => {
  const input = fc.oneof(fc.string({ unit: 'binary', maxLength: 600 }), fc.uint8Array({ maxLength: 600 }));
  fc.assert(
    fc.property(input, fc.integer({ min: 1, max: 200 }), (text, maxLength) => {
      const line = printable(text, maxLength);
      expect(line.length).toBeLessThanOrEqual(maxLength);
      expect(line).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
      expect(line.isWellFormed()).toBe(true);
    }),
  );
});
