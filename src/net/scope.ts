/**
 * One attempt's lifetime: its absolute deadline, its stage, and everything it opened. Whatever ends the attempt (the
 * answer, the deadline, an interruption) closes all of it, so a slot is free when its attempt is over.
 */
import { NetError, type NetFailure } from '../model/errors.ts';
import type { Stage } from '../model/outcome.ts';
import type { Deadline, Deadlines } from './deadlines.ts';

/** The budget of an attempt, like its deadline: no reply that a probe reads comes near it. */
const maxBytes = 1024 ** 2;

const watchMs = 50;

export class Scope {
  readonly startedAt = performance.now();
  readonly #deadlines: Deadlines;
  #timeoutMs: number;
  /** When the present limit began, by the clock of the deadlines. */
  #since: number;
  #deadline: Deadline;
  #pausedMs = 0;
  #pausedSince: number | undefined;
  #stage: Stage = 'connect';
  /** The peer has sent something at this stage: that is what tells slowness from silence. */
  #isHeard = false;
  #bytes = 0;
  #closers: (() => void)[] = [];
  #waiters: ((error: NetError) => void)[] = [];
  #isOver = false;
  #why: NetError | undefined;
  readonly #expire = (): void => this.stop(this.#expiry());

  constructor(deadlines: Deadlines, timeoutMs: number) {
    this.#deadlines = deadlines;
    this.#timeoutMs = timeoutMs;
    this.#since = deadlines.now();
    this.#deadline = deadlines.add(timeoutMs, this.#expire);
  }

  get stage(): Stage {
    return this.#stage;
  }

  /** What comes now belongs to this stage, of which the peer has said nothing yet. */
  enter(stage: Stage): void {
    this.#stage = stage;
    this.#isHeard = false;
  }

  get timeoutMs(): number {
    return this.#timeoutMs;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** What ended the attempt before its probe did. */
  get endedBy(): NetError | undefined {
    return this.#why;
  }

  get elapsedMs(): number {
    return performance.now() - this.startedAt;
  }

  /** Until the deadline. */
  get leftMs(): number {
    return this.#timeoutMs + this.#pausedMs - (this.#deadlines.now() - this.#since);
  }

  /** A promise that `start` settles, or the end of the attempt does. */
  wait<T>(start: (resolve: (value: T) => void, reject: (error: NetError) => void) => void): Promise<T> {
    if (this.#isOver) return Promise.reject(this.#why ?? tooLate(this.#stage));
    return new Promise((resolve, reject) => {
      const fail = (error: NetError): void => {
        remove(this.#waiters, fail);
        reject(error);
      };
      const done = (value: T): void => {
        remove(this.#waiters, fail);
        resolve(value);
      };
      this.#waiters.push(fail);
      start(done, fail);
    });
  }

  /** Calls `then` after `ms`, unless the attempt is over before. */
  after(ms: number, then: () => void): () => void {
    if (this.#isOver) return nothing;
    const entry = this.#deadlines.add(ms, () => {
      this.#forget(cancel);
      then();
    });
    const cancel = (): void => {
      this.#deadlines.cancel(entry);
      this.#forget(cancel);
    };
    this.#closers.push(cancel);
    return cancel;
  }

  /** How long the clock stood still so far. */
  get pausedMs(): number {
    const ongoing = this.#pausedSince === undefined ? 0 : this.#deadlines.now() - this.#pausedSince;
    return this.#pausedMs + ongoing;
  }

  /** Stops the attempt's clock until the returned function is called: while we wait for ourselves, not for the peer. */
  pause(): () => void {
    const since = this.#deadlines.now();
    this.#pausedSince = since;
    this.#deadlines.cancel(this.#deadline);
    return () => {
      this.#pausedSince = undefined;
      if (this.#isOver) return;
      this.#pausedMs += this.#deadlines.now() - since;
      this.#deadline = this.#deadlines.add(this.leftMs, this.#expire);
    };
  }

  /** The clock begins anew: what comes now is another peer's time, the proxy's or the destination's behind it. */
  restart(timeoutMs: number): void {
    if (this.#isOver) return;
    this.#deadlines.cancel(this.#deadline);
    this.#timeoutMs = timeoutMs;
    this.#since = this.#deadlines.now();
    this.#pausedMs = 0;
    this.#deadline = this.#deadlines.add(timeoutMs, this.#expire);
  }

  /** Counts bytes of the peer. No answer needs a megabyte, and a peer that sends more might never stop. */
  received(bytes: number): void {
    this.#isHeard = true;
    this.#bytes += bytes;
    if (this.#bytes > maxBytes) this.#flood();
  }

  /** The same for a socket whose bytes the system hands to a library: looked at from time to time. */
  watch(stream: { readonly bytesRead: number }, from = stream.bytesRead): void {
    const look = (): void => {
      if (stream.bytesRead > from) this.#isHeard = true;
      if (stream.bytesRead - from > maxBytes) this.#flood();
      else this.after(watchMs, look);
    };
    this.after(watchMs, look);
  }

  /** Calls `close` when the attempt is over, unless the returned function is called before. */
  onClose(close: () => void): () => void {
    if (this.#isOver) close();
    else this.#closers.push(close);
    return () => this.#forget(close);
  }

  /** Ends the attempt: every wait rejects, everything is closed. */
  stop(error: NetError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#why = error;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const fail of waiters) fail(error);
    this.close();
  }

  close(): void {
    this.#isOver = true;
    this.#deadlines.cancel(this.#deadline);
    const closers = this.#closers;
    this.#closers = [];
    for (const close of closers) close();
  }

  #forget(close: () => void): void {
    remove(this.#closers, close);
  }

  #flood(): void {
    const detail = `the peer sent more than ${maxBytes / 1024 ** 2} MiB where a short answer belongs`;
    this.stop(new NetError({ outcome: 'garbled', stage: this.#stage, detail, remedy: floodRemedy }));
  }

  #expiry(): NetError {
    const seconds = `${this.#timeoutMs / 1000} s`;
    const failure: NetFailure = {
      outcome: 'timeout',
      stage: this.#stage,
      detail: expiryText[this.#stage](seconds, this.#isHeard),
      ...(this.#stage === 'tls' && { remedy: this.#isHeard ? stalledRemedy : muteRemedy }),
    };
    return new NetError(failure);
  }
}

const tooLate = (stage: Stage): NetError => new NetError({ outcome: 'aborted', stage, detail: 'the attempt is over' });

const nothing = (): void => undefined;

/** An attempt holds few things: searching them is cheaper than a Set. */
function remove<T>(from: T[], what: T): void {
  const index = from.indexOf(what);
  if (index >= 0) from.splice(index, 1);
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

const floodRemedy = 'Find out what listens there: what it sends has no end, which no such service does.';

const stalledRemedy =
  'Look for lost large packets first (a tunnel with a smaller MTU whose ICMP is dropped: ping -M do -s 1472), then for a device that inspects TLS.';

const muteRemedy =
  'Look for a device on the way that inspects TLS or loses large packets (ping -M do -s 1472), then at the service itself: it accepts and says nothing.';
