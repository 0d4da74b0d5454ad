/** The table of TLS failures held against the library: every alert and every kind of bytes is produced for real. */
import type { Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { makeAuthority, soundLeaf } from '../../src/lab/certificate.ts';
import type { NetFailure } from '../../src/model/errors.ts';
import { makeOdd } from '../support/certificates.ts';
import { bytesOf, failureOf, listening, realIo } from '../support/real-io.ts';

const host = 'www.lab.example';
const ofTheLibrary = /ssl3_|deps\/openssl|SSL routines|unexpected:|error:0A|falsy/i;

const onceAsked =
  (bytes: Uint8Array) =>
  (socket: Socket): void => {
    socket.once('data', () => socket.end(bytes));
  };

async function failureAgainst(serve: (socket: Socket) => unknown): Promise<NetFailure> {
  await using server = await listening(serve);
  await using attempt = realIo({ host, port: server.port });
  return await failureOf(attempt.io.secure(await attempt.io.connect()));
}

const alertBytes = (alert: number): Buffer => Buffer.from([0x15, 3, 3, 0, 2, 2, alert]);

/** RFC 8446 section 6 and its forerunners: every number that a peer may send. */
const alerts: readonly (readonly [alert: number, detail: RegExp])[] = [
  [10, /refuses what we sent: unexpected message/],
  [20, /refuses what we sent: bad record/],
  [22, /refuses what we sent: record overflow/],
  [30, /the peer says decompression failure/],
  [40, /no common cipher or curve, or it demands a client certificate/],
  [41, /demands a client certificate/],
  [42, /client certificate \(bad certificate\)/],
  [43, /client certificate \(unsupported certificate\)/],
  [44, /the peer says certificate revoked/],
  [45, /the peer says certificate expired/],
  [46, /client certificate .*certificate unknown/],
  [47, /refuses what we sent: illegal parameter/],
  [48, /client certificate of an authority that it knows/],
  [49, /denies access/],
  [50, /refuses what we sent: decode error/],
  [51, /refuses what we sent: decrypt error/],
  [60, /the peer says export restriction/],
  [70, /no TLS version of 1\.2 or later/],
  [71, /stronger ciphers/],
  [80, /internal error/],
  [86, /inappropriate fallback/],
  [90, /gave the handshake up/],
  [100, /the peer says no renegotiation/],
  [109, /missing extension/],
  [110, /unsupported extension/],
  [111, /the peer says certificate unobtainable/],
  [112, /does not know the name/],
  [113, /the peer says bad certificate status response/],
  [115, /the peer says unknown psk identity/],
  [116, /demands a client certificate/],
  [120, /none of the protocols that were offered/],
];

test.for(alerts)('alert %i is told as %s', async ([alert, detail]) => {
  const failure = await failureAgainst(onceAsked(alertBytes(alert)));
  expect(failure).toMatchObject({ outcome: 'tls-failed', stage: 'tls' });
  expect(failure.detail).toMatch(detail);
  expect(failure.remedy).toBeTruthy();
  if (alert !== 70) expect(failure.remedy).not.toContain('TLS 1.2');
  expect(JSON.stringify([failure.detail, failure.remedy])).not.toMatch(ofTheLibrary);
});

test('any other alert is the peer’s as well', async () => {
  for (const alert of [1, 57, 99, 117, 200, 255]) {
    // One peer after the other.
    const { outcome, stage, detail } = await failureAgainst(onceAsked(alertBytes(alert)));
    expect(['tls-failed', 'closed']).toContain(outcome);
    expect(stage).toBe('tls');
    expect(detail).not.toMatch(ofTheLibrary);
  }
});

test.for([
  ['an HTTP answer', bytesOf('HTTP/1.1 400 Bad Request\r\n\r\n'), /does not speak TLS/],
  ['a page', bytesOf('<html><body>hello</body></html>'), /does not speak TLS/],
  ['zeros', Buffer.alloc(20), /does not speak TLS/],
  ['a record of 64 KiB', Buffer.from([0x16, 3, 3, 0xff, 0xff, 1, 2, 3]), /does not speak TLS/],
  ['data before a session', Buffer.from([0x17, 3, 3, 0, 2, 1, 2]), /out of its turn/],
  ['an empty server hello', Buffer.from([0x16, 3, 3, 0, 4, 2, 0, 0, 0]), /broken TLS: length mismatch/],
] as const)('%s is told as %s', async ([, bytes, detail]) => {
  const failure = await failureAgainst(onceAsked(bytes));
  expect(failure).toMatchObject({ outcome: 'tls-failed', stage: 'tls' });
  expect(failure.detail).toMatch(detail);
  expect(failure.detail).not.toMatch(ofTheLibrary);
});

const authority = makeAuthority('A test authority');
const trust = [authority.certificate];

async function failureOfServer(options: TlsOptions): Promise<NetFailure> {
  await using server = await listening(
    (socket) => socket.resume(),
    (serve) =>
      createTlsServer({ ...authority.issue(soundLeaf(host)), ...options }, serve).on('tlsClientError', () => undefined),
  );
  await using attempt = realIo({ host, trust, port: server.port });
  return await failureOf(attempt.io.secure(await attempt.io.connect()));
}

test.for([
  [
    'an old version',
    { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
    /no TLS version of 1\.2 or later/,
  ],
  ['no common cipher', { maxVersion: 'TLSv1.2', ciphers: 'NULL-SHA256@SECLEVEL=0' }, /no common cipher or curve/],
  ['no common curve', { ecdhCurve: 'brainpoolP256r1' }, /no common cipher or curve|out of its turn|illegal/],
] as const)('a server of %s', async ([, options, detail]) => {
  const failure = await failureOfServer(options);
  expect(failure).toMatchObject({ outcome: 'tls-failed', stage: 'tls' });
  expect(failure.detail).toMatch(detail);
});

describe('a server that demands a client certificate', () => {
  const demanding = (maxVersion: 'TLSv1.2' | 'TLSv1.3'): TlsOptions => ({
    ...authority.issue(soundLeaf(host)),
    maxVersion,
    requestCert: true,
    rejectUnauthorized: true,
    ca: makeOdd({ subject: '/CN=Clients', extensions: ['basicConstraints=critical,CA:TRUE'] }).certificate,
  });
  const asked = /client certificate/;

  test.for(['read', 'goodbye'] as const)('says so behind a handshake of TLS 1.3, to whoever waits: %s', async (how) => {
    // Node's own server resets without an alert: this one says what OpenSSL's says.
    await using server = await listening(
      (socket) => socket.resume(),
      (serve) => createTlsServer(demanding('TLSv1.3'), serve).on('tlsClientError', () => undefined),
    );
    await using attempt = realIo({ host, trust, port: server.port });
    const failure = await failureOf(
      (async () => {
        const conn = await attempt.io.secure(await attempt.io.connect());
        if (how === 'read') return await conn.read(1);
        await conn.end();
        return await attempt.io.closesWithin(conn, 0);
      })(),
    );
    expect(failure).toMatchObject({ outcome: 'tls-failed', stage: 'tls' });
    expect(failure.detail).toMatch(asked);
    expect(failure.detail).not.toMatch(ofTheLibrary);
  });

  test('in TLS 1.2 refuses the handshake, or says why', async () => {
    const failure = await failureOfServer(demanding('TLSv1.2'));
    expect(['tls-failed', 'closed']).toContain(failure.outcome);
    expect(failure.stage).toBe('tls');
  });
});

test('bytes that break a session that was up are the peer’s, and told without the library’s words', async () => {
  const raw: Socket[] = [];
  await using server = await listening(
    () => setImmediate(() => raw[0]!.write(Buffer.from([0x17, 3, 3, 0, 32, ...Buffer.alloc(32)]))),
    (serve) =>
      createTlsServer(authority.issue(soundLeaf(host)), serve)
        .on('connection', (socket) => void raw.push(socket))
        .on('tlsClientError', () => undefined),
  );
  await using attempt = realIo({ host, trust, port: server.port });
  const conn = await attempt.io.secure(await attempt.io.connect());
  const failure = await failureOf(conn.read(1));
  expect(['tls-failed', 'closed']).toContain(failure.outcome);
  expect(failure.detail).not.toMatch(ofTheLibrary);
});
