/**
 * One datagram out, the first accepted reply back, on a connected socket: only a connected one learns of ICMP errors,
 * and the kernel drops what other addresses send. Several questions to one port share the socket, for it costs more than
 * they do; which reply is whose the question itself decides. Resends belong to the attempt's own deadline.
 */
import { familyOfAddress } from '../model/address.ts';
import { NetError } from '../model/errors.ts';
import type { ProbeIo, Reply } from '../model/probe.ts';
import type { DatagramListener, DatagramSocket, DatagramSockets } from './datagram-sockets.ts';
import { netError } from './failure.ts';
import type { Pacer } from './pacer.ts';
import type { Scope } from './scope.ts';

/** A longer reply is cut here by the socket layer below us anyway; what a probe reads is bounded by it. */
const maxReplyBytes = 65_507;

interface Destination {
  readonly address: string;
  readonly port: number;
}

export interface UdpOptions {
  readonly sockets: DatagramSockets;
  readonly pacer: Pacer;
  readonly counters: { datagrams: number };
}

export interface Resends {
  /** How often the datagram is sent at the most. */
  readonly sends: number;
  /** The pause before each resend. */
  readonly resendAfterMs: number;
  /** It waits for no turn of the host's. */
  readonly isUnpaced?: boolean;
}

type Notes = Pick<ProbeIo, 'note'>;

/** What one question waits for. */
interface Wait extends Resends {
  readonly datagram: Uint8Array;
  readonly accepts: (reply: Uint8Array) => boolean;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: NetError) => void;
  sentAtMs: number;
}

/** The socket of an attempt towards one port: it asks one question after the other. */
export class Datagrams implements DatagramListener {
  readonly port: number;
  /** How often the last question was sent. */
  sends = 0;
  readonly #scope: Scope;
  readonly #address: string;
  readonly #options: UdpOptions;
  readonly #notes: Notes;
  readonly #socket: DatagramSocket;
  #isOpen = true;
  #isConnected = false;
  #wait: Wait | undefined;
  /** Datagrams that drew no reply yet. */
  #unanswered = 0;
  /** Nothing came but one reply to each. */
  #isClean = true;
  #cancelTurn = nothing;
  #cancelResend = nothing;
  #forget = nothing;

  constructor(scope: Scope, { address, port }: Destination, options: UdpOptions, notes: Notes) {
    this.port = port;
    this.#notes = notes;
    this.#scope = scope;
    this.#address = address;
    this.#options = options;
    this.#socket = options.sockets.take(familyOfAddress(address));
    this.#forget = scope.onClose(this.#end);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  exchange(datagram: Uint8Array, accepts: (reply: Uint8Array) => boolean, resends: Resends): Promise<Reply> {
    // It says why not.
    if (this.#scope.isOver) return this.#scope.wait(nothing);
    this.#scope.enter('exchange');
    this.sends = 0;
    // A question that its own deadline has overtaken is sent no more.
    this.#settle();
    return new Promise((resolve, reject) => {
      this.#wait = { ...resends, datagram, accepts, resolve, reject, sentAtMs: 0 };
      if (this.#isConnected) this.#await();
      else this.#socket.connect(this.port, this.#address, this);
    });
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#settle();
    this.#forget();
    this.#socket.release(this.#isConnected && this.#isClean && this.#unanswered === 0);
  }

  connected(): void {
    this.#isConnected = true;
    this.#await();
  }

  heard(message: Buffer): void {
    const receivedAtMs = performance.timeOrigin + performance.now();
    const wait = this.#wait;
    if (wait) this.#scope.received(message.length);
    // Without anyone who waits it is late for the question before, which had its answer.
    if (!wait || message.length > maxReplyBytes || !wait.accepts(message)) {
      this.#isClean = false;
      return;
    }
    this.#unanswered -= 1;
    this.#options.pacer.answered(this.#address);
    this.#settle();
    if (this.sends > 1) this.#notes.note(`${this.sends} datagrams were needed: some were lost`);
    const bytes = new Uint8Array(message.buffer, message.byteOffset, message.length);
    wait.resolve({ bytes, sentAtMs: wait.sentAtMs, receivedAtMs, sends: this.sends });
  }

  failed(error: unknown): void {
    const wait = this.#wait;
    const failure = netError(error, {
      stage: 'exchange',
      transport: 'udp',
      elapsedMs: this.#scope.elapsedMs,
      immediate: !this.#isConnected,
    });
    if (failure.failure.outcome !== 'local') this.#options.pacer.rejected(this.#address);
    this.#isClean = false;
    this.close();
    wait?.reject(this.#worded(failure));
  }

  /** Sends when the host's turn has come. The wait for our own turn is not the peer's silence. */
  #await(): void {
    if (this.#wait?.isUnpaced === true) return this.#send();
    let resume: (() => void) | undefined;
    let hasGone = false;
    this.#cancelTurn = this.#options.pacer.turn(this.#scope, this.#address, () => {
      hasGone = true;
      resume?.();
      this.#send();
    });
    if (!hasGone) resume = this.#scope.pause();
  }

  readonly #send = (): void => {
    const wait = this.#wait;
    if (!wait) return;
    this.#options.counters.datagrams += 1;
    this.sends += 1;
    this.#unanswered += 1;
    wait.sentAtMs = performance.timeOrigin + performance.now();
    this.#socket.send(wait.datagram);
    if (this.sends < wait.sends && this.#wait === wait) {
      this.#cancelResend = this.#scope.after(wait.resendAfterMs, this.#resend);
    }
  };

  readonly #resend = (): void => {
    if (this.#wait?.isUnpaced === true) return this.#send();
    this.#cancelTurn = this.#options.pacer.turn(this.#scope, this.#address, this.#send);
  };

  /** The attempt is over. */
  readonly #end = (): void => {
    const wait = this.#wait;
    this.close();
    const { endedBy } = this.#scope;
    if (endedBy) wait?.reject(this.#worded(endedBy));
  };

  #settle(): void {
    this.#wait = undefined;
    this.#cancelTurn();
    this.#cancelResend();
    this.#cancelTurn = nothing;
    this.#cancelResend = nothing;
  }

  /** What silence on UDP is: worded for the count of datagrams. */
  #worded(error: NetError): NetError {
    if (error.failure.outcome !== 'timeout') return error;
    const what = this.sends === 1 ? 'one datagram' : `${this.sends} datagrams`;
    const seconds = this.#scope.timeoutMs / 1000;
    const detail = `no answer to ${what} in ${seconds} s`;
    return new NetError({ outcome: 'timeout', stage: 'exchange', detail });
  }
}

const nothing = (): void => undefined;
