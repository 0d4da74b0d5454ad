/** Datagrams on loopback: the first accepted reply, resends, silence, refusal, and replies of somebody else. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { describe, expect, test } from 'vitest';
import { bytesOf, failureOf, msOf, realIo, textOf, vacantPort } from '../support/real-io.ts';
import { patienceMs } from '../support/patience.ts';

interface Echo extends AsyncDisposable {
  readonly port: number;
  readonly heard: readonly string[];
  /** The source ports that it heard from. */
  readonly from: readonly number[];
}

async function answering(answer: (text: string, from: RemoteInfo, socket: Socket) => unknown): Promise<Echo> {
  const socket = createSocket('udp4');
  const heard: string[] = [];
  const from: number[] = [];
  socket.on('message', (bytes, sender) => {
    heard.push(textOf(bytes));
    from.push(sender.port);
    answer(textOf(bytes), sender, socket);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return {
    port: socket.address().port,
    heard,
    from,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => void socket.close(() => resolve())),
  };
}

const any = (): boolean => true;

test('the reply comes back, with the times of the socket', async () => {
  await using server = await answering((text, { port }, socket) => socket.send(`re: ${text}`, port, '127.0.0.1'));
  await using attempt = realIo({ port: server.port, transport: 'udp' });
  const reply = await attempt.io.exchange(bytesOf('hello'), any);
  expect(textOf(reply.bytes)).toBe('re: hello');
  expect(reply.receivedAtMs - reply.sentAtMs).toBeGreaterThanOrEqual(0);
  expect(Math.abs(reply.sentAtMs - Date.now())).toBeLessThan(patienceMs);
  expect([attempt.io.sends, attempt.net.counters.datagrams]).toEqual([1, 1]);
  expect(attempt.io.notes).toEqual([]);
});

test('what is not accepted is passed over; the first that is ends it', async () => {
  await using server = await answering((_, { port }, socket) => {
    for (const text of ['noise', 'more noise', 'yes', 'late']) socket.send(text, port, '127.0.0.1');
  });
  await using attempt = realIo({ port: server.port, transport: 'udp' });
  expect(textOf((await attempt.io.exchange(bytesOf('?'), (bytes) => textOf(bytes) === 'yes')).bytes)).toBe('yes');
});

test('what another socket sends is not heard at all', async () => {
  const stranger = createSocket('udp4');
  await using server = await answering((_, { port }, socket) => {
    stranger.send('forged', port, '127.0.0.1', () => setTimeout(() => socket.send('genuine', port, '127.0.0.1'), 30));
  });
  await using attempt = realIo({ port: server.port, transport: 'udp' });
  const reply = await attempt.io.exchange(bytesOf('?'), any);
  stranger.close();
  expect(textOf(reply.bytes)).toBe('genuine');
});

describe('a lost datagram', () => {
  test('is sent again, from the same port, and it is said so', async () => {
    await using server = await answering((_, { port }, socket) => {
      if (server.heard.length === 2) socket.send('at last', port, '127.0.0.1');
    });
    await using attempt = realIo({ port: server.port, transport: 'udp', timeoutMs: 600 });
    expect(textOf((await attempt.io.exchange(bytesOf('?'), any)).bytes)).toBe('at last');
    expect(attempt.io.sends).toBe(2);
    expect(attempt.io.notes).toEqual(['2 datagrams were needed: some were lost']);
    expect(new Set(server.from).size).toBe(1);
  });

  test('is sent no more often than asked for, then it is silence', async () => {
    await using server = await answering(() => undefined);
    await using attempt = realIo({ port: server.port, transport: 'udp', timeoutMs: 300, retries: 2 });
    const failing = failureOf(attempt.io.exchange(bytesOf('?'), any));
    expect(await msOf(failing)).toBeLessThan(patienceMs);
    const detail = `no answer to 3 datagrams in 0.3 s`;
    expect(await failing).toEqual({ outcome: 'timeout', stage: 'exchange', detail });
    expect(server.heard).toEqual(['?', '?', '?']);
  });

  test('is not sent again where the server punishes impatience', async () => {
    await using server = await answering(() => undefined);
    await using attempt = realIo({ port: server.port, transport: 'udp', timeoutMs: 200 });
    expect((await failureOf(attempt.io.exchange(bytesOf('?'), any, { maxSends: 1 }))).detail).toMatch(/one datagram/);
    expect(server.heard).toEqual(['?']);
  });
});

test('nobody listens: the refusal is told at once, without waiting for the deadline', async () => {
  await using attempt = realIo({ port: await vacantPort(), transport: 'udp', timeoutMs: 5000 });
  const failing = failureOf(attempt.io.exchange(bytesOf('?'), any));
  expect(await msOf(failing)).toBeLessThan(patienceMs);
  expect(await failing).toMatchObject({ outcome: 'refused', stage: 'connect', code: 'ECONNREFUSED' });
});

test('an empty datagram and the largest reply there is both get through', async () => {
  await using server = await answering((_, { port }, socket) => socket.send(Buffer.alloc(60_000), port, '127.0.0.1'));
  await using attempt = realIo({ port: server.port, transport: 'udp' });
  expect((await attempt.io.exchange(new Uint8Array(), any)).bytes.length).toBe(60_000);
});

test('a datagram that is too large for any network is this machine’s trouble', async () => {
  await using server = await answering(() => undefined);
  await using attempt = realIo({ port: server.port, transport: 'udp' });
  expect(await failureOf(attempt.io.exchange(Buffer.alloc(70_000), any))).toMatchObject({
    outcome: 'local',
    code: 'EMSGSIZE',
  });
});

test('several exchanges of one attempt share its deadline', async () => {
  await using server = await answering((text, { port }, socket) => socket.send(text, port, '127.0.0.1'));
  await using attempt = realIo({ port: server.port, transport: 'udp', timeoutMs: 400 });
  await attempt.io.exchange(bytesOf('one'), any);
  const failing = failureOf(attempt.io.exchange(bytesOf('two'), () => false));
  expect(await msOf(failing)).toBeLessThan(patienceMs);
  expect((await failing).outcome).toBe('timeout');
});

test('the next question goes from the same port, and a stray reply to the first does not answer it', async () => {
  await using server = await answering((text, { port }, socket) => {
    if (text === 'one') for (let i = 0; i < 3; i += 1) socket.send('one', port, '127.0.0.1');
    else socket.send('two', port, '127.0.0.1');
  });
  await using attempt = realIo({ port: server.port, transport: 'udp' });
  for (const word of ['one', 'two', 'one', 'two']) {
    const reply = await attempt.io.exchange(bytesOf(word), (bytes) => textOf(bytes) === word);
    expect(textOf(reply.bytes)).toBe(word);
  }
  expect(new Set(server.from).size).toBe(1);
});

test('another port has a socket of its own, and so has the question after a refusal', async () => {
  await using one = await answering((text, { port }, socket) => socket.send(text, port, '127.0.0.1'));
  await using other = await answering((text, { port }, socket) => socket.send(text, port, '127.0.0.1'));
  await using attempt = realIo({ port: one.port, transport: 'udp' });
  await attempt.io.exchange(bytesOf('one'), any);
  expect(textOf((await attempt.io.exchange(bytesOf('other'), any, { port: other.port })).bytes)).toBe('other');
  expect(await failureOf(attempt.io.exchange(bytesOf('?'), any, { port: await vacantPort() }))).toMatchObject({
    outcome: 'refused',
  });
  expect(textOf((await attempt.io.exchange(bytesOf('again'), any)).bytes)).toBe('again');
});
