import { expect, test } from 'vitest';
import { decodeGreeting, rfb } from '../../probes/rfb.ts';
import { expectBounded, hostileReplies, outcomeOf, recordedReplies } from '../support/strange-bytes.ts';
import { expectOutcomes } from '../support/mutilate.ts';
import { scriptedIo } from '../support/scripted-io.ts';

const target = { host: 'vm.test', address: '192.0.2.5', port: 5900, transport: 'tcp' } as const;
const hex = (text: string): string => Buffer.from(text, 'latin1').toString('hex');
const old = hex('RFB 003.003\n');

test.for([
  ['RFB 003.008\n', '3.8'],
  ['RFB 003.889\n', '3.889'],
  ['RFB 005.000\n', '5.0'],
] as const)('%s is version %s, and nothing is sent', async ([greeting, version]) => {
  const io = scriptedIo({ steps: [{ send: '', reply: hex(greeting) }] });
  expect(await rfb.run(io, target, {})).toMatchObject({ outcome: 'answered', evidence: { version } });
  expect(io.sent).toEqual([]);
});

test('a server of version 3.3 that waits for us is answered', async () => {
  expect(await outcomeOf(rfb, { steps: [{ send: '', reply: old }] })).toBe('answered');
});

test.for([
  ['', 'closed'],
  ['00000001', 'closed'],
  ['0000000100000000', 'garbled'],
  ['00000000ffffffff', 'garbled'],
  ['0000000000000004 6e6f', 'closed'],
  ['0000000000000002 6e6f', 'declined'],
] as const)('version 3.3, then "%s" and the end: %s', async ([rest, outcome]) => {
  expect(await outcomeOf(rfb, { steps: [{ send: '', reply: old + rest, closes: true }] })).toBe(outcome);
});

test.for(['RFB 003.008\r', 'RFB 3.8\n    ', 'RFB 00x.008\n'])('"%s" is no greeting', (text) => {
  expect(() => decodeGreeting(Buffer.from(text))).toThrow('not an RFB greeting');
});

test.for(hostileReplies)('%s is no answer', async ([name, reply]) => {
  const isShort = ['nothing', 'one byte'].includes(name);
  const outcome = await outcomeOf(rfb, { steps: [{ send: '', reply, closes: true }] });
  expect(outcome).toBe(isShort ? 'closed' : 'garbled');
});

test('any bytes give a version or a DecodeError', () => {
  expectBounded(
    decodeGreeting,
    recordedReplies('rfb').map((bytes) => bytes.subarray(0, 12)),
  );
});

test('a damaged conversation comes to an outcome', () => expectOutcomes('rfb', rfb));
