/**
 * The sockets of a responder: each port at each address by itself, so that an answer leaves from where the question came
 * to. A port that anybody holds is not taken: no `reuseAddr`, no `reusePort`. A connection has 5 s and 2 KiB to say one
 * whole message, and gets the answer to it or is closed without a byte.
 */
import dgram from 'node:dgram';
import net, { type Socket } from 'node:net';
import { canonicalHost, familyOfAddress } from '../model/address.ts';
import type { Transport } from '../model/probe.ts';
import { framed } from '../wire/pair.ts';

export interface Peer {
  readonly address: string;
  readonly port: number;
}

export interface Local {
  readonly transport: Transport;
  readonly port: number;
}

export interface StandInService {
  /** A message that came to a port: the answer to it, or undefined for none. */
  answer(message: Uint8Array, from: Peer, at: Local): Uint8Array | undefined;
  /** A connection was accepted. */
  accepted(from: Peer, at: Local): void;
}

const mostConnections = 64;
const mostBytes = 2048;
const patienceMs = 5000;

type Listener = net.Server | dgram.Socket;

export class StandIns {
  readonly #service: StandInService;
  readonly #listeners = new Set<Listener>();
  readonly #connections = new Set<Socket>();

  constructor(service: StandInService) {
    this.#service = service;
  }

  /** Opens the port at all of the addresses or at none; 0 takes a free one. Rejects with what the system says. */
  async open(transport: Transport, port: number, addresses: readonly string[]): Promise<number> {
    const opened: Listener[] = [];
    let taken = port;
    try {
      for (const address of addresses) {
        // One after the other: the first decides which port it is.
        const listener = await (transport === 'tcp' ? this.#listen(address, taken) : this.#bind(address, taken));
        opened.push(listener);
        taken = portOf(listener);
      }
    } catch (error) {
      await Promise.all(opened.map((one) => this.#shut(one)));
      throw error;
    }
    return taken;
  }

  /** Lets go of a port at all of its addresses. */
  async shut(transport: Transport, port: number): Promise<void> {
    const ofIt = [...this.#listeners].filter(
      (one) => one instanceof net.Server === (transport === 'tcp') && portOf(one) === port,
    );
    await Promise.all(ofIt.map((one) => this.#shut(one)));
  }

  async close(): Promise<void> {
    for (const socket of this.#connections) socket.destroy();
    await Promise.all([...this.#listeners].map((one) => this.#shut(one)));
  }

  async #listen(address: string, port: number): Promise<net.Server> {
    const server = net.createServer((socket) => this.#serve(socket, portOf(server)));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once('error', reject).listen({ host: address, port, exclusive: true, ipv6Only: true }, resolve);
    await promise;
    server.on('error', ignore);
    this.#listeners.add(server);
    return server;
  }

  async #bind(address: string, port: number): Promise<dgram.Socket> {
    const type = familyOfAddress(address) === 6 ? 'udp6' : 'udp4';
    const socket = dgram.createSocket({ type, reuseAddr: false, ipv6Only: type === 'udp6' });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.once('error', reject).bind({ address, port, exclusive: true }, resolve);
    try {
      await promise;
    } catch (error) {
      socket.close();
      throw error;
    }
    const at: Local = { transport: 'udp', port: portOf(socket) };
    socket.on('error', ignore);
    socket.on('message', (message, { address: source, port: sourcePort }) => {
      const reply = this.#service.answer(message, { address: canonicalHost(source), port: sourcePort }, at);
      if (reply) socket.send(reply, sourcePort, source, ignore);
    });
    this.#listeners.add(socket);
    return socket;
  }

  #serve(socket: Socket, port: number): void {
    const at: Local = { transport: 'tcp', port };
    const from: Peer = { address: canonicalHost(socket.remoteAddress ?? ''), port: socket.remotePort ?? 0 };
    socket.on('error', ignore);
    if (this.#connections.size >= mostConnections) return void socket.destroy();
    this.#connections.add(socket);
    this.#service.accepted(from, at);
    const tooLate = setTimeout(() => socket.destroy(), patienceMs);
    socket.once('close', () => {
      clearTimeout(tooLate);
      this.#connections.delete(socket);
    });
    let received = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      const wanted = received.length < 2 ? Infinity : 2 + received.readUInt16BE(0);
      if (received.length > mostBytes || (wanted !== Infinity && wanted > mostBytes)) return void socket.destroy();
      if (received.length < wanted) return;
      socket.removeAllListeners('data');
      const reply = received.length === wanted ? this.#service.answer(received.subarray(2), from, at) : undefined;
      if (reply) socket.end(framed(reply));
      else socket.destroy();
    });
    socket.once('end', () => socket.end());
  }

  async #shut(one: Listener): Promise<void> {
    this.#listeners.delete(one);
    const { promise, resolve } = Promise.withResolvers<void>();
    one.close(() => resolve());
    await promise;
  }
}

function portOf(listener: Listener): number {
  const bound = listener.address();
  return bound !== null && typeof bound === 'object' ? bound.port : 0;
}

/** A socket's close follows its error, and the close is what counts. */
function ignore(): void {
  // Nothing to do.
}
