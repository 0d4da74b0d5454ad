/**
 * The bounded-concurrency pool: who goes next, and how many at once. Hosts take turns, so that a dead one neither delays
 * the others nor is flooded; a host's datagrams wait for the rhythm of its ICMP answers while its connections go on.
 */
import type { Deadlines } from '../net/deadlines.ts';

export interface PoolOptions {
  /** Checks in flight, which is sockets: an attempt has one at a time. */
  readonly concurrency: number;
  readonly perHost: number;
  /** New checks a second. */
  readonly rate: number;
}

export interface Task {
  /** The address: what `perHost` counts. */
  readonly host: string;
  readonly isDatagram: boolean;
  /** Begins, and calls `done` once when its socket is closed. */
  start(done: () => void): void;
}

/** Launches a turn of the event loop: 16 keep the measured latency at the network's (0.6 ms), 128 add ten times that. */
const launchesPerTurn = 16;

/** Local exhaustion halves the pool; after so long without it, one place comes back at a time. */
const recoverAfterMs = 1000;

interface Host {
  readonly address: string;
  inFlight: number;
  readonly lanes: [Lane, Lane];
}

/** What waits for a host on one transport, oldest first. */
interface Lane {
  readonly host: Host;
  readonly isDatagram: boolean;
  readonly waiting: Task[];
  head: number;
  queued: boolean;
}

export class Pool {
  maxInFlight = 0;
  readonly #options: PoolOptions;
  readonly #deadlines: Deadlines;
  /** Milliseconds until a host may get one more datagram. */
  readonly #datagramDelayMs: (address: string) => number;
  readonly #hosts = new Map<string, Host>();
  #turn: Lane[] = [];
  #turnHead = 0;
  #inFlight = 0;
  #waiting = 0;
  #limit: number;
  #limitedAt = 0;
  #allowance: number;
  #allowedAt = performance.now();
  #pumping = false;
  #stopped = false;
  #idle: (() => void)[] = [];

  constructor(options: PoolOptions, deadlines: Deadlines, datagramDelayMs: (address: string) => number) {
    this.#options = options;
    this.#deadlines = deadlines;
    this.#datagramDelayMs = datagramDelayMs;
    this.#limit = options.concurrency;
    this.#allowance = Math.min(options.rate, launchesPerTurn);
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  add(task: Task): void {
    if (this.#stopped) return;
    let host = this.#hosts.get(task.host);
    if (!host) this.#hosts.set(task.host, (host = newHost(task.host)));
    const lane = host.lanes[task.isDatagram ? 1 : 0];
    lane.waiting.push(task);
    this.#waiting += 1;
    this.#enqueue(lane);
  }

  /** Resolves when nothing waits and nothing is in flight. */
  idle(): Promise<void> {
    if (this.#isIdle()) return Promise.resolve();
    return new Promise((resolve) => void this.#idle.push(resolve));
  }

  /** This machine is out of descriptors, ports or buffers: half as many from now on, and slowly up again. */
  backOff(): void {
    this.#limit = Math.max(1, Math.min(this.#limit, this.#inFlight) >> 1);
    this.#limitedAt = performance.now();
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

  #enqueue(lane: Lane): void {
    if (lane.queued || lane.head === lane.waiting.length) return;
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
    let budget = Math.min(launchesPerTurn, this.#limit - this.#inFlight, this.#allowed());
    while (budget > 0) {
      const lane = this.#turn[this.#turnHead];
      if (!lane) break;
      this.#turnHead += 1;
      lane.queued = false;
      if (this.#launch(lane)) budget -= 1;
    }
    if (this.#turnHead > 1024 && this.#turnHead * 2 > this.#turn.length) {
      this.#turn = this.#turn.slice(this.#turnHead);
      this.#turnHead = 0;
    }
    if (this.#turnHead === this.#turn.length) {
      this.#turn = [];
      this.#turnHead = 0;
    } else if (this.#inFlight < this.#limit) {
      if (this.#allowance >= 1) this.#wake();
      else this.#deadlines.add(1000 / this.#options.rate, () => this.#wake());
    }
  };

  #launch(lane: Lane): boolean {
    const { host } = lane;
    if (host.inFlight >= this.#options.perHost || lane.head === lane.waiting.length) return false;
    if (lane.isDatagram) {
      const delayMs = this.#datagramDelayMs(host.address);
      if (delayMs > 0) {
        lane.queued = true;
        this.#deadlines.add(delayMs, () => {
          lane.queued = false;
          this.#enqueue(lane);
        });
        return false;
      }
    }
    const task = take(lane);
    this.#waiting -= 1;
    this.#inFlight += 1;
    host.inFlight += 1;
    this.#allowance -= 1;
    this.maxInFlight = Math.max(this.maxInFlight, this.#inFlight);
    if (host.inFlight < this.#options.perHost) this.#enqueue(lane);
    task.start(() => this.#done(host));
    return true;
  }

  #done(host: Host): void {
    this.#inFlight -= 1;
    host.inFlight -= 1;
    if (this.#stopped) return this.#settle();
    for (const lane of host.lanes) this.#enqueue(lane);
    const isOver = host.inFlight === 0 && host.lanes.every((lane) => lane.head === lane.waiting.length);
    if (isOver) this.#hosts.delete(host.address);
    if (this.#turnHead < this.#turn.length) this.#wake();
    this.#settle();
  }

  /** How many more may start now under `--rate`. */
  #allowed(): number {
    const { rate } = this.#options;
    const now = performance.now();
    this.#allowance = Math.min(Math.max(1, rate / 50), this.#allowance + ((now - this.#allowedAt) / 1000) * rate);
    this.#allowedAt = now;
    return Math.floor(this.#allowance);
  }

  #recover(): void {
    const { concurrency } = this.#options;
    if (this.#limit === concurrency) return;
    const now = performance.now();
    if (now - this.#limitedAt < recoverAfterMs) return;
    this.#limit += 1;
    this.#limitedAt = now;
  }
}

function newHost(address: string): Host {
  const host = { address, inFlight: 0 } as Host & { lanes: [Lane, Lane] };
  const lane = (isDatagram: boolean): Lane => ({ host, isDatagram, waiting: [], head: 0, queued: false });
  host.lanes = [lane(false), lane(true)];
  return host;
}

function take(lane: Lane): Task {
  const task = lane.waiting[lane.head]!;
  lane.head += 1;
  if (lane.head > 64 && lane.head * 2 > lane.waiting.length) {
    lane.waiting.splice(0, lane.head);
    lane.head = 0;
  }
  return task;
}
