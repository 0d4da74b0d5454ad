/** A connection on loopback: reads across the borders of chunks, one deadline for all of them, ends of every kind. */
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { DecodeError } from '../../src/wire/reader.ts';
import { bytesOf, failureOf, listening, msOf, readText, realIo, textOf, vacantPort } from '../support/real-io.ts';
import { patienceMs } from '../support/patience.ts';

/** Each piece in a segment of its own. */
async function inPieces(socket: Socket, pieces: readonly string[], pauseMs = 5): Promise<void> {
  socket.setNoDelay(true);
  for (const piece of pieces) {
    if (socket.destroyed) return;
    socket.write(bytesOf(piece));
    await sleep(pauseMs);
  }
}

const lineEnd = bytesOf('\r\n');

describe('reading', () => {
  test('gathers what came in pieces, and keeps what was not asked for', async () => {
    await using server = await listening((socket) => inPieces(socket, ['he', 'llo\r', '\nwor', 'ld!', 'abc']));
    await using attempt = realIo({ port: server.port });
    const conn = await attempt.io.connect();
    expect(textOf(await conn.readUntil(lineEnd, 100))).toBe('hello\r\n');
    expect(await readText(conn, 6)).toBe('world!');
    expect(await readText(conn, 1)).toBe('a');
    expect(await readText(conn, 2)).toBe('bc');
  });

  test('some takes what is there, and no more than asked for', async () => {
    await using server = await listening((socket) => socket.write('abcdef'));
    await using attempt = realIo({ port: server.port });
    const conn = await attempt.io.connect();
    expect(textOf(await conn.readSome(4))).toBe('abcd');
    expect(textOf(await conn.readSome(4))).toBe('ef');
  });

  test('until a delimiter that stands across two pieces, at the very end of what is allowed', async () => {
    await using server = await listening((socket) => inPieces(socket, ['abc\r', '\n']));
    await using attempt = realIo({ port: server.port });
    const conn = await attempt.io.connect();
    expect(textOf(await conn.readUntil(lineEnd, 5))).toBe('abc\r\n');
  });

  test('until a delimiter that does not come within the limit is a DecodeError', async () => {
    await using server = await listening((socket) => socket.write('x'.repeat(1000)));
    await using attempt = realIo({ port: server.port });
    const conn = await attempt.io.connect();
    await expect(conn.readUntil(lineEnd, 100)).rejects.toThrow(DecodeError);
  });

  test('more than the read-ahead works, and a sender that never stops is held back', async () => {
    const block = Buffer.alloc(64 * 1024, 'z');
    let sent = 0;
    await using server = await listening((socket) => {
      const more = (): void => {
        while (!socket.destroyed && socket.write(block)) sent += block.length;
        sent += block.length;
      };
      socket.on('drain', more);
      more();
    });
    await using attempt = realIo({ port: server.port });
    const conn = await attempt.io.connect();
    expect((await conn.read(300_000)).length).toBe(300_000);
    await sleep(150);
    const after = sent;
    await sleep(150);
    // The kernel's buffers fill once; then nothing moves until somebody reads.
    expect(sent).toBe(after);
    expect(attempt.io.now()).toBeGreaterThan(0);
    expect((conn as unknown as { bufferedBytes: number }).bufferedBytes).toBeLessThan(512 * 1024);
  });
});

describe('the deadline', () => {
  test('is absolute: a peer that drips a byte now and then gains nothing', async () => {
    await using server = await listening((socket) =>
      inPieces(
        socket,
        Array.from({ length: 100 }, () => 'x'),
        40,
      ),
    );
    await using attempt = realIo({ port: server.port, timeoutMs: 300 });
    const conn = await attempt.io.connect();
    const reading = failureOf(conn.read(100));
    expect(await msOf(reading)).toBeLessThan(patienceMs);
    expect(await reading).toMatchObject({ outcome: 'timeout', stage: 'exchange' });
    expect((await reading).detail).toBe('the answer was not complete in 0.3 s');
  });

  test('tells a mute peer from a slow one', async () => {
    await using server = await listening(() => undefined);
    await using attempt = realIo({ port: server.port, timeoutMs: 100 });
    const conn = await attempt.io.connect();
    expect(await failureOf(conn.readSome(1))).toMatchObject({
      outcome: 'timeout',
      stage: 'exchange',
      detail: 'no answer in 0.1 s',
    });
  });

  test('holds for a peer that does not read what we write', async () => {
    await using server = await listening((socket) => socket.pause());
    await using attempt = realIo({ port: server.port, timeoutMs: 300 });
    const conn = await attempt.io.connect();
    const writing = failureOf(
      (async () => {
        for (;;) await conn.write(Buffer.alloc(1 << 20));
      })(),
    );
    expect(await writing).toMatchObject({ outcome: 'timeout', stage: 'exchange' });
  });

  test('closes the socket: the peer sees the end', async () => {
    const { promise: gone, resolve } = Promise.withResolvers<boolean>();
    await using server = await listening((socket) => socket.resume().once('close', () => resolve(true)));
    await using attempt = realIo({ port: server.port, timeoutMs: 100 });
    const conn = await attempt.io.connect();
    await failureOf(conn.read(1));
    expect(await gone).toBe(true);
  });
});

