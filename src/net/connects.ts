/**
 * Bare connections by the thousand: for a check that asks nothing but whether the handshake completes. The outcomes are
 * those of openTcp; this is the short way there, and every trick that speed needs stands in this file. On 100,000
 * endpoints, beside the same check through promises and a Scope: 1.9 times the rate open, 2.1 times closed
 * (docs/performance.md, with what was tried and did not help).
 */
import { Socket } from 'node:net';
import type { NetFailure } from '../model/errors.ts';
import { Crowd } from './crowd.ts';
import type { Deadline, Deadlines } from './deadlines.ts';
import { netFailure, type FailureContext } from './failure.ts';
import { connectExpiry } from './scope.ts';
import { saidByTheCallItself } from './tcp.ts';

/** Launches a turn of the event loop: 16 keep the measured latency at the network's (0.6 ms), 128 add ten times that. */
export const launchesPerTurn = 16;

export interface Connector<T> {
  /** How many may be started in this turn of the event loop. */
  room(): number;
  start(what: T, address: string, port: number): void;
  /** Closes what is open. Each is told of its end, as of an attempt that was given up. */
  stop(why: string): void;
  /** Resolves when nothing of it is left: nothing is open when it is called. */
  close(): Promise<void>;
}

export interface ConnectsOptions<T> {
  readonly timeoutMs: number;
  readonly sourceAddress: string | undefined;
  readonly counters: { connects: number };
  readonly crowd?: Crowd;
  /** Called once for each, when its socket is closed again; `elapsedMs` is the time until the answer, of either kind. */
  told(what: T, failure: NetFailure | undefined, elapsedMs: number): void;
}

export class Connects<T> implements Connector<T> {
  readonly timeoutMs: number;
  readonly #deadlines: Deadlines;
  readonly #options: ConnectsOptions<T>;
  readonly #crowd: Crowd;
  /** Every open socket, at the place that it knows: a Set costs a tenth of a connect. */
  readonly #slots: (ConnectingSocket<T> | undefined)[] = [];
  readonly #free: number[] = [];

  constructor(deadlines: Deadlines, options: ConnectsOptions<T>) {
    this.#deadlines = deadlines;
    this.#options = options;
    this.#crowd = options.crowd ?? new Crowd();
    this.timeoutMs = options.timeoutMs;
  }

  room(): number {
    return launchesPerTurn;
  }

  start(what: T, address: string, port: number): void {
    const slot = this.#free.pop() ?? this.#slots.length;
    const socket = new ConnectingSocket<T>(this, what, slot, address, port);
    // Functions shared by all sockets: a closure each would cost as much as the rest of this method.
    socket.on('connect', onConnect);
    socket.on('error', onError);
    socket.deadline = this.#deadlines.add(this.timeoutMs, this.#expire, socket);
    this.#slots[slot] = socket;
    this.#options.counters.connects += 1;
    const to = { host: address, port, family: address.includes(':') ? 6 : 4, autoSelectFamily: false };
    const { sourceAddress } = this.#options;
    socket.connect(sourceAddress === undefined ? to : { ...to, localAddress: sourceAddress });
  }

  /** Closes what is open. Each is told of its end, as of an attempt that was given up. */
  stop(why: string): void {
    for (const socket of this.#slots)
      if (socket) this.#settle(socket, { outcome: 'aborted', stage: 'connect', detail: why });
  }

  async close(): Promise<void> {
    // There is nothing but the sockets.
  }

  connected(socket: ConnectingSocket<T>): void {
    // destroy, not end: two system calls less, and the descriptor is free when this returns.
    if (this.#crowd.joins(socket.toAddress, socket.toPort)) socket.resetAndDestroy();
    this.#settle(socket, undefined);
  }

  failed(socket: ConnectingSocket<T>, error: Error): void {
    if (this.#slots[socket.slot] !== socket) return;
    const context = contextOf(performance.now() - socket.startedAt, saidByTheCallItself(error));
    this.#settle(socket, netFailure(error, context));
  }

  readonly #expire = (socket: ConnectingSocket<T>): void => this.#settle(socket, expired(this.timeoutMs));

  #settle(socket: ConnectingSocket<T>, failure: NetFailure | undefined): void {
    if (this.#slots[socket.slot] !== socket) return;
    this.#slots[socket.slot] = undefined;
    this.#free.push(socket.slot);
    const ms = performance.now() - socket.startedAt;
    this.#deadlines.cancel(socket.deadline!);
    socket.destroy();
    this.#options.told(socket.what, failure, ms);
  }
}

export const expired = (timeoutMs: number): NetFailure => ({
  outcome: 'timeout',
  stage: 'connect',
  detail: connectExpiry(timeoutMs),
});

const contextOf = (elapsedMs = 0, immediate = false): FailureContext => ({
  stage: 'connect',
  transport: 'tcp',
  elapsedMs,
  immediate,
});

/** One object for all of them: refusals come by the ten thousand a second. */
export const refused: NetFailure = netFailure({ code: 'ECONNREFUSED' }, contextOf());

/** What is known of a connection stands on its socket: no table to look it up in. */
class ConnectingSocket<T> extends Socket {
  readonly owner: Connects<T>;
  readonly what: T;
  readonly slot: number;
  readonly toAddress: string;
  readonly toPort: number;
  readonly startedAt = performance.now();
  deadline: Deadline | undefined = undefined;

  constructor(owner: Connects<T>, what: T, slot: number, address: string, port: number) {
    super();
    this.owner = owner;
    this.what = what;
    this.slot = slot;
    this.toAddress = address;
    this.toPort = port;
  }
}

function onConnect<T>(this: ConnectingSocket<T>): void {
  this.owner.connected(this);
}

function onError<T>(this: ConnectingSocket<T>, error: Error): void {
  this.owner.failed(this, error);
}
