import { expect, test } from 'vitest';
import { iscsi } from '../../probes/iscsi.ts';
import { hostileReplies, outcomeOf } from '../support/strange-bytes.ts';
import { expectOutcomes } from '../support/mutilate.ts';
import { scriptedIo, type Step } from '../support/scripted-io.ts';

const target = { host: 'san.test', address: '192.0.2.5', port: 3260, transport: 'tcp' } as const;
const initiatorName = 'iqn.2026-01.io.github.xenreach:probe';
const random = ['123456', '00001000'];
const loginTag = 0x1000;

/** A target's PDU: opcode, flags, initiator task tag, status, data. */
function pdu(opcode: number, flags: number, taskTag: number, status = 0, data = ''): string {
  const bytes = Buffer.alloc(48);
  bytes.writeUInt8(opcode, 0);
  bytes.writeUInt8(flags, 1);
  bytes.writeUInt32BE(data.length, 4);
  bytes.writeUInt32BE(taskTag, 16);
  bytes.writeUInt16BE(status, 36);
  return Buffer.concat([bytes, Buffer.from(data), Buffer.alloc((4 - (data.length % 4)) % 4)]).toString('hex');
}
const loggedIn: Step = { reply: pdu(0x23, 0x87, loginTag) };
const settle = (...steps: Step[]): Promise<string> => outcomeOf(iscsi, { steps, random });

test.for([
  [0x0203, 'no such target (status 0203)'],
  [0x0102, 'the portal has moved for good (status 0102) and does not say where to'],
  [0x0209, 'the target does not offer discovery sessions (status 0209)'],
  [0x0301, 'the target is not available now (status 0301)'],
  [0x04ff, 'the target refuses the login (status 04ff)'],
] as const)('status %i declines', async ([status, detail]) => {
  const io = scriptedIo({ steps: [{ reply: pdu(0x23, 0, loginTag, status) }], random });
  expect(await iscsi.run(io, target, { initiatorName })).toMatchObject({ outcome: 'declined', detail });
});

test('an initiator that the array does not know is refused only when it is the host’s own', async () => {
  const asked = async (name: string) => {
    const io = scriptedIo({ steps: [{ reply: pdu(0x23, 0, loginTag, 0x0202) }], random });
    return { io, answer: await iscsi.run(io, target, { initiatorName: name }) };
  };
  const made = await asked(initiatorName);
  expect(made.answer.outcome).toBe('answered');
  expect(made.io.notes).toEqual([expect.stringContaining('what it shows to this host is not proven') as string]);
  expect((await asked('iqn.2026-01.test.corp:xs01')).answer).toMatchObject({
    outcome: 'declined',
    remedy: 'Add the initiator iqn.2026-01.test.corp:xs01 to the hosts of the array.',
  });
});

test('the session ends with a logout', async () => {
  const io = scriptedIo({ steps: [loggedIn, { reply: pdu(0x24, 0x80, loginTag + 1) }], random });
  await iscsi.run(io, target, { initiatorName });
  expect(io.sent.map((hex) => hex.slice(0, 4))).toEqual(['4387', '4480', '4680']);
});

test('SendTargets that is rejected is declined', async () => {
  expect(await settle(loggedIn, { reply: pdu(0x3f, 0x80, 0xffff_ffff) })).toBe('declined');
});

test('garbled: answers out of place, or without end', async () => {
  const part: Step = { reply: pdu(0x24, 0x40, loginTag + 1, 0, 'TargetName=a\0') };
  expect(await settle({ reply: pdu(0x24, 0x80, loginTag) })).toBe('garbled');
  expect(await settle({ reply: pdu(0x23, 0x87, 7) })).toBe('garbled');
  expect(await settle({ reply: pdu(0x20, 0x80, 7).repeat(6) })).toBe('garbled');
  expect(await settle(...Array.from({ length: 9 }, () => ({ reply: pdu(0x23, 0x04, loginTag) })))).toBe('garbled');
  expect(await settle(loggedIn, ...Array.from({ length: 9 }, () => part))).toBe('garbled');
  const tooMany = 'TargetName=a\0'.repeat(1025);
  expect(await settle(loggedIn, { reply: pdu(0x24, 0x80, loginTag + 1, 0, tooMany) })).toBe('garbled');
});

test('a session is at most 1 MiB', async () => {
  const part: Step = { reply: pdu(0x24, 0x40, loginTag + 1, 0, 'k=v\0'.repeat(60_000)) };
  expect(await settle(loggedIn, part, part, part, part, part)).toBe('garbled');
});

test('names are shown without control characters, lists are cut', async () => {
  const names = Array.from(
    { length: 100 },
    (_, i) => `TargetName=iqn.2026-01.lab:\u001B[31m${i}\0TargetAddress=192.0.2.5:3260,1\0`,
  );
  const io = scriptedIo({ steps: [loggedIn, { reply: pdu(0x24, 0x80, loginTag + 1, 0, names.join('')) }], random });
  const { evidence } = await iscsi.run(io, target, { initiatorName });
  expect(evidence).toMatchObject({ targetCount: 100, portals: ['192.0.2.5:3260,1'] });
  expect(evidence['targets']).toHaveLength(64);
  expect(JSON.stringify(evidence)).not.toContain(String.raw`\u001b`);
});

test.for(['', 'disk', 'iqn.2026 01', `iqn.${'x'.repeat(220)}`])('"%s" is no initiator name', (name) => {
  expect(iscsi.options['~standard'].validate({ initiatorName: name })).toHaveProperty('issues');
});

test.for(hostileReplies)('%s is no answer', async ([name, reply]) => {
  expect(await settle({ reply, closes: true })).toBe(name === 'nothing' ? 'closed' : 'garbled');
});

test('a damaged conversation comes to an outcome', () => expectOutcomes('iscsi', iscsi));
