/** A tunnel through an HTTP proxy on loopback: what it may say to CONNECT, with and without credentials. */
import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { NetFailure } from '../../src/model/errors.ts';
import type { Proxy } from '../../src/net/proxy.ts';
import {
  bytesOf,
  failureOf,
  listening,
  readText,
  realIo,
  vacantPort,
  type Listening,
  type RealIo,
} from '../support/real-io.ts';

type Say = (head: string, attempt: number) => string;

interface FakeProxy extends Listening {
  readonly heads: readonly string[];
}

/** Reads one head a connection and says what it is told; what comes behind a tunnel is echoed. */
async function proxyThat(says: Say): Promise<FakeProxy> {
  const heads: string[] = [];
  const server = await listening((socket: Socket) => {
    let text = '';
    let isUp = false;
    socket.on('data', (bytes) => {
      if (isUp) return void socket.write(bytes);
      text += bytes.toString('latin1');
      if (!text.includes('\r\n\r\n')) return;
      heads.push(text);
      const answer = says(text, heads.length);
      isUp = answer.startsWith('HTTP/1.1 2');
      if (answer !== '') socket.write(bytesOf(answer));
    });
  });
  return Object.assign(server, { heads });
}

const through = (port: number, parts: Partial<Proxy> = {}, timeoutMs = 1000): RealIo =>
  realIo({
    host: 'repo.example.test',
    address: 'repo.example.test',
    port: 443,
    viaProxy: true,
    timeoutMs,
    proxy: { host: '127.0.0.1', port, ...parts },
  });

const established = 'HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n';
const wants = (scheme: string): string =>
  `HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: ${scheme}\r\nContent-Length: 0\r\n\r\n`;
const credentials = { username: 'svc-xs', password: 'Correct-Horse' };

async function failureThrough(answer: string, parts: Partial<Proxy> = {}): Promise<NetFailure> {
  await using proxy = await proxyThat(() => answer);
  await using attempt = through(proxy.port, parts);
  return await failureOf(attempt.io.connect());
}

describe('a proxy that says yes', () => {
  test('gives a connection to the destination, which it was asked for by name', async () => {
    await using proxy = await proxyThat(() => established);
    await using attempt = through(proxy.port, credentials);
    const conn = await attempt.io.connect();
    await conn.write(bytesOf('hello'));
    expect(await readText(conn, 5)).toBe('hello');
    expect(proxy.heads).toEqual([
      'CONNECT repo.example.test:443 HTTP/1.1\r\nHost: repo.example.test:443\r\nUser-Agent: xenreach\r\n\r\n',
    ]);
    expect(attempt.io.evidence).toMatchObject({ proxy: `127.0.0.1:${proxy.port}`, proxyStatus: 200 });
  });

  test('is asked for another port of the same destination when the probe wants one', async () => {
    await using proxy = await proxyThat(() => established);
    await using attempt = through(proxy.port);
    await attempt.io.connect({ port: 8443 });
    expect(proxy.heads[0]).toMatch(/^CONNECT repo\.example\.test:8443 /);
  });

  test('and sends a page of its own is garbled: nobody speaks first behind it', async () => {
    expect(await failureThrough(`${established}<html>blocked</html>`)).toMatchObject({
      outcome: 'garbled',
      stage: 'proxy',
      hint: 'proxy',
    });
  });
});

