/**
 * A DNS question and its reply, RFC 1035 section 4.1. The records are taken apart by a library, which sees only what has
 * been walked with our bounds before.
 */
import type * as dns2 from 'dns2';
import { decodeName, passName } from './dns-name.ts';
import { DecodeError } from './reader.ts';
import { printable } from './text.ts';

export const headerLength = 12;

const rcodes = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED', 'YXDOMAIN', 'YXRRSET'] as const;

/** With these a server has an answer, or knows that there is none: it has read the question and repeats it. */
const withQuestion = new Set(['NOERROR', 'NXDOMAIN']);

/** Records beyond these are not decoded: a domain with hundreds of controllers lists them all. */
const maxRecords = 64;

const types = { A: 1, NS: 2, SOA: 6, AAAA: 28, SRV: 33 } as const;
export type Type = keyof typeof types;
const internet = 1;

/** Where the names are in the record data that the codec takes apart: each is walked with our bounds before it may. */
const namesAt: Readonly<Record<number, { readonly first: number; readonly count: number }>> = {
  2: { first: 0, count: 1 }, // NS
  5: { first: 0, count: 1 }, // CNAME
  6: { first: 0, count: 2 }, // SOA
  12: { first: 0, count: 1 }, // PTR
  15: { first: 2, count: 1 }, // MX
  33: { first: 6, count: 1 }, // SRV
  46: { first: 18, count: 1 }, // RRSIG
};

export interface Question {
  readonly name: string;
  readonly type: Type;
}

export interface DnsHeader {
  readonly id: number;
  readonly rcode: string;
  readonly isResponse: boolean;
  readonly isQuery: boolean;
  readonly aa: boolean;
  readonly tc: boolean;
  readonly ra: boolean;
  readonly counts: { readonly questions: number; readonly answers: number; readonly others: number };
}

export interface DnsReply extends DnsHeader {
  /** Addresses, targets or names of the type that was asked for. */
  readonly answers: readonly string[];
}

/*
    0                   1                   2                   3
   |              id               |QR| opcode |AA|TC|RD|RA|Z| rcode |  0
   |     questions, answers, authorities, additionals: 16 bits each  |  4
*/
function decodeHeader(bytes: Uint8Array): DnsHeader {
  const flags = uint16(bytes, 2);
  return {
    id: uint16(bytes, 0),
    rcode: rcodes[flags & 0xf] ?? `RCODE${flags & 0xf}`,
    isResponse: (flags & 0x8000) !== 0,
    isQuery: ((flags >> 11) & 0xf) === 0,
    aa: (flags & 0x0400) !== 0,
    tc: (flags & 0x0200) !== 0,
    ra: (flags & 0x0080) !== 0,
    counts: { questions: uint16(bytes, 4), answers: uint16(bytes, 6), others: uint16(bytes, 8) + uint16(bytes, 10) },
  };
}

let codec: typeof dns2.Packet | undefined;

/** Before the first message is encoded or decoded. */
export async function load(): Promise<void> {
  codec ??= (await import('dns2')).Packet;
}

function loaded(): typeof dns2.Packet {
  if (!codec) throw new TypeError('the codec is not loaded yet');
  return codec;
}

/** Checks by the thousand ask the same few questions: encoding one takes the codec 3 µs. */
const encoded = new Map<string, Uint8Array>();
const maxEncoded = 64;

export function encodeQuery(id: number, question: Question, isRecursive: boolean): Uint8Array {
  const message = templateOf(question, isRecursive).slice();
  message[0] = id >> 8;
  message[1] = id & 0xff;
  return message;
}

function templateOf({ name, type }: Question, isRecursive: boolean): Uint8Array {
  const key = `${type} ${isRecursive ? '+' : '-'} ${name}`;
  let message = encoded.get(key);
  if (message) return message;
  const Packet = loaded();
  const packet = new Packet(new Packet.Header({ id: 0, rd: isRecursive ? 1 : 0 }));
  packet.questions.push(new Packet.Question(name, types[type], internet));
  message = Uint8Array.from(packet.toBuffer());
  if (encoded.size === maxEncoded) encoded.clear();
  encoded.set(key, message);
  return message;
}

/** The whole message fits together; nothing in it is followed or kept. A reply cut short says so, and may end anywhere. */
export function decodeOutline(bytes: Uint8Array): DnsHeader {
  const header = decodeAnswerHeader(bytes);
  let at = headerLength;
  for (let i = 0; i < header.counts.questions; i++) at = within(bytes, skipName(bytes, at) + 4);
  const records = header.tc ? 0 : header.counts.answers + header.counts.others;
  for (let i = 0; i < records; i++) at = recordAt(bytes, at).end;
  return header;
}

