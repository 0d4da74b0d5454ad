/** TLS on loopback: certificates good and bad, judged for their name, their issuer and the time; sessions that fail. */
import { createSecureContext, createServer as createTlsServer, type TlsOptions } from 'node:tls';
import type { Server, Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import {
  inDays,
  makeAuthority,
  makeSelfSigned,
  soundLeaf,
  type Credentials,
  type Leaf,
} from '../../src/lab/certificate.ts';
import type { SecureOptions } from '../../src/model/probe.ts';
import type { NetFailure } from '../../src/model/errors.ts';
import { bytesOf, failureOf, listening, readText, realIo, type IoOptions, type Listening } from '../support/real-io.ts';

const authority = makeAuthority('A test authority');
const host = 'www.lab.example';
const trust = [authority.certificate];
const leafOf = (parts: Partial<Leaf> = {}): Credentials => authority.issue({ ...soundLeaf(host), ...parts });

type Tls = (serve: (socket: Socket) => void) => Server;
const overTls =
  (options: TlsOptions): Tls =>
  (serve) =>
    createTlsServer(options, serve).on('tlsClientError', () => undefined);

const echoing = (options: TlsOptions): Promise<Listening> =>
  listening((socket) => socket.pipe(socket), overTls(options));

interface Told {
  readonly failure?: NetFailure;
  readonly evidence: Readonly<Record<string, unknown>>;
  readonly warnings: readonly string[];
  readonly notes: readonly string[];
}

/** What is told of a server with these credentials. */
async function toldOf(options: TlsOptions, how: Partial<IoOptions> & Omit<SecureOptions, 'trust'> = {}): Promise<Told> {
  await using server = await echoing(options);
  const { servername, isPublicName = false, ...ioOptions } = how;
  await using attempt = realIo({ host, trust, ...ioOptions, port: server.port });
  const conn = await attempt.io.connect();
  const { evidence, warnings, notes } = attempt.io;
  try {
    await attempt.io.secure(conn, { isPublicName, ...(servername !== undefined && { servername }) });
    return { evidence, warnings, notes };
  } catch (error) {
    return { failure: await failureOf(Promise.reject(error)), evidence, warnings, notes };
  }
}

describe('a certificate', () => {
  test('that is good opens a session in which bytes go both ways, and is told as evidence', async () => {
    await using server = await echoing(leafOf());
    await using attempt = realIo({ host, trust, port: server.port });
    const conn = await attempt.io.secure(await attempt.io.connect());
    await conn.write(bytesOf('hello'));
    expect(await readText(conn, 5)).toBe('hello');
    await conn.end();
    expect(attempt.io.evidence).toMatchObject({
      tlsProtocol: 'TLSv1.3',
      cipher: expect.stringMatching(/^TLS_/),
      certificate: {
        subject: 'O=xenreach lab, CN=www.lab.example',
        issuer: 'O=xenreach lab, CN=A test authority',
        names: [host],
        notAfter: expect.stringMatching(/^\d{4}-.*Z$/),
        sha256: expect.stringMatching(/^[0-9A-F:]{95}$/),
        chain: ['O=xenreach lab, CN=A test authority'],
      },
    });
    expect(attempt.io.warnings).toEqual([]);
  });

  test('that expired long ago says when', async () => {
    const { failure, evidence } = await toldOf(leafOf({ validFrom: inDays(-400), validTo: inDays(-35) }));
    expect(failure).toMatchObject({ outcome: 'untrusted', stage: 'tls', code: 'CERT_HAS_EXPIRED' });
    expect(failure?.hint).toBeUndefined();
    expect(failure?.detail).toMatch(/^the certificate expired on \d{4}-\d\d-\d\d$/);
    expect(evidence).toMatchObject({ certificate: { names: [host] } });
  });

  test.for([
    ['has just expired', { validFrom: inDays(-400), validTo: inDays(-1) }, 'CERT_HAS_EXPIRED'],
    ['is not yet valid', { validFrom: inDays(30), validTo: inDays(300) }, 'CERT_NOT_YET_VALID'],
  ] as const)('that %s asks whether the clock is right', async ([, leaf, code]) => {
    const { failure } = await toldOf(leafOf(leaf));
    expect(failure).toMatchObject({ outcome: 'untrusted', stage: 'tls', hint: 'clock', code });
    expect(failure?.detail).toMatch(/is this machine's clock right\?$/);
  });

  test('for another name says for which', async () => {
    const { failure, evidence } = await toldOf(
      leafOf({ commonName: 'cdn.example', names: ['cdn.example', '*.cdn.example'] }),
    );
    expect(failure).toMatchObject({
      outcome: 'untrusted',
      hint: 'wrong-name',
      detail: 'the certificate is for cdn.example, *.cdn.example, not for www.lab.example',
    });
    expect(evidence).toMatchObject({ certificate: { names: ['cdn.example', '*.cdn.example'] } });
  });

  test.for([
    ['*.lab.example', host, true],
    ['*.example', host, false],
    ['127.0.0.1', '127.0.0.1', true],
    ['127.0.0.2', '127.0.0.1', false],
    [host, '127.0.0.1', false],
  ] as const)('with the name %s serves %s: %s', async ([name, wanted, good]) => {
    const credentials = leafOf({ commonName: 'somebody', names: [name] });
    const { failure } = await toldOf(credentials, { host: wanted });
    expect(failure?.hint).toBe(good ? undefined : 'wrong-name');
    expect(failure === undefined).toBe(good);
  });

  test('is judged for the server name that the probe asked for', async () => {
    const credentials = leafOf({ names: ['other.lab.example'] });
    expect((await toldOf(credentials, { servername: 'other.lab.example' })).failure).toBeUndefined();
  });

  test('by an authority that nobody knows names it', async () => {
    const { failure } = await toldOf(leafOf(), { trust: [] });
    expect(failure).toMatchObject({ outcome: 'untrusted', stage: 'tls', hint: 'unknown-issuer' });
    expect(failure?.detail).toBe('the certificate was issued by A test authority, which this machine does not trust');
  });

  test('of a public name by an authority that nobody knows is interception', async () => {
    const { failure, evidence } = await toldOf(leafOf(), { trust: [], isPublicName: true });
    expect(failure).toMatchObject({ outcome: 'untrusted', stage: 'tls', hint: 'intercepted' });
    expect(failure?.detail).toMatch(/intercepted by A test authority\?$/);
    expect(evidence).toMatchObject({ certificate: { issuer: 'O=xenreach lab, CN=A test authority' } });
  });

  test('that signed itself is of an unknown issuer, also without its chain', async () => {
    expect((await toldOf(makeSelfSigned(soundLeaf(host)))).failure?.hint).toBe('unknown-issuer');
    const { cert, key } = leafOf();
    const alone = cert.slice(0, cert.indexOf('-----END CERTIFICATE-----') + 26);
    expect((await toldOf({ cert: alone, key }, { trust: [] })).failure?.hint).toBe('unknown-issuer');
    expect((await toldOf({ cert: alone, key })).failure).toBeUndefined();
  });

  test.for([
    [9.5, 'the certificate expires in 9 days, on '],
    [1.5, 'the certificate expires in 1 day, on '],
    [0.5, 'the certificate expires in 0 days, on '],
    [15, undefined],
  ] as const)('that ends in %d days is a warning: %s', async ([days, warning]) => {
    const { failure, warnings } = await toldOf(leafOf({ validTo: inDays(days) }));
    expect(failure).toBeUndefined();
    expect(warnings.map((text) => text.slice(0, -10))).toEqual(warning === undefined ? [] : [warning]);
  });

  test('with control characters in its names cannot write on a terminal', async () => {
    const leaf = { commonName: 'evil\u001b[2J\u0007', names: ['a\u001b]0;x.example'] };
    const { failure, evidence } = await toldOf(leafOf(leaf));
    const told = [failure?.detail, ...Object.values(evidence['certificate'] as object).flat()].join(' ');
    // oxlint-disable-next-line no-control-regex -- they are what it is about
    expect(told).not.toMatch(/[\u0000-\u001f]/);
  });
});

describe('a certificate that is only observed', () => {
  test('is evidence and a note, not a failure', async () => {
    await using server = await echoing(makeSelfSigned(soundLeaf('whatever.example')));
    await using attempt = realIo({ host, port: server.port });
    await attempt.io.secure(await attempt.io.connect(), { trust: 'observe' });
    await attempt.io.secure(await attempt.io.connect(), { trust: 'observe', evidenceName: 'poolCertificate' });
    const certificate = { names: ['whatever.example'] };
    expect(attempt.io.evidence).toMatchObject({ certificate, poolCertificate: certificate });
    expect(attempt.io.notes).toEqual(['its certificate is from whatever.example and was not verified']);
    expect(attempt.io.warnings).toEqual([]);
  });

  test.for([
    [{ validFrom: inDays(-400), validTo: inDays(-35) }, /^the certificate expired on/],
    [{ validFrom: inDays(30), validTo: inDays(300) }, /is valid from .* only: is this machine's clock right\?$/],
    [{ validTo: inDays(9.5) }, /^the certificate expires in 9 days/],
  ] as const)('warns of its time: %#', async ([leaf, warning]) => {
    await using server = await echoing(leafOf(leaf));
    await using attempt = realIo({ host, port: server.port });
    await attempt.io.secure(await attempt.io.connect(), { trust: 'observe' });
    expect(attempt.io.warnings).toEqual([expect.stringMatching(warning)]);
  });
});

test('an attempt that ends in the middle of a session ends it: nothing is left, and the process lives', async () => {
  await using server = await echoing(leafOf());
  for (let i = 0; i < 5; i += 1) {
    const attempt = realIo({ host, trust, port: server.port });
    await attempt.io.secure(await attempt.io.connect());
    await attempt[Symbol.asyncDispose]();
    expect(attempt.net.deadlines.size).toBe(0);
  }
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(server.sockets.map(({ destroyed }) => destroyed)).toEqual([true, true, true, true, true]);
});

describe('no session', () => {
  const againstText = async (serve: (socket: Socket) => unknown, timeoutMs = 1000): Promise<NetFailure> => {
    await using server = await listening(serve);
    await using attempt = realIo({ host, port: server.port, timeoutMs });
    const conn = await attempt.io.connect();
    return await failureOf(attempt.io.secure(conn));
  };

  test('with what answers in plain text', async () => {
    const failure = await againstText((socket) =>
      socket.once('data', () => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')),
    );
    expect(failure).toMatchObject({ outcome: 'tls-failed', stage: 'tls' });
    expect(failure.detail).toBe('no TLS session: what listens there does not speak TLS');
  });

  test('with what speaks first', async () => {
    await using server = await listening((socket) => socket.write('220 mail.example ESMTP\r\n'));
    await using attempt = realIo({ host, port: server.port });
    const conn = await attempt.io.connect();
    await attempt.io.closesWithin(conn, 30);
    expect(await failureOf(attempt.io.secure(conn))).toMatchObject({ outcome: 'tls-failed', stage: 'tls' });
  });

  test.for([
    ['TLSv1.1', 'DEFAULT@SECLEVEL=0'],
    ['TLSv1', 'DEFAULT@SECLEVEL=0'],
  ] as const)('with a server of %s', async ([version, ciphers]) => {
    const options = { ...leafOf(), minVersion: version, maxVersion: version, ciphers } as const;
    const { failure } = await toldOf(options);
    expect(failure).toMatchObject({ outcome: 'tls-failed', stage: 'tls' });
  });

  test('with a server that alerts', async () => {
    const { failure } = await toldOf({ SNICallback: (_name, done) => done(new Error('unknown name')), ...leafOf() });
    expect(['tls-failed', 'closed']).toContain(failure?.outcome);
    expect(failure?.stage).toBe('tls');
  });

  test('with a peer that hangs up, by FIN or by reset', async () => {
    for (const end of ['end', 'resetAndDestroy'] as const) {
      const failure = await againstText((socket) => socket.once('data', () => socket[end]()));
      expect(failure).toMatchObject({ outcome: 'closed', stage: 'tls' });
    }
  });

  test('with a peer that stays mute is a timeout at tls', async () => {
    const failure = await againstText((socket) => socket.resume(), 150);
    expect(failure).toMatchObject({ outcome: 'timeout', stage: 'tls', detail: 'no answer to the TLS hello in 0.15 s' });
  });
});

test('TLS 1.2 alone is good enough', async () => {
  const { failure, evidence } = await toldOf({ ...leafOf(), maxVersion: 'TLSv1.2' });
  expect(failure).toBeUndefined();
  expect(evidence).toMatchObject({ tlsProtocol: 'TLSv1.2' });
});

test('the name is sent, without the dot that ends it, and an address is not', async () => {
  const asked: (string | false)[] = [];
  const server = (wanted: string): Promise<Told> =>
    toldOf(
      {
        ...leafOf({ names: [host, '127.0.0.1'] }),
        SNICallback: (name, done) => {
          asked.push(name);
          done(null, createSecureContext(leafOf()));
        },
      },
      { host: wanted },
    );
  await server(host);
  await server(`${host}.`);
  await server('127.0.0.1');
  expect(asked).toEqual([host, host]);
});

describe('the hello', () => {
  const lengths: number[] = [];
  const measured = async (smallHello: boolean): Promise<number> => {
    const { promise, resolve } = Promise.withResolvers<number>();
    await using server = await listening((socket) => {
      socket.once('data', (bytes: Buffer) => resolve(bytes.readUInt16BE(3)));
    });
    await using attempt = realIo({ host, port: server.port, smallHello, timeoutMs: 300 });
    const conn = await attempt.io.connect();
    const failing = failureOf(attempt.io.secure(conn));
    const length = await promise;
    await failing;
    expect(attempt.io.helloUnanswered).toBe(true);
    return length;
  };

  test('takes two segments, the small one fits in one, and its silence is noticed', async () => {
    lengths.push(await measured(false), await measured(true));
    expect(lengths[0]).toBeGreaterThan(1400);
    expect(lengths[1]).toBeLessThan(600);
  });

  test('of the small kind opens a session all the same, with a P-384 server too', async () => {
    expect((await toldOf({ ...leafOf(), ecdhCurve: 'P-384' }, { smallHello: true })).failure).toBeUndefined();
    expect((await toldOf(leafOf(), { smallHello: true })).failure).toBeUndefined();
  });
});

test('a server is not asked for a session of before: every handshake shows the certificate', async () => {
  const { port, reused } = await countingReuse();
  await using server = port;
  for (let i = 0; i < 2; i += 1) {
    await using attempt = realIo({ host, trust, port: server.port });
    const conn = await attempt.io.secure(await attempt.io.connect());
    await conn.write(bytesOf('x'));
    await readText(conn, 1);
    expect(attempt.io.evidence['certificate']).toBeTruthy();
  }
  expect(reused).toEqual([false, false]);
});

async function countingReuse(): Promise<{ port: Listening; reused: boolean[] }> {
  const reused: boolean[] = [];
  const make: Tls = (serve) =>
    createTlsServer(leafOf(), (socket) => {
      reused.push(socket.isSessionReused());
      serve(socket);
    });
  return { port: await listening((socket) => socket.pipe(socket), make), reused };
}
