/**
 * Bare connections on further threads, for plans so large that one processor sets their pace. The pool keeps its bounds and
 * its order for all of them; a thread only opens sockets, by the same Connects that does it without threads.
 *
 *     slot, address, port  →  src/net/connect-thread.ts  →  slot, milliseconds, ending      (a turn's worth at a time)
 *
 * What it buys stands in docs/performance.md.
 */
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { NetFailure } from '../model/errors.ts';
import { Connects, expired, refused, type Connector, type ConnectsOptions } from './connects.ts';
import { Crowd } from './crowd.ts';
import type { Deadlines } from './deadlines.ts';

/** Arrays of one length: numbers and short texts cross to another thread faster than an object each. */
export interface Orders {
  readonly slots: number[];
  readonly addresses: string[];
  readonly ports: number[];
}

export interface Endings {
  /** How many connections were begun since the last message, answered or not. */
  launched: number;
  readonly slots: number[];
  readonly ms: number[];
  readonly endings: Ending[];
}

/** The three usual ones by number; what is rare may cost a copy. */
export type Ending = typeof usual.connected | typeof usual.expired | typeof usual.refused | NetFailure;
export const usual = { connected: 0, expired: 1, refused: 2 } as const;

/** What a thread is made with. */
export interface ThreadOptions {
  readonly timeoutMs: number;
  readonly sourceAddress: string | undefined;
  /** Connections to one destination are spread over so many, and their crowd is counted by each. */
  readonly share: number;
}

/** What a thread is given to begin: it has something to do until the next message, and this one does the rest. */
const mostWaiting = 256;

class Order<T> {
  readonly what: T;
  readonly address: string;
  readonly port: number;

  constructor(what: T, address: string, port: number) {
    this.what = what;
    this.address = address;
    this.port = port;
  }
}

export class ConnectThreads<T> implements Connector<T> {
  readonly #options: ConnectsOptions<T>;
  readonly #threads: Thread<T>[];
  /** This thread takes part, and does what a lost one left behind. */
  readonly #here: Connects<T>;
  #isSending = false;

  constructor(threads: number, deadlines: Deadlines, options: ConnectsOptions<T>) {
    this.#options = options;
    const share = threads + 1;
    this.#here = new Connects(deadlines, { ...options, crowd: new Crowd({ share }) });
    const { timeoutMs, sourceAddress } = options;
    this.#threads = Array.from({ length: threads }, () => {
      const thread = new Thread<T>({ timeoutMs, sourceAddress, share });
      thread.worker.on('message', (endings: Endings) => this.#hear(thread, endings));
      thread.worker.on('error', () => this.#lose(thread));
      thread.worker.on('exit', () => this.#lose(thread));
      return thread;
    });
  }

  room(): number {
    let room = this.#here.room();
    for (const { isLost, waiting } of this.#threads) if (!isLost) room += Math.max(0, mostWaiting - waiting);
    return room;
  }

  start(what: T, address: string, port: number): void {
    const thread = this.#leastBusy();
    if (!thread) return this.#here.start(what, address, port);
    this.#options.counters.connects += 1;
    thread.take(new Order(what, address, port));
    if (this.#isSending) return;
    this.#isSending = true;
    // Not in the middle of the pool's turn: all that it launches is one message to each thread.
    process.nextTick(this.#send);
  }

  stop(why: string): void {
    this.#here.stop(why);
    const failure = { outcome: 'aborted', stage: 'connect', detail: why } as const;
    for (const thread of this.#threads) for (const { what } of thread.abandon()) this.#options.told(what, failure, 0);
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map(async ({ worker }) => worker.terminate()));
  }

  readonly #send = (): void => {
    this.#isSending = false;
    for (const thread of this.#threads) thread.send();
  };

  /** Undefined when all have enough. */
  #leastBusy(): Thread<T> | undefined {
    let least: Thread<T> | undefined;
    for (const thread of this.#threads)
      if (!thread.isLost && thread.waiting < (least?.waiting ?? mostWaiting)) least = thread;
    return least;
  }

  #hear(thread: Thread<T>, { launched, slots, ms, endings }: Endings): void {
    thread.waiting -= launched;
    for (let i = 0; i < slots.length; i += 1) {
      const order = thread.release(slots[i]!);
      if (order) this.#options.told(order.what, this.#failureOf(endings[i]!), ms[i]!);
    }
  }

  #failureOf(ending: Ending): NetFailure | undefined {
    if (ending === usual.connected) return undefined;
    if (ending === usual.refused) return refused;
    return ending === usual.expired ? expired(this.#options.timeoutMs) : ending;
  }

  /** It could not be started, or ran out of memory: no fault of the targets it was given. */
  #lose(thread: Thread<T>): void {
    thread.isLost = true;
    for (const { what, address, port } of thread.abandon()) this.#here.start(what, address, port);
  }
}

class Thread<T> {
  readonly worker: Worker;
  isLost = false;
  /** Sent, and not begun yet as far as this one knows. */
  waiting = 0;
  readonly #orders: (Order<T> | undefined)[] = [];
  readonly #free: number[] = [];
  #next: Orders = { slots: [], addresses: [], ports: [] };

  constructor(workerData: ThreadOptions) {
    // Beside this file, and written like it: in TypeScript or built.
    const program = new URL(`connect-thread${extname(import.meta.url)}`, import.meta.url);
    this.worker = new Worker(program, { workerData });
  }

  take(order: Order<T>): void {
    const slot = this.#free.pop() ?? this.#orders.length;
    this.#orders[slot] = order;
    this.waiting += 1;
    this.#next.slots.push(slot);
    this.#next.addresses.push(order.address);
    this.#next.ports.push(order.port);
  }

  send(): void {
    if (this.#next.slots.length === 0 || this.isLost) return;
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, no window
    this.worker.postMessage(this.#next);
    this.#next = { slots: [], addresses: [], ports: [] };
  }

  /** Undefined when it was abandoned meanwhile. */
  release(slot: number): Order<T> | undefined {
    const order = this.#orders[slot];
    if (!order) return undefined;
    this.#orders[slot] = undefined;
    this.#free.push(slot);
    return order;
  }

  /** Everything that it has not told yet. */
  abandon(): Order<T>[] {
    return this.#orders.splice(0).filter((order) => order !== undefined);
  }
}
