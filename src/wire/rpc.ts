/**
 * ONC RPC version 2: a call without credentials, its reply, and record marking on a byte stream. rpcbind, NFS and the
 * programs around NFS all speak it. RFC 5531 sections 8 (reply states), 9 (the message) and 11 (record marking).
 */
import type { Conn, ProbeIo, Transport } from '../model/probe.ts';
import { wantsCredentials } from './credentials.ts';
import { accepting } from './datagram.ts';
import { DecodeError, Reader } from './reader.ts';
import { encodeWords, readOpaque } from './xdr.ts';

const callType = 0;
const replyType = 1;
const accepted = 0;
const denied = 1;
const rpcVersion = 2;

const maxVerifierBytes = 400;
const maxRecordBytes = 64 * 1024;
const maxFragments = 16;
const lastFragment = 0x8000_0000;

const authStats = [
  'AUTH_OK',
  'AUTH_BADCRED',
  'AUTH_REJECTEDCRED',
  'AUTH_BADVERF',
  'AUTH_REJECTEDVERF',
  'AUTH_TOOWEAK',
  'AUTH_INVALIDRESP',
  'AUTH_FAILED',
];

export interface RpcCall {
  readonly program: number;
  readonly version: number;
  readonly procedure: number;
  readonly args?: Uint8Array;
}

export type RpcReply =
  | { readonly status: 'SUCCESS'; readonly results: Uint8Array }
  | { readonly status: 'PROG_MISMATCH' | 'RPC_MISMATCH'; readonly low: number; readonly high: number }
  | { readonly status: 'PROG_UNAVAIL' | 'PROC_UNAVAIL' | 'GARBAGE_ARGS' | 'SYSTEM_ERR' }
  | { readonly status: 'AUTH_ERROR'; readonly why: string };

/*
   | xid | CALL | RPC version | program | version | procedure | credentials: flavor, length | verifier: flavor, length |
   each four bytes, then the arguments
*/
export function encodeCall(xid: number, { program, version, procedure, args = new Uint8Array() }: RpcCall): Uint8Array {
  return Buffer.concat([encodeWords(xid, callType, rpcVersion, program, version, procedure, 0, 0, 0, 0), args]);
}

/*
   | xid | REPLY | accepted | verifier: flavor, opaque | accept_stat | results, or the versions there are |
   | xid | REPLY | denied   | reject_stat | the RPC versions there are, or auth_stat |
*/
export function decodeReply(bytes: Uint8Array): { readonly xid: number; readonly reply: RpcReply } {
  const reader = new Reader(bytes);
  const xid = reader.uint32();
  const type = reader.uint32();
  if (type !== replyType) throw new DecodeError(`message type ${type} is not an RPC reply`, 4);
  return { xid, reply: decodeState(reader) };
}

function decodeState(reader: Reader): RpcReply {
  const state = reader.uint32();
  if (state === denied) return decodeDenial(reader);
  if (state !== accepted) throw new DecodeError(`no such reply state: ${state}`, 8);
  reader.uint32();
  readOpaque(reader, maxVerifierBytes);
  const status = reader.uint32();
  switch (status) {
    case 0:
      return { status: 'SUCCESS', results: reader.bytes(reader.remaining) };
    case 1:
      return { status: 'PROG_UNAVAIL' };
    case 2:
      return { status: 'PROG_MISMATCH', ...readRange(reader) };
    case 3:
      return { status: 'PROC_UNAVAIL' };
    case 4:
      return { status: 'GARBAGE_ARGS' };
    case 5:
      return { status: 'SYSTEM_ERR' };
    default:
      throw new DecodeError(`no such accept state: ${status}`, 20);
  }
}

