import { expect, test } from 'vitest';
import { decodeConfirm, decodeTpkt, encodeRequest, rdp } from '../../probes/rdp.ts';
import { expectBounded, hostileReplies, outcomeOf, recordedReplies } from '../support/strange-bytes.ts';
import { expectOutcomes } from '../support/mutilate.ts';

const recordings = recordedReplies('rdp');
const hex = (text: string): Uint8Array => Buffer.from(text, 'hex');

test('the request offers TLS and CredSSP', () => {
  expect(Buffer.from(encodeRequest()).toString('hex')).toBe('030000130ee00000000000010008000b000000');
});

test.for([
  ['0ed000001234000201080001000000', { kind: 'selected', protocol: 1 }],
  ['0ed0000012340002010800ffffffff', { kind: 'selected', protocol: 0xffff_ffff }],
  ['0ed000001234000300080005000000', { kind: 'failed', code: 5 }],
  ['06d00000123400', { kind: 'none' }],
] as const)('%s', ([confirm, negotiation]) => {
  expect(decodeConfirm(hex(confirm))).toEqual(negotiation);
});

test.for([
  ['X.224 code 128', '0680000012340000'],
  ['X.224 length 7 in 7 bytes', '07d00000123400'],
  ['no such RDP negotiation: 4', '0ed000001234000400080001000000'],
  ['need 3 bytes', '07d0000012340002'],
] as const)('is refused: %s', ([message, confirm]) => {
  expect(() => decodeConfirm(hex(confirm))).toThrow(message);
});

test.for([
  ['TPKT version 72', '48545450'],
  ['a TPKT packet of 10 bytes', '0300000a'],
  ['a TPKT packet of 513 bytes', '03000201'],
] as const)('is refused: %s', ([message, header]) => {
  expect(() => decodeTpkt(hex(header))).toThrow(message);
});

test('any bytes give a negotiation or a DecodeError', () => {
  expectBounded((bytes) => decodeConfirm(bytes.subarray(4, decodeTpkt(bytes))), recordings);
});

test.for(hostileReplies)('%s is no answer', async ([name, reply]) => {
  const isShort = ['nothing', 'one byte'].includes(name);
  expect(await outcomeOf(rdp, { steps: [{ reply, closes: true }] })).toBe(isShort ? 'closed' : 'garbled');
});

test('a damaged conversation comes to an outcome', () => expectOutcomes('rdp', rdp));
