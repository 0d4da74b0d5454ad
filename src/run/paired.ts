/** What a run asks of whoever knows the other ends. Without a pair there is nobody, and nothing of it is loaded. */
import type { Observation } from '../model/outcome.ts';
import type { Check } from '../model/plan.ts';
import type { Probe, ProbeIo, Target } from '../model/probe.ts';

/** What was seen of a check at one address. */
export interface SeenAtAddress {
  readonly check: Check;
  readonly observation: Observation;
}

/** Opens one conversation of its own, under one deadline; rejects as a probe's conversation does. */
export type Converse = <T>(target: Target, timeoutMs: number, talk: (io: ProbeIo) => Promise<T>) => Promise<T>;

export interface Paired {
  /** How the check is made at this address: where a responder holds the port, it is asked instead. */
  probeFor(check: Check, address: string, probe: Probe): Probe;
  /** Its datagrams go to somebody who answers: they wait for no rhythm of ICMP errors. */
  isUnpaced(check: Check, address: string): boolean;
  /** The other end is to be asked what it saw, when everything has been sent. */
  waits(seen: SeenAtAddress): boolean;
  /** The same observations, in their order, with what the other ends know of them. Never rejects. */
  conclude(waiting: readonly SeenAtAddress[], converse: Converse): Promise<readonly Observation[]>;
}
