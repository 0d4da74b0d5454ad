/**
 * A responder from its first look at the machine to its end: which ports are free and who holds the rest, the free ones
 * bound and proven to answer, everything that came there remembered, and nothing left when it is over.
 */
import type { Pair, PortReceipt, Receipts } from '../model/pair.ts';
import { pairSchema, receiptsSchema } from '../model/pair.ts';
import { ask } from '../net/ask.ts';
import { crypto, keyId, randomBytes, tagWith } from '../net/crypto.ts';
import { codeOf } from '../net/failure.ts';
import { heldPorts, holderOf, type Holder } from '../net/held-ports.ts';
import type { Networks } from '../net/networks.ts';
import { StandIns } from '../net/stand-ins.ts';
import { encodeRequest, newRequest, type Port, type Request } from '../wire/pair.ts';
import { Answers, type Arrival } from './answers.ts';
import type { WantedPort } from './wanted.ts';
import { Witnesses, type WitnessOptions } from './witnesses.ts';

export type PortState =
  | { readonly state: 'free' | 'bound' }
  | { readonly state: 'held'; readonly holder: Holder | undefined }
  | { readonly state: 'failed'; readonly why: string };

export type SurveyedPort = WantedPort & PortState;

/** Before anything is bound: what is free, and who holds the rest. */
export function survey(wanted: readonly WantedPort[]): SurveyedPort[] {
  const held = heldPorts();
  return wanted.map((port): SurveyedPort => {
    const holding = held.find((one) => one.transport === port.transport && one.port === port.port);
    return holding ? { ...port, state: 'held', holder: holderOf(holding.inodes) } : { ...port, state: 'free' };
  });
}

export interface ResponderOptions extends Pick<WitnessOptions, 'logs' | 'usesConntrack' | 'captures'> {
  readonly ports: readonly WantedPort[];
  /** Each port is opened at each of them. */
  readonly addresses: readonly [string, ...string[]];
  readonly host: string;
  readonly roles: readonly string[];
  readonly until: Date;
  /** Who may ask; undefined is whoever holds the key. */
  readonly from: Networks | undefined;
  /** Those of pairs that others gave out, where the asker listens too. @default one new one */
  readonly keys?: readonly [Uint8Array, ...Uint8Array[]];
  onArrival?(arrival: Arrival): void;
  onBye?(address: string): void;
}

const readyMs = 1500;
const backSends = 3;
const backMs = 400;

export class Responder {
  readonly pair: Pair;
  readonly ports: readonly SurveyedPort[];
  readonly witnesses: Witnesses;
  readonly #startedAt = new Date();
  readonly #standIns: StandIns;
  readonly #answers: readonly Answers[];

  /** Resolves when every port that is said to be bound has answered. A port that cannot be bound is told as `failed`. */
  static async start(options: ResponderOptions): Promise<Responder> {
    const [key, ...others] = options.keys ?? [crypto().randomBytes(32)];
    const tags = [key, ...others].map(tagWith);
    const ownNonce = randomBytes(16);
    const secret = crypto().randomBytes(32);
    let isReady = false;
    let witnesses: Witnesses | undefined;
    const answers = tags.map(
      (tag) =>
        new Answers({
          tag,
          allows: (address) => options.from?.has(address) ?? true,
          nowMs: () => performance.now(),
          ownNonce: Buffer.from(ownNonce).toString('hex'),
          challengeFor: (address, nonce) => tagWith(secret)(Buffer.from(address), nonce),
          sighting: (source, asked, nonce) => witnesses?.sighting(source, asked, nonce),
          onArrival: (arrival) => options.onArrival?.(arrival),
          onBye: (address) => options.onBye?.(address),
          onBack: (address, request) => void askBack(address, request, tag),
        }),
    );
    const standIns = new StandIns({
      answer: (message, from, at) => firstOf(answers, (each) => each.answer(message, from, at)),
      accepted: (from, at) => (isReady ? answers.forEach((each) => each.accepted(from, at)) : undefined),
    });
    const ports = await openAll(options, standIns);
    for (const [i, port] of ports.entries()) {
      if (port.state !== 'bound') continue;
      if (await answersItself(port, options.addresses, ownNonce, tags[0]!)) continue;
      await standIns.shut(port.transport, port.port);
      ports[i] = { ...port, state: 'failed', why: 'it was bound and does not answer this machine itself' };
    }
    isReady = true;
    witnesses = new Witnesses({ ...options, held: ports.filter(({ state }) => state === 'held') });
    await witnesses.ready;
    return new Responder(options, { key, ports, standIns, answers, witnesses });
  }

