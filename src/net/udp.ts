/**
 * One datagram out, the first accepted reply back, on a connected socket: only a connected one is told of ICMP errors,
 * and the kernel drops what other addresses send. Several questions to one port share the socket, for it costs more than
 * they do; which reply is whose the question itself decides. Resends belong to the attempt's own deadline.
 */
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { NetError } from '../model/errors.ts';
import type { Reply } from '../model/probe.ts';
import { hostPort, netError } from './failure.ts';
import type { Pacer } from './pacer.ts';
import type { Scope } from './scope.ts';

/** A longer reply is cut here by the socket layer below us anyway; what a probe reads is bounded by it. */
const maxReplyBytes = 65_507;

export interface UdpOptions {
  readonly sourceAddress?: string | undefined;
  readonly pacer: Pacer;
  readonly onSend: () => void;
}

export interface Resends {
  /** How often the datagram is sent at the most. */
  readonly sends: number;
  /** The pause before each resend. */
  readonly resendAfterMs: number;
}

/** What one question waits for. */
interface Wait {
  readonly accepts: (reply: Uint8Array) => boolean;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: NetError) => void;
  sentAtMs: number;
}

/** The socket of an attempt towards one port: it asks one question after the other. */
export class Datagrams {
  readonly port: number;
  readonly #scope: Scope;
  readonly #address: string;
  readonly #options: UdpOptions;
  readonly #socket: Socket;
  #isOpen = true;
  #isConnected = false;
  #wait: Wait | undefined;
  #cancelTurn = nothing;
  #cancelResend = nothing;
  #disown = nothing;

  constructor(scope: Scope, address: string, port: number, options: UdpOptions) {
    this.port = port;
    this.#scope = scope;
    this.#address = address;
    this.#options = options;
    this.#socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4', lookup: literal });
    this.#socket.on('error', (error) => this.#fail(error));
    this.#socket.on('message', (message) => this.#hear(message));
    this.#disown = scope.own(() => this.close());
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  exchange(datagram: Uint8Array, accepts: (reply: Uint8Array) => boolean, resends: Resends): Promise<Reply> {
    this.#scope.stage = 'exchange';
    return this.#scope.wait((resolve, reject) => {
      this.#wait = { accepts, resolve, reject, sentAtMs: 0 };
      this.#open(() => this.#await(datagram, resends));
    });
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#settle();
    this.#disown();
    // An ICMP error for a datagram still on its way must not become the process's.
    this.#socket.removeAllListeners('error').on('error', nothing);
    this.#socket.close();
  }

  #open(then: () => void): void {
    if (this.#isConnected) return then();
    // Bound first so that "no route" is the callback's error and not a throw of the next send.
    const connect = (): void =>
      this.#socket.connect(this.port, this.#address, (error?: Error) => {
        if (!this.#isOpen) return;
        if (error) return this.#fail(error);
        this.#isConnected = true;
        then();
      });
    try {
      const { sourceAddress } = this.#options;
      if (sourceAddress === undefined) connect();
      else this.#socket.bind(0, sourceAddress, connect);
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** Sends when the host's turn has come. The wait for our own turn is not the peer's silence. */
  #await(datagram: Uint8Array, resends: Resends): void {
    let resume: (() => void) | undefined;
    let hasGone = false;
    this.#cancelTurn = this.#options.pacer.turn(this.#scope, this.#address, () => {
      hasGone = true;
      resume?.();
      this.#send(datagram, resends);
    });
    if (!hasGone) resume = this.#scope.pause();
  }

  #send(datagram: Uint8Array, { sends, resendAfterMs }: Resends): void {
    const wait = this.#wait;
    if (!wait) return;
    this.#options.onSend();
    wait.sentAtMs = performance.timeOrigin + performance.now();
    this.#socket.send(datagram, this.#sent);
    if (sends <= 1 || this.#wait !== wait) return;
    this.#cancelResend = this.#scope.after(resendAfterMs, () => {
      const again = (): void => this.#send(datagram, { sends: sends - 1, resendAfterMs });
      this.#cancelTurn = this.#options.pacer.turn(this.#scope, this.#address, again);
    });
  }

  readonly #sent = (error: Error | null): void => {
    if (error) this.#fail(error);
  };

  #hear(message: Buffer): void {
    const wait = this.#wait;
    // Late for the question before, which had its answer.
    if (!wait) return;
    const receivedAtMs = performance.timeOrigin + performance.now();
    this.#scope.heard = true;
    if (message.length > maxReplyBytes || !wait.accepts(message)) return;
    this.#options.pacer.answered(this.#address);
    this.#settle();
    wait.resolve({ bytes: new Uint8Array(message), sentAtMs: wait.sentAtMs, receivedAtMs });
  }

  #fail(error: Error): void {
    const wait = this.#wait;
    const failure = netError(error, {
      stage: 'exchange',
      transport: 'udp',
      address: this.#address,
      port: this.port,
      elapsedMs: this.#scope.elapsedMs,
      immediate: !this.#isConnected,
    });
    if (failure.failure.outcome !== 'local') this.#options.pacer.rejected(this.#address);
    this.close();
    wait?.reject(failure);
  }

  #settle(): void {
    this.#wait = undefined;
    this.#cancelTurn();
    this.#cancelResend();
    this.#cancelTurn = nothing;
    this.#cancelResend = nothing;
  }
}

/** What silence on UDP is: thrown when the attempt ends, worded for the count of datagrams. */
export function silence(address: string, port: number, sends: number, ms: number): NetError {
  const what = sends === 1 ? 'one datagram' : `${sends} datagrams`;
  const detail = `${hostPort(address, port)}: no answer to ${what} in ${ms / 1000} s`;
  return new NetError({ outcome: 'timeout', stage: 'exchange', detail });
}

/** Only literals come here; Node would ask its resolver even about those. */
function literal(address: string, _: unknown, found: (error: null, address: string, family: number) => void): void {
  found(null, address, isIPv6(address) ? 6 : 4);
}

const nothing = (): void => undefined;
