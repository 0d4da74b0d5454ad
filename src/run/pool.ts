/**
 * The bounded-concurrency pool: who goes next, and how many at once. Hosts take turns in the order in which the plan names
 * them, so that a dead one neither delays the others nor is flooded, and the same plan is tried in the same order each
 * time; a host's datagrams wait for the rhythm of its ICMP answers while its connections go on.
 */
import type { Deadlines } from '../net/deadlines.ts';

export interface PoolOptions {
  /** Checks in flight, which is sockets: an attempt has one at a time. */
  readonly concurrency: number;
  /** How far the pool may raise that by itself, while silence holds its places. Absent: not at all. */
  readonly growTo?: number | undefined;
  readonly perHost: number;
  /** New checks a second. */
  readonly rate: number;
}

export interface PoolRules<T> {
  /** Begins, and calls `done` once when its socket is closed. */
  start(task: T, done: () => void): void;
  /** How many may begin in this turn of the event loop. */
  room(): number;
  /** Milliseconds until a host may get one more datagram. */
  datagramDelayMs(address: string): number;
}

/** Local exhaustion halves the pool, all news of it in so short a time being one; later one place a second comes back. */
const sameTroubleMs = 100;
const recoverAfterMs = 1000;

/**
 * How often a full pool asks what it waits for. Places that are taken again less than once a second hold silence (no
 * network takes that long to answer), and silence alone sets the pace of a run: then twice as many. Where endpoints
 * answer, more places make nothing faster: 64 and 4,096 differ by less than a tenth.
 */
const growEveryMs = 250;

class Host<T> {
  readonly address: string;
  inFlight = 0;
  readonly streams = new Lane<T>(this, false);
  readonly datagrams = new Lane<T>(this, true);
  readonly release: () => void;

  constructor(address: string, release: (host: Host<T>) => void) {
    this.address = address;
    this.release = () => release(this);
  }
}

/** What waits for a host on one transport, oldest first. */
class Lane<T> {
  readonly host: Host<T>;
  readonly isDatagram: boolean;
  /** It has a place in the turn, or a timer that will give it one. */
  queued = false;
  #waiting: T[] = [];
  #head = 0;

  constructor(host: Host<T>, isDatagram: boolean) {
    this.host = host;
    this.isDatagram = isDatagram;
  }

  get isEmpty(): boolean {
    return this.#head === this.#waiting.length;
  }

  push(task: T): void {
    this.#waiting.push(task);
  }

  take(): T {
    const task = this.#waiting[this.#head]!;
    this.#head += 1;
    if (this.#head > 64 && this.#head * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
    return task;
  }
}

export class Pool<T> {
  maxInFlight = 0;
  readonly #options: PoolOptions;
  readonly #deadlines: Deadlines;
  readonly #rules: PoolRules<T>;
  readonly #hosts = new Map<string, Host<T>>();
  #turn: Lane<T>[] = [];
  #turnHead = 0;
  #inFlight = 0;
  #waiting = 0;
  #limit: number;
  #ceiling: number;
  #limitedAt = -Infinity;
  #finished = 0;
  #allowance: number;
  #allowedAt = performance.now();
  #pumping = false;
  #awaitsRate = false;
  #awaitsGrowth = false;
  #stopped = false;
  #idle: (() => void)[] = [];

