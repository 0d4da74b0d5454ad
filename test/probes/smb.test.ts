import { expect, test } from 'vitest';
import { smb } from '../../probes/smb.ts';
import { hostileReplies, outcomeOf, recordedReplies } from '../support/hostile.ts';
import { scriptedIo } from '../support/scripted-io.ts';

const target = { host: 'fs1.test', address: '192.0.2.1', port: 445, transport: 'tcp' } as const;
const recordings = recordedReplies('smb').map((bytes) => Buffer.from(bytes));
const smb2 = recordings.find((bytes) => bytes[4] === 0xfe && bytes[4 + 68] === 0x11)!;
const smb1 = recordings.find((bytes) => bytes[4] === 0xff)!;
const hangsUp = { reply: '', closes: true };

function changed(bytes: Buffer, at: number, ...values: number[]): string {
  const copy = Buffer.from(bytes);
  copy.set(values, 4 + at);
  return copy.toString('hex');
}

test('SMB1 is tried only where SMB2 is hung up on, and only once', async () => {
  expect(await outcomeOf(smb, { steps: [hangsUp, hangsUp, { reply: smb1.toString('hex') }] })).toBe('closed');
  expect(await outcomeOf(smb, { steps: [{ reply: '' }] })).toBe('timeout');
  expect(await outcomeOf(smb, { steps: [{ reply: '48545450', closes: true }, { reply: smb1.toString('hex') }] })).toBe(
    'garbled',
  );
});

test('an SMB1 server without a common dialect declines', async () => {
  expect(await outcomeOf(smb, { steps: [hangsUp, { reply: changed(smb1, 33, 0xff, 0xff) }] })).toBe('declined');
});

test('a server that refuses declines with its status', async () => {
  const io = scriptedIo({ steps: [{ reply: changed(smb2, 8, 0x22, 0x00, 0x00, 0xc0) }] });
  expect(await smb.run(io, target, {})).toMatchObject({
    outcome: 'declined',
    detail: 'an SMB server, but it refuses to negotiate (STATUS_ACCESS_DENIED)',
  });
});

test('a dialect before 3.0 is told', async () => {
  const io = scriptedIo({ steps: [{ reply: changed(smb2, 68, 0x10, 0x02) }] });
  expect(await smb.run(io, target, {})).toMatchObject({
    outcome: 'answered',
    evidence: { dialect: '2.1', encryption: null },
  });
  expect(io.notes).toEqual(["the server's newest dialect is 2.1, XenServer mounts SMB storage with SMB 3.0"]);
});

test('a server that tells no time has no offset', async () => {
  const io = scriptedIo({ steps: [{ reply: changed(smb2, 104, 0, 0, 0, 0, 0, 0, 0, 0) }] });
  expect(await smb.run(io, target, {})).toMatchObject({ evidence: { systemTime: null, offsetMs: null } });
});

test.for(hostileReplies)('%s is no answer', async ([name, reply]) => {
  const isShort = ['nothing', 'one byte'].includes(name);
  expect(await outcomeOf(smb, { steps: [{ reply, closes: true }, hangsUp] })).toBe(isShort ? 'closed' : 'garbled');
});

test('an answer cut anywhere is closed', async () => {
  for (let length = 0; length < smb2.length; length++) {
    const reply = smb2.toString('hex', 0, length);
    // eslint-disable-next-line no-await-in-loop -- one after the other is the point
    expect(await outcomeOf(smb, { steps: [{ reply, closes: true }, hangsUp] })).toBe('closed');
  }
});
