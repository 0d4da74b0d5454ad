import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { decodeResponse, encodeQuery, nrpe } from '../../probes/nrpe.ts';
import { expectOutcomes } from '../support/mutilate.ts';
import type { Script } from '../support/scripted-io.ts';
import { expectBounded, outcomeOf, recordedReplies } from '../support/strange-bytes.ts';

/** As the agent makes it. */
function response(text: string, type = 2, version = 2): string {
  const bytes = Buffer.alloc(1036);
  bytes.writeInt16BE(version, 0);
  bytes.writeInt16BE(type, 2);
  bytes.write(text, 10, 'latin1');
  bytes.writeUInt32BE(crc32(bytes), 4);
  return bytes.toString('hex');
}

const plain = (reply: string): Script => ({
  steps: [{ send: Buffer.from(encodeQuery()).toString('hex'), reply, closes: true }],
});

test('the query is a whole packet of version 2 with a right checksum', () => {
  const query = Buffer.from(encodeQuery());
  expect(query).toHaveLength(1036);
  const crc = query.readUInt32BE(4);
  query.writeUInt32BE(0, 4);
  expect(crc32(query)).toBe(crc);
});

test.for([
  ['NRPE v4.1.0', response('NRPE v4.1.0'), 'answered'],
  ['other words', response('hello'), 'answered'],
  ['a query instead of a response', response('NRPE v4.1.0', 1), 'garbled'],
  ['another version', response('NRPE v4.1.0', 2, 7), 'garbled'],
  ['a wrong checksum', response('NRPE v4.1.0').replace(/00$/, '01'), 'garbled'],
  ['half a packet', response('NRPE v4.1.0').slice(0, 1000), 'closed'],
  ['nothing', '', 'declined'],
] as const)('%s', async ([, reply, outcome]) => {
  expect(await outcomeOf(nrpe, plain(reply), { tls: false })).toBe(outcome);
});

test('any bytes give a response or a DecodeError', () => {
  expectBounded(decodeResponse, recordedReplies('nrpe'));
});

test('a damaged conversation comes to an outcome', () => expectOutcomes('nrpe', nrpe));
