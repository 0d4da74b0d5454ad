import { describe, expect, test } from 'vitest';
import { smb } from '../../probes/smb.ts';
import { ending } from '../support/endings.ts';
import { hostileReplies, outcomeOf, recordedReplies } from '../support/strange-bytes.ts';
import { scriptedIo } from '../support/scripted-io.ts';

const any = { dialect: 'any' } as const;
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
  expect(await outcomeOf(smb, { steps: [hangsUp, hangsUp, { reply: smb1.toString('hex') }] }, any)).toBe('closed');
  expect(await outcomeOf(smb, { steps: [{ reply: '' }] }, any)).toBe('timeout');
  expect(
    await outcomeOf(smb, { steps: [{ reply: '48545450', closes: true }, { reply: smb1.toString('hex') }] }, any),
  ).toBe('garbled');
});

test('an SMB1 server without a common dialect declines', async () => {
  expect(await outcomeOf(smb, { steps: [hangsUp, { reply: changed(smb1, 33, 0xff, 0xff) }] }, any)).toBe('declined');
});

test('a server that refuses declines with its status', async () => {
  const io = scriptedIo({ steps: [{ reply: changed(smb2, 8, 0x22, 0x00, 0x00, 0xc0) }] });
  expect(await smb.run(io, target, any)).toMatchObject({
    outcome: 'declined',
    detail: 'an SMB server, but it refuses to negotiate (STATUS_ACCESS_DENIED)',
  });
});

test('a dialect before 3.0 will do for winbind', async () => {
  const io = scriptedIo({ steps: [{ reply: changed(smb2, 68, 0x10, 0x02) }] });
  expect(await smb.run(io, target, any)).toMatchObject({
    outcome: 'answered',
    evidence: { dialect: '2.1', encryption: null },
  });
});

test('a server that tells no time has no offset', async () => {
  const io = scriptedIo({ steps: [{ reply: changed(smb2, 104, 0, 0, 0, 0, 0, 0, 0, 0) }] });
  expect(await smb.run(io, target, any)).toMatchObject({ evidence: { systemTime: null, offsetMs: null } });
});

test.for(hostileReplies)('%s is no answer', async ([name, reply]) => {
  const isShort = ['nothing', 'one byte'].includes(name);
  expect(await outcomeOf(smb, { steps: [{ reply, closes: true }, hangsUp] }, any)).toBe(isShort ? 'closed' : 'garbled');
});

test('an answer cut anywhere is closed', async () => {
  for (let length = 0; length < smb2.length; length++) {
    const reply = smb2.toString('hex', 0, length);
    // One after the other is the point.
    expect(await outcomeOf(smb, { steps: [{ reply, closes: true }, hangsUp] }, any)).toBe('closed');
  }
});

describe('for storage 3.0 is offered alone', () => {
  const taken = changed(smb2, 68, 0x00, 0x03);
  const refused = `0000004d${smb2.toString('hex', 4, 12)}bb0000c0${smb2.toString('hex', 16, 68)}090000000000000000`;
  const storage = async (...steps: { reply: string; closes?: boolean }[]) => {
    const [first, ...rest] = steps;
    const io = scriptedIo({ steps: [{ closes: true, ...first! }, ...rest] });
    return { io, answer: await ending(smb.run(io, target, { dialect: '3.0' })) };
  };

  test('and a server that takes it has proven it, whatever else it says', async () => {
    for (const further of ['', '48545450', 'ff', changed(smb2, 8, 0x22, 0x00, 0x00, 0xc0), smb2.toString('hex')]) {
      const { io, answer } = await storage({ reply: taken }, { reply: further });
      expect(answer.outcome).toBe('answered');
      expect(io.warnings).toEqual([]);
    }
  });

  test.for([
    ['turns it down', { reply: refused }],
    ['hangs up on it', { reply: '', closes: true }],
  ] as const)('a server that %s declines, and its own dialect is told', async ([, first]) => {
    const { answer } = await storage(first, { reply: smb2.toString('hex') });
    expect(answer).toMatchObject({
      outcome: 'declined',
      detail: expect.stringMatching(/speaks SMB 3\.1\.1 .*3\.0/) as string,
    });
    const older = await storage(first, { reply: changed(smb2, 68, 0x10, 0x02) });
    expect(older.answer).toMatchObject({
      outcome: 'declined',
      detail: expect.stringMatching(/nothing newer than 2\.1/) as string,
    });
  });

  test('a server of SMB1 declines', async () => {
    const { answer } = await storage(hangsUp, hangsUp, { reply: smb1.toString('hex') });
    expect(answer).toMatchObject({
      outcome: 'declined',
      detail: expect.stringContaining('nothing newer than SMB1') as string,
    });
  });

  test('silence is silence', async () => {
    const { answer } = await storage({ reply: '', closes: false });
    expect(answer.outcome).toBe('timeout');
  });
});
