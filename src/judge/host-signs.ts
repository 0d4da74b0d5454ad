/**
 * What a run showed of an address, whichever check showed it. Silence by itself proves little; beside the other checks of
 * the same host it may prove that an answer is missing, or that nobody is there. So silent checks are judged last.
 */
import type { Hint, Observation, Outcome } from '../model/outcome.ts';
import type { Check } from '../model/plan.ts';

/** With these nobody at the address has spoken. */
const silentOutcomes: ReadonlySet<Outcome> = new Set(['unresolved', 'unreachable', 'local', 'aborted', 'timeout']);

/** Fed with every observation of a run, in any order. */
export class HostSigns {
  readonly #alive = new Set<string>();
  readonly #down = new Set<string>();
  readonly #rejected = new Set<string>();
  readonly #dropped = new Set<string>();

  add(check: Check, { address, outcome, stage, hint }: Observation): void {
    if (address === null || check.viaProxy) return;
    if (outcome === 'unreachable') {
      if (hint === 'host-down') this.#down.add(address);
      if (hint === 'icmp-reject') this.#rejected.add(address);
    } else if (check.transport === 'tcp' && outcome === 'timeout' && stage === 'connect') this.#dropped.add(address);
    // A connection that was accepted and then met silence was accepted by somebody.
    else if (!silentOutcomes.has(outcome) || (check.transport === 'tcp' && outcome === 'timeout')) {
      this.#alive.add(address);
    }
  }

  /** The kernel's neighbour table says so, after the last packet. */
  markDown(addresses: Iterable<string>): void {
    for (const address of addresses) this.#down.add(address);
  }

  /** The same observation, with what the rest of the run says about its silence as its hint. */
  settled(check: Check, observation: Observation): Observation {
    if (!isSilence(check, observation)) return observation;
    const hint = this.#hintFor(check, observation);
    return hint === null ? observation : { ...observation, hint };
  }

  /** What other checks say of a silent host, for a row that can prove nothing itself. */
  remark(address: string): string | undefined {
    if (this.#alive.has(address)) return 'the host is alive: it answers on other ports';
    if (this.#down.has(address)) return 'no host answers at this address';
    if (this.#rejected.has(address))
      return 'a firewall rejects other ports of the same host, so this one is probably closed too';
    if (this.#dropped.has(address)) return 'TCP to the same host is dropped as well: a firewall, or the host is down';
    return undefined;
  }

  #hintFor({ transport, isAnswerDue }: Check, { address, evidence }: Observation): Hint | null {
    if (address === null) return null;
    const isAlive = this.#alive.has(address);
    const isDown = this.#down.has(address) && !isAlive;
    if (transport === 'udp') return !isAnswerDue ? null : isAlive ? 'answer-due' : isDown ? 'host-down' : null;
    if (isDown) return 'host-down';
    return !isAlive && evidence['onLink'] === true ? 'host-silent' : null;
  }
}

/** Datagrams without an answer, or SYNs: what the other checks of the host may explain. */
export function isSilence(check: Check, { outcome, stage, hint }: Observation): boolean {
  if (check.viaProxy || outcome !== 'timeout' || hint !== null) return false;
  return check.transport === 'udp' || stage === 'connect';
}
