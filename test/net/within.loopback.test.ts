/** A question with a deadline of its own: what is not answered in its share of the time leaves the rest to the next. */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { NetError } from '../../src/model/errors.ts';
import { DecodeError } from '../../src/wire/reader.ts';
import { further, isTrouble } from '../../src/wire/further.ts';
import { bytesOf, failureOf, realIo, textOf } from '../support/real-io.ts';

/** Answers whatever begins with "b", and nothing else. */
async function pickyTcp(): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      if (bytes.toString().startsWith('b')) socket.end('yes');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound ? bound.port : 0,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => void server.close(() => resolve())),
  };
}

test('on TCP the next question finds the rest of the time', async () => {
  await using server = await pickyTcp();
  await using attempt = realIo({ port: server.port, timeoutMs: 3000 });
  const { io } = attempt;
  const ask = async (word: string): Promise<string> => {
    const conn = await io.connect();
    await conn.write(bytesOf(word));
    return textOf(await conn.read(3));
  };
  expect(await failureOf(io.within(0.1, () => ask('a')))).toMatchObject({ outcome: 'timeout', stage: 'exchange' });
  expect(await ask('b')).toBe('yes');
});

test('on UDP what was overtaken is sent no more', async () => {
  const heard: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (bytes, { port }) => {
    heard.push(textOf(bytes));
    if (textOf(bytes) === 'b') setTimeout(() => socket.send('yes', port, '127.0.0.1'), 150);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  await using attempt = realIo({ port: socket.address().port, transport: 'udp', timeoutMs: 3000 });
  const ask = (word: string): Promise<string> =>
    attempt.io.exchange(bytesOf(word), () => true, { pauseMs: 100 }).then(({ bytes }) => textOf(bytes));
  expect(await failureOf(attempt.io.within(0.02, () => ask('a')))).toMatchObject({ outcome: 'timeout' });
  expect(await ask('b')).toBe('yes');
  expect(heard.filter((word) => word === 'a')).toHaveLength(1);
  socket.close();
});

test('of a further question trouble is told, and a defect is a defect', async () => {
  await using attempt = realIo({ port: 9 });
  const { io } = attempt;
  const trouble = new NetError({ outcome: 'closed', stage: 'exchange', detail: 'gone' });
  expect(await further(io, () => Promise.resolve(7))).toBe(7);
  expect(await further(io, () => Promise.reject(trouble))).toBe(trouble);
  expect(isTrouble(await further(io, () => Promise.reject(new DecodeError('no list', 4))))).toBe(true);
  await expect(further(io, () => Promise.reject(new TypeError('ours')))).rejects.toThrow('ours');
});

test('the end of the attempt ends the question', async () => {
  await using server = await pickyTcp();
  await using attempt = realIo({ port: server.port, timeoutMs: 3000 });
  const asking = failureOf(attempt.io.within(0.9, async () => (await attempt.io.connect()).read(1)));
  attempt.io.scope.stop(new NetError({ outcome: 'aborted', stage: 'exchange', detail: 'stopped' }));
  expect(await asking).toMatchObject({ outcome: 'aborted' });
});