  constructor(options: PoolOptions, deadlines: Deadlines, rules: PoolRules<T>) {
    this.#options = options;
    this.#deadlines = deadlines;
    this.#rules = rules;
    this.#limit = options.concurrency;
    this.#ceiling = Math.max(options.concurrency, options.growTo ?? 0);
    this.#allowance = Math.min(options.rate, rules.room());
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** `host`: the address, which `perHost` counts. */
  add(task: T, host: string, isDatagram: boolean): void {
    if (this.#stopped) return;
    this.#waiting += 1;
    this.#place(task, host, isDatagram);
  }

  /** This machine had nothing left for a task that is in flight: it waits again, and is taken up after `afterMs`. */
  putBack(task: T, host: string, isDatagram: boolean, afterMs: number): void {
    if (this.#stopped) return;
    this.#waiting += 1;
    this.#backOff();
    this.#deadlines.add(afterMs, () => {
      if (!this.#stopped) this.#place(task, host, isDatagram);
    });
  }

  /** Resolves when nothing waits and nothing is in flight. */
  idle(): Promise<void> {
    if (this.#isIdle()) return Promise.resolve();
    return new Promise((resolve) => void this.#idle.push(resolve));
  }

  /** Nothing more is started. What waits is dropped; what is in flight is ended by its owner. */
  stop(): void {
    this.#stopped = true;
    this.#hosts.clear();
    this.#turn = [];
    this.#turnHead = 0;
    this.#waiting = 0;
    this.#settle();
  }

  #isIdle(): boolean {
    return this.#waiting === 0 && this.#inFlight === 0;
  }

  #settle(): void {
    if (!this.#isIdle()) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #place(task: T, address: string, isDatagram: boolean): void {
    let host = this.#hosts.get(address);
    if (!host) this.#hosts.set(address, (host = new Host(address, this.#release)));
    const lane = isDatagram ? host.datagrams : host.streams;
    lane.push(task);
    this.#enqueue(lane);
  }

  #enqueue(lane: Lane<T>): void {
    if (lane.queued || lane.isEmpty) return;
    lane.queued = true;
    this.#turn.push(lane);
    this.#wake();
  }

  #wake(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    setImmediate(this.#pump);
  }

  readonly #pump = (): void => {
    this.#pumping = false;
    this.#recover();
    let budget = Math.min(this.#rules.room(), this.#limit - this.#inFlight, this.#allowed());
    while (budget > 0) {
      const lane = this.#turn[this.#turnHead];
      if (!lane) break;
      this.#turnHead += 1;
      lane.queued = false;
      if (this.#launch(lane)) budget -= 1;
    }
    if (this.#turnHead === this.#turn.length) {
      this.#turn = [];
      this.#turnHead = 0;
      return;
    }
    if (this.#turnHead > 1024 && this.#turnHead * 2 > this.#turn.length) {
      this.#turn = this.#turn.slice(this.#turnHead);
      this.#turnHead = 0;
    }
    if (this.#inFlight >= this.#limit) this.#watchSilence();
    else if (this.#allowance >= 1) this.#wake();
    else this.#awaitRate();
  };

  #launch(lane: Lane<T>): boolean {
    const { host } = lane;
    if (host.inFlight >= this.#options.perHost || lane.isEmpty) return false;
    if (lane.isDatagram) {
      const delayMs = this.#rules.datagramDelayMs(host.address);
      if (delayMs > 0) {
        lane.queued = true;
        this.#deadlines.add(delayMs, () => {
          lane.queued = false;
          if (!this.#stopped) this.#enqueue(lane);
        });
        return false;
      }
    }
    const task = lane.take();
    this.#waiting -= 1;
    this.#inFlight += 1;
    host.inFlight += 1;
    this.#allowance -= 1;
    if (this.#inFlight > this.maxInFlight) this.maxInFlight = this.#inFlight;
    if (host.inFlight < this.#options.perHost) this.#enqueue(lane);
    this.#rules.start(task, host.release);
    return true;
  }

  readonly #release = (host: Host<T>): void => {
    this.#inFlight -= 1;
    this.#finished += 1;
    host.inFlight -= 1;
    if (this.#stopped) return this.#settle();
    this.#enqueue(host.streams);
    this.#enqueue(host.datagrams);
    const isOver = host.inFlight === 0 && !host.streams.queued && !host.datagrams.queued;
    if (isOver) this.#hosts.delete(host.address);
    if (this.#turnHead < this.#turn.length) this.#wake();
    this.#settle();
  };

  /** How many more may start now under `--rate`. */
  #allowed(): number {
    const { rate } = this.#options;
    const now = performance.now();
    this.#allowance = Math.min(Math.max(1, rate / 50), this.#allowance + ((now - this.#allowedAt) / 1000) * rate);
    this.#allowedAt = now;
    return Math.floor(this.#allowance);
  }

  #awaitRate(): void {
    if (this.#awaitsRate) return;
    this.#awaitsRate = true;
    this.#deadlines.add(1000 / this.#options.rate, () => {
      this.#awaitsRate = false;
      this.#wake();
    });
  }

  #watchSilence(): void {
    if (this.#awaitsGrowth || this.#limit >= this.#ceiling) return;
    this.#awaitsGrowth = true;
    this.#finished = 0;
    this.#deadlines.add(growEveryMs, () => {
      this.#awaitsGrowth = false;
      const isFull = this.#inFlight >= this.#limit && this.#turnHead < this.#turn.length;
      const isSilent = this.#finished * (1000 / growEveryMs) < this.#limit;
      if (isFull && isSilent) this.#limit = Math.min(this.#ceiling, this.#limit * 2);
      this.#wake();
    });
  }

  /** Half as many from now on, and slowly up again to what was asked for; the pool no longer raises that by itself. */
  #backOff(): void {
    const now = performance.now();
    if (now - this.#limitedAt < sameTroubleMs) return;
    this.#limitedAt = now;
    this.#ceiling = this.#options.concurrency;
    this.#limit = Math.max(1, Math.min(this.#limit, this.#inFlight) >> 1);
  }

  #recover(): void {
    if (this.#limit >= this.#options.concurrency) return;
    const now = performance.now();
    if (now - this.#limitedAt < recoverAfterMs) return;
    this.#limit += 1;
    this.#limitedAt = now;
  }
}
