/**
 * The first message pair of SMB: which dialect, is signing required, is there encryption. SMB2 negotiate with a list of
 * dialects, and the SMB1 multi-protocol negotiate that old servers understand, both in NetBIOS session framing.
 * MS-SMB2 sections 2.1 (transport), 2.2.1 (header), 2.2.3 and 2.2.4 (negotiate); MS-CIFS 2.2.4.52 (SMB1).
 */
import { DecodeError, Reader } from './reader.ts';

const maxFrameBytes = 65_535;
const maxContexts = 16;

const smb1Magic = 0xff534d42;
const smb2Magic = 0xfe534d42;

const headerLength = 64;
const negotiate = 0;
const fromServer = 0x0000_0001;
const responseSize = 65;

const signingEnabled = 0x1;
const signingRequired = 0x2;
const encryptionCapability = 0x40;

const preauthIntegrity = 1;
const encryption = 2;
const sha512 = 1;

/** AES-128-GCM and -CCM first: every server that encrypts has one of them. */
const ciphers = new Map([
  [2, 'AES-128-GCM'],
  [1, 'AES-128-CCM'],
  [4, 'AES-256-GCM'],
  [3, 'AES-256-CCM'],
]);

const dialects = new Map([
  [0x0202, '2.0.2'],
  [0x0210, '2.1'],
  [0x0300, '3.0'],
  [0x0302, '3.0.2'],
  [0x0311, '3.1.1'],
]);
const latest = 0x0311;
const withCapabilityBit = new Set([0x0300, 0x0302]);

/** An SMB2 server's reply to the SMB1 negotiate: "some SMB2, ask again". */
const wildcard = 0x02ff;

const smb1Dialects = ['NT LM 0.12', 'SMB 2.002', 'SMB 2.???'];
const smb1Negotiate = 0x72;
const noDialect = 0xffff;

const statusNames = new Map([
  [0xc000_0002, 'STATUS_NOT_IMPLEMENTED'],
  [0xc000_000d, 'STATUS_INVALID_PARAMETER'],
  [0xc000_0022, 'STATUS_ACCESS_DENIED'],
  [0xc000_009a, 'STATUS_INSUFFICIENT_RESOURCES'],
  [0xc000_00bb, 'STATUS_NOT_SUPPORTED'],
  [0xc000_0203, 'STATUS_USER_SESSION_DELETED'],
]);

/** None of the dialects we offer is one of the server's. */
export const notSupported = 0xc000_00bb;

export type SmbReply =
  | { readonly kind: 'dialect'; readonly negotiated: Negotiated }
  | { readonly kind: 'status'; readonly status: number; readonly name: string }
  /** It speaks SMB1 and nothing newer; null when it shares no dialect with us at all. */
  | { readonly kind: 'smb1'; readonly dialect: string | null };

export interface Negotiated {
  readonly dialect: string;
  readonly isSigningEnabled: boolean;
  readonly isSigningRequired: boolean;
  /** The cipher, or null without encryption. */
  readonly encryption: string | null;
  readonly serverGuid: string;
  /** Milliseconds since the epoch; null when the server does not tell. */
  readonly systemTimeMs: number | null;
}

/*
   header: | fe 'SMB' | 64 | charge | status 4 | command | credits | flags 4 | next 4 | message id 8 | 0 4 | tree 4 |
           | session 8 | signature 16 |                                                   little-endian, 64 bytes
   body:   | 36 | dialect count | security mode | 0 | capabilities 4 | client GUID 16 | contexts at 4 | count | 0 | dialects… |
   context, on a multiple of 8: | type | length | 0 4 | … |
*/
export function encodeNegotiate(clientGuid: Uint8Array, salt: Uint8Array): Uint8Array {
  const offered = [...dialects.keys()];
  const message = negotiateMessage(clientGuid, offered);
  const integrity = encodeContext(preauthIntegrity, uint16s(1, salt.length, sha512), salt);
  const encrypted = encodeContext(encryption, uint16s(ciphers.size, ...ciphers.keys()));
  const contextOffset = padded(message.length);
  message.writeUInt32LE(contextOffset, 92);
  message.writeUInt16LE(2, 96);
  const gaps = [contextOffset - message.length, padded(integrity.length) - integrity.length];
  const [before, between] = gaps.map((length) => new Uint8Array(length));
  return frame(Buffer.concat([message, before!, integrity, between!, encrypted]));
}

