import { expect, test } from 'vitest';
import { decodeName } from '../../src/wire/dns-name.ts';
import { expectBounded } from '../support/strange-bytes.ts';

const packed = (...labels: string[]): Uint8Array =>
  Buffer.from(labels.map((label) => `${String.fromCharCode(label.length)}${label}`).join(''));

test('a name is its labels joined by dots', () => {
  expect(decodeName(Uint8Array.from([...packed('ad', 'lab'), 0, 9]), 0)).toEqual({ name: 'ad.lab', next: 8 });
  expect(decodeName(Uint8Array.of(0), 0)).toEqual({ name: '', next: 1 });
});

test('a pointer leads to an earlier name, and the message goes on behind the pointer', () => {
  const message = Uint8Array.from([...packed('ad', 'lab'), 0, ...packed('dc1'), 0xc0, 0, 0xff]);
  expect(decodeName(message, 8)).toEqual({ name: 'dc1.ad.lab', next: 14 });
});

test('text that could upset a terminal is left out', () => {
  expect(decodeName(Uint8Array.from([...packed('a\u001B[2J'), 0]), 0).name).toBe('a[2J');
});

test.for([
  ['that ends in the middle', [3, 0x61]],
  ['without an end', packed('ad')],
  ['that points at itself', [0xc0, 0]],
  ['that points forward', [0xc0, 2, 1, 0x61, 0]],
  ['whose pointer is half there', [0xc0]],
  ['with a reserved kind of label', [0x40, 0]],
  ['of more than 255 bytes', packed(...Array.from({ length: 5 }, () => 'x'.repeat(63)))],
] as const)('no name: one %s', ([, bytes]) => {
  expect(() => decodeName(Uint8Array.from(bytes), 0)).toThrow(/at byte \d+/);
});

test('pointers to pointers end', () => {
  const message = [0, 0];
  for (let at = 0; at < 40; at += 2) message.push(0xc0, at);
  expect(() => decodeName(Uint8Array.from(message), message.length - 2)).toThrow('the name points to byte');
});

test.for([0, 1, 2, 50, 599, 5000])('any bytes from byte %i on give a name or a DecodeError', (offset) => {
  expectBounded((bytes) => decodeName(bytes, offset), []);
});
