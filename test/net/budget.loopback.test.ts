/** An attempt has a budget of bytes as it has a deadline: whoever sends without end is told so, and read no further. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { expect, test } from 'vitest';
import { makeAuthority, soundLeaf } from '../../src/lab/certificate.ts';
import type { NetFailure } from '../../src/model/errors.ts';
import type { Conn } from '../../src/model/probe.ts';
import type { NetIo } from '../../src/net/io.ts';
import { failureOf, listening, realIo } from '../support/real-io.ts';

const tooMuch = 'the peer sent more than 1 MiB where a short answer belongs';
const timeoutMs = 10_000;

/** As fast as it is taken. */
function pour(socket: Socket, piece: Uint8Array): void {
  const block = Buffer.concat(Array.from({ length: Math.ceil(65_536 / piece.length) }, () => piece));
  const more = (): void => {
    while (!socket.destroyed) if (!socket.write(block)) return void socket.once('drain', more);
  };
  socket.on('error', () => undefined);
  more();
}

async function against(
  serve: (socket: Socket) => unknown,
  talk: (io: NetIo, conn: Conn) => Promise<unknown>,
): Promise<NetFailure> {
  await using server = await listening(serve);
  await using attempt = realIo({ host: 'www.lab.example', port: server.port, timeoutMs });
  const failure = await failureOf(talk(attempt.io, await attempt.io.connect()));
  await expect.poll(() => server.sockets.every(({ destroyed }) => destroyed)).toBe(true);
  return failure;
}

async function readForever(conn: Conn): Promise<never> {
  // Until it fails.
  for (;;) await conn.readSome(1024);
}

test('on a plain connection', async () => {
  const failure = await against(
    (socket) => pour(socket, Buffer.from('x')),
    (_, conn) => readForever(conn),
  );
  expect(failure).toMatchObject({ outcome: 'garbled', stage: 'exchange', detail: tooMuch });
});

test('in a handshake that goes on and on', async () => {
  // A HelloRequest asks the client to begin: OpenSSL reads as many as come.
  const helloRequest = Buffer.from('16 0303 0004 00 000000'.replaceAll(' ', ''), 'hex');
  const failure = await against(
    (socket) => socket.once('data', () => pour(socket, helloRequest)),
    (io, conn) => io.secure(conn),
  );
  expect(failure).toMatchObject({ outcome: 'garbled', stage: 'tls', detail: tooMuch });
});

test('inside a session', async () => {
  const authority = makeAuthority('A test authority');
  await using server = await listening(
    (socket) => pour(socket, Buffer.from('x')),
    (serve) =>
      createTlsServer(authority.issue(soundLeaf('www.lab.example')), serve).on('tlsClientError', () => undefined),
  );
  await using attempt = realIo({
    host: 'www.lab.example',
    trust: [authority.certificate],
    port: server.port,
    timeoutMs,
  });
  const conn = await attempt.io.secure(await attempt.io.connect());
  expect(await failureOf(readForever(conn))).toMatchObject({ outcome: 'garbled', detail: tooMuch });
});

test('in datagrams that are no answer', async () => {
  const peer = createSocket('udp4', (_, { port, address }) => {
    const flood = (): void => {
      for (let i = 0; i < 8; i += 1) peer.send(Buffer.alloc(60_000), port, address, () => undefined);
      timer = setImmediate(flood);
    };
    flood();
  });
  let timer: NodeJS.Immediate | undefined;
  peer.bind(0, '127.0.0.1');
  await once(peer, 'listening');
  await using attempt = realIo({ port: peer.address().port, transport: 'udp', timeoutMs });
  const failure = await failureOf(attempt.io.exchange(Buffer.from('?'), () => false));
  clearImmediate(timer);
  peer.close();
  expect(failure).toMatchObject({ outcome: 'garbled', detail: tooMuch });
});
