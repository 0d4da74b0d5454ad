/** A check at one address, and what belongs to it while it is tried. */
import type { Answer, Observation } from '../model/outcome.ts';
import type { Check } from '../model/plan.ts';
import type { Probe } from '../model/probe.ts';

/** What the addresses of one name have in common. */
export interface NamedCheck {
  readonly notes: readonly string[];
  /** Those without an observation yet. */
  addressesLeft: number;
}

/**
 * What waits in the pool: a job, or the index of a check at a literal address. Such checks come by the hundred thousand, and
 * a number costs no memory: its job is made when its turn has come.
 */
export type Task = Job | number;

export class Job {
  /** Of the check in the plan. */
  readonly index: number;
  readonly check: Check;
  readonly probe: Probe;
  readonly address: string;
  /** Undefined for a check at a literal address. */
  named: NamedCheck | undefined = undefined;
  readonly answerOnConnect: Answer | undefined;
  /** How often it was put back because this machine was out of resources. */
  putBacks = 0;
  /** Of the attempt under way. */
  startedAt = '';
  startedMs = NaN;
  release = nothing;

  constructor(index: number, check: Check, probe: Probe, address: string) {
    this.index = index;
    this.check = check;
    this.probe = probe;
    this.answerOnConnect = answerOnConnect(check, probe);
    this.address = address;
  }

  /** Its address is done. True when it was the last one of the check. */
  finish(): boolean {
    if (!this.named) return true;
    this.named.addressesLeft -= 1;
    return this.named.addressesLeft === 0;
  }

  /** The observation, with what is to be noted of the name. */
  noted(observation: Observation): Observation {
    if (!this.named || this.named.notes.length === 0) return observation;
    return { ...observation, notes: [...observation.notes, ...this.named.notes] };
  }
}

/** What a completed handshake answers to the check, when that is all there is to it. */
export function answerOnConnect(check: Check, probe: Probe | undefined): Answer | undefined {
  return check.viaProxy || check.transport !== 'tcp' ? undefined : probe?.answerOnConnect?.(check.options);
}

const nothing = (): void => undefined;
