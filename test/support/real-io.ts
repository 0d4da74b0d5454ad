/** The real net floor for tests on loopback: one attempt with its deadline, and servers that end with the test. */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Conn, Target } from '../../src/model/probe.ts';
import { NetError, type NetFailure } from '../../src/model/errors.ts';
import { NetIo } from '../../src/net/io.ts';
import { openNet, type NetContext } from '../../src/net/net.ts';
import { NameResolver } from '../../src/net/resolver.ts';
import { SynRetransmits } from '../../src/net/syn-retransmits.ts';

export interface IoOptions extends Partial<NetContext> {
  readonly port: number;
  readonly host?: string;
  readonly address?: string;
  readonly transport?: Target['transport'];
  readonly timeoutMs?: number;
  readonly viaProxy?: boolean;
  readonly smallHello?: boolean;
  /** PEM roots beside Node's own. */
  readonly trust?: readonly string[];
}

export interface RealIo extends AsyncDisposable {
  readonly io: NetIo;
  readonly net: NetContext;
}

/** One attempt. Disposing of it closes everything that it opened. */
export function realIo(options: IoOptions): RealIo {
  const { port, address = '127.0.0.1', host = address, transport = 'tcp', timeoutMs = 2000, trust = [] } = options;
  const { viaProxy = false, smallHello = false, ...rest } = options;
  const opened = openNet({
    concurrency: 0,
    timeoutMs,
    retries: 2,
    family: 'any',
    sourceAddress: options.sourceAddress,
    proxy: null,
    trust,
  });
  const net: NetContext = {
    ...opened,
    resolver: new NameResolver({ family: 'any', timeoutMs: 250, tries: 1 }),
    synRetransmits: new SynRetransmits(() => 0),
    ...rest,
  };
  const io = new NetIo(net, { host, address, port, transport }, { timeoutMs, viaProxy, smallHello });
  return {
    io,
    net,
    [Symbol.asyncDispose]: async () => {
      io.scope.close();
      opened.close();
      await new Promise(setImmediate);
    },
  };
}

export interface Listening extends AsyncDisposable {
  readonly port: number;
  /** Everything that was accepted, in order. */
  readonly sockets: readonly Socket[];
}

/** A server on loopback that gives each connection to `serve`. */
export async function listening(
  serve: (socket: Socket) => unknown,
  make: (serve: (socket: Socket) => void) => Server = createServer,
): Promise<Listening> {
  const sockets: Socket[] = [];
  const server = make((socket) => void serve(socket));
  // With TLS these are the connections below it, which end with it.
  server.on('connection', (socket: Socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    sockets,
    [Symbol.asyncDispose]: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** A port of loopback where nothing listens. */
export async function vacantPort(): Promise<number> {
  const server = await listening(() => undefined);
  await server[Symbol.asyncDispose]();
  return server.port;
}

export async function failureOf(doing: Promise<unknown>): Promise<NetFailure> {
  try {
    await doing;
  } catch (error) {
    if (error instanceof NetError) return error.failure;
    throw error;
  }
  throw new Error('it did not fail');
}

/** How many milliseconds a promise took to settle. */
export async function msOf(doing: Promise<unknown>): Promise<number> {
  const began = performance.now();
  await doing.catch(() => undefined);
  return performance.now() - began;
}

export const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
export const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');
export const readText = async (conn: Conn, length: number): Promise<string> => textOf(await conn.read(length));
