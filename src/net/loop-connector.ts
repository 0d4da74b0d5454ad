/**
 * Bare connections by the thousand, on this thread's event loop. The outcomes are those of openTcp; this is the short way to
 * them, and every trick that speed needs stands in this file: docs/performance.md has what it brings, and what did not help.
 */
import { Socket } from 'node:net';
import { familyOfAddress } from '../model/address.ts';
import type { NetFailure } from '../model/errors.ts';
import { abandoned, expired, type Connector, type ConnectorOptions } from './connector.ts';
import type { Deadline, Deadlines } from './deadlines.ts';
import { netFailure } from './failure.ts';
import { saidByTheCallItself } from './tcp.ts';
import { TimeWaitBudget } from './time-wait.ts';

/** Launches a turn of the event loop. More of them make the measured latency that of our own queue. */
export const launchesPerTurn = 16;

export class LoopConnector<T> implements Connector<T> {
  readonly timeoutMs: number;
  readonly #deadlines: Deadlines;
  readonly #options: ConnectorOptions<T>;
  readonly #timeWait: TimeWaitBudget;
  /** Every open socket, at the slot that it knows: cheaper than a Set. */
  readonly #slots: (ConnectingSocket<T> | undefined)[] = [];
  readonly #free: number[] = [];

  constructor(deadlines: Deadlines, options: ConnectorOptions<T>, timeWait = new TimeWaitBudget()) {
    this.#deadlines = deadlines;
    this.#options = options;
    this.#timeWait = timeWait;
    this.timeoutMs = options.timeoutMs;
  }

  room(): number {
    return launchesPerTurn;
  }

  start(job: T, address: string, port: number): void {
    const slot = this.#free.pop() ?? this.#slots.length;
    const to = { host: address, port, family: familyOfAddress(address), autoSelectFamily: false };
    const socket = new ConnectingSocket<T>(this, job, slot, to);
    // Functions shared by all sockets: a closure each would cost as much as the rest of this method.
    socket.on('connect', onConnect);
    socket.on('error', onError);
    socket.deadline = this.#deadlines.add(this.timeoutMs, this.#expire, socket);
    this.#slots[slot] = socket;
    this.#options.counters.connects += 1;
    const { sourceAddress } = this.#options;
    socket.connect(sourceAddress === undefined ? to : { ...to, localAddress: sourceAddress });
  }

  stop(why: string): void {
    for (const socket of this.#slots) if (socket) this.#settle(socket, abandoned(why));
  }

  async close(): Promise<void> {
    // Nothing to release: the sockets are closed.
  }

  connected(socket: ConnectingSocket<T>): void {
    // destroy, not end: two system calls less, and the descriptor is free when this returns.
    if (this.#timeWait.mustReset(socket.toAddress, socket.toPort)) socket.resetAndDestroy();
    this.#settle(socket, undefined);
  }

  failed(socket: ConnectingSocket<T>, error: Error): void {
    if (this.#slots[socket.slot] !== socket) return;
    const elapsedMs = performance.now() - socket.startedAt;
    const immediate = saidByTheCallItself(error);
    this.#settle(socket, netFailure(error, { stage: 'connect', transport: 'tcp', elapsedMs, immediate }));
  }

  readonly #expire = (socket: ConnectingSocket<T>): void => this.#settle(socket, expired(this.timeoutMs));

  #settle(socket: ConnectingSocket<T>, failure: NetFailure | undefined): void {
    if (this.#slots[socket.slot] !== socket) return;
    this.#slots[socket.slot] = undefined;
    this.#free.push(socket.slot);
    const ms = performance.now() - socket.startedAt;
    this.#deadlines.cancel(socket.deadline!);
    socket.destroy();
    this.#options.onResult(socket.job, failure, ms);
  }
}

/** What is known of a connection stands on its socket: no table to look it up in. */
class ConnectingSocket<T> extends Socket {
  readonly owner: LoopConnector<T>;
  readonly job: T;
  readonly slot: number;
  readonly toAddress: string;
  readonly toPort: number;
  readonly startedAt = performance.now();
  deadline: Deadline | undefined = undefined;

  constructor(owner: LoopConnector<T>, job: T, slot: number, to: { host: string; port: number }) {
    super();
    this.owner = owner;
    this.job = job;
    this.slot = slot;
    this.toAddress = to.host;
    this.toPort = to.port;
  }
}

function onConnect<T>(this: ConnectingSocket<T>): void {
  this.owner.connected(this);
}

function onError<T>(this: ConnectingSocket<T>, error: Error): void {
  this.owner.failed(this, error);
}