/** The one dialect that XenServer mounts with, offered alone as its kernel does. Contexts belong to 3.1.1. */
export const encodeNegotiate30 = (clientGuid: Uint8Array): Uint8Array => frame(negotiateMessage(clientGuid, [0x0300]));

function negotiateMessage(clientGuid: Uint8Array, offered: readonly number[]): Buffer {
  const message = Buffer.alloc(headerLength + 36 + 2 * offered.length);
  message.writeUInt32BE(smb2Magic, 0);
  message.writeUInt16LE(headerLength, 4);
  message.writeUInt16LE(1, 14);
  message.writeUInt16LE(36, 64);
  message.writeUInt16LE(offered.length, 66);
  message.writeUInt16LE(signingEnabled, 68);
  message.writeUInt32LE(0x7f, 72);
  message.set(clientGuid, 76);
  message.set(uint16s(...offered), 100);
  return message;
}

/** SMB1: a 32-byte header, no parameter words, then the dialects by name, each a 2, the text and a NUL. */
export function encodeSmb1Negotiate(): Uint8Array {
  const header = Buffer.alloc(32);
  header.writeUInt32BE(smb1Magic, 0);
  header[4] = smb1Negotiate;
  header[9] = 0x18; // canonical, case-insensitive paths
  header.writeUInt16LE(0xc853, 10); // Unicode, NT status codes, extended security, long names
  header.writeUInt16LE(0xffff, 24);
  header.writeUInt16LE(0xfffe, 26);
  const offered = Buffer.from(smb1Dialects.map((name) => `\u0002${name}\0`).join(''));
  return frame(Buffer.concat([header, Uint8Array.of(0), uint16s(offered.length), offered]));
}

/** The first four bytes of a session message: type 0 and 24 bits of length. */
export function decodeFrameLength(prefix: Uint8Array): number {
  const word = new Reader(prefix).uint32();
  if (word >>> 24 !== 0) throw new DecodeError(`session message type 0x${(word >>> 24).toString(16)}`, 0);
  if (word === 0 || word > maxFrameBytes) throw new DecodeError(`a frame of ${word} bytes`, 1);
  return word;
}

/** What is in the frame. */
export function decodeReply(bytes: Uint8Array): SmbReply {
  const magic = new Reader(bytes).uint32();
  if (magic === smb1Magic) return decodeSmb1(bytes);
  if (magic === smb2Magic) return decodeSmb2(bytes);
  throw new DecodeError('neither SMB1 nor SMB2', 0);
}

function decodeSmb2(bytes: Uint8Array): SmbReply {
  const header = new Reader(bytes);
  header.uint32();
  const size = header.uint16le();
  if (size !== headerLength) throw new DecodeError(`a header of ${size} bytes`, 4);
  header.uint16le();
  const status = header.uint32le();
  const command = header.uint16le();
  header.uint16le();
  const flags = header.uint32le();
  header.uint32le();
  const messageId = header.uint64le();
  header.bytes(headerLength - 32);
  if (command !== negotiate) throw new DecodeError(`command ${command} where negotiate belongs`, 12);
  if ((flags & fromServer) === 0) throw new DecodeError('a request where the reply belongs', 16);
  if (messageId !== 0n) throw new DecodeError(`message ${messageId} where 0 belongs`, 24);
  if (status !== 0) return { kind: 'status', status, name: statusName(status) };

  const bodySize = header.uint16le();
  if (bodySize !== responseSize) throw new DecodeError(`a body of structure size ${bodySize}`, headerLength);
  const mode = header.uint16le();
  const dialect = header.uint16le();
  const contextCount = header.uint16le();
  const serverGuid = guidText(header.bytes(16));
  const capabilities = header.uint32le();
  header.bytes(12);
  const systemTimeMs = fileTimeMs(header.uint64le());
  header.uint64le();
  header.uint32le();
  const contextOffset = header.uint32le();
  return {
    kind: 'dialect',
    negotiated: {
      dialect: dialectText(dialect),
      isSigningEnabled: (mode & signingEnabled) !== 0,
      isSigningRequired: (mode & signingRequired) !== 0,
      encryption: encryptionOf(),
      serverGuid,
      systemTimeMs,
    },
  };

  /** 3.1.1 names a cipher in a context; before, a capability stood for the only one there was. */
  function encryptionOf(): string | null {
    if (dialect === latest) return decodeCipher(bytes, contextOffset, contextCount);
    return withCapabilityBit.has(dialect) && (capabilities & encryptionCapability) !== 0 ? 'AES-128-CCM' : null;
  }
}

