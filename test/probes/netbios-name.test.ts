import { expect, test } from 'vitest';
import { decodeResponse, netbiosName } from '../../probes/netbios-name.ts';
import { expectBounded, hostileReplies, outcomeOf, recordedReplies } from '../support/strange-bytes.ts';
import { scriptedIo } from '../support/scripted-io.ts';

const recordings = recordedReplies('netbios-name');
const status = Buffer.from(recordings[0]!);
const random = [status.toString('hex', 0, 2)];
const target = { host: 'dc1.test', address: '192.0.2.1', port: 137, transport: 'udp' } as const;

function changed(at: number, ...values: number[]): Buffer {
  const copy = Buffer.from(status);
  copy.set(values, at);
  return copy;
}

test('every name is told with what it is for', () => {
  expect(decodeResponse(status).names).toMatchObject([
    { name: 'DC1', suffix: 0x00, isGroup: false },
    { name: 'DC1', suffix: 0x03, isGroup: false },
    { name: 'DC1', suffix: 0x20, isGroup: false },
    { name: 'ADLAB', suffix: 0x1b, isGroup: false },
    { name: 'ADLAB', suffix: 0x1c, isGroup: true },
    { name: 'ADLAB', suffix: 0x00, isGroup: true },
    { name: '__SAMBA__', suffix: 0x00, isGroup: true },
    { name: '__SAMBA__', suffix: 0x20, isGroup: true },
  ]);
});

test('a table without names is an answer all the same', async () => {
  const reply = changed(54, 0, 7, 0, 0, 0, 0, 0, 0, 0).toString('hex', 0, 63);
  const io = scriptedIo({ random, steps: [{ reply }] });
  expect(await netbiosName.run(io, target, {})).toMatchObject({
    outcome: 'answered',
    detail: 'a nameless machine in no domain',
    evidence: { computer: null, domain: null, fileService: false, mac: null, names: [] },
  });
});

test('a Samba that has no names yet has only its own mark', async () => {
  // The last two of eight entries, in place of the first two.
  const entries = status.subarray(57 + 6 * 18, 57 + 8 * 18);
  const bytes = Buffer.concat([status.subarray(0, 54), Buffer.from([0, 43, 2]), entries, Buffer.alloc(6)]);
  const io = scriptedIo({ random, steps: [{ reply: bytes.toString('hex') }] });
  expect(await netbiosName.run(io, target, {})).toMatchObject({
    detail: 'a nameless machine in no domain',
    evidence: { computer: null, domain: null, names: ['__SAMBA__<00>', '__SAMBA__<20>'] },
  });
});

test('a result that is not success declines', async () => {
  expect(await outcomeOf(netbiosName, { random, steps: [{ reply: changed(3, 3).toString('hex') }] })).toBe('declined');
});

test.for([
  ['a question where the answer belongs', changed(2, 0)],
  ['2 answers where 1 belongs', changed(7, 2)],
  ['record type 32 where 33 belongs', changed(47, 0x20)],
  ['65 names', changed(56, 65)],
  ['the name points to byte 12', changed(12, 0xc0, 12)],
] as const)('garbled: %s', async ([message, bytes]) => {
  expect(() => decodeResponse(bytes)).toThrow(message);
  expect(await outcomeOf(netbiosName, { random, steps: [{ reply: bytes.toString('hex') }] })).toBe('garbled');
});

test.for(hostileReplies)('%s is no answer', async ([, reply]) => {
  expect(['garbled', 'timeout', 'declined']).toContain(await outcomeOf(netbiosName, { random, steps: [{ reply }] }));
});

test('any bytes give a table or a DecodeError', () => {
  expectBounded(decodeResponse, recordings);
});
