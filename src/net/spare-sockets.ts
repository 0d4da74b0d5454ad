/**
 * Datagram sockets that are used again: to make, bind and close one costs as much as the rest of the exchange (0.26 against
 * 0.16 CPU s for 10,000). A disconnected socket (connect to AF_UNSPEC) has no local port: what the former peer still sends
 * reaches nobody, and the next connect takes another port. But Linux keeps what came before that, an ICMP error too, and
 * would tell it as the next peer's; so a socket rests for a whole turn of the loop first, and one that hears anything then
 * is closed.
 */
import type { Socket } from 'node:dgram';

/** What a socket tells whoever has it. */
export interface Listener {
  connected(): void;
  heard(message: Buffer): void;
  failed(error: unknown): void;
}

export interface SpareOptions {
  readonly sourceAddress: string | undefined;
  /** Spare sockets take no more than what it has left. */
  readonly budget: { readonly room: number };
}

/** Checks start by 16 a turn and a socket rests for two at the most: more would wait for nobody. */
const maxSpares = 64;

/** One that is released in a turn is heard in the poll phase of the next. */
const restTurns = 2;

export class DatagramSocket {
  readonly isIPv6: boolean;
  isOpen = true;
  /** The turn from which it may be taken. */
  restsUntil = 0;
  #isBound = false;
  #listener: Listener | undefined;
  readonly #spares: SpareSockets;
  readonly #socket: Socket;

  constructor(spares: SpareSockets, isIPv6: boolean) {
    this.#spares = spares;
    this.isIPv6 = isIPv6;
    // Loaded with the first datagram: half a millisecond of a check of one TCP row.
    const { createSocket } = process.getBuiltinModule('node:dgram');
    this.#socket = createSocket({ type: isIPv6 ? 'udp6' : 'udp4', lookup: literal })
      .on('connect', () => this.#listener?.connected())
      .on('message', (message) => (this.#listener ? this.#listener.heard(message) : this.close()))
      .on('error', this.#fail);
  }

  /** Whatever the system has against it comes to the listener, at once or later. */
  connect(port: number, address: string, listener: Listener): void {
    this.#listener = listener;
    try {
      if (!this.#isBound) this.#bind();
      if (this.isOpen) this.#socket.connect(port, address);
    } catch (error) {
      this.#fail(error);
    }
  }

  send(datagram: Uint8Array): void {
    this.#socket.send(datagram, this.#sent);
  }

  /** Nobody's any more. `isSettled`: as many replies came as datagrams went out, and nothing else. */
  release(isSettled: boolean): void {
    this.#listener = undefined;
    if (!isSettled || !this.#spares.hasRoom) return this.close();
    try {
      this.#socket.disconnect();
    } catch {
      return this.close();
    }
    this.#spares.add(this);
  }

  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.#listener = undefined;
    this.#spares.remove(this);
    this.#socket.close();
  }

  #bind(): void {
    this.#isBound = true;
    const { sourceAddress } = this.#spares;
    if (sourceAddress !== undefined) this.#socket.bind(0, sourceAddress);
  }

  readonly #sent = (error: Error | null): void => {
    if (error) this.#fail(error);
  };

  /** Also when nobody listens: an ICMP error for a datagram still on its way must not become the process's. */
  readonly #fail = (error: unknown): void => {
    if (this.#listener) this.#listener.failed(error);
    else this.close();
  };
}

export class SpareSockets {
  readonly sourceAddress: string | undefined;
  readonly #budget: SpareOptions['budget'];
  /** In the order of their release. */
  #spares: DatagramSocket[] = [];
  #turn = 0;
  #isTurning = false;
  #isClosed = false;

  constructor({ sourceAddress, budget }: SpareOptions) {
    this.sourceAddress = sourceAddress;
    this.#budget = budget;
  }

  get size(): number {
    return this.#spares.length;
  }

  get hasRoom(): boolean {
    return !this.#isClosed && this.size < maxSpares && this.size < this.#budget.room;
  }

  take(isIPv6: boolean): DatagramSocket {
    const at = this.#spares.findIndex((spare) => spare.isIPv6 === isIPv6 && spare.restsUntil <= this.#turn);
    return (at < 0 ? undefined : this.#spares.splice(at, 1)[0]) ?? new DatagramSocket(this, isIPv6);
  }

  add(socket: DatagramSocket): void {
    socket.restsUntil = this.#turn + restTurns;
    this.#spares.push(socket);
    if (!this.#isTurning) setImmediate(this.#next);
    this.#isTurning = true;
  }

  remove(socket: DatagramSocket): void {
    const at = this.#spares.indexOf(socket);
    if (at >= 0) this.#spares.splice(at, 1);
  }

  /** Something else is about to be opened. */
  makeRoom(): void {
    while (this.size > 0 && this.size > this.#budget.room) this.#spares[0]!.close();
  }

  /** The run is over, or this machine is out of what sockets are made of: none are kept from now on. */
  close(): void {
    this.#isClosed = true;
    for (const spare of [...this.#spares]) spare.close();
  }

  readonly #next = (): void => {
    this.#turn += 1;
    this.#isTurning = (this.#spares.at(-1)?.restsUntil ?? 0) > this.#turn;
    if (this.#isTurning) setImmediate(this.#next);
  };
}

/** Only literals come here; Node would ask its resolver even about those. */
function literal(address: string, _: unknown, found: (error: null, address: string, family: number) => void): void {
  found(null, address, address.includes(':') ? 6 : 4);
}
