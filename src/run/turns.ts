/**
 * Who goes next. Hosts take turns in the order in which the plan names them, each with so many in flight at the most; a
 * host's datagrams wait for the rhythm of its ICMP answers while its connections go on.
 */
import { Fifo } from './fifo.ts';

export interface TurnRules {
  /** How many of one host may be in flight. */
  readonly perHost: number;
  /** Milliseconds until a host may get one more datagram. */
  datagramDelayMs(address: string): number;
  /** Calls `then` once, after `ms`. */
  after(ms: number, then: () => void): void;
  /** Called when somebody is ready. */
  onReady(): void;
}

export class Host<T> {
  readonly address: string;
  inFlight = 0;
  readonly streams = new Lane<T>(this, false);
  readonly datagrams = new Lane<T>(this, true);
  /** Says that one of its tasks is done. One function for all of them: a closure each would cost as much as the rest. */
  readonly onDone: () => void;

  constructor(address: string, onDone: (host: Host<T>) => void) {
    this.address = address;
    this.onDone = () => onDone(this);
  }
}

/** What waits for a host on one transport. */
export class Lane<T> extends Fifo<T> {
  readonly host: Host<T>;
  readonly isDatagram: boolean;
  /** It is among the ready ones, or a timer will put it there. */
  isQueued = false;

  constructor(host: Host<T>, isDatagram: boolean) {
    super();
    this.host = host;
    this.isDatagram = isDatagram;
  }
}

export class Turns<T> {
  readonly #rules: TurnRules;
  readonly #onDone: (host: Host<T>) => void;
  readonly #hosts = new Map<string, Host<T>>();
  readonly #ready = new Fifo<Lane<T>>();
  #isStopped = false;

  constructor(rules: TurnRules, onDone: (host: Host<T>) => void) {
    this.#rules = rules;
    this.#onDone = onDone;
  }

  /** Somebody may be ready. */
  get isAwaited(): boolean {
    return !this.#ready.isEmpty;
  }

  add(task: T, address: string, isDatagram: boolean): void {
    let host = this.#hosts.get(address);
    if (!host) this.#hosts.set(address, (host = new Host(address, this.#onDone)));
    const lane = isDatagram ? host.datagrams : host.streams;
    lane.push(task);
    this.#enqueue(lane);
  }

  /** Whose turn it is: a lane with a task that may start now. */
  next(): Lane<T> | undefined {
    for (let lane = this.#ready.take(); lane; lane = this.#ready.take()) {
      lane.isQueued = false;
      const mayStart = lane.host.inFlight < this.#rules.perHost && !lane.isEmpty;
      if (mayStart && !(lane.isDatagram && this.#mustWait(lane))) return lane;
    }
    return undefined;
  }

  /** The task of a lane whose turn it is. Its host takes its next turn after all others. */
  take(lane: Lane<T>): T {
    const task = lane.take()!;
    lane.host.inFlight += 1;
    if (lane.host.inFlight < this.#rules.perHost) this.#enqueue(lane);
    return task;
  }

  /** One of the host's tasks is done. */
  release(host: Host<T>): void {
    host.inFlight -= 1;
    if (this.#isStopped) return;
    this.#enqueue(host.streams);
    this.#enqueue(host.datagrams);
    const isOver = host.inFlight === 0 && !host.streams.isQueued && !host.datagrams.isQueued;
    if (isOver) this.#hosts.delete(host.address);
  }

  stop(): void {
    this.#isStopped = true;
    this.#hosts.clear();
    this.#ready.clear();
  }

  #enqueue(lane: Lane<T>): void {
    if (lane.isQueued || lane.isEmpty) return;
    lane.isQueued = true;
    this.#ready.push(lane);
    this.#rules.onReady();
  }

  #mustWait(lane: Lane<T>): boolean {
    const delayMs = this.#rules.datagramDelayMs(lane.host.address);
    if (delayMs <= 0) return false;
    lane.isQueued = true;
    this.#rules.after(delayMs, () => {
      lane.isQueued = false;
      if (!this.#isStopped) this.#enqueue(lane);
    });
    return true;
  }
}
