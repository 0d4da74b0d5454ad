/**
 * The PDUs of iSCSI that discovery needs: login, text and logout, and the key=value text they carry. RFC 7143 sections
 * 11.2 (the header), 11.10 to 11.15 (these PDUs) and 6.1 (text).
 */
import { DecodeError, Reader } from './reader.ts';
import { encodeWords } from './xdr.ts';

export const headerBytes = 48;
const maxSegmentBytes = 256 * 1024;
const maxKeyBytes = 63;
const maxValueBytes = 8192;

const immediate = 0x40;
const request = { login: 0x03, text: 0x04, logout: 0x06 };

/** What a target may send us. */
export const opcodes = {
  nopIn: 0x20,
  loginResponse: 0x23,
  textResponse: 0x24,
  logoutResponse: 0x26,
  asyncMessage: 0x32,
  reject: 0x3f,
} as const;
const fromTargets: ReadonlySet<number> = new Set(Object.values(opcodes));

/** Transit from the operational stage (1) to the full feature phase (3): there is nothing to negotiate before. */
const toFullFeature = 0x87;
/** The same in a response, whatever stage it says it comes from. */
const inFullFeature = 0x83;
const final = 0x80;
const continues = 0x40;

/** The target transfer tag of a question that continues nothing. */
export const noTag = 0xffff_ffff;

/** A plain reading of the header fields we use; which of them mean anything depends on the opcode. */
export interface Pdu {
  readonly opcode: number;
  readonly flags: number;
  /** Byte 2 of a Reject. */
  readonly reason: number;
  /** TSIH in a login response. */
  readonly session: number;
  readonly taskTag: number;
  readonly transferTag: number;
  readonly statSN: number;
  /** Class and detail in a login response. */
  readonly status: number;
  readonly segment: Uint8Array;
}

export type Pair = readonly [key: string, value: string];

export interface Login {
  readonly isid: Uint8Array;
  readonly session: number;
  readonly taskTag: number;
  readonly expStatSN: number;
  readonly pairs: readonly Pair[];
}

interface RequestPdu {
  readonly opcode: number;
  readonly flags: number;
  /** From byte 16 on. */
  readonly words: readonly number[];
  /** Zeros where there is none. */
  readonly lun?: Uint8Array;
  readonly segment?: Uint8Array;
}

/*
    0: | I, opcode | flags | versions, or for a response its reason | AHS length/4 | data length, 3 |
    8: | LUN, or ISID (6) and TSIH (2) |
   16: | initiator task tag |
   20: | target transfer tag, or the connection's id |
   24: | CmdSN; StatSN of a response |
   28: | ExpStatSN; ExpCmdSN of a response |
   36: | 12 bytes by opcode; a login response begins with status class and detail |
   48: | data, filled up to a multiple of four |
*/
function encodePdu({
  opcode,
  flags,
  words,
  lun = new Uint8Array(8),
  segment = new Uint8Array(),
}: RequestPdu): Uint8Array {
  const header = new Uint8Array(headerBytes);
  header.set([immediate | opcode, flags]);
  header.set(encodeWords(segment.length), 4);
  header.set(lun, 8);
  header.set(encodeWords(...words), 16);
  return Buffer.concat([header, segment, new Uint8Array((4 - (segment.length % 4)) % 4)]);
}

export function encodeLogin({ isid, session, taskTag, expStatSN, pairs }: Login): Uint8Array {
  const isidAndSession = Uint8Array.of(...isid, session >> 8, session & 0xff);
  const words = [taskTag, 0, 1, expStatSN];
  const segment = encodeText(pairs);
  return encodePdu({ opcode: request.login, flags: toFullFeature, words, lun: isidAndSession, segment });
}

export function encodeTextRequest(
  taskTag: number,
  transferTag: number,
  expStatSN: number,
  pairs: readonly Pair[],
): Uint8Array {
  const words = [taskTag, transferTag, 1, expStatSN];
  return encodePdu({ opcode: request.text, flags: final, words, segment: encodeText(pairs) });
}

export function encodeLogout(taskTag: number, expStatSN: number): Uint8Array {
  return encodePdu({ opcode: request.logout, flags: final, words: [taskTag, 0, 1, expStatSN] });
}

const encodeText = (pairs: readonly Pair[]): Uint8Array =>
  Buffer.from(pairs.map(([key, value]) => `${key}=${value}\0`).join(''));

/** The first byte alone tells another protocol, which may have nothing more to say. */
export function checkOpcode(opcode: number): void {
  if (!fromTargets.has(opcode)) throw new DecodeError(`opcode ${opcode} is not an iSCSI target's`, 0);
}

/** The header, and how many bytes of additional headers, data and filling follow it. */
export function decodeHeader(bytes: Uint8Array): { pdu: Omit<Pdu, 'segment'>; ahsBytes: number; dataBytes: number } {
  const reader = new Reader(bytes);
  const opcode = reader.uint8();
  checkOpcode(opcode);
  const flags = reader.uint8();
  const reason = reader.uint8();
  reader.uint8();
  const ahsBytes = reader.uint8() * 4;
  const dataBytes = reader.uint8() * 65_536 + reader.uint16();
  if (dataBytes > maxSegmentBytes) throw new DecodeError(`a data segment of ${dataBytes} bytes`, 5);
  reader.bytes(6);
  const session = reader.uint16();
  const taskTag = reader.uint32();
  const transferTag = reader.uint32();
  const statSN = reader.uint32();
  reader.bytes(8);
  const status = reader.uint16();
  return { pdu: { opcode, flags, reason, session, taskTag, transferTag, statSN, status }, ahsBytes, dataBytes };
}

/** NUL-terminated `key=value` pairs. */
export function decodeText(bytes: Uint8Array): readonly Pair[] {
  const text = Buffer.from(bytes).toString('latin1');
  const pairs: Pair[] = [];
  for (let at = 0; at < text.length;) {
    const end = text.indexOf('\0', at);
    const stop = end < 0 ? text.length : end;
    if (stop > at) {
      const equals = text.indexOf('=', at);
      if (equals < 0 || equals > stop) throw new DecodeError('a text segment without "="', at);
      if (equals - at > maxKeyBytes) throw new DecodeError(`a key of ${equals - at} bytes`, at);
      if (stop - equals - 1 > maxValueBytes) throw new DecodeError(`a value of ${stop - equals - 1} bytes`, equals);
      pairs.push([text.slice(at, equals), text.slice(equals + 1, stop)]);
    }
    at = stop + 1;
  }
  return pairs;
}

/** The login is over: we are in the full feature phase. */
export const isLoggedIn = ({ flags, status }: Pdu): boolean =>
  status === 0 && (flags & inFullFeature) === inFullFeature;

/** This text response is the last one. */
export const isComplete = ({ flags }: Pdu): boolean => (flags & final) !== 0 && (flags & continues) === 0;