  private constructor(
    options: ResponderOptions,
    parts: {
      readonly key: Uint8Array;
      readonly ports: readonly SurveyedPort[];
      readonly standIns: StandIns;
      readonly answers: readonly Answers[];
      readonly witnesses: Witnesses;
    },
  ) {
    const { key, ports, standIns, answers, witnesses } = parts;
    this.ports = ports;
    this.witnesses = witnesses;
    this.#standIns = standIns;
    this.#answers = answers;
    const { host, addresses, roles, until } = options;
    this.pair = {
      schema: pairSchema,
      key: Buffer.from(key).toString('base64url'),
      host,
      addresses: [...addresses],
      roles: [...roles],
      until: until.toISOString(),
      bound: listsOf(ports, 'bound'),
      held: listsOf(ports, 'held'),
    };
  }

  /** What came so far. */
  get arrivals(): readonly Arrival[] {
    return this.#answers.flatMap(({ arrivals }) => arrivals);
  }

  receipts(ended: Receipts['ended']): Receipts {
    this.witnesses.look();
    const { host, addresses, roles, key } = this.pair;
    return {
      schema: receiptsSchema,
      pair: keyId(Buffer.from(key, 'base64url')),
      host,
      addresses,
      roles,
      startedAt: this.#startedAt.toISOString(),
      endedAt: new Date().toISOString(),
      ended,
      ports: this.ports.flatMap((port) => this.#receiptsOf(port)),
    };
  }

  async close(): Promise<void> {
    this.witnesses.close();
    await this.#standIns.close();
  }

  /** One for each check that came to it, or one that says that nothing did. */
  #receiptsOf({ transport, port, state, rows }: SurveyedPort): PortReceipt[] {
    const isIt = (one: Port): boolean => one.transport === transport && one.port === port;
    const receipt = (parts: Partial<PortReceipt>): PortReceipt => ({
      ...{ transport, port, row: [...rows], state: state === 'free' ? 'failed' : state },
      ...{ proof: 'none', from: null, fromPort: null, nonce: null, mark: null, datagrams: 0, maxBytes: 0 },
      ...parts,
    });
    const arrived = this.arrivals
      .filter(isIt)
      .map(({ from, fromPort, nonce, seen, bytes }) =>
        receipt({ proof: 'receipt', from, fromPort, nonce, datagrams: seen, maxBytes: bytes }),
      );
    const witnessed = this.witnesses.found
      .filter(isIt)
      .map(({ proof, source, sourcePort, mark, seen, toldTo }) =>
        receipt({ proof, from: source, fromPort: sourcePort, nonce: toldTo, mark, datagrams: seen }),
      );
    const all = [...arrived, ...witnessed];
    return all.length > 0 ? all : [receipt({})];
  }
}

function firstOf<T, R>(items: readonly T[], find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

function listsOf(ports: readonly SurveyedPort[], state: PortState['state']): Pair['bound'] {
  const of = (transport: Port['transport']): number[] =>
    ports.filter((one) => one.state === state && one.transport === transport).map(({ port }) => port);
  return { udp: of('udp'), tcp: of('tcp') };
}

/** Somebody may be quicker than our look: what is taken by then is held. */
async function openAll({ ports, addresses }: ResponderOptions, standIns: StandIns): Promise<SurveyedPort[]> {
  const surveyed = survey(ports);
  const opened: SurveyedPort[] = [];
  for (const port of surveyed) {
    if (port.state !== 'free') {
      opened.push(port);
      continue;
    }
    try {
      const taken = await standIns.open(port.transport, port.port, addresses);
      opened.push({ ...port, port: taken, state: 'bound' });
    } catch (error) {
      const code = codeOf(error) ?? String(error);
      opened.push(
        code === 'EADDRINUSE' ? { ...port, state: 'held', holder: undefined } : { ...port, state: 'failed', why: code },
      );
    }
  }
  return opened;
}

async function answersItself(
  { transport, port }: Port,
  addresses: readonly string[],
  nonce: Uint8Array,
  tag: ReturnType<typeof tagWith>,
): Promise<boolean> {
  const asked = addresses.map((address, i) => {
    const request = newRequest({ type: 'probe', transport, port, nonce, sequence: i + 1 });
    return ask({ transport, address, port, message: encodeRequest(request, tag), sends: 2, timeoutMs: readyMs });
  });
  return (await Promise.all(asked)).every((answer) => answer !== undefined);
}

/** The other end listens too, and wants to know whether it is reached: three datagrams, or one connection. */
async function askBack(address: string, { back, nonce }: Request, tag: ReturnType<typeof tagWith>): Promise<void> {
  const askOnce = (port: Port, sequence: number): Promise<unknown> => {
    const message = encodeRequest(newRequest({ type: 'probe', ...port, nonce, sequence }), tag);
    return ask({ ...port, address, message, sends: 1, timeoutMs: port.transport === 'tcp' ? readyMs : backMs });
  };
  await Promise.all(
    back.map(async (port) => {
      // One after the other: a burst is what queues on the way drop.
      for (let i = 1; i <= (port.transport === 'tcp' ? 1 : backSends); i += 1) await askOnce(port, i);
    }),
  );
}
