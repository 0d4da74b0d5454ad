/** A tunnel through an HTTP proxy on loopback: what it may say to CONNECT, with and without credentials. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { makeAuthority, soundLeaf, type Credentials } from '../../src/lab/certificate.ts';
import type { NetFailure } from '../../src/model/errors.ts';
import type { Proxy } from '../../src/net/proxy.ts';
import {
  bytesOf,
  failureOf,
  listening,
  readText,
  realIo,
  vacantPort,
  type IoOptions,
  type Listening,
  type RealIo,
} from '../support/real-io.ts';

type Say = (head: string, attempt: number) => string;

interface FakeProxy extends Listening {
  readonly heads: readonly string[];
}

/** Reads one head a connection and says what it is told; what comes behind a tunnel is echoed, or answered by `then`. */
async function proxyThat(says: Say, then?: (socket: Socket) => string | void): Promise<FakeProxy> {
  const heads: string[] = [];
  const server = await listening((socket: Socket) => {
    let text = '';
    let isUp = false;
    socket.on('data', (bytes) => {
      if (isUp) return void socket.write(then ? bytesOf(then(socket) ?? '') : bytes);
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

const through = (
  port: number,
  parts: Partial<Proxy> = {},
  timeoutMs = 1000,
  { target = 443, ...rest }: Partial<IoOptions> & { readonly target?: number } = {},
): RealIo =>
  realIo({
    ...rest,
    host: 'repo.example.test',
    address: 'repo.example.test',
    port: target,
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

  test.for(['HTTP/1.0 200 OK\r\n\r\n', `HTTP/1.1 100 Continue\r\n\r\n${established}`, 'HTTP/1.1 204 Fine\r\n\r\n'])(
    '%j is a yes',
    async (answer) => {
      await using proxy = await proxyThat(() => answer);
      await using attempt = through(proxy.port);
      expect(await attempt.io.connect()).toBeDefined();
    },
  );

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
    ['Basic realm="xs"', {}, /wants credentials \(Basic; HTTP 407\)/, /^Give the proxy its credentials/],
    ['Negotiate, Digest realm="x"', {}, /wants credentials \(Negotiate and Digest; HTTP 407\)/, /proxy\.passwordFile/],
    ['NTLM', credentials, /offers only NTLM \(HTTP 407\)/, /^Ask the proxy team for digest or basic/],
    ['Negotiate, NTLM', {}, /offers only Negotiate and NTLM \(HTTP 407\)/, /or for an exception/],
    ['Basic realm="xs"', credentials, /rejects the credentials of svc-xs \(HTTP 407\)/, /^Check the user name/],
    ['Digest realm="x", nonce="n", algorithm=X', credentials, /cannot be answered/, /MD5 or SHA-256/],
    [' ', credentials, /offers no way/, /^Ask the proxy team/],
  ] as const)('by %s, given %j, and stays at no', async ([scheme, parts, detail, remedy]) => {
    const failure = await failureThrough(wants(scheme), parts);
    expect(failure).toMatchObject({ outcome: 'declined', stage: 'proxy', hint: 'proxy', code: 'HTTP_407' });
    expect(failure.detail).toMatch(detail);
    expect(failure.remedy).toMatch(remedy);
    expect(JSON.stringify(failure)).not.toContain('Correct-Horse');
  });
});

describe('a proxy that says no', () => {
  test.for([
    ['403 No', /forbids this destination/, /allow repo\.example\.test:443/],
    ['502 No', /could not reach the destination/, /cannot reach repo\.example\.test:443/],
    ['503 No', /cannot serve now, or could not/, /load and the log/],
    ['503 No\r\nRetry-After: 30', /try again in 30 s$/, /load and the log/],
    [
      '503 No\r\nX-Squid-Error: ERR_DNS_FAIL 0',
      /destination \(HTTP 503\): it cannot resolve the name$/,
      /its own DNS\.$/,
    ],
    ['503 No\r\nX-Squid-Error: ERR_CONNECT_FAIL 113', /EHOSTUNREACH/, /its own DNS, route or firewall/],
    ['504 No', /got no answer from the destination/, /does not answer the proxy/],
    ['500 No', /fails with an error of its own/, /log of the proxy/],
    ['429 Slow down\r\nRetry-After: 30', /too many requests \(HTTP 429\), try again in 30 s/, /later/],
    ['451 No', /blocks this destination by policy/, /allow repo\.example\.test:443/],
    ['511 Network Authentication Required', /wants this machine to sign in first/, /captive portal/],
    [
      '302 Found\r\nLocation: https://portal.corp.test/login',
      /sends us to portal\.corp\.test/,
      /Sign this machine in at portal\.corp\.test/,
    ],
    ['302 Found\r\nLocation: /login', /sends us elsewhere/, /captive portal/],
    [
      '400 Bad Request\r\nServer: nginx',
      /does not take CONNECT \(HTTP 400, it calls itself nginx\)/,
      /own host and port/,
    ],
    ['404 Not Found', /a web server, or a proxy that does not allow it/, /own host and port/],
    ['405 Not Allowed', /a web server, or a proxy that does not allow it/, /own host and port/],
    ['501 Not Implemented', /does not take CONNECT/, /own host and port/],
  ] as const)('%s is the proxy’s word, not the destination’s', async ([head, detail, remedy]) => {
    const failure = await failureThrough(`HTTP/1.1 ${head}\r\n\r\n`);
    expect(failure).toMatchObject({ outcome: 'declined', stage: 'proxy', code: `HTTP_${head.slice(0, 3)}` });
    expect(failure.detail).toMatch(detail);
    expect(failure.remedy).toMatch(remedy);
  });
});

describe('what a proxy repeats of a password', () => {
  const secret = { username: 'svc', password: 'pä"ss wörd' };
  const pair = Buffer.from('svc:pä"ss wörd');

  test.for([
    secret.password,
    pair.toString('utf8'),
    `Basic ${pair.toString('base64')}`,
    encodeURIComponent(secret.password),
    encodeURIComponent(secret.password).replaceAll('%20', '+'),
    pair.toString('hex'),
  ])('%s is blanked before anything is cut off', async (echo) => {
    const answers = [
      wants('Basic realm="x"'),
      `HTTP/1.1 302 Found\r\nLocation: http://x.test/\r\nServer: ${echo}\r\nX-Squid-Error: ERR_X ${echo}\r\n\r\n`,
      `HTTP/1.1 400 ${echo}\r\nServer: ${'x'.repeat(70)}${echo}\r\n\r\n`,
    ];
    for (const refusing of answers.slice(1)) {
      // One proxy after the other.
      await using proxy = await proxyThat((_, attempt) =>
        Buffer.from(attempt === 1 ? answers[0]! : refusing, 'utf8').toString('latin1'),
      );
      await using attempt = through(proxy.port, secret);
      const failure = await failureOf(attempt.io.connect());
      const told = JSON.stringify([failure, attempt.io.evidence]);
      for (const part of [echo.slice(0, 12), secret.password.slice(0, 5), secret.password.slice(-6)])
        expect(told).not.toContain(part);
    }
  });
});

describe('a proxy with several addresses', () => {
  test('is tried at each of them: the first that takes the connection is enough, the dead one is told', async () => {
    await using proxy = await proxyThat(() => established);
    const dead = await hostsOf(`127.0.0.9 proxy.lab.example\n127.0.0.1 proxy.lab.example\n`);
    await using attempt = through(proxy.port, { host: 'proxy.lab.example' }, 1000, { resolver: dead });
    await attempt.io.connect();
    expect(proxy.heads).toHaveLength(1);
    expect(attempt.io.warnings).toEqual([
      expect.stringMatching(/^the proxy's address 127\.0\.0\.9:\d+ does not work: nothing listens/),
    ]);
  });

  test('fails when none of them does', async () => {
    const dead = await hostsOf(`127.0.0.9 proxy.lab.example\n127.0.0.8 proxy.lab.example\n`);
    await using attempt = through(await vacantPort(), { host: 'proxy.lab.example' }, 1000, { resolver: dead });
    expect(await failureOf(attempt.io.connect())).toMatchObject({ outcome: 'refused', hint: 'proxy' });
  });
});

const authority = makeAuthority('A test authority');
const trust = [authority.certificate];

/** A TLS server on the far end of any tunnel, and a proxy that leads there; with credentials of its own it is spoken to in TLS. */
async function tunnelling(own?: Credentials): Promise<FakeProxy> {
  const far = await listening(
    (socket) => socket.pipe(socket),
    (serve) => createTlsServer(authority.issue(soundLeaf('repo.example.test')), serve),
  );
  const heads: string[] = [];
  const serve = (socket: Socket): void => {
    socket.once('data', (bytes) => {
      heads.push(bytes.toString('latin1'));
      const up = connect({ port: far.port, host: '127.0.0.1' });
      up.on('error', () => socket.destroy());
      socket.on('error', () => up.destroy()).on('close', () => up.destroy());
      socket.write(established);
      socket.pipe(up).pipe(socket);
    });
  };
  const server = own
    ? await listening(serve, (each) => createTlsServer(own, each).on('tlsClientError', () => undefined))
    : await listening(serve);
  return {
    port: server.port,
    sockets: server.sockets,
    heads,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await far[Symbol.asyncDispose]();
    },
  };
}

describe('a session through a proxy', () => {
  test('is with the destination', async () => {
    await using proxy = await tunnelling();
    await using attempt = through(proxy.port, {}, 2000, { trust });
    const conn = await attempt.io.secure(await attempt.io.connect());
    await conn.write(bytesOf('hello'));
    expect(await readText(conn, 5)).toBe('hello');
    expect(attempt.io.evidence).toMatchObject({ certificate: { names: ['repo.example.test'] } });
    await conn.end();
  });

  test('may go through one with the proxy, whose certificate is judged for its own name', async () => {
    await using proxy = await tunnelling(authority.issue(soundLeaf('127.0.0.1')));
    await using attempt = through(proxy.port, { isSecure: true }, 2000, { trust });
    const conn = await attempt.io.secure(await attempt.io.connect());
    await conn.write(bytesOf('hello'));
    expect(await readText(conn, 5)).toBe('hello');
    expect(attempt.io.evidence).toMatchObject({
      proxyCertificate: { names: ['127.0.0.1'] },
      certificate: { names: ['repo.example.test'] },
    });
    await conn.end();
  });

  test.for([
    ['an unknown issuer', '127.0.0.1', [], 'untrusted', /is not usable in TLS: the certificate was issued by/, /trust/],
    [
      'another name',
      'proxy.test',
      trust,
      'untrusted',
      /for proxy\.test, not for 127\.0\.0\.1/,
      /as its certificate does/,
    ],
  ] as const)('%s of the proxy is the proxy’s fault', async ([, name, roots, outcome, detail, remedy]) => {
    await using proxy = await tunnelling(authority.issue(soundLeaf(name)));
    await using attempt = through(proxy.port, { isSecure: true }, 2000, { trust: roots });
    const failure = await failureOf(attempt.io.connect());
    expect(failure).toMatchObject({ outcome, stage: 'proxy', hint: 'proxy' });
    expect(failure.detail).toMatch(detail);
    expect(failure.remedy).toMatch(remedy);
  });

  test('to a proxy that speaks no TLS is the proxy’s fault', async () => {
    await using proxy = await listening((socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad\r\n\r\n')));
    await using attempt = through(proxy.port, { isSecure: true });
    expect(await failureOf(attempt.io.connect())).toMatchObject({
      outcome: 'tls-failed',
      stage: 'proxy',
      hint: 'proxy',
    });
  });

  test('with a proxy that demands a client certificate once it is asked is the proxy’s fault', async () => {
    const demanding = { ...authority.issue(soundLeaf('127.0.0.1')), requestCert: true, rejectUnauthorized: true };
    await using proxy = await listening(
      (socket) => socket.resume(),
      (serve) => createTlsServer({ ...demanding, ca: trust }, serve).on('tlsClientError', () => undefined),
    );
    await using attempt = through(proxy.port, { isSecure: true }, 2000, { trust });
    const failure = await failureOf(attempt.io.connect());
    expect(failure).toMatchObject({ outcome: 'tls-failed', stage: 'proxy', hint: 'proxy' });
    expect(failure.detail).toMatch(/is not usable in TLS: .*demands a client certificate/);
  });

  test('through a proxy by its IPv6 address', async () => {
    await using proxy = await proxyThat(() => established);
    await using attempt = through(proxy.port, { host: '::ffff:127.0.0.1' });
    expect(await attempt.io.connect()).toBeDefined();
    expect(attempt.io.evidence['proxy']).toBe(`[::ffff:127.0.0.1]:${proxy.port}`);
  });

  const page = '<html>Sign in</html>';
  test.for([
    ['a page', page],
    ['a page in chunks', `14\r\n${page}\r\n0\r\n\r\n`],
  ] as const)('that gets %s after the hello is answered by the proxy', async ([, text]) => {
    await using proxy = await proxyThat(
      () => established,
      () => text,
    );
    await using attempt = through(proxy.port);
    const conn = await attempt.io.connect();
    expect(await failureOf(attempt.io.secure(conn))).toMatchObject({
      outcome: 'garbled',
      stage: 'proxy',
      hint: 'proxy',
    });
  });

  test('that gets plain HTTP after the hello blames neither of the two', async () => {
    await using proxy = await proxyThat(
      () => established,
      () => 'HTTP/1.1 400 Bad Request\r\n\r\n',
    );
    await using attempt = through(proxy.port);
    const failure = await failureOf(attempt.io.secure(await attempt.io.connect()));
    expect(failure).toMatchObject({ outcome: 'tls-failed', stage: 'tls' });
    expect(failure.remedy).toMatch(/the destination.*or the proxy/);
  });

  test('that gets plain HTTP after a head that announced a page is answered by the proxy', async () => {
    const announced = established.replace('Via: x', 'Content-Type: text/html');
    await using proxy = await proxyThat(
      () => announced,
      () => 'Sign in, please',
    );
    await using attempt = through(proxy.port);
    const failure = await failureOf(attempt.io.secure(await attempt.io.connect()));
    expect(failure).toMatchObject({ outcome: 'garbled', stage: 'proxy' });
  });

  test('that is closed at once says what was seen, and no more', async () => {
    await using proxy = await proxyThat(
      () => established,
      (socket) => void socket.end(),
    );
    await using attempt = through(proxy.port);
    const failure = await failureOf(attempt.io.secure(await attempt.io.connect()));
    expect(failure).toMatchObject({ outcome: 'closed', stage: 'tls' });
    expect(failure.detail).toMatch(/the proxy says "connected", and the connection is closed/);
  });

  test('that stays mute has the time of any other, not the proxy’s', async () => {
    await using proxy = await proxyThat(
      () => established,
      () => '',
    );
    await using attempt = through(proxy.port, {}, 150);
    const failure = await failureOf(attempt.io.secure(await attempt.io.connect()));
    expect(failure).toMatchObject({ outcome: 'timeout', stage: 'tls', detail: 'no answer to the TLS hello in 0.15 s' });
    expect(attempt.io.helloUnanswered).toBe(true);
  });
});

describe('a request for plain HTTP', () => {
  const request = { method: 'GET', path: '/x?y=1', headers: ['User-Agent: xenreach'] };
  const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

  test('is handed on in absolute form, its answer left unread', async () => {
    await using proxy = await proxyThat(() => answer);
    await using attempt = through(proxy.port, {}, 1000, { target: 80 });
    const conn = await attempt.io.ask(request);
    expect(await readText(conn, answer.length)).toBe(answer);
    expect(proxy.heads).toEqual([
      'GET http://repo.example.test/x?y=1 HTTP/1.1\r\nHost: repo.example.test\r\nUser-Agent: xenreach\r\n\r\n',
    ]);
  });

  test('is given the proxy’s credentials when it asks for them', async () => {
    await using proxy = await proxyThat((_, attempt) => (attempt === 1 ? wants('Basic realm="x"') : answer));
    await using attempt = through(proxy.port, credentials, 1000, { target: 8080 });
    await attempt.io.ask(request);
    expect(proxy.heads[1]).toMatch(/^GET http:\/\/repo\.example\.test:8080\/x/);
    expect(proxy.heads[1]).toContain('Proxy-Authorization: Basic c3ZjLXhzOkNvcnJlY3QtSG9yc2U=');
  });

  test.for(['403 No', '404 No', '401 No', '500 No\r\nVia: 1.1 x', '503 No\r\nVia: 1.1 x'])(
    '%s is the destination’s',
    async (head) => {
      await using proxy = await proxyThat(() => `HTTP/1.1 ${head}\r\n\r\n`);
      await using attempt = through(proxy.port, {}, 1000, { target: 80 });
      expect(await readText(await attempt.io.ask(request), 12)).toBe(`HTTP/1.1 ${head.slice(0, 3)}`);
    },
  );

  test.for(['407 No', '500 No', '502 No', '504 No', '511 No', '503 No\r\nX-Squid-Error: ERR_DNS_FAIL 0\r\nVia: 1.1 x'])(
    '%s is the proxy’s own word',
    async (head) => {
      await using proxy = await proxyThat(() => `HTTP/1.1 ${head}\r\n\r\n`);
      await using attempt = through(proxy.port, {}, 1000, { target: 80 });
      expect(await failureOf(attempt.io.ask(request))).toMatchObject({ outcome: 'declined', stage: 'proxy' });
    },
  );

  test('goes in origin form where no proxy is between', async () => {
    await using server = await proxyThat(() => answer);
    await using attempt = realIo({ host: 'repo.example.test.', port: server.port });
    const conn = await attempt.io.ask(request);
    await readText(conn, 4);
    expect(server.heads[0]).toMatch(/^GET \/x\?y=1 HTTP\/1\.1\r\nHost: repo\.example\.test:\d+\r\n/);
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
    expect(failure.detail).toBe('the proxy did not answer CONNECT in 0.45 s');
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

/** Names from these lines of a hosts file alone. */
async function hostsOf(lines: string): Promise<RealIo['net']['resolver']> {
  const { NameResolver } = await import('../../src/net/resolver.ts');
  const folder = mkdtempSync(join(tmpdir(), 'xenreach-hosts-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'hosts'), lines);
  return new NameResolver({
    family: 'any',
    timeoutMs: 100,
    tries: 1,
    hostsFile: join(folder, 'hosts'),
    servers: ['127.0.0.1:9'],
  });
}
