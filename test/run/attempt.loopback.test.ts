/** One check at one address, whatever its probe comes to: answers, failures, defects, and the smaller TLS hello. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { inDays, makeAuthority, soundLeaf, type Credentials } from '../../src/lab/certificate.ts';
import { NetError } from '../../src/model/errors.ts';
import type { Check } from '../../src/model/plan.ts';
import type { Probe } from '../../src/model/probe.ts';
import { DecodeError } from '../../src/wire/reader.ts';
import { checkOf } from '../support/builders.ts';
import { listening, type Listening } from '../support/real-io.ts';
import { observedOf, stub, type Observed } from '../support/run-plan.ts';

const check = checkOf({ probe: 'stub', host: '127.0.0.1', port: 9 });
const ending = (run: Probe['run']): Promise<Observed> => observedOf([check], { probes: stub(run) });

describe('a probe', () => {
  test('that answers is heard, with its evidence, its warnings and its notes', async () => {
    const { only } = await ending((io) => {
      io.record({ version: 4, stratum: 1 });
      io.warn('late');
      io.note('by the way');
      return Promise.resolve({ outcome: 'answered', detail: 'stratum 2', evidence: { stratum: 2 } });
    });
    expect(only).toMatchObject({ outcome: 'answered', stage: null, detail: 'stratum 2', hint: null });
    expect(only).toMatchObject({ evidence: { version: 4, stratum: 2 }, warnings: ['late'], notes: ['by the way'] });
  });

  test('that is told no says so at the exchange', async () => {
    const { only } = await ending(() => Promise.resolve({ outcome: 'declined', detail: 'not for you', evidence: {} }));
    expect(only).toMatchObject({ outcome: 'declined', stage: 'exchange', detail: 'not for you' });
  });

  test('that cannot go on has the outcome of the floor that saw it, and keeps its evidence', async () => {
    const { only } = await ending((io) => {
      io.record({ connectMs: 3 });
      const failure = { outcome: 'closed', stage: 'tls', code: 'ECONNRESET', detail: 'it hung up' } as const;
      return Promise.reject(new NetError(failure));
    });
    expect(only).toMatchObject({ outcome: 'closed', stage: 'tls', code: 'ECONNRESET', evidence: { connectMs: 3 } });
  });

  test('that cannot read the answer calls it garbled', async () => {
    const { only, bugs } = await ending(() => Promise.reject(new DecodeError('mode 5 is not a server’s', 0)));
    expect(only).toMatchObject({ outcome: 'garbled', stage: 'exchange' });
    expect(only.detail).toMatch(/^unexpected answer: mode 5/);
    expect(bugs).toEqual([]);
  });

  test.for([new TypeError('x is not a function'), 'a string', undefined])(
    'that throws what it should not (%s) is a defect of ours, never the target’s fault',
    async (thrown) => {
      const { only, bugs } = await ending(() => Promise.reject(thrown));
      expect(only).toMatchObject({ outcome: 'local', stage: null });
      expect(only.detail).toMatch(/^a defect of xenreach itself: .* \(please report it\)$/);
      expect(bugs).toEqual([thrown]);
    },
  );

  test('that throws before it has begun is a defect, too', async () => {
    const { only, bugs } = await ending(() => {
      throw new RangeError('at once');
    });
    expect(only.outcome).toBe('local');
    expect(bugs).toHaveLength(1);
  });
});

test('datagrams that were sent again are attempts', async () => {
  const { only, stats } = await observedOf(
    [checkOf({ probe: 'udp', transport: 'udp', host: '127.0.0.1', port: await mutePort(), options: { payload: '' } })],
    {
      timeoutMs: 300,
      retries: 2,
    },
  );
  expect(only).toMatchObject({ outcome: 'timeout', stage: 'exchange', attempts: 3 });
  expect(stats.datagrams).toBe(3);
});

async function mutePort(): Promise<number> {
  const { Listeners } = await import('../../src/net/listeners.ts');
  const listeners = new Listeners();
  const port = await listeners.open('127.0.0.1', { udp: () => undefined });
  // It is closed with the process: it keeps none alive.
  return port;
}

describe('a way that drops a TLS hello of two segments', () => {
  const authority = makeAuthority('A test authority');
  const trust = [authority.certificate];
  const sound = authority.issue(soundLeaf('127.0.0.1'));

  /** What a firewall does that cannot put two segments together: the larger hello is never answered. */
  async function narrowWay(
    credentials: Credentials,
    largest = 1000,
  ): Promise<Listening & { readonly hellos: number[] }> {
    const server = await listening(
      (socket) => socket.resume(),
      (serve) => createTlsServer(credentials, serve).on('tlsClientError', () => undefined),
    );
    const hellos: number[] = [];
    const way = await listening((socket: Socket) => {
      socket.once('data', (bytes: Buffer) => {
        const length = bytes.readUInt16BE(3);
        hellos.push(length);
        if (length > largest) return;
        const inner = connect(server.port, '127.0.0.1').on('error', () => undefined);
        inner.write(bytes);
        socket.pipe(inner).pipe(socket);
      });
    });
    const dispose = async (): Promise<void> => {
      await way[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    };
    return { port: way.port, sockets: way.sockets, hellos, [Symbol.asyncDispose]: dispose };
  }

  const tlsTo = (port: number): Check =>
    checkOf({ probe: 'tls', host: '127.0.0.1', port, options: { trust: 'verify' } });

  test('is found out: the smaller one is answered, and the answer is a warning', async () => {
    await using way = await narrowWay(sound);
    const { only } = await observedOf([tlsTo(way.port)], { trust, timeoutMs: 300 });
    expect(only).toMatchObject({ outcome: 'answered', stage: null, hint: 'large-hello', attempts: 2 });
    expect(only.warnings).toEqual([expect.stringMatching(/^only a TLS hello of one TCP segment gets through/)]);
    expect(way.hellos).toHaveLength(2);
    expect(way.hellos[0]).toBeGreaterThan(1400);
    expect(way.hellos[1]).toBeLessThan(600);
  });

  test('does not hide what is wrong with the certificate behind it', async () => {
    const expired = authority.issue({ ...soundLeaf('127.0.0.1'), validFrom: inDays(-60), validTo: inDays(-30) });
    await using way = await narrowWay(expired);
    const { only } = await observedOf([tlsTo(way.port)], { trust, timeoutMs: 300 });
    expect(only).toMatchObject({ outcome: 'untrusted', stage: 'tls', hint: 'large-hello', attempts: 2 });
    expect(only.detail).toMatch(/expired/);
  });

  test('is not to blame for a peer that answers neither', async () => {
    await using way = await narrowWay(sound, 0);
    const { only } = await observedOf([tlsTo(way.port)], { trust, timeoutMs: 200 });
    expect(only).toMatchObject({ outcome: 'timeout', stage: 'tls', hint: null, attempts: 2 });
    expect(way.hellos).toHaveLength(2);
  });

  test('is not to blame when the second try never got as far as a hello', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined).resume();
      // From here on nothing listens: the second connection is refused.
      server.close();
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const { only } = await observedOf([tlsTo(port)], { trust, timeoutMs: 200 });
    expect(only).toMatchObject({ outcome: 'timeout', stage: 'tls', hint: null, attempts: 2 });
  });

  test('is not suspected of a peer that began to answer', async () => {
    await using server = await listening((socket) => {
      // The first bytes of a ServerHello, and no more.
      socket.once('data', () => socket.write(Buffer.from('1603030200', 'hex')));
    });
    const { only } = await observedOf([tlsTo(server.port)], { trust, timeoutMs: 200 });
    expect(only).toMatchObject({ outcome: 'timeout', stage: 'tls', hint: null, attempts: 1 });
    await sleep(20);
    expect(server.sockets).toHaveLength(1);
  });
});
