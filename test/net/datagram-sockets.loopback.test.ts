/** A datagram socket that is used again: what its former peer sends, or draws, never reaches the next. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { readdirSync, readlinkSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Probe } from '../../src/model/probe.ts';
import { DatagramSockets, type DatagramSocket, type DatagramListener } from '../../src/net/datagram-sockets.ts';
import { checkOf } from '../support/builders.ts';
import { bytesOf, failureOf, listening, realIo, textOf, vacantPort } from '../support/real-io.ts';
import { observedOf } from '../support/run-plan.ts';
import { probes } from '../support/sites.ts';

interface Peer extends AsyncDisposable {
  readonly port: number;
  readonly socket: Socket;
  readonly heard: RemoteInfo[];
}

async function peer(answer: (text: string, from: RemoteInfo, socket: Socket) => unknown): Promise<Peer> {
  const socket = createSocket('udp4');
  const heard: RemoteInfo[] = [];
  socket.on('message', (bytes, from) => {
    heard.push(from);
    answer(textOf(bytes), from, socket);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const end = (): Promise<void> => new Promise((resolve) => void socket.close(() => resolve()));
  return { port: socket.address().port, socket, heard, [Symbol.asyncDispose]: end };
}

const echo = (): Promise<Peer> => peer((text, { address, port }, socket) => socket.send(`re: ${text}`, port, address));
const any = (): boolean => true;
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
async function rested(): Promise<void> {
  for (let i = 0; i < 4; i += 1) await turn();
}
const openSockets = (): number => process.getActiveResourcesInfo().filter((name) => /^UDP/i.test(name)).length;

const budget = { room: 0 };
let sockets: DatagramSockets;

beforeEach(async () => {
  // Handles that the test before closed are counted until the loop has gone round.
  await rested();
  budget.room = 10;
  sockets = new DatagramSockets({ sourceAddress: undefined, budget });
});

afterEach(() => sockets.close());

/** One attempt of one exchange. */
async function ask(port: number, word = 'hello'): Promise<string> {
  await using attempt = realIo({ port, transport: 'udp', sockets });
  return textOf((await attempt.io.exchange(bytesOf(word), any)).bytes);
}

/** For what an attempt would never do. */
const listener = (heard: string[]): DatagramListener => ({
  connected: () => heard.push('connected'),
  heard: (message) => heard.push(textOf(message)),
  failed: (error) => heard.push(String(error)),
});

async function connected(socket: DatagramSocket, port: number, heard: string[] = []): Promise<DatagramSocket> {
  socket.connect(port, '127.0.0.1', listener(heard));
  await turn();
  expect(heard).toEqual(['connected']);
  return socket;
}

test('after a clean exchange the next attempt takes the socket, which has another port', async () => {
  await using one = await echo();
  await using other = await echo();
  const before = openSockets();
  for (const { port } of [one, other, one, other]) {
    expect(await ask(port)).toBe('re: hello');
    await rested();
    expect([sockets.size, openSockets() - before]).toEqual([1, 1]);
  }
  expect(new Set([...one.heard, ...other.heard].map(({ port }) => port)).size).toBeGreaterThan(1);
});

test('several questions of an attempt are clean when each had its one answer', async () => {
  await using server = await echo();
  await using attempt = realIo({ port: server.port, transport: 'udp', sockets });
  for (const word of ['one', 'two', 'three']) await attempt.io.exchange(bytesOf(word), any);
  attempt.io.scope.close();
  expect(sockets.size).toBe(1);
});

test('what the former peer sends to the former port reaches nobody', async () => {
  await using former = await echo();
  await using next = await peer((_, { port }, socket) => {
    for (const { port: formerPort } of former.heard) former.socket.send('late', formerPort, '127.0.0.1');
    former.socket.send('astray', port, '127.0.0.1');
    setTimeout(() => socket.send('genuine', port, '127.0.0.1'), 30);
  });
  await ask(former.port);
  await rested();
  expect(sockets.size).toBe(1);
  expect(await ask(next.port)).toBe('genuine');
});

test('what came before the socket was disconnected is heard while it rests, and ends it', async () => {
  // Released before the next poll phase, as if its one answer had come: three lie in its queue.
  const releases = Promise.withResolvers<void>();
  await using former = await peer((_, { port }, server) => {
    for (const word of ['answer', 'answer', 'answer']) server.send(word, port, '127.0.0.1');
    setImmediate(() => {
      socket.release(true);
      releases.resolve();
    });
  });
  const heard: string[] = [];
  const socket = await connected(sockets.take(4), former.port, heard);
  socket.send(bytesOf('?'));
  await releases.promise;
  expect([sockets.size, heard]).toEqual([1, ['connected']]);
  await rested();
  expect([sockets.size, socket.isOpen]).toEqual([0, false]);
});

test('a refusal that the former peer drew is not told as the next one’s', async () => {
  await using next = await echo();
  const socket = await connected(sockets.take(4), await vacantPort());
  // On loopback the ICMP error is there when the call returns; Linux keeps it across both connects.
  socket.send(bytesOf('?'));
  socket.release(true);
  expect(sockets.size).toBe(1);
  expect(await ask(next.port)).toBe('re: hello');
  await rested();
  expect(socket.isOpen).toBe(false);
  expect(await ask(next.port)).toBe('re: hello');
});

