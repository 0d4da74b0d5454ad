/**
 * The conversations with a responder: on a port that it holds, it is asked in place of the service; over any of them it
 * tells what came to the others, and how large a packet gets through. Pure but for the ProbeIo.
 */
import { endedAs } from '../model/errors.ts';
import { answered, type Answer, type Json } from '../model/outcome.ts';
import type { ProbeIo, Target } from '../model/probe.ts';
import { DecodeError } from '../wire/reader.ts';
import {
  decodeReply,
  encodeRequest,
  framed,
  leastSize,
  mostAsked,
  mostSize,
  newRequest,
  type Asked,
  type Port,
  type Receipt,
  type Reply,
  type Request,
} from '../wire/pair.ts';
import { payloadOf, type End } from './ends.ts';

/** Single datagrams are lost: silence proves something only when so many met it. */
export const leastSends = 3;

/** How the pair looks in the evidence of a check. */
export type PairEvidence = { readonly [key: string]: Json };

/** Three datagrams, or one connection. */
export async function askPort(io: ProbeIo, target: Target, end: End): Promise<Answer> {
  const { transport, address, port } = target;
  let sent = 1;
  let reply: Reply;
  if (transport === 'tcp') reply = await exchange(io, target, end, 'probe', {});
  else {
    const first = await exchangeDatagram(io, requestTo(target, end, 'probe', {}), end, { leastSends });
    sent = first.sends;
    reply = first.reply;
    for (const sequence of [2, 3]) {
      await end.turn();
      sent += 1;
      // One after the other; what is lost of these is a note and no failure.
      const next = await patiently(io, requestTo(target, end, 'probe', { sequence }), end);
      if (next) reply = next;
    }
  }
  const { source, seen } = reply;
  const ways = end.ways.get(address) ?? [];
  end.ways.set(address, [...ways, { transport, port, source }]);
  const what = transport === 'tcp' ? 'the connection arrived' : `${Math.min(seen, sent)} of ${sent} datagrams arrived`;
  if (seen < sent && transport === 'udp') io.note(`${sent - seen} of ${sent} datagrams were lost`);
  const pair: PairEvidence = { port: 'bound', proof: 'receipt', sent, seen, sourceSeen: source, back: true };
  return answered(`a stand-in answers: ${what}`, { pair });
}

/** What came to these ports, over one that works. */
export async function askReceipts(
  io: ProbeIo,
  target: Target,
  end: End,
  asked: readonly Asked[],
): Promise<{ readonly receipts: readonly Receipt[]; readonly source: string }> {
  const receipts: Receipt[] = [];
  let source = '';
  for (let at = 0; at < asked.length; at += mostAsked) {
    // Each part is its own request.
    const reply = await exchange(io, target, end, 'receipts', {
      asked: asked.slice(at, at + mostAsked),
      sequence: 1 + at / mostAsked,
    });
    receipts.push(...reply.receipts);
    source = reply.source;
  }
  return { receipts, source };
}

/** Has the other end probe these ports of ours: it asks for its challenge back first. */
export async function askBack(io: ProbeIo, target: Target, end: End, back: readonly Port[]): Promise<void> {
  const { challenge } = await exchange(io, target, end, 'back', { back, sequence: 1, size: backSize });
  await exchange(io, target, end, 'back', { back, challenge, sequence: 2, size: backSize });
}

/** Room for as many ports as one request takes. */
const backSize = 256;

export async function sayBye(io: ProbeIo, target: Target, end: End): Promise<void> {
  await exchange(io, target, end, 'bye', {});
}

export interface Sizes {
  /** The largest datagram that arrived, and the largest whose answer of the same size came back. */
  readonly there: number;
  readonly back: number;
  /** Larger packets vanish, and nothing says so. */
  readonly blackHole: boolean;
}

/** The usual packet less what tunnels take, a full one, and a jumbo one where this machine sends such. */
export const sizesFor = (address: string, ownMtu: number): readonly number[] => [
  payloadOf(1400, address),
  payloadOf(1500, address),
  ...(ownMtu >= 9000 ? [payloadOf(9000, address)] : []),
];

