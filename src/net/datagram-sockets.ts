/**
 * Datagram sockets that are used again: to make, bind and close one costs as much as the rest of the exchange. A disconnected socket (connect to AF_UNSPEC) has no local port: what the former peer still sends
 * reaches nobody, and the next connect takes another port. But Linux keeps what came before that, an ICMP error too, and
 * would tell it as the next peer's; so a socket rests for a whole turn of the loop first, and one that hears anything then
 * is closed.
 */
import type { Socket } from 'node:dgram';
import { familyOfAddress } from '../model/address.ts';

/** Whoever has a socket. */
export interface DatagramListener {
  connected(): void;
  heard(message: Buffer): void;
  failed(error: unknown): void;
}

export interface DatagramOptions {
  readonly sourceAddress: string | undefined;
  /** Spare sockets take no more than what it has left. */
  readonly budget: { readonly room: number };
}

/** Sixteen checks start in a turn and a socket rests for two: more spare ones would never be used. */
const maxSpares = 64;

/** What a socket was sent before its release is heard in the poll phase of the next turn. */
const restTurns = 2;

export class DatagramSocket {
  readonly family: 4 | 6;
  isOpen = true;
  /** The turn from which it may be taken. */
  restsUntil = 0;
  #isBound = false;
  #listener: DatagramListener | undefined;
  readonly #spares: DatagramSockets;
  readonly #socket: Socket;

  constructor(spares: DatagramSockets, family: 4 | 6) {
    this.#spares = spares;
    this.family = family;
    // Loaded with the first datagram: a check of TCP rows needs none.
    const { createSocket } = process.getBuiltinModule('node:dgram');
    this.#socket = createSocket({ type: family === 6 ? 'udp6' : 'udp4', lookup: literal })
      .on('connect', () => this.#listener?.connected())
      .on('message', (message) => (this.#listener ? this.#listener.heard(message) : this.close()))
      .on('error', this.#fail);
  }

  /** Whatever the system has against it comes to the listener, at once or later. */
  connect(port: number, address: string, listener: DatagramListener): void {
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

  /** Gives it back. `isSettled`: as many replies came as datagrams went out, and nothing else. */
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

  /** Also when it has no listener: an ICMP error for a datagram still on its way must not become the process's. */
  readonly #fail = (error: unknown): void => {
    if (this.#listener) this.#listener.failed(error);
    else this.close();
  };
}

export class DatagramSockets {
  readonly sourceAddress: string | undefined;
  readonly #budget: DatagramOptions['budget'];
  /** In the order of their release. */
  #spares: DatagramSocket[] = [];
  #turn = 0;
  #isTurning = false;
  #isClosed = false;

  constructor({ sourceAddress, budget }: DatagramOptions) {
    this.sourceAddress = sourceAddress;
    this.#budget = budget;
  }

  get size(): number {
    return this.#spares.length;
  }

  get hasRoom(): boolean {
    return !this.#isClosed && this.size < maxSpares && this.size < this.#budget.room;
  }

  take(family: 4 | 6): DatagramSocket {
    const index = this.#spares.findIndex((spare) => spare.family === family && spare.restsUntil <= this.#turn);
    return (index < 0 ? undefined : this.#spares.splice(index, 1)[0]) ?? new DatagramSocket(this, family);
  }

  add(socket: DatagramSocket): void {
    socket.restsUntil = this.#turn + restTurns;
    this.#spares.push(socket);
    if (!this.#isTurning) setImmediate(this.#next);
    this.#isTurning = true;
  }

  remove(socket: DatagramSocket): void {
    const index = this.#spares.indexOf(socket);
    if (index >= 0) this.#spares.splice(index, 1);
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
  found(null, address, familyOfAddress(address));
}
