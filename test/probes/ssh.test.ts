import { expect, test } from 'vitest';
import { decodeIdentification, encodeDisconnect, ssh } from '../../probes/ssh.ts';
import { expectBounded, hostileReplies, outcomeOf } from '../support/strange-bytes.ts';
import { expectOutcomes } from '../support/mutilate.ts';
import { scriptedIo } from '../support/scripted-io.ts';

const target = { host: 'host.test', address: '192.0.2.5', port: 22, transport: 'tcp' } as const;
const hex = (text: string): string => Buffer.from(text, 'latin1').toString('hex');
const says = (text: string): Promise<string> =>
  outcomeOf(ssh, { steps: [{ send: '', reply: hex(text), closes: true }] });

test('the goodbye is our identification and a disconnect that a log shows in words', async () => {
  const io = scriptedIo({ steps: [{ send: '', reply: hex('SSH-2.0-Example\r\n') }] });
  await ssh.run(io, target, {});
  const packet = '0000002404010000000b00000012636f6e6e65637469766974792070726f62650000000000000000';
  expect(Buffer.from(encodeDisconnect()).toString('hex')).toBe(packet);
  expect(io.sent).toEqual([hex('SSH-2.0-xenreach\r\n') + packet]);
});

test.for([
  ['SSH-2.0-OpenSSH_9.2p1', { protocol: '2.0', software: 'OpenSSH_9.2p1', comment: null }],
  ['SSH-1.99-Cisco-1.25', { protocol: '1.99', software: 'Cisco-1.25', comment: null }],
  ['SSH-2.0-x a\tb', { protocol: '2.0', software: 'x', comment: 'ab' }],
  ['SSH-2.0-', null],
  ['SSH-2-x', null],
  ['ssh-2.0-x', null],
] as const)('%s', ([line, identification]) => {
  expect(decodeIdentification(line)).toEqual(identification);
});

test.for([
  ['SSH-1.99-Cisco-1.25\n', 'answered'],
  ['SSH-2.0-\r\n', 'garbled'],
  ['220 mail.example.test ESMTP\r\n', 'garbled'],
  ['RFB 003.008\n', 'garbled'],
  ['Go away.\r\n', 'closed'],
  ['spam\r\n'.repeat(21), 'garbled'],
  ['x'.repeat(300), 'garbled'],
  ['', 'closed'],
] as const)('a server that says "%s"', async ([text, outcome]) => {
  expect(await says(text)).toBe(outcome);
});

test.for(hostileReplies)('%s never escapes', async ([, reply]) => {
  expect(['answered', 'garbled', 'closed']).toContain(
    await outcomeOf(ssh, { steps: [{ send: '', reply, closes: true }] }),
  );
});

test('any bytes give an identification or none', () => {
  expectBounded((bytes) => decodeIdentification(Buffer.from(bytes).toString('latin1')), []);
});

test('a damaged conversation comes to an outcome', () => expectOutcomes('ssh', ssh));
