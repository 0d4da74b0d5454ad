/**
 * The bounded-concurrency pool: how many checks are in flight, and when the next may start. Who that is, its Turns say. It
 * starts what may start once in a turn of the event loop, so that what comes back is read between two of them.
 */
import type { SocketBudget } from '../net/socket-budget.ts';
import { Limit, silenceMs } from './limit.ts';
import { Rate } from './rate.ts';
import { Turns, type Host, type Lane } from './turns.ts';

export interface PoolOptions {
  /** Checks in flight, which is sockets: an attempt has one at a time. */
  readonly concurrency: number;
  /** How far the pool may raise that by itself, while silence holds its places. Absent: not at all. */
  readonly growTo?: number | undefined;
  readonly perHost: number;
  /** New checks a second. */
  readonly rate: number;
}

export interface PoolClock {
  now(): number;
  /** Calls `then` once, after `ms`. */
  after(ms: number, then: () => void): void;
  /** Calls `then` in the next turn of the event loop. */
  nextTurn(then: () => void): void;
}

export interface PoolRules<T> {
  /** Begins, and calls `done` once when its socket is closed. */
  start(task: T, done: () => void): void;
  /** How many may begin in this turn of the event loop. */
  room(): number;
  /** Milliseconds until a host may get one more datagram. */
  datagramDelayMs(address: string): number;
}

export class Pool<T> {
  readonly #budget: SocketBudget;
  readonly #clock: PoolClock;
  readonly #rules: PoolRules<T>;
  readonly #limit: Limit;
  readonly #rate: Rate;
  readonly #turns: Turns<T>;
  #waiting = 0;
  /** Since the pool was last seen full. */
  #ended = 0;
  #isAwake = false;
  #awaitsRate = false;
  #watchesSilence = false;
  #isStopped = false;
  #onIdle: (() => void)[] = [];

  /** `budget`: who else opens sockets sees in it how many are in flight. */
  constructor(options: PoolOptions, budget: SocketBudget, clock: PoolClock, rules: PoolRules<T>) {
    const { concurrency, growTo, perHost, rate } = options;
    this.#budget = budget;
    this.#clock = clock;
    this.#rules = rules;
    this.#limit = new Limit(concurrency, growTo);
    this.#rate = new Rate(rate, rules.room(), clock.now());
    const turnRules = {
      perHost,
      datagramDelayMs: (address: string): number => rules.datagramDelayMs(address),
      after: (ms: number, then: () => void): void => clock.after(ms, then),
      onReady: (): void => this.#wake(),
    };
    this.#turns = new Turns(turnRules, this.#onDone);
  }

  /** `host`: the address, which `perHost` counts. */
  add(task: T, host: string, isDatagram: boolean): void {
    if (this.#isStopped) return;
    this.#waiting += 1;
    this.#turns.add(task, host, isDatagram);
  }

  /** This machine had nothing left for a task that is in flight: it waits again, and is taken up after `afterMs`. */
  putBack(task: T, host: string, isDatagram: boolean, afterMs: number): void {
    if (this.#isStopped) return;
    this.#waiting += 1;
    this.#limit.halve(this.#budget.inUse, this.#clock.now());
    this.#clock.after(afterMs, () => {
      if (!this.#isStopped) this.#turns.add(task, host, isDatagram);
    });
  }

  /** Resolves when nothing waits and nothing is in flight. */
  idle(): Promise<void> {
    if (this.#isIdle()) return Promise.resolve();
    return new Promise((resolve) => void this.#onIdle.push(resolve));
  }

  /** Nothing more is started. What waits is dropped; what is in flight is ended by its owner. */
  stop(): void {
    this.#isStopped = true;
    this.#turns.stop();
    this.#waiting = 0;
    this.#tellIdle();
  }

  #isIdle(): boolean {
    return this.#waiting === 0 && this.#budget.inUse === 0;
  }

  #tellIdle(): void {
    if (!this.#isIdle()) return;
    for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  #wake(): void {
    if (this.#isAwake) return;
    this.#isAwake = true;
    this.#clock.nextTurn(this.#launchSome);
  }

  readonly #launchSome = (): void => {
    this.#isAwake = false;
    const now = this.#clock.now();
    this.#limit.recover(now);
    const places = this.#limit.current - this.#budget.inUse;
    const most = Math.min(this.#rules.room(), places, this.#rate.allowed(now));
    for (let started = 0; started < most; started += 1) {
      const lane = this.#turns.next();
      if (!lane) return;
      this.#launch(lane);
    }
    if (!this.#turns.isAwaited) return;
    if (this.#budget.inUse >= this.#limit.current) this.#watchSilence();
    else if (this.#rate.isSpent) this.#awaitRate();
    else this.#wake();
  };

  #launch(lane: Lane<T>): void {
    this.#waiting -= 1;
    this.#budget.take();
    this.#rate.spend();
    this.#rules.start(this.#turns.take(lane), lane.host.onDone);
  }

  readonly #onDone = (host: Host<T>): void => {
    this.#budget.giveBack();
    this.#ended += 1;
    this.#turns.release(host);
    if (this.#turns.isAwaited) this.#wake();
    this.#tellIdle();
  };

  #awaitRate(): void {
    if (this.#awaitsRate) return;
    this.#awaitsRate = true;
    this.#clock.after(this.#rate.everyMs, () => {
      this.#awaitsRate = false;
      this.#wake();
    });
  }

  /** Every place is taken: by silence? */
  #watchSilence(): void {
    if (this.#watchesSilence || !this.#limit.mayGrow) return;
    this.#watchesSilence = true;
    this.#ended = 0;
    this.#clock.after(silenceMs, () => {
      this.#watchesSilence = false;
      const isFull = this.#budget.inUse >= this.#limit.current && this.#turns.isAwaited;
      if (isFull) this.#limit.wasFull(this.#ended);
      this.#wake();
    });
  }
}
