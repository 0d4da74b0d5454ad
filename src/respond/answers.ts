/**
 * What a responder answers, and what it remembers of who asked: pure but for the clock and the witnesses that it is given.
 * Who does not hold the key, sends to another port than the message names, or comes from elsewhere than it may, gets no
 * byte. A reply is never longer than its request, and the same request is answered three times at the most.
 */
import {
  decodeRequest,
  encodeReply,
  replySize,
  type Asked,
  type Port,
  type Proof,
  type Receipt,
  type Reply,
  type Request,
  type Tag,
} from '../wire/pair.ts';
import { BoundedMap, RateLimit } from './limits.ts';

interface Peer {
  readonly address: string;
  readonly port: number;
}

/** What came to a port under one nonce. */
export interface Arrival extends Port {
  readonly nonce: string;
  readonly from: string;
  readonly fromPort: number;
  /** Datagrams or connections. */
  seen: number;
  bytes: number;
}

/** What else saw packets to a port that a service holds. */
export interface Sighting {
  readonly proof: Proof;
  readonly seen: number;
  readonly bytes: number;
}

interface SilentConnection {
  readonly address: string;
  readonly port: number;
  readonly atMs: number;
  toldTo: string | null;
}

export interface AnswersOptions {
  readonly tag: Tag;
  /** May this address ask? */
  readonly allows: (address: string) => boolean;
  readonly nowMs: () => number;
  /** Its own nonces count for nothing: by them it finds out that it is ready. */
  readonly ownNonce: string;
  /** What an address must give back before anything is sent to it. */
  readonly challengeFor: (address: string, nonce: Uint8Array) => Uint8Array;
  readonly sighting: (source: string, asked: Asked, nonce: string) => Sighting | undefined;
  /** Somebody with the key was seen on a port for the first time. */
  readonly onArrival: (arrival: Arrival) => void;
  readonly onBye: (address: string) => void;
  /** Asks back, at this address alone. */
  readonly onBack: (address: string, request: Request) => void;
}

const [perSource, inAll] = [50, 500];
const mostEntries = 10_000;
const mostReplies = 3;
/** A check asks what came within seconds. */
const silentMs = 60_000;

export class Answers {
  readonly #options: AnswersOptions;
  readonly #arrivals = new BoundedMap<string, Arrival>(mostEntries);
  readonly #replied = new BoundedMap<string, number>(mostEntries);
  readonly #rates = new BoundedMap<string, RateLimit>(mostEntries);
  /** Connections on which nothing of a check has come, by their two ends. */
  readonly #silent = new BoundedMap<string, SilentConnection>(mostEntries);
  readonly #rate: RateLimit;

  constructor(options: AnswersOptions) {
    this.#options = options;
    this.#rate = new RateLimit(inAll, options.nowMs());
  }

  get arrivals(): readonly Arrival[] {
    return [...this.#arrivals.values()];
  }

  accepted(from: Peer, { port }: Port): void {
    const connection = { address: from.address, port, atMs: this.#options.nowMs(), toldTo: null };
    this.#silent.set(connectionKey(from, port), connection);
  }

  /** Undefined is silence. */
  answer(message: Uint8Array, from: Peer, at: Port): Uint8Array | undefined {
    const request = this.#read(message, at);
    if (!request) return undefined;
    const nonce = Buffer.from(request.nonce).toString('hex');
    const isOwn = nonce === this.#options.ownNonce;
    if (at.transport === 'tcp') this.#silent.delete(connectionKey(from, at.port));
    if (!isOwn && !this.#options.allows(from.address)) return undefined;
    const seen = isOwn ? 1 : this.#count(request, nonce, from, message.length);
    if (!this.#mayReply(`${nonce} ${at.transport} ${at.port} ${request.sequence}`, from.address)) return undefined;
    return encodeReply(this.#replyTo(request, from, seen), this.#options.tag);
  }

  #read(message: Uint8Array, at: Port): Request | undefined {
    try {
      const request = decodeRequest(message, this.#options.tag);
      const isHere = request.port === at.port && request.transport === at.transport;
      return isHere && request.size >= replySize(request) ? request : undefined;
    } catch {
      return undefined; // Not one of ours: nothing is said about why.
    }
  }

  #count({ type, transport, port }: Request, nonce: string, from: Peer, bytes: number): number {
    const key = `${nonce} ${transport} ${port}`;
    const known = this.#arrivals.get(key);
    if (type !== 'probe') return known?.seen ?? 0;
    if (known) {
      known.seen += 1;
      known.bytes = Math.max(known.bytes, bytes);
      return known.seen;
    }
    const arrival: Arrival = { transport, port, nonce, from: from.address, fromPort: from.port, seen: 1, bytes };
    this.#arrivals.set(key, arrival);
    this.#options.onArrival(arrival);
    return 1;
  }

  #mayReply(key: string, source: string): boolean {
    const replied = this.#replied.get(key) ?? 0;
    if (replied >= mostReplies) return false;
    const now = this.#options.nowMs();
    let rate = this.#rates.get(source);
    if (!rate) this.#rates.set(source, (rate = new RateLimit(perSource, now)));
    if (!rate.take(now) || !this.#rate.take(now)) return false;
    this.#replied.set(key, replied + 1);
    return true;
  }

  #replyTo(request: Request, from: Peer, seen: number): Reply {
    const { type, transport, port, sequence, nonce } = request;
    const { challengeFor, onBye, onBack } = this.#options;
    const challenge = type === 'back' ? challengeFor(from.address, nonce) : new Uint8Array(16);
    if (type === 'back' && Buffer.compare(challenge, request.challenge) === 0) onBack(from.address, request);
    if (type === 'bye') onBye(from.address);
    return {
      ...{ type, transport, port, sequence, nonce, challenge, seen },
      size: replySize(request),
      source: from.address,
      sourcePort: from.port,
      receipts: request.asked.map((asked) => this.#receiptFor(asked, request, from.address)),
    };
  }

  /** Lately, and not told to another check: what an earlier one opened proves nothing of this one. */
  #silentFrom(source: string, port: number, check: string): number {
    const now = this.#options.nowMs();
    const found = [...this.#silent.values()].filter(
      (one) =>
        one.address === source && one.port === port && now - one.atMs < silentMs && (one.toldTo ?? check) === check,
    );
    for (const one of found) one.toldTo = check;
    return found.length;
  }

  #receiptFor(asked: Asked, { nonce }: Request, source: string): Receipt {
    const { transport, port } = asked;
    const check = Buffer.from(nonce).toString('hex');
    const arrival = this.#arrivals.get(`${check} ${transport} ${port}`);
    if (arrival)
      return { transport, port, proof: 'receipt', seen: arrival.seen, bytes: arrival.bytes, source: arrival.from };
    // A connection on which nothing came has no nonce; what is known of it is whose it was.
    const silent = transport === 'tcp' ? this.#silentFrom(source, port, check) : 0;
    if (silent > 0) return { transport, port, proof: 'receipt', seen: silent, bytes: 0, source };
    const sighting = this.#options.sighting(source, asked, check);
    return { transport, port, source, proof: 'none', seen: 0, bytes: 0, ...sighting };
  }
}

const connectionKey = (from: Peer, port: number): string => `${from.address} ${from.port} ${port}`;
