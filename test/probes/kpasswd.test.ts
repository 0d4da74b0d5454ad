import { expect, test } from 'vitest';
import { decodeReply, kpasswd, kpasswdTcp } from '../../probes/kpasswd.ts';
import { expectBounded, hostileReplies, outcomeOf, recordedReplies } from '../support/strange-bytes.ts';

const recordings = recordedReplies('kpasswd');
const mit = Buffer.from(recordings.find((bytes) => Buffer.from(bytes).includes('MIT.LAB'))!);
const kdc = Buffer.from(recordedReplies('kerberos')[0]!);

test('a KRB-ERROR without the header is taken as well', () => {
  const { resultCode, text } = decodeReply(mit);
  expect(decodeReply(mit.subarray(6))).toMatchObject({ resultCode, text });
});

test('an answer without result code says what the error says', () => {
  expect(decodeReply(kdc)).toMatchObject({ resultCode: null });
});

test.for([
  ['a length of 130 in 131 bytes', 1, 130],
  ['version 9', 3, 9],
  ['an AP-REP of 7 bytes to a ticket of zeros', 5, 7],
] as const)('garbled: %s', async ([message, at, value]) => {
  const bytes = Buffer.from(mit);
  bytes[at] = value;
  expect(() => decodeReply(bytes)).toThrow(message);
  expect(await outcomeOf(kpasswd, { steps: [{ reply: bytes.toString('hex') }] })).toBe('garbled');
});

test('the error of another service is a stray over UDP and garbled over TCP', async () => {
  const framed = Buffer.concat([Buffer.from([0, 0, 0, kdc.length]), kdc]);
  expect(await outcomeOf(kpasswd, { steps: [{ reply: kdc.toString('hex') }] })).toBe('timeout');
  expect(await outcomeOf(kpasswdTcp, { steps: [{ reply: framed.toString('hex') }] })).toBe('garbled');
});

test.for(hostileReplies)('%s is no answer', async ([name, reply]) => {
  const isShort = ['nothing', 'one byte'].includes(name);
  expect(await outcomeOf(kpasswd, { steps: [{ reply }] })).toBe(reply === '' ? 'timeout' : 'garbled');
  expect(await outcomeOf(kpasswdTcp, { steps: [{ reply, closes: true }] })).toBe(isShort ? 'closed' : 'garbled');
});

test('any bytes give a reply or a DecodeError', () => {
  expectBounded(decodeReply, recordings);
});