/** The twelve bytes alone tell an answer from another protocol. */
export function decodeAnswerHeader(bytes: Uint8Array): DnsHeader {
  const header = decodeHeader(bytes);
  if (!header.isResponse) throw new DecodeError('a question where an answer belongs', 2);
  if (!header.isQuery) throw new DecodeError('the answer to another kind of request', 2);
  return header;
}

/** Ties a reply to its question and takes the answers out of it. */
export function decodeReply(bytes: Uint8Array, id: number, question: Question): DnsReply {
  const header = decodeOutline(bytes);
  if (header.id !== id) throw new DecodeError(`id ${header.id} where ${id} was asked`, 0);
  const at = checkQuestion(bytes, header, question);
  if (header.tc || header.counts.answers === 0) return { ...header, answers: [] };
  const count = Math.min(header.counts.answers, maxRecords);
  const end = checkAnswers(bytes, at, count);
  return { ...header, answers: answersIn(bytes.subarray(0, end), at, count, question.type) };
}

/** Where the answers begin. Servers that turn a question down do it with the header alone: 12 bytes. */
function checkQuestion(bytes: Uint8Array, { rcode, counts }: DnsHeader, question: Question): number {
  if (counts.questions === 0 && !withQuestion.has(rcode)) return headerLength;
  if (counts.questions !== 1) throw new DecodeError(`${counts.questions} questions where ours belongs`, 4);
  if (repeats(bytes, templateOf(question, false))) return templateOf(question, false).length;
  const { name, next } = decodeName(bytes, headerLength);
  const isOurs = uint16(bytes, next) === types[question.type] && uint16(bytes, next + 2) === internet;
  if (!isOurs || name.toLowerCase() !== question.name.toLowerCase()) {
    throw new DecodeError(`the answer is to another question (${printable(name)})`, headerLength);
  }
  return next + 4;
}

/** Byte for byte, as most servers do. */
function repeats(bytes: Uint8Array, query: Uint8Array): boolean {
  for (let at = headerLength; at < query.length; at++) if (bytes[at] !== query[at]) return false;
  return true;
}

/** Every name in these records keeps within its bounds. Returns their end. */
function checkAnswers(bytes: Uint8Array, start: number, count: number): number {
  let at = start;
  for (let i = 0; i < count; i++) {
    passName(bytes, at);
    const { type, content, end } = recordAt(bytes, at);
    const names = namesAt[type];
    let nameAt = content + (names?.first ?? 0);
    for (let n = 0; n < (names?.count ?? 0); n++) nameAt = passName(bytes, nameAt);
    at = end;
  }
  return at;
}

/** name, type, class, time to live, length of the content, content */
function recordAt(bytes: Uint8Array, at: number): { type: number; content: number; end: number } {
  const fixed = skipName(bytes, at);
  const length = uint16(bytes, fixed + 8);
  return { type: uint16(bytes, fixed), content: fixed + 10, end: within(bytes, fixed + 10 + length) };
}

/** Past a name, without following its pointer. */
function skipName(bytes: Uint8Array, start: number): number {
  for (let at = start; ;) {
    const byte = bytes[at];
    if (byte === undefined) throw new DecodeError('the name is cut short', at);
    if (byte === 0) return at + 1;
    if (byte >= 0xc0) return within(bytes, at + 2);
    if (byte >= 0x40) throw new DecodeError(`a label of type ${byte >> 6}`, at);
    at += byte + 1;
  }
}

function uint16(bytes: Uint8Array, at: number): number {
  const low = bytes[at + 1];
  if (low === undefined) throw new DecodeError(`need ${at + 2} bytes, have ${bytes.length}`, bytes.length);
  return (bytes[at]! << 8) | low;
}

function within(bytes: Uint8Array, at: number): number {
  if (at > bytes.length) throw new DecodeError(`need ${at} bytes, have ${bytes.length}`, bytes.length);
  return at;
}

/** The codec sees only what has been walked: the records from `start` on, and what their names point back to. */
function answersIn(walked: Uint8Array, start: number, count: number, type: Type): string[] {
  const Packet = loaded();
  const reader = new Packet.Reader(Buffer.from(walked.buffer, walked.byteOffset, walked.length), start * 8);
  const answers: string[] = [];
  for (let i = 0; i < count; i++) {
    const record = codecErrors(() => Packet.Resource.parse(reader));
    if (record.type !== types[type] || record.class !== internet) continue;
    const name = printable(record.target ?? record.address ?? record.ns ?? record.primary ?? '');
    answers.push(type === 'SRV' ? `${name}:${record.port}` : name);
  }
  return answers;
}

/** Whatever the codec throws on bytes that passed the walk is about the bytes. */
function codecErrors<T>(decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    throw new DecodeError(error instanceof Error ? printable(error.message) : 'not a DNS message', 0);
  }
}
