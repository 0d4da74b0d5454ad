import * as fc from 'fast-check';
import * as v from 'valibot';
import { expect, test } from 'vitest';
import { Bytes, bytesOf } from '../../src/wire/bytes-text.ts';

const hexOf = (text: string): string => Buffer.from(bytesOf(v.parse(Bytes, text))).toString('hex');

test.for([
  ['', ''],
  ['0x', ''],
  ['0x00fF', '00ff'],
  ['NOOP', '4e4f4f50'],
  [String.raw`a\r\n\t\0\\`, '610d0a09005c'],
  [String.raw`\x00\xff`, '00ff'],
  ['é', 'c3a9'],
] as const)('%j is %s', ([text, hex]) => {
  expect(hexOf(text)).toBe(hex);
});

test.for(['0x0', '0xzz', String.raw`\q`, String.raw`\x1`, '\\'])('%j is refused', (text) => {
  expect(v.safeParse(Bytes, text).success).toBe(false);
});

test('every text either has its bytes or is refused', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(v.is(Bytes, text) ? bytesOf(text).length : 0).toBeLessThanOrEqual(4 * text.length);
    }),
  );
});

test('hex goes there and back', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const hex = Buffer.from(bytes).toString('hex');
      expect(hexOf(`0x${hex}`)).toBe(hex);
    }),
  );
});