describe('a proxy that wants credentials', () => {
  test.for([
    ['Basic realm="xs"', /^Basic c3ZjLXhzOkNvcnJlY3QtSG9yc2U=$/],
    ['Digest realm="xs", nonce="n", qop="auth", algorithm=SHA-256', /^Digest username="svc-xs".*qop=auth/],
  ] as const)('by %s gets them once, on a connection of its own', async ([scheme, header]) => {
    await using proxy = await proxyThat((_, attempt) => (attempt === 1 ? wants(scheme) : established));
    await using attempt = through(proxy.port, credentials);
    await attempt.io.connect();
    expect(proxy.heads).toHaveLength(2);
    expect(proxy.heads[0]).not.toMatch(/Authorization/i);
    expect(/Proxy-Authorization: (.*)\r\n/.exec(proxy.heads[1] ?? '')?.[1]).toMatch(header);
    expect(proxy.sockets).toHaveLength(2);
    expect(attempt.io.evidence['proxyStatus']).toBe(200);
  });

  test('gets the better scheme of those it offers', async () => {
    const both = wants('Basic realm="xs"').replace(
      '\r\nContent',
      '\r\nProxy-Authenticate: Digest realm="xs", nonce="n", qop="auth"\r\nContent',
    );
    await using proxy = await proxyThat((_, attempt) => (attempt === 1 ? both : established));
    await using attempt = through(proxy.port, credentials);
    await attempt.io.connect();
    expect(proxy.heads[1]).toMatch(/Proxy-Authorization: Digest /);
  });

  test.for([
    ['Basic realm="xs"', {}, /wants credentials \(basic; HTTP 407\)/],
    ['NTLM', credentials, /wants no scheme that we speak \(HTTP 407\)/],
    ['Basic realm="xs"', credentials, /rejects the credentials of svc-xs \(HTTP 407\)/],
  ] as const)('by %s, given %j, and stays at no', async ([scheme, parts, detail]) => {
    const failure = await failureThrough(wants(scheme), parts);
    expect(failure).toMatchObject({ outcome: 'declined', stage: 'proxy', hint: 'proxy', code: 'HTTP_407' });
    expect(failure.detail).toMatch(detail);
    expect(JSON.stringify(failure)).not.toContain('Correct-Horse');
  });
});

describe('a proxy that says no', () => {
  test.for([
    [403, /forbids this destination/],
    [502, /could not reach the destination/],
    [503, /could not reach the destination/],
    [404, /answered CONNECT with HTTP 404/],
  ] as const)('%i is the proxy’s word, not the destination’s', async ([status, detail]) => {
    const failure = await failureThrough(`HTTP/1.1 ${status} No\r\nX-Squid-Error: ERR_X\u0007 0\r\n\r\n`);
    expect(failure).toMatchObject({ outcome: 'declined', stage: 'proxy', code: `HTTP_${status}` });
    expect(failure.detail).toMatch(detail);
    expect(failure.detail).toMatch(/\(ERR_X\? 0\)$/);
  });
});

describe('a proxy that is none', () => {
  test.for(['SSH-2.0-OpenSSH_9.2p1\r\n\r\n', `HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(6000)}`])(
    '%.30j… is garbled',
    async (answer) => {
      const failure = await failureThrough(answer);
      expect(failure).toMatchObject({ outcome: 'garbled', stage: 'proxy', hint: 'proxy' });
      expect(failure.detail).toMatch(/no HTTP proxy/);
    },
  );

  test('that is mute is a timeout at the proxy', async () => {
    await using proxy = await proxyThat(() => '');
    await using attempt = through(proxy.port, {}, 150);
    const failure = await failureOf(attempt.io.connect());
    expect(failure).toMatchObject({ outcome: 'timeout', stage: 'proxy' });
    expect(failure.detail).toBe('the proxy did not answer CONNECT in 0.15 s');
  });

  test('that hangs up is closed at the proxy', async () => {
    await using proxy = await listening((socket) => socket.end());
    await using attempt = through(proxy.port);
    expect(await failureOf(attempt.io.connect())).toMatchObject({ outcome: 'closed', stage: 'proxy' });
  });

  test('that is not there is refused, with the hint that it is the proxy', async () => {
    await using attempt = through(await vacantPort());
    const failure = await failureOf(attempt.io.connect());
    expect(failure).toMatchObject({ outcome: 'refused', stage: 'connect', hint: 'proxy' });
    expect(failure.detail).toMatch(/^the proxy 127\.0\.0\.1:\d+ cannot be reached: /);
  });

  test('whose name nobody knows is the proxy’s trouble too', async () => {
    await using attempt = realIo({
      host: 'repo.example.test',
      address: 'repo.example.test',
      port: 443,
      viaProxy: true,
      proxy: { host: 'proxy.lab.example', port: 3128 },
      resolver: await silentResolver(),
      timeoutMs: 150,
    });
    expect(await failureOf(attempt.io.connect())).toMatchObject({
      outcome: 'unresolved',
      stage: 'resolve',
      hint: 'proxy',
    });
  });
});

/** Nobody listens at its server. */
async function silentResolver(): Promise<RealIo['net']['resolver']> {
  const { NameResolver } = await import('../../src/net/resolver.ts');
  return new NameResolver({ family: 'any', timeoutMs: 100, tries: 1, servers: [`127.0.0.1:${await vacantPort()}`] });
}
