/** The other ends of a run: which pair answers for an address and port, and what is known of it so far. */
import { canonicalHost, familyOf } from '../model/address.ts';
import type { Pair } from '../model/pair.ts';
import type { Transport } from '../model/probe.ts';
import type { Port, Tag } from '../wire/pair.ts';

/** A pair as this run uses it. Its nonce is the run's own. */
export interface End {
  readonly pair: Pair;
  readonly tag: Tag;
  readonly nonce: Uint8Array;
  /** Resolves when one more datagram may ask for an answer: the other end gives so many a second. */
  readonly turn: () => Promise<void>;
  /** This program started the responder itself. */
  readonly isOurs: boolean;
  /** The ports that answered, by address, in that order: what they carried, others' receipts can take too. */
  readonly ways: Map<string, Way[]>;
}

export interface Way extends Port {
  /** Where our packets come from, as the other end sees it. */
  readonly source: string;
}

export type Holding = 'bound' | 'held';

export class Ends {
  /** In the order in which they were given. */
  readonly given: readonly End[];
  readonly all: readonly End[];
  readonly #byAddress = new Map<string, End[]>();

  constructor(ends: readonly End[]) {
    this.given = ends;
    // Of two pairs for one port the later one speaks: its responder was started after the other's.
    this.all = ends.toSorted((a, b) => Date.parse(b.pair.until) - Date.parse(a.pair.until));
    for (const end of this.all) {
      for (const address of end.pair.addresses.map(canonicalHost)) {
        const known = this.#byAddress.get(address) ?? [];
        this.#byAddress.set(address, [...known, end]);
      }
    }
  }

  /** Undefined where no pair knows the port. */
  holding(address: string, transport: Transport, port: number): { end: End; as: Holding } | undefined {
    const ends = this.#byAddress.get(canonicalHost(address)) ?? [];
    for (const as of ['bound', 'held'] as const) {
      const end = ends.find(({ pair }) => pair[as][transport].includes(port));
      if (end) return { end, as };
    }
    return undefined;
  }

  /** Ports that two pairs say to hold: the same address twice, or one of them is old. */
  get conflicts(): readonly string[] {
    const told = [...this.#byAddress].flatMap(([address, ends]) =>
      (['udp', 'tcp'] as const).flatMap((transport) => {
        const ports = ends.flatMap(({ pair }) => [...new Set(pair.bound[transport])]);
        const twice = [...new Set(ports.filter((port, i) => ports.indexOf(port) !== i))];
        return twice.map(
          (port) =>
            `two pairs say that they hold ${transport} ${port} of ${address}: the one that ends later is believed`,
        );
      }),
    );
    return told;
  }
}

/** A responder answers 50 times a second, and twice that after a quiet moment; first questions go ahead of the others. */
const [freely, everyMs] = [30, 25];

/** Thirty at once, then forty a second. */
export function turns(): () => Promise<void> {
  let nextMs = performance.now() - freely * everyMs;
  return () => {
    const now = performance.now();
    nextMs = Math.max(nextMs + everyMs, now - freely * everyMs);
    const waitMs = nextMs - now;
    return waitMs <= 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, waitMs));
  };
}

/** The ways over which the other end at this address may be asked: what worked first, then whatever it holds. */
export function waysTo(end: End, address: string): readonly Port[] {
  const worked = end.ways.get(address) ?? [];
  if (worked.length > 0) return worked;
  const { tcp, udp } = end.pair.bound;
  return [
    ...tcp.slice(0, mostTries).map((port): Port => ({ transport: 'tcp', port })),
    ...udp.slice(0, mostTries).map((port): Port => ({ transport: 'udp', port })),
  ];
}

/** Of each transport. */
const mostTries = 3;

/** What fits into one packet of 1500 bytes, by IPv4 and IPv6, and of 9000. */
export const payloadOf = (mtu: number, address: string): number => mtu - (familyOf(address) === 6 ? 48 : 28);