/** Tries the sizes, each way, on a port that answers shorter messages; a size is tried when the one before got through. */
export async function askSizes(
  ask: (request: Partial<Request>) => Promise<boolean | 'too-long'>,
  sizes: readonly number[],
): Promise<Sizes> {
  let [there, back] = [leastSize, leastSize];
  for (const [i, size] of sizes.entries()) {
    const sequence = 100 + 2 * i;
    const arrives = await ask({ size, sequence });
    if (arrives === true) there = size;
    const returns = arrives === true && (await ask({ size, sequence: sequence + 1, isFull: true }));
    if (returns === true) back = size;
    // A jumbo packet that vanishes is what a switch does; one of 1500 bytes has to get through, or a router to say why not.
    else return { there, back, blackHole: i < 2 && arrives !== 'too-long' && returns === false };
  }
  return { there, back, blackHole: false };
}

export async function askSize(
  io: ProbeIo,
  target: Target,
  end: End,
  parts: Partial<Request>,
): Promise<boolean | 'too-long'> {
  try {
    await exchangeDatagram(io, requestTo(target, end, 'receipts', { ...parts, asked: [] }), end, { maxSends: 2 });
    return true;
  } catch (error) {
    // A router said how long a packet may be (ICMP), and the kernel remembers.
    if (endedAs(error, 'local') && error.failure.code === 'EMSGSIZE') return 'too-long';
    if (endedAs(error, 'timeout', 'refused', 'unreachable')) return false;
    throw error;
  }
}

const requestTo = (
  { transport, port }: Target,
  { nonce }: End,
  type: Request['type'],
  parts: Partial<Request>,
): Request => newRequest({ type, transport, port, nonce, ...parts });

async function exchange(
  io: ProbeIo,
  target: Target,
  end: End,
  type: Request['type'],
  parts: Partial<Request>,
): Promise<Reply> {
  const request = requestTo(target, end, type, parts);
  if (target.transport === 'udp') return (await exchangeDatagram(io, request, end, { leastSends })).reply;
  const conn = await io.connect();
  await conn.write(framed(encodeRequest(request, end.tag)));
  const [high = 0, low = 0] = await conn.read(2);
  const length = (high << 8) | low;
  if (length > mostSize) throw new DecodeError(`${length} bytes announced, more than ${mostSize}`, 0);
  const reply = decodeReply(await conn.read(length), end.tag);
  if (!isAnswerTo(reply, request)) throw new DecodeError('an answer to another question', 0);
  await conn.end();
  return reply;
}

async function exchangeDatagram(
  io: ProbeIo,
  request: Request,
  { tag }: End,
  options: { readonly leastSends?: number; readonly maxSends?: number },
): Promise<{ readonly reply: Reply; readonly sends: number }> {
  const isOurs = (bytes: Uint8Array): boolean => {
    try {
      return isAnswerTo(decodeReply(bytes, tag), request);
    } catch {
      return false; // Whoever has no key is no part of it.
    }
  };
  const { bytes, sends = 1 } = await io.exchange(encodeRequest(request, tag), isOurs, {
    ...options,
    isUnpaced: true,
  });
  return { reply: decodeReply(bytes, tag), sends };
}

/** The further ones of three: none of them is waited for long. */
async function patiently(io: ProbeIo, request: Request, end: End): Promise<Reply | undefined> {
  try {
    return (await io.within(0.25, () => exchangeDatagram(io, request, end, { maxSends: 1 }))).reply;
  } catch (error) {
    if (endedAs(error, 'timeout', 'refused', 'unreachable')) return undefined;
    throw error;
  }
}

const isAnswerTo = (reply: Reply, { type, sequence, nonce, port }: Request): boolean =>
  reply.type === type && reply.sequence === sequence && reply.port === port && Buffer.compare(reply.nonce, nonce) === 0;
