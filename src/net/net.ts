/** What all attempts of a run share: opened at its beginning, closed at its end. */
import { Deadlines } from './deadlines.ts';
import { Neighbours } from './neighbours.ts';
import { OwnLinks } from './own-links.ts';
import { Pacer } from './pacer.ts';
import type { Proxy } from './proxy.ts';
import { NameResolver, type Family } from './resolver.ts';
import { SocketBudget } from './socket-budget.ts';
import { DatagramSockets } from './datagram-sockets.ts';
import { SynRetransmits } from './syn-retransmits.ts';
import { SecureContexts } from './tls.ts';

export interface NetSettings {
  readonly concurrency: number;
  readonly timeoutMs: number;
  /** Resends of a lost datagram. */
  readonly retries: number;
  readonly family: Family;
  readonly sourceAddress: string | undefined;
  readonly proxy: Proxy | null;
  /** PEM roots beside Node's own. */
  readonly trust: readonly string[];
  /** The trusted roots stand for public ones: a demonstration brings its own world. */
  readonly arePublicRoots?: boolean;
}

export interface NetContext {
  readonly deadlines: Deadlines;
  readonly pacer: Pacer;
  readonly budget: SocketBudget;
  readonly sockets: DatagramSockets;
  readonly resolver: NameResolver;
  readonly contexts: SecureContexts;
  readonly proxy: Proxy | null;
  readonly sourceAddress: string | undefined;
  /** How often a datagram is sent again. */
  readonly retries: number;
  readonly counters: { connects: number; datagrams: number };
  readonly synRetransmits: SynRetransmits;
  readonly neighbours: Neighbours;
  readonly links: OwnLinks;
  close(): void;
}

/** Each of the two tries at a name has half of an attempt's time, and never less than this. */
const leastLookupMs = 250;

export function openNet(settings: NetSettings): NetContext {
  const { sourceAddress, family, timeoutMs, proxy, retries, trust, arePublicRoots = false } = settings;
  const deadlines = new Deadlines();
  const budget = new SocketBudget(settings.concurrency);
  const sockets = new DatagramSockets({ sourceAddress, budget });
  const resolver = new NameResolver({
    family,
    timeoutMs: Math.max(leastLookupMs, Math.floor(timeoutMs / 2)),
    tries: 2,
  });
  return {
    deadlines,
    pacer: new Pacer(),
    budget,
    sockets,
    resolver,
    contexts: new SecureContexts({ extra: trust, arePublic: arePublicRoots }),
    proxy,
    sourceAddress,
    retries,
    counters: { connects: 0, datagrams: 0 },
    synRetransmits: new SynRetransmits(),
    neighbours: new Neighbours(deadlines),
    links: new OwnLinks(),
    close: () => {
      resolver.cancel();
      sockets.close();
      deadlines.clear();
    },
  };
}
