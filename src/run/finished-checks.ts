/** Observations come out of a check until it is finished, and none after that: also when the run is stopped. */
import type { Observation } from '../model/outcome.ts';
import type { Check } from '../model/plan.ts';
import { unfinished } from './attempt.ts';

export interface ObservedCheck {
  /** Of the check among those of the run. */
  readonly index: number;
  readonly check: Check;
  readonly observation: Observation;
  /** The check has no further address. */
  readonly isLast: boolean;
}

export type OnObservation = (observed: ObservedCheck) => void;

export class FinishedChecks {
  readonly #checks: readonly Check[];
  readonly #onObservation: OnObservation;
  /** 1 at the index of each check that is finished. */
  readonly #isFinished: Uint8Array;

  constructor(checks: readonly Check[], onObservation: OnObservation) {
    this.#checks = checks;
    this.#onObservation = onObservation;
    this.#isFinished = new Uint8Array(checks.length);
  }

  emit(index: number, observation: Observation, isLast: boolean): void {
    if (this.#isFinished[index] === 1) return;
    if (isLast) this.finish(index);
    this.#onObservation({ index, check: this.#checks[index]!, observation, isLast });
  }

  /** There is nothing to tell of it. */
  finish(index: number): void {
    this.#isFinished[index] = 1;
  }

  /** Every check that is not finished is given up for this reason. */
  emitRest(why: string): void {
    for (const [index, check] of this.#checks.entries()) this.emit(index, unfinished(check, why), true);
  }
}
