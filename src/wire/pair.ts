/**
 * What the two ends of a pair say to each other (docs/pair.md): the prober asks on a port that the other end holds, and is
 * told what arrived there. A tag proves that both hold the key; nothing else of the message is secret. A reply is never
 * longer than its request. There is no clock in it: what is new is told by the nonce.
 *
 *     request  0        4      5       6      8      10         12       28      44
 *              "XRP1"   type   flags   port   size   sequence   nonce    tag     body, zeros up to `size`
 *     reply    "XRP2"   as asked                                         tag     source   port   seen   body
 *                                                                        28      44       60     62     64
 *
 * The tag is the first half of an HMAC-SHA-256 over everything but itself. Over TCP the length goes first, in two bytes.
 */
import { addressOfOctets, octetsOf } from '../model/address.ts';
import type { Transport } from '../model/probe.ts';
import { DecodeError, Reader } from './reader.ts';

export const messageTypes = ['probe', 'receipts', 'back', 'bye'] as const;
export type MessageType = (typeof messageTypes)[number];

/** How the other end knows of it: by its own listener, or what else saw the packets. */
export const proofs = ['none', 'receipt', 'log', 'conntrack', 'capture'] as const;
export type Proof = (typeof proofs)[number];

/** Makes the tag of a message: 16 bytes of the HMAC over the parts. */
export type Tag = (...parts: readonly Uint8Array[]) => Uint8Array;

export interface Port {
  readonly transport: Transport;
  readonly port: number;
}

/** A port of which a receipt is wanted; the mark is what was sent there for a log to keep, or 0. */
export interface Asked extends Port {
  readonly mark: number;
}

/** What the other end saw on a port. */
export interface Receipt extends Port {
  readonly proof: Proof;
  /** Datagrams or connections. */
  readonly seen: number;
  /** The longest one, or what came in on the connections. */
  readonly bytes: number;
  /** Where they came from. */
  readonly source: string;
}

interface Message {
  readonly type: MessageType;
  readonly transport: Transport;
  /** Where the request was sent to: it counts nowhere else. */
  readonly port: number;
  readonly sequence: number;
  readonly nonce: Uint8Array;
}

export interface Request extends Message {
  /** Bytes of the whole message. */
  readonly size: number;
  /** The reply is to be as long as the request. */
  readonly isFull: boolean;
  /** `receipts`: of these ports. */
  readonly asked: readonly Asked[];
  /** `back`: to these ports of the one who asks. */
  readonly back: readonly Port[];
  /** `back`: what the first reply said, so that nobody asks in another's name; zeros the first time. */
  readonly challenge: Uint8Array;
}

export interface Reply extends Message {
  readonly size: number;
  /** The source of the request, as it arrived. */
  readonly source: string;
  readonly sourcePort: number;
  /** Datagrams or connections with this nonce that reached this port. */
  readonly seen: number;
  readonly receipts: readonly Receipt[];
  readonly challenge: Uint8Array;
}

export const leastSize = 128;
export const mostSize = 9000;
/** Ports in one request. */
export const mostAsked = 50;
const mostBack = 64;
const [tagAt, tagLength, requestBodyAt, replyBodyAt] = [28, 16, 44, 64];
const receiptLength = 24;
const noChallenge = new Uint8Array(16);

export const newRequest = (parts: Partial<Request> & Omit<Message, 'sequence'>): Request => ({
  sequence: 1,
  size: Math.max(leastSize, replyBodyAt + 1 + receiptLength * (parts.asked?.length ?? 0)),
  isFull: false,
  asked: [],
  back: [],
  challenge: noChallenge,
  ...parts,
});

export function encodeRequest(request: Request, tag: Tag): Uint8Array {
  const { type, size, asked, back, challenge, isFull } = request;
  const bytes = new Uint8Array(size);
  writeHead(bytes, 'XRP1', request, isFull);
  const view = new DataView(bytes.buffer, requestBodyAt);
  if (type === 'receipts') {
    view.setUint8(0, asked.length);
    for (const [i, { transport, port, mark }] of asked.entries()) {
      view.setUint8(1 + 7 * i, transportCode(transport));
      view.setUint16(2 + 7 * i, port);
      view.setUint32(4 + 7 * i, mark);
    }
  } else if (type === 'back') {
    bytes.set(challenge, requestBodyAt);
    view.setUint8(16, back.length);
    for (const [i, { transport, port }] of back.entries()) {
      view.setUint8(17 + 3 * i, transportCode(transport));
      view.setUint16(18 + 3 * i, port);
    }
  }
  return sealed(bytes, tag);
}

/** Throws a DecodeError for whatever is not a whole request with our key's tag. */
export function decodeRequest(bytes: Uint8Array, tag: Tag): Request {
  const { reader, ...head } = readHead(bytes, 'XRP1', tag, leastSize);
  const { isFull, ...message } = head;
  const request = { ...message, isFull, size: bytes.length, asked: [], back: [], challenge: noChallenge };
  if (message.type === 'receipts') return { ...request, asked: listOf(reader, mostAsked, readAsked) };
  if (message.type !== 'back') return request;
  const challenge = reader.bytes(noChallenge.length).slice();
  return { ...request, challenge, back: listOf(reader, mostBack, readPort) };
}

