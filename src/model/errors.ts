/** The three kinds of error there are (the third, DecodeError, is in wire/reader.ts). Anything else is a bug. */
import type { Hint, Outcome, Stage } from './outcome.ts';

/** A bad argument, spec or site: what is wrong, where (file:line:column) and what to do. Exit code 2, nothing was sent. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export interface NetFailure {
  readonly outcome: Outcome;
  readonly stage: Stage | null;
  readonly detail: string;
  readonly code?: string;
  readonly hint?: Hint;
  /** What to do about it, where the one who saw it knows more than the outcome tells. */
  readonly remedy?: string;
}

/** The conversation could not go on: the floor that saw it says with which outcome, and at which stage. */
export class NetError extends Error {
  override readonly name = 'NetError';
  readonly failure: NetFailure;

  constructor(failure: NetFailure, options?: ErrorOptions) {
    super(failure.detail, options);
    this.failure = failure;
  }
}

/** Whether the conversation ended in one of these ways. */
export const endedAs = (error: unknown, ...outcomes: readonly Outcome[]): error is NetError =>
  error instanceof NetError && outcomes.includes(error.failure.outcome);
