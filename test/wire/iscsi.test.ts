import { expect, test } from 'vitest';
import {
  decodeHeader,
  decodeText,
  encodeLogout,
  encodeTextRequest,
  isComplete,
  isLoggedIn,
  type Pdu,
} from '../../src/wire/iscsi.ts';
import { expectBounded, recordedReplies } from '../support/strange-bytes.ts';

const recordings = recordedReplies('iscsi');
const text = (line: string): Uint8Array => Buffer.from(line, 'latin1');

const login = (flags: number, status = 0): Pdu => {
  const bytes = new Uint8Array(48);
  bytes.set([0x23, flags]);
  bytes.set([status >> 8, status & 0xff], 36);
  return { ...decodeHeader(bytes).pdu, segment: text('') };
};

test('a text request is filled up to a multiple of four', () => {
  const bytes = encodeTextRequest(0x1001, 0xffff_ffff, 1, [['SendTargets', 'All']]);
  expect(bytes).toHaveLength(48 + 16);
  expect(encodeTextRequest(1, 2, 3, [['A', 'b']])).toHaveLength(48 + 4);
  expect(encodeLogout(1, 2)).toHaveLength(48);
});

test('a header says whether we are logged in, or have heard all', () => {
  expect(isLoggedIn(login(0x87))).toBe(true);
  expect(isLoggedIn(login(0x83))).toBe(true);
  expect(isLoggedIn(login(0x81))).toBe(false);
  expect(isLoggedIn(login(0x07))).toBe(false);
  expect(isLoggedIn(login(0x87, 0x0201))).toBe(false);
  expect(isComplete(login(0x80))).toBe(true);
  expect(isComplete(login(0x00))).toBe(false);
  expect(isComplete(login(0xc0))).toBe(false);
});

test('text is pairs, each ended by a zero', () => {
  expect(decodeText(text('A=1\0B=\0\0C==x'))).toEqual([
    ['A', '1'],
    ['B', ''],
    ['C', '=x'],
  ]);
  expect(decodeText(text(''))).toEqual([]);
});

test.for([
  ['a text segment without "="', 'A\0B=1\0'],
  ['a key of 64 bytes', `${'k'.repeat(64)}=1`],
  ['a value of 8193 bytes', `k=${'v'.repeat(8193)}`],
] as const)('text is refused: %s', ([message, line]) => {
  expect(() => decodeText(text(line))).toThrow(message);
});

test.for([
  ['opcode 72', '48'],
  ['a data segment of 262145 bytes', '2387000000040001'],
  ['need 1 bytes', '23'],
] as const)('a header is refused: %s', ([message, hex]) => {
  expect(() => decodeHeader(Buffer.from(hex, 'hex'))).toThrow(message);
});

test('any bytes give a header and text, or a DecodeError', () => {
  expectBounded((bytes) => {
    const { ahsBytes, dataBytes } = decodeHeader(bytes);
    return decodeText(bytes.subarray(48 + ahsBytes, 48 + ahsBytes + dataBytes));
  }, recordings);
  expectBounded(decodeText, []);
});