export function encodeReply(reply: Reply, tag: Tag): Uint8Array {
  const { type, size, source, sourcePort, seen, receipts, challenge } = reply;
  const bytes = new Uint8Array(size);
  writeHead(bytes, 'XRP2', reply, false);
  bytes.set(octetsOf(source) ?? new Uint8Array(16), requestBodyAt);
  const view = new DataView(bytes.buffer);
  view.setUint16(60, sourcePort);
  view.setUint16(62, Math.min(seen, 0xff_ff));
  if (type === 'back') bytes.set(challenge, replyBodyAt);
  if (type === 'receipts') {
    view.setUint8(replyBodyAt, receipts.length);
    for (const [i, receipt] of receipts.entries()) {
      const at = replyBodyAt + 1 + receiptLength * i;
      view.setUint8(at, transportCode(receipt.transport));
      view.setUint16(at + 1, receipt.port);
      view.setUint8(at + 3, proofs.indexOf(receipt.proof));
      view.setUint16(at + 4, Math.min(receipt.seen, 0xff_ff));
      view.setUint16(at + 6, Math.min(receipt.bytes, 0xff_ff));
      bytes.set(octetsOf(receipt.source) ?? new Uint8Array(16), at + 8);
    }
  }
  return sealed(bytes, tag);
}

export function decodeReply(bytes: Uint8Array, tag: Tag): Reply {
  const { reader, isFull: _, ...message } = readHead(bytes, 'XRP2', tag, replyBodyAt);
  const source = addressOfOctets(reader.bytes(16));
  const reply = { ...message, size: bytes.length, source, sourcePort: reader.uint16(), seen: reader.uint16() };
  const challenge = message.type === 'back' ? reader.bytes(noChallenge.length).slice() : noChallenge;
  const receipts = message.type === 'receipts' ? listOf(reader, mostAsked, readReceipt) : [];
  return { ...reply, challenge, receipts };
}

/** The shortest reply to it: what a request must at least be as long as. */
export const replySize = ({ type, asked, isFull, size }: Request): number =>
  isFull ? size : replyBodyAt + (type === 'receipts' ? 1 + receiptLength * asked.length : type === 'back' ? 16 : 0);

/** Over TCP: the length, then the message. */
export function framed(message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(2 + message.length);
  new DataView(bytes.buffer).setUint16(0, message.length);
  bytes.set(message, 2);
  return bytes;
}

function writeHead(bytes: Uint8Array, magic: string, message: Message, isFull: boolean): void {
  const view = new DataView(bytes.buffer);
  bytes.set(Buffer.from(magic, 'latin1'));
  view.setUint8(4, messageTypes.indexOf(message.type) + 1);
  view.setUint8(5, (isFull ? 1 : 0) | (message.transport === 'tcp' ? 2 : 0));
  view.setUint16(6, message.port);
  view.setUint16(8, bytes.length);
  view.setUint16(10, message.sequence);
  bytes.set(message.nonce, 12);
}

function sealed(bytes: Uint8Array, tag: Tag): Uint8Array {
  bytes.set(tag(bytes.subarray(0, tagAt), bytes.subarray(tagAt + tagLength)), tagAt);
  return bytes;
}

function readHead(
  bytes: Uint8Array,
  magic: string,
  tag: Tag,
  least: number,
): Message & { readonly isFull: boolean; readonly reader: Reader } {
  if (bytes.length < least || bytes.length > mostSize)
    throw new DecodeError(`${bytes.length} bytes, not ${least} to ${mostSize}`, 0);
  const reader = new Reader(bytes);
  if (Buffer.from(reader.bytes(4)).toString('latin1') !== magic) throw new DecodeError(`no ${magic}`, 0);
  const type = messageTypes[reader.uint8() - 1];
  const flags = reader.uint8();
  const port = reader.uint16();
  const size = reader.uint16();
  if (type === undefined || flags > 3) throw new DecodeError('an unknown type or flag', 4);
  if (size !== bytes.length) throw new DecodeError(`says ${size} bytes and has ${bytes.length}`, 8);
  const sequence = reader.uint16();
  const nonce = reader.bytes(16).slice();
  const wanted = tag(bytes.subarray(0, tagAt), bytes.subarray(tagAt + tagLength));
  if (!isSame(reader.bytes(tagLength), wanted)) throw new DecodeError('another key', tagAt);
  const transport = (flags & 2) === 0 ? 'udp' : 'tcp';
  return { type, transport, port, sequence, nonce, isFull: (flags & 1) === 1, reader };
}

/** Takes the same time whatever differs. */
function isSame(one: Uint8Array, other: Uint8Array): boolean {
  let difference = one.length ^ other.length;
  for (const [i, byte] of one.entries()) difference |= byte ^ (other[i] ?? 0);
  return difference === 0;
}

function listOf<T>(reader: Reader, most: number, read: (reader: Reader) => T): T[] {
  const count = reader.uint8();
  if (count > most) throw new DecodeError(`${count} ports, more than ${most}`, requestBodyAt);
  return Array.from({ length: count }, () => read(reader));
}

function readPort(reader: Reader): Port {
  const code = reader.uint8();
  if (code > 1) throw new DecodeError('an unknown transport', requestBodyAt);
  return { transport: code === 1 ? 'tcp' : 'udp', port: reader.uint16() };
}

const readAsked = (reader: Reader): Asked => ({ ...readPort(reader), mark: reader.uint32() });

function readReceipt(reader: Reader): Receipt {
  const port = readPort(reader);
  const proof = proofs[reader.uint8()];
  if (proof === undefined) throw new DecodeError('an unknown proof', replyBodyAt);
  return {
    ...port,
    proof,
    seen: reader.uint16(),
    bytes: reader.uint16(),
    source: addressOfOctets(reader.bytes(16)),
  };
}

const transportCode = (transport: Transport): number => (transport === 'tcp' ? 1 : 0);
