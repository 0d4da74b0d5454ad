import { expect, test } from 'vitest';
import { Reader } from '../../src/wire/reader.ts';
import { encodeWords, readOpaque } from '../../src/wire/xdr.ts';
import { expectBounded } from '../support/strange-bytes.ts';

test('words are four bytes, the greatest first', () => {
  expect(Buffer.from(encodeWords(1, 0xffff_ffff, 0x8000_0000)).toString('hex')).toBe('00000001ffffffff80000000');
});

test('an opaque is followed by what fills its last word', () => {
  const reader = new Reader(
    Buffer.from('00000005 68656c6c6f000000 00000000 00000004 61626364'.replaceAll(' ', ''), 'hex'),
  );
  expect(Buffer.from(readOpaque(reader, 5)).toString()).toBe('hello');
  expect(readOpaque(reader, 5)).toHaveLength(0);
  expect(Buffer.from(readOpaque(reader, 5)).toString()).toBe('abcd');
  expect(reader.remaining).toBe(0);
});

test('an opaque is no longer than its bound', () => {
  expect(() => readOpaque(new Reader(Buffer.from('00000006', 'hex')), 5)).toThrow('6 bytes where at most 5 may be');
});

test('any bytes give an opaque or a DecodeError', () => {
  expectBounded((bytes) => readOpaque(new Reader(bytes), 400), []);
});
