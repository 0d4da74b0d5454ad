import { describe, expect, test } from 'vitest';
import { decodeFrameLength, decodeReply } from '../../src/wire/smb.ts';
import { expectBounded, recordedReplies } from '../support/strange-bytes.ts';

const recordings = recordedReplies('smb').map((bytes) => bytes.subarray(4));
const smb2 = recordings.find((bytes) => bytes[0] === 0xfe && bytes[68] === 0x11)!;
const smb1 = recordings.find((bytes) => bytes[0] === 0xff)!;

function changed(bytes: Uint8Array, at: number, ...values: number[]): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy.set(values, at);
  return copy;
}

describe('a negotiate response', () => {
  test('says dialect, signing and cipher', () => {
    expect(decodeReply(smb2)).toMatchObject({
      kind: 'dialect',
      negotiated: { dialect: '3.1.1', encryption: 'AES-128-GCM' },
    });
  });

  test.for([
    ['neither SMB1 nor SMB2', changed(smb2, 0, 0xfd)],
    ['a header of 65 bytes', changed(smb2, 4, 65)],
    ['command 1 where negotiate belongs', changed(smb2, 12, 1)],
    ['a request where the reply belongs', changed(smb2, 16, 0)],
    ['message 7 where 0 belongs', changed(smb2, 24, 7)],
    ['a body of structure size 9', changed(smb2, 64, 9)],
    ['dialect 0x999 was not offered', changed(smb2, 68, 0x99, 0x09)],
    ['17 negotiate contexts', changed(smb2, 70, 17)],
    ['a context at byte 4294967295', changed(smb2, 124, 0xff, 0xff, 0xff, 0xff)],
    ['command 115 where negotiate belongs', changed(smb1, 4, 0x73)],
    ['dialect 3 of 3 offered', changed(smb1, 33, 3)],
    ['no dialect index', changed(smb1, 32, 0)],
  ] as const)('is refused: %s', ([message, bytes]) => {
    expect(() => decodeReply(bytes)).toThrow(message);
  });

  test('without a clock has none', () => {
    const reply = decodeReply(changed(smb2, 104, 0, 0, 0, 0, 0, 0, 0, 0));
    expect(reply).toMatchObject({ negotiated: { systemTimeMs: null } });
  });

  test('of a server that shares none of our ciphers has no encryption', () => {
    const context = Buffer.from(smb2).lastIndexOf(Buffer.from('020004000000000001000200', 'hex'));
    expect(decodeReply(changed(smb2, context + 10, 0))).toMatchObject({ negotiated: { encryption: null } });
  });

  test('of SMB1 may share no dialect', () => {
    expect(decodeReply(changed(smb1, 33, 0xff, 0xff))).toEqual({ kind: 'smb1', dialect: null });
  });

  test('any bytes give a reply or a DecodeError', () => {
    expectBounded(decodeReply, recordings);
  });
});

describe('a session frame', () => {
  test('has a type of 0 and 24 bits of length', () => {
    expect(decodeFrameLength(Uint8Array.of(0, 0, 1, 0x1c))).toBe(284);
  });

  test.for([
    ['session message type 0x48', [0x48, 0x54, 0x54, 0x50]],
    ['session message type 0x85', [0x85, 0, 0, 0]],
    ['a frame of 0 bytes', [0, 0, 0, 0]],
    ['a frame of 65536 bytes', [0, 1, 0, 0]],
  ] as const)('is refused: %s', ([message, prefix]) => {
    expect(() => decodeFrameLength(Uint8Array.from(prefix))).toThrow(message);
  });

  test('any bytes give a length or a DecodeError', () => {
    expectBounded(decodeFrameLength, []);
  });
});
