/**
 * One attempt's lifetime: its absolute deadline, its stage, and everything it opened. Whatever ends the attempt (the
 * answer, the deadline, an interruption) closes all of it, so a slot is free when its attempt is over.
 */
import { NetError, type NetFailure } from '../model/errors.ts';
import type { Stage } from '../model/outcome.ts';
import type { Deadline, Deadlines } from './deadlines.ts';

export class Scope {
  stage: Stage = 'connect';
  /** True once the peer has sent anything at this stage: silence and slowness are told apart by it. */
  heard = false;
  readonly startedAt = performance.now();
  readonly #deadlines: Deadlines;
  readonly #timeoutMs: number;
  #deadline: Deadline;
  #pausedMs = 0;
  readonly #closers = new Set<() => void>();
  readonly #waiters = new Set<(error: NetError) => void>();
  #over: NetError | undefined;

  constructor(deadlines: Deadlines, timeoutMs: number) {
    this.#deadlines = deadlines;
    this.#timeoutMs = timeoutMs;
    this.#deadline = deadlines.add(timeoutMs, () => this.stop(this.#expiry()));
  }

  get elapsedMs(): number {
    return performance.now() - this.startedAt;
  }

  /** A promise that `start` settles, or the end of the attempt does. */
  wait<T>(start: (resolve: (value: T) => void, reject: (error: NetError) => void) => void): Promise<T> {
    if (this.#over) return Promise.reject(this.#over);
    return new Promise((resolve, reject) => {
      const fail = (error: NetError): void => {
        this.#waiters.delete(fail);
        reject(error);
      };
      const done = (value: T): void => {
        this.#waiters.delete(fail);
        resolve(value);
      };
      this.#waiters.add(fail);
      start(done, fail);
    });
  }

  /** Calls `then` after `ms`, unless the attempt is over before. */
  after(ms: number, then: () => void): () => void {
    const entry = this.#deadlines.add(ms, () => {
      this.#closers.delete(cancel);
      then();
    });
    const cancel = (): void => {
      this.#deadlines.cancel(entry);
      this.#closers.delete(cancel);
    };
    this.#closers.add(cancel);
    return cancel;
  }

  /** Stops the attempt's clock until the returned function is called: while we wait for ourselves, not for the peer. */
  pause(): () => void {
    const since = performance.now();
    this.#deadlines.cancel(this.#deadline);
    return () => {
      if (this.#over) return;
      this.#pausedMs += performance.now() - since;
      const left = this.#timeoutMs + this.#pausedMs - this.elapsedMs;
      this.#deadline = this.#deadlines.add(left, () => this.stop(this.#expiry()));
    };
  }

  /** `close` runs when the attempt is over, unless it is taken back. */
  own(close: () => void): () => void {
    if (this.#over) close();
    else this.#closers.add(close);
    return () => void this.#closers.delete(close);
  }

  /** Ends the attempt: every wait rejects, everything is closed. */
  stop(error: NetError): void {
    if (this.#over) return;
    this.#over = error;
    for (const fail of [...this.#waiters]) fail(error);
    this.#waiters.clear();
    this.close();
  }

  close(): void {
    this.#over ??= new NetError({ outcome: 'aborted', stage: this.stage, detail: 'the attempt is over' });
    this.#deadlines.cancel(this.#deadline);
    for (const close of [...this.#closers]) close();
    this.#closers.clear();
  }

  #expiry(): NetError {
    const seconds = `${this.#timeoutMs / 1000} s`;
    const failure: NetFailure = {
      outcome: 'timeout',
      stage: this.stage,
      detail: expiryText[this.stage](seconds, this.heard),
    };
    return new NetError(failure);
  }
}

/** What silence to a SYN is called. */
export const connectExpiry = (timeoutMs: number): string => expiryText.connect(`${timeoutMs / 1000} s`, false);

const expiryText: Readonly<Record<Stage, (seconds: string, heard: boolean) => string>> = {
  resolve: (seconds) => `the name was not resolved in ${seconds}`,
  proxy: (seconds) => `the proxy did not answer CONNECT in ${seconds}`,
  connect: (seconds) => `nothing came back in ${seconds}: the packets are dropped on the way`,
  tls: (seconds, heard) =>
    heard ? `the TLS handshake stalled for ${seconds}` : `no answer to the TLS hello in ${seconds}`,
  exchange: (seconds, heard) => (heard ? `the answer was not complete in ${seconds}` : `no answer in ${seconds}`),
};