describe('the end', () => {
  test('of a peer that closes before an answer is `closed`', async () => {
    await using server = await listening((socket) => socket.end());
    await using attempt = realIo({ port: server.port });
    const conn = await attempt.io.connect();
    expect(await failureOf(conn.read(1))).toEqual({
      outcome: 'closed',
      stage: 'exchange',
      detail: 'the peer closed the connection without an answer',
    });
  });

  test('in the middle of an answer says how much there was, and what was there can still be read', async () => {
    await using server = await listening((socket) => socket.end('abc'));
    await using attempt = realIo({ port: server.port });
    const conn = await attempt.io.connect();
    expect((await failureOf(conn.read(10))).detail).toBe('the peer closed the connection after 3 bytes of an answer');
    expect(await readText(conn, 3)).toBe('abc');
  });

  test('by a reset is `closed` too', async () => {
    await using server = await listening((socket) => socket.once('data', () => socket.resetAndDestroy()));
    await using attempt = realIo({ port: server.port });
    const conn = await attempt.io.connect();
    await conn.write(bytesOf('hello'));
    expect(await failureOf(conn.read(1))).toMatchObject({ outcome: 'closed', stage: 'exchange', code: 'ECONNRESET' });
  });

  test('is seen while a connection is watched, whatever it is', async () => {
    await using closing = await listening((socket) => socket.end());
    await using resetting = await listening((socket) => setTimeout(() => socket.resetAndDestroy(), 20));
    await using staying = await listening(() => undefined);
    await using talking = await listening((socket) => socket.write('220 hello'));
    const watch = async (port: number): Promise<[boolean, number]> => {
      await using attempt = realIo({ port });
      const conn = await attempt.io.connect();
      const watching = attempt.io.closesWithin(conn, 200);
      return [await watching, await msOf(watching)];
    };
    expect((await watch(closing.port))[0]).toBe(true);
    expect((await watch(resetting.port))[0]).toBe(true);
    expect((await watch(staying.port))[0]).toBe(false);
    expect((await watch(talking.port))[0]).toBe(false);
  });

  test('that we say is polite: the last bytes, then FIN, and no more than half a second of waiting', async () => {
    const heard: string[] = [];
    await using server = await listening((socket) => {
      socket.on('data', (bytes) => heard.push(bytes.toString('latin1'))).once('end', () => heard.push('FIN'));
    });
    await using attempt = realIo({ port: server.port });
    const conn = await attempt.io.connect();
    await conn.end(bytesOf('QUIT'));
    await sleep(20);
    expect(heard).toEqual(['QUIT', 'FIN']);
  });

  test('does not wait for ever for the peer’s own', async () => {
    await using server = await listening((socket) => {
      socket.allowHalfOpen = true;
      socket.resume();
    });
    await using attempt = realIo({ port: server.port, timeoutMs: 5000 });
    const conn = await attempt.io.connect();
    const waiting = attempt.net.deadlines.size;
    expect(await msOf(conn.end())).toBeLessThan(patienceMs);
    expect(attempt.net.deadlines.size).toBeLessThanOrEqual(waiting);
  });
});

test('nothing listens: refused, and the layer is the destination’s', async () => {
  await using attempt = realIo({ port: await vacantPort() });
  expect(await failureOf(attempt.io.connect())).toMatchObject({
    outcome: 'refused',
    stage: 'connect',
    code: 'ECONNREFUSED',
  });
});

test('an attempt has one socket at a time: connecting again closes the first', async () => {
  await using server = await listening((socket) => socket.resume());
  await using attempt = realIo({ port: server.port });
  await attempt.io.connect();
  await attempt.io.connect();
  await sleep(30);
  expect(server.sockets.map(({ destroyed }) => destroyed)).toEqual([true, false]);
  expect(attempt.net.counters.connects).toBe(2);
});

test('when the attempt is over every wait ends and nothing is left that waits', async () => {
  await using server = await listening(() => undefined);
  const attempt = realIo({ port: server.port, timeoutMs: 10_000 });
  const conn = await attempt.io.connect();
  const reading = failureOf(conn.read(1));
  const { NetError } = await import('../../src/model/errors.ts');
  attempt.io.scope.stop(new NetError({ outcome: 'aborted', stage: 'exchange', detail: 'interrupted' }));
  expect((await reading).outcome).toBe('aborted');
  expect((await failureOf(attempt.io.connect())).outcome).toBe('aborted');
  await attempt[Symbol.asyncDispose]();
  expect(attempt.net.deadlines.size).toBe(0);
});
