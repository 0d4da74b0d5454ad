import { describe, expect, test } from 'vitest';
import { callInDatagram, decodeReply, encodeCall, readRecord, refusal } from '../../src/wire/rpc.ts';
import { decodes } from '../support/endings.ts';
import { expectBounded, recordedReplies } from '../support/strange-bytes.ts';
import { babble, scriptedIo } from '../support/scripted-io.ts';

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const datagrams = [...recordedReplies('rpcbind-udp'), ...recordedReplies('nfs-udp')];
const records = recordedReplies('rpcbind').map((bytes) => bytes.subarray(4));
const nfs3 = { program: 100_003, version: 3, procedure: 0 };

const read = (text: string): Promise<Uint8Array> => babble(hex(text)).connect().then(readRecord);
const ask = (reply: string): Promise<unknown> =>
  callInDatagram(scriptedIo({ steps: [{ reply }], random: ['00000007'] }), nfs3);

test('a call without credentials is 40 bytes', () => {
  const want = '9b745644 00000000 00000002 000186a3 00000003 00000000 00000000 00000000 00000000 00000000';
  expect(Buffer.from(encodeCall(0x9b74_5644, nfs3))).toEqual(Buffer.from(hex(want)));
});

describe('a reply', () => {
  test.for([
    ['00000000 00000000 00000000 00000000 deadbeef', { status: 'SUCCESS', results: hex('deadbeef') }],
    ['00000000 00000001 00000003 61626300 00000000', { status: 'SUCCESS', results: hex('') }],
    ['00000000 00000000 00000000 00000001', { status: 'PROG_UNAVAIL' }],
    ['00000000 00000000 00000000 00000002 00000002 00000004', { status: 'PROG_MISMATCH', low: 2, high: 4 }],
    ['00000000 00000000 00000000 00000003', { status: 'PROC_UNAVAIL' }],
    ['00000000 00000000 00000000 00000004', { status: 'GARBAGE_ARGS' }],
    ['00000000 00000000 00000000 00000005', { status: 'SYSTEM_ERR' }],
    ['00000001 00000000 00000002 00000003', { status: 'RPC_MISMATCH', low: 2, high: 3 }],
    ['00000001 00000001 00000005', { status: 'AUTH_ERROR', why: 'AUTH_TOOWEAK' }],
    ['00000001 00000001 00000063', { status: 'AUTH_ERROR', why: 'auth_stat 99' }],
  ] as const)('%s', ([state, reply]) => {
    expect(decodeReply(hex(`00000007 00000001 ${state}`))).toEqual({ xid: 7, reply });
  });

  test.for([
    ['message type 0', '00000007 00000000'],
    ['no such reply state: 2', '00000007 00000001 00000002'],
    ['no such accept state: 6', '00000007 00000001 00000000 00000000 00000000 00000006'],
    ['no such denial: 2', '00000007 00000001 00000001 00000002'],
    ['versions from 4 to 2', '00000007 00000001 00000000 00000000 00000000 00000002 00000004 00000002'],
    ['401 bytes where at most 400 may be', '00000007 00000001 00000000 00000000 00000191'],
    ['need 4 bytes, have 0', '00000007 00000001'],
  ] as const)('is refused: %s', ([message, bytes]) => {
    expect(() => decodeReply(hex(bytes))).toThrow(message);
  });

  test('any bytes give a reply or a DecodeError', () => {
    expectBounded(decodeReply, [...datagrams, ...records]);
  });
});

describe('a record', () => {
  test('is its fragments, joined', async () => {
    expect(Uint8Array.from(await read('00000002 6162 00000000 80000001 63'))).toEqual(hex('616263'));
    expect(await read('80000000')).toHaveLength(0);
  });

  test.for([
    ['an RPC record of 2147483647 bytes', 'ffffffff'],
    ['an RPC record of 1213486160 bytes', '48545450'],
    ['an RPC record of 65537 bytes', `00008000 ${'00'.repeat(32_768)} 80008001`],
    ['more than 16 fragments', '00000000'.repeat(20)],
  ] as const)('is refused: %s', async ([message, bytes]) => {
    await expect(read(bytes)).rejects.toThrow(message);
    expect(await decodes(() => read(bytes))).toBe(false);
  });
});

describe('in a datagram', () => {
  const success = '00000001 00000000 00000000 00000000 00000000';

  test('the reply to our call is taken', async () => {
    expect(await ask(`00000007 ${success}`)).toMatchObject({ status: 'SUCCESS' });
  });

  test('a reply to another call is passed over', async () => {
    await expect(ask(`00000008 ${success}`)).rejects.toMatchObject({ failure: { outcome: 'timeout' } });
  });

  test('what is no reply at all is garbled', async () => {
    await expect(ask('48545450')).rejects.toThrow('need 4 bytes');
    await expect(ask(Buffer.from(encodeCall(7, nfs3)).toString('hex'))).rejects.toThrow('message type 0');
  });
});

test.for([
  [{ status: 'SUCCESS', results: hex('') }, null],
  [{ status: 'PROG_MISMATCH', low: 3, high: 4 }, null],
  [{ status: 'PROG_MISMATCH', low: 4, high: 4 }, 'the server speaks NFS 4 only, not 3'],
  [{ status: 'PROG_MISMATCH', low: 1, high: 2 }, 'the server speaks NFS 1 to 2, not 3'],
  [{ status: 'PROG_UNAVAIL' }, 'an RPC server, but not NFS'],
  [{ status: 'PROC_UNAVAIL' }, 'NFS does not take the call (PROC_UNAVAIL)'],
  [{ status: 'RPC_MISMATCH', low: 3, high: 3 }, 'an RPC server of version 3 only, not 2'],
  [
    { status: 'AUTH_ERROR', why: 'AUTH_TOOWEAK' },
    'an RPC server that refuses a caller without credentials (AUTH_TOOWEAK)',
  ],
] as const)('the null call of NFS 3: %j', ([reply, words]) => {
  expect(refusal(reply, 'NFS', 3)).toBe(words);
});
