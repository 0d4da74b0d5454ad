/**
 * Bare connections on further threads, for plans so large that one processor sets their pace. The pool keeps its bounds and
 * its order for all of them; a thread only opens sockets, by the same LoopConnector that does it without threads.
 *
 *     slot, address, port  →  connector-thread.ts  →  slot, milliseconds, result      (a turn's worth at a time)
 *
 * What it buys stands in docs/performance.md.
 */
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { abandoned, type Connector, type ConnectorOptions } from './connector.ts';
import { emptyConnectBatch, failureOf, type ResultBatch, type ThreadOptions } from './connector-messages.ts';
import type { Deadlines } from './deadlines.ts';
import { LoopConnector } from './loop-connector.ts';
import { TimeWaitBudget } from './time-wait.ts';

/** At most this many are queued on a thread: enough until its next message. This thread takes the rest. */
const mostQueued = 256;

/** A connection that a thread was given. */
class Order<T> {
  readonly job: T;
  readonly address: string;
  readonly port: number;

  constructor(job: T, address: string, port: number) {
    this.job = job;
    this.address = address;
    this.port = port;
  }
}

export class ThreadedConnector<T> implements Connector<T> {
  readonly #options: ConnectorOptions<T>;
  readonly #threads: Thread<T>[];
  /** This thread takes part, and does what a lost one left behind. */
  readonly #here: LoopConnector<T>;
  #isSending = false;

  constructor(threads: number, deadlines: Deadlines, options: ConnectorOptions<T>) {
    this.#options = options;
    const share = threads + 1;
    this.#here = new LoopConnector(deadlines, options, new TimeWaitBudget({ share }));
    const { timeoutMs, sourceAddress } = options;
    this.#threads = Array.from({ length: threads }, () => {
      const thread = new Thread<T>({ timeoutMs, sourceAddress, share });
      thread.worker.on('message', (batch: ResultBatch) => this.#receive(thread, batch));
      thread.worker.on('error', () => this.#lose(thread));
      thread.worker.on('exit', () => this.#lose(thread));
      return thread;
    });
  }

  room(): number {
    let room = this.#here.room();
    for (const { isLost, queued } of this.#threads) if (!isLost) room += Math.max(0, mostQueued - queued);
    return room;
  }

  start(job: T, address: string, port: number): void {
    const thread = this.#leastBusy();
    if (!thread) return this.#here.start(job, address, port);
    this.#options.counters.connects += 1;
    thread.take(new Order(job, address, port));
    if (this.#isSending) return;
    this.#isSending = true;
    // Not in the middle of the pool's turn: all that it launches is one message to each thread.
    process.nextTick(this.#send);
  }

  stop(why: string): void {
    this.#here.stop(why);
    const failure = abandoned(why);
    for (const thread of this.#threads) for (const { job } of thread.abandon()) this.#options.onResult(job, failure, 0);
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
      if (!thread.isLost && thread.queued < (least?.queued ?? mostQueued)) least = thread;
    return least;
  }

  #receive(thread: Thread<T>, { launched, slots, ms, results }: ResultBatch): void {
    thread.queued -= launched;
    const { timeoutMs } = this.#options;
    for (let i = 0; i < slots.length; i += 1) {
      const order = thread.release(slots[i]!);
      if (order) this.#options.onResult(order.job, failureOf(results[i]!, timeoutMs), ms[i]!);
    }
  }

  /** It could not be started, or ran out of memory: no fault of the targets it was given. */
  #lose(thread: Thread<T>): void {
    thread.isLost = true;
    for (const { job, address, port } of thread.abandon()) this.#here.start(job, address, port);
  }
}

class Thread<T> {
  readonly worker: Worker;
  isLost = false;
  /** Sent, and not begun yet as far as this thread knows. */
  queued = 0;
  readonly #orders: (Order<T> | undefined)[] = [];
  readonly #free: number[] = [];
  #next = emptyConnectBatch();

  constructor(workerData: ThreadOptions) {
    // Beside this file, and written like it: in TypeScript or built.
    const program = new URL(`connector-thread${extname(import.meta.url)}`, import.meta.url);
    this.worker = new Worker(program, { workerData });
  }

  take(order: Order<T>): void {
    const slot = this.#free.pop() ?? this.#orders.length;
    this.#orders[slot] = order;
    this.queued += 1;
    this.#next.slots.push(slot);
    this.#next.addresses.push(order.address);
    this.#next.ports.push(order.port);
  }

  send(): void {
    if (this.#next.slots.length === 0 || this.isLost) return;
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, no window
    this.worker.postMessage(this.#next);
    this.#next = emptyConnectBatch();
  }

  /** Undefined when it was abandoned meanwhile. */
  release(slot: number): Order<T> | undefined {
    const order = this.#orders[slot];
    if (!order) return undefined;
    this.#orders[slot] = undefined;
    this.#free.push(slot);
    return order;
  }

  /** All that no result has come for. */
  abandon(): Order<T>[] {
    return this.#orders.splice(0).filter((order) => order !== undefined);
  }
}