function decodeCipher(bytes: Uint8Array, offset: number, count: number): string | null {
  if (count > maxContexts) throw new DecodeError(`${count} negotiate contexts`, 70);
  let at = offset;
  for (let i = 0; i < count; i++) {
    if (at > bytes.length) throw new DecodeError(`a context at byte ${at} of ${bytes.length}`, 124);
    const context = new Reader(bytes.subarray(at));
    const type = context.uint16le();
    const length = context.uint16le();
    context.uint32le();
    const value = new Reader(context.bytes(length));
    if (type === encryption && value.uint16le() > 0) {
      const cipher = value.uint16le();
      // 0: the server encrypts, but none of our ciphers is one of its own.
      return cipher === 0 ? null : (ciphers.get(cipher) ?? `cipher ${cipher}`);
    }
    at += padded(8 + length);
  }
  return null;
}

function decodeSmb1(bytes: Uint8Array): SmbReply {
  const header = new Reader(bytes);
  header.uint32();
  const command = header.uint8();
  const status = header.uint32le();
  header.bytes(32 - 9);
  if (command !== smb1Negotiate) throw new DecodeError(`command ${command} where negotiate belongs`, 4);
  if (status !== 0) return { kind: 'status', status, name: statusName(status) };
  if (header.uint8() < 1) throw new DecodeError('no dialect index', 32);
  const index = header.uint16le();
  if (index === noDialect) return { kind: 'smb1', dialect: null };
  const dialect = smb1Dialects[index];
  if (dialect === undefined) throw new DecodeError(`dialect ${index} of ${smb1Dialects.length} offered`, 33);
  return { kind: 'smb1', dialect };
}

function statusName(status: number): string {
  return statusNames.get(status) ?? `status 0x${status.toString(16).padStart(8, '0')}`;
}

function dialectText(dialect: number): string {
  if (dialect === wildcard) return '2.?';
  const text = dialects.get(dialect);
  if (text === undefined) throw new DecodeError(`dialect 0x${dialect.toString(16)} was not offered`, 68);
  return text;
}

function frame(message: Uint8Array): Uint8Array {
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32BE(message.length);
  return Buffer.concat([prefix, message]);
}

function encodeContext(type: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const value = Buffer.concat(parts);
  return Buffer.concat([uint16s(type, value.length, 0, 0), value]);
}

function uint16s(...values: readonly number[]): Uint8Array {
  return Uint8Array.from(values.flatMap((value) => [value & 0xff, value >> 8]));
}

const padded = (length: number): number => Math.ceil(length / 8) * 8;

/** Hundreds of nanoseconds since 1601. */
function fileTimeMs(fileTime: bigint): number | null {
  return fileTime === 0n ? null : Number(fileTime / 10_000n) - 11_644_473_600_000;
}

/** The first three groups are little-endian numbers. */
function guidText(bytes: Uint8Array): string {
  const hex = (from: number, to: number): string => Buffer.from(bytes.subarray(from, to)).toString('hex');
  const swapped = (from: number, to: number): string =>
    Buffer.from(bytes.subarray(from, to).toReversed()).toString('hex');
  return `${swapped(0, 4)}-${swapped(4, 6)}-${swapped(6, 8)}-${hex(8, 10)}-${hex(10, 16)}`;
}
