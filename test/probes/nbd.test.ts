import { expect, test } from 'vitest';
import { decodeGreeting, decodeOptionReply, nbd } from '../../probes/nbd.ts';
import { expectOutcomes } from '../support/mutilate.ts';
import { scriptedIo } from '../support/scripted-io.ts';
import { expectBounded, hostileReplies, outcomeOf, recordedReplies } from '../support/strange-bytes.ts';

const target = { host: 'xs.test', address: '192.0.2.5', port: 10_809, transport: 'tcp' } as const;
const greeting = '4e42444d41474943 49484156454f5054 0003';
const question = '00000001 49484156454f5054 00000005 00000000';
const goodbye = '49484156454f5054 00000002 00000000';
const no = '0003e889045565a9 00000005 80000002 00000000';

test('a server without TLS is asked for it, and left in order', async () => {
  const io = scriptedIo({
    steps: [
      { send: '', reply: greeting },
      { send: question, reply: no },
    ],
  });
  expect(await nbd.run(io, target, {})).toMatchObject({ outcome: 'answered', evidence: { tls: false } });
  expect(io.sent.at(-1)).toBe(goodbye.replaceAll(' ', ''));
});

test('who hangs up before the greeting declines, and why a XenServer host does is told', async () => {
  const io = scriptedIo({ steps: [{ send: '', reply: '', closes: true }] });
  const answer = await nbd.run(io, target, {});
  expect(answer).toMatchObject({ outcome: 'declined', detail: 'it closes the connection before its greeting' });
  expect(answer.remedy).toContain('purpose nbd');
});

test.for([
  ['an oldstyle server', '4e42444d41474943 0000420281861253 0000'],
  ['a newstyle that is not fixed', '4e42444d41474943 49484156454f5054 0002'],
  ['another protocol', '5353482d322e302d4f70656e5353485f392e'],
] as const)('%s is garbled', async ([, reply]) => {
  expect(await outcomeOf(nbd, { steps: [{ send: '', reply, closes: true }] })).toBe('garbled');
});

test.for([
  ['an endless reply', '0003e889045565a9 00000005 80000002 7fffffff'],
  ['a reply to another option', '0003e889045565a9 00000003 80000002 00000000'],
  ['an export where none was asked for', '0003e889045565a9 00000005 00000002 00000000'],
] as const)('%s is garbled', async ([, reply]) => {
  const steps = [
    { send: '', reply: greeting },
    { send: question, reply, closes: true },
  ];
  expect(await outcomeOf(nbd, { steps })).toBe('garbled');
});

test.for(hostileReplies)('%s is no greeting', async ([name, reply]) => {
  const outcome = await outcomeOf(nbd, { steps: [{ send: '', reply, closes: true }] });
  expect(outcome).toBe(name === 'nothing' ? 'declined' : Buffer.from(reply, 'hex').length < 18 ? 'closed' : 'garbled');
});

test('any bytes give a greeting, a reply or a DecodeError', () => {
  expectBounded(decodeGreeting, recordedReplies('nbd'));
  expectBounded(decodeOptionReply, recordedReplies('nbd'));
});

test('a damaged conversation comes to an outcome', () => expectOutcomes('nbd', nbd));