test('a socket is not taken in the turn of its release', async () => {
  await using server = await echo();
  const socket = await connected(sockets.take(4), server.port);
  socket.release(true);
  const another = sockets.take(4);
  await turn();
  const third = sockets.take(4);
  expect([another, third].includes(socket)).toBe(false);
  await rested();
  expect(sockets.take(6)).not.toBe(socket);
  expect(sockets.take(4)).toBe(socket);
  for (const each of [socket, another, third]) each.close();
});

describe('not kept is a socket', () => {
  test('whose question was refused', async () => {
    await using attempt = realIo({ port: await vacantPort(), transport: 'udp', sockets });
    expect(await failureOf(attempt.io.exchange(bytesOf('?'), any))).toMatchObject({ outcome: 'refused' });
    expect(sockets.size).toBe(0);
  });

  test('whose question was not answered', async () => {
    await using server = await peer(() => undefined);
    await using attempt = realIo({ port: server.port, transport: 'udp', timeoutMs: 100, sockets });
    expect(await failureOf(attempt.io.exchange(bytesOf('?'), any))).toMatchObject({ outcome: 'timeout' });
    expect(sockets.size).toBe(0);
  });

  test('whose question was sent twice', async () => {
    await using server = await peer((_, { port }, socket) => {
      if (server.heard.length === 2) socket.send('at last', port, '127.0.0.1');
    });
    await using attempt = realIo({ port: server.port, transport: 'udp', timeoutMs: 600, sockets });
    await attempt.io.exchange(bytesOf('?'), any);
    attempt.io.scope.close();
    expect(sockets.size).toBe(0);
  });

  test('that heard what it did not ask for', async () => {
    await using server = await peer((_, { port }, socket) => {
      for (const word of ['noise', 'yes']) socket.send(word, port, '127.0.0.1');
    });
    await using attempt = realIo({ port: server.port, transport: 'udp', sockets });
    await attempt.io.exchange(bytesOf('?'), (bytes) => textOf(bytes) === 'yes');
    attempt.io.scope.close();
    await rested();
    expect(sockets.size).toBe(0);
  });

  test('that never sent anything', async () => {
    await using attempt = realIo({ port: 9, transport: 'udp', sockets });
    void attempt.io.exchange(bytesOf('?'), any);
    attempt.io.scope.close();
    expect(sockets.size).toBe(0);
  });
});

test('the source address stays', async () => {
  await using server = await echo();
  sockets = new DatagramSockets({ sourceAddress: '127.0.0.5', budget });
  for (let i = 0; i < 3; i += 1) {
    expect(await ask(server.port)).toBe('re: hello');
    await rested();
    expect(sockets.size).toBe(1);
  }
  expect(new Set(server.heard.map(({ address }) => address))).toEqual(new Set(['127.0.0.5']));
});

test('no more are kept than there are places, and they make room for others', async () => {
  await using server = await echo();
  const all = await Promise.all(Array.from({ length: 100 }, () => connected(sockets.take(4), server.port)));
  for (const socket of all) socket.release(true);
  expect(sockets.size).toBe(10);
  budget.room = 3;
  sockets.makeRoom();
  expect(sockets.size).toBe(3);
  budget.room = -1;
  sockets.makeRoom();
  expect(sockets.size).toBe(0);
  expect(all.some(({ isOpen }) => isOpen)).toBe(false);
});

test('at the end nothing is left, and nothing is kept any more', async () => {
  await using server = await echo();
  const before = openSockets();
  await Promise.all([ask(server.port), ask(server.port)]);
  const late = await connected(sockets.take(4), server.port);
  expect(sockets.size).toBe(2);
  sockets.close();
  late.release(true);
  await rested();
  expect([sockets.size, openSockets() - before]).toEqual([0, 0]);
});

test('a run never has more sockets open than places, spare ones and connections together', async () => {
  await using server = await echo();
  await using greeter = await listening((socket) => setTimeout(() => socket.end('hi'), 5));
  const concurrency = 4;
  const checks = Array.from({ length: 120 }, (_, i) =>
    i % 3 === 0
      ? checkOf({ id: `${i}`, probe: 'tcp', host: '127.0.0.1', port: greeter.port, options: { expect: 'hi' } })
      : checkOf({
          id: `${i}`,
          probe: 'udp',
          transport: 'udp',
          host: '127.0.0.1',
          port: server.port,
          options: { payload: 'x' },
        }),
  );
  const opened = (): number =>
    descriptors('socket:').length - greeter.sockets.filter(({ destroyed }) => !destroyed).length;
  const before = opened();
  let most = 0;
  const watch = (probe: Probe): Probe => ({
    ...probe,
    run: async (...given) => {
      const answer = await probe.run(...given);
      most = Math.max(most, opened() - before);
      return answer;
    },
  });
  const { byCheck } = await observedOf(checks, {
    concurrency,
    probes: { tcp: watch(probes['tcp']!), udp: watch(probes['udp']!) },
  });
  expect([...byCheck.values()].flat().filter(({ outcome }) => outcome !== 'answered')).toEqual([]);
  expect(most).toBeLessThanOrEqual(concurrency);
  expect(most).toBeGreaterThan(1);
});

/** What this process has open of a kind, as the system knows it. */
function descriptors(kind: string): string[] {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(kind);
    } catch {
      return false;
    }
  });
}