/** Why a NULL call was turned down, for a person; null when that version of the program serves. */
export function refusal(reply: RpcReply, program: string, version: number): string | null {
  switch (reply.status) {
    case 'SUCCESS':
      return null;
    case 'PROG_MISMATCH':
      return reply.low <= version && version <= reply.high
        ? null
        : `the server speaks ${program} ${range(reply)}, not ${version}`;
    case 'PROG_UNAVAIL':
      return `an RPC server, but not ${program}`;
    case 'RPC_MISMATCH':
      return `an RPC server of version ${range(reply)}, not ${rpcVersion}`;
    case 'AUTH_ERROR':
      return wantsMore(reply.why);
    case 'PROC_UNAVAIL':
    case 'GARBAGE_ARGS':
    case 'SYSTEM_ERR':
  }
  return `${program} does not take the call (${reply.status})`;
}

/** A null call is for everybody; who wants credentials even for that is there, and serves those that have them. */
const wantsMore = (why: string): string => `an RPC server that refuses a caller without credentials (${why})`;

/** The same for a program whose callers have credentials: that it wants them is no refusal. */
export function refusalOfAll(io: ProbeIo, reply: RpcReply, program: string, version: number): string | null {
  if (reply.status !== 'AUTH_ERROR') return refusal(reply, program, version);
  wantsCredentials(io, `credentials (${reply.why})`, `${program} ${version} is`);
  return null;
}

/** A call and its reply on a connection; a reply to another call is a DecodeError there. */
export async function callOnStream(io: ProbeIo, conn: Conn, what: RpcCall): Promise<RpcReply> {
  const xid = newXid(io);
  const message = encodeCall(xid, what);
  await conn.write(Buffer.concat([encodeWords(lastFragment + message.length), message]));
  const { xid: theirs, reply } = decodeReply(await readRecord(conn));
  if (theirs !== xid) throw new DecodeError(`the reply is to call ${theirs}, ours was ${xid}`, 0);
  return reply;
}

/** The same in datagrams; replies to other calls are passed over. */
export async function callInDatagram(
  io: ProbeIo,
  what: RpcCall,
  options?: { readonly port: number },
): Promise<RpcReply> {
  const xid = newXid(io);
  const isOurs = accepting(decodeReply, (candidate) => candidate.xid === xid);
  const { bytes } = await io.exchange(encodeCall(xid, what), isOurs, options);
  return decodeReply(bytes).reply;
}

/** One call by the transport that is to be proven: in a datagram, or on a connection of its own. */
export async function callOver(
  transport: Transport,
  io: ProbeIo,
  what: RpcCall,
  options?: { readonly port: number },
): Promise<RpcReply> {
  if (transport === 'udp') return callInDatagram(io, what, options);
  const conn = await io.connect(options);
  const reply = await callOnStream(io, conn, what);
  await conn.end();
  return reply;
}

/** A record is fragments, each behind its length; the top bit marks the last one. */
export async function readRecord(conn: Conn): Promise<Uint8Array> {
  const fragments: Uint8Array[] = [];
  let total = 0;
  while (fragments.length < maxFragments) {
    // One fragment says whether there is another.
    const mark = new Reader(await conn.read(4)).uint32();
    const isLast = mark >= lastFragment;
    const length = isLast ? mark - lastFragment : mark;
    total += length;
    if (total > maxRecordBytes)
      throw new DecodeError(`an RPC record of ${total} bytes, at most ${maxRecordBytes} may be`, 0);
    fragments.push(await conn.read(length));
    if (isLast) return Buffer.concat(fragments);
  }
  throw new DecodeError(`an RPC record in more than ${maxFragments} fragments`, 0);
}

function decodeDenial(reader: Reader): RpcReply {
  const why = reader.uint32();
  if (why === 0) return { status: 'RPC_MISMATCH', ...readRange(reader) };
  if (why !== 1) throw new DecodeError(`no such denial: ${why}`, 12);
  const stat = reader.uint32();
  return { status: 'AUTH_ERROR', why: authStats[stat] ?? `auth_stat ${stat}` };
}

function readRange(reader: Reader): { low: number; high: number } {
  const low = reader.uint32();
  const high = reader.uint32();
  if (low > high) throw new DecodeError(`versions from ${low} to ${high}`, 0);
  return { low, high };
}

const newXid = (io: ProbeIo): number => new Reader(io.random(4)).uint32();

const range = ({ low, high }: { low: number; high: number }): string =>
  low === high ? `${low} only` : `${low} to ${high}`;
