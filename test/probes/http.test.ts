/** HTTP over real connections: a server of its own on loopback, and the net floor between. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import * as fc from 'fast-check';
import * as v from 'valibot';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { http, https } from '../../probes/http.ts';
import { NetError } from '../../src/model/errors.ts';
import type { SecureOptions, Target } from '../../src/model/probe.ts';
import type { NetIo } from '../../src/net/io.ts';
import { ending } from '../support/endings.ts';
import { realIo } from '../support/real-io.ts';

const now = Date.parse('2026-01-01T00:00:00Z');

let server: Server;
let target: Target;
let serve: (socket: Socket, request: string) => void;
let requests: string[] = [];
const open = new Set<Socket>();

beforeAll(async () => {
  server = createServer((socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket)).on('error', () => undefined);
    socket.once('data', (chunk) => {
      requests.push(chunk.toString('latin1'));
      serve(socket, chunk.toString('latin1'));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  target = { host: 'www.example.test', address: '127.0.0.1', port, transport: 'tcp' };
});

beforeEach(() => {
  requests = [];
});

afterAll(async () => {
  for (const socket of open) socket.destroy();
  server.close();
  await once(server, 'close');
});

const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

async function get(reply: string | typeof serve, options: object = {}, begin: (io: NetIo) => void = () => undefined) {
  serve = typeof reply === 'string' ? (socket) => socket.end(reply, 'latin1') : reply;
  await using attempt = realIo({ ...target, timeoutMs: 1000 });
  const io = Object.assign(attempt.io, { now: () => now });
  begin(io);
  return { io, ...(await ending(http.run(io, target, v.parse(http.options, options)))) };
}

const head = (status: string, ...headers: string[]): string =>
  [`HTTP/1.1 ${status}`, ...headers, 'Content-Length: 0', '', ''].join('\r\n');

test.for([
  ['200 OK', 'answered', 'HTTP 200: reached'],
  ['204 No Content', 'answered', 'HTTP 204: reached'],
  ['401 Unauthorized', 'answered', 'HTTP 401: reached; without credentials it shows nothing more'],
  ['403 Forbidden', 'answered', 'HTTP 403: reached; without credentials it shows nothing more'],
  ['404 Not Found', 'answered', 'HTTP 404: reached'],
  ['407 Proxy Authentication Required', 'declined', 'HTTP 407: a proxy stands in the way and wants credentials'],
  ['500 Internal Server Error', 'declined', 'HTTP 500: the server fails with an error of its own'],
  ['502 Bad Gateway', 'declined', 'HTTP 502: a gateway is there, the server behind it is not'],
  ['503 Service Unavailable', 'declined', 'HTTP 503: the server says that it cannot serve now'],
  ['504 Gateway Timeout', 'declined', 'HTTP 504: a gateway is there, the server behind it does not answer'],
  ['599 Whatever', 'declined', 'HTTP 599: the server fails'],
  ['511 Network Authentication Required', 'declined', 'HTTP 511: a captive portal answers in place of the server'],
  ['429 Too Many Requests', 'answered', 'HTTP 429: reached; it takes no more requests of this machine for now'],
] as const)('%s is %s', async ([status, outcome, detail]) => {
  const { io, ...end } = await get(head(status, 'Server: nginx'));
  expect(end).toMatchObject({ outcome, detail });
  expect(io.evidence).toMatchObject({ status: Number(status.slice(0, 3)), server: 'nginx' });
  expect(io.warnings).toEqual([]);
});

test('451 is an answer, and a warning that it may be somebody else’s', async () => {
  const { io, outcome } = await get(head('451 Unavailable For Legal Reasons'));
  expect(outcome).toBe('answered');
  expect(io.warnings).toEqual([expect.stringContaining('blocked by policy')]);
});

test.for([
  ['120', 'HTTP 503: the server says that it cannot serve now; it says to try again in 120 s'],
  ['Thu, 01 Jan 2026 01:00:00 GMT', /try again at Thu, 01 Jan 2026 01:00:00 GMT$/],
] as const)('Retry-After: %s is told', async ([when, detail]) => {
  expect(await get(head('503 Service Unavailable', `Retry-After: ${when}`))).toMatchObject({
    detail: typeof detail === 'string' ? detail : (expect.stringMatching(detail) as unknown),
  });
});

test('one GET, recognisable, for a connection that is used once', async () => {
  await get(head('200 OK'), { path: '/xs8/base/repodata/repomd.xml?a=b' });
  expect(requests).toHaveLength(1);
  const [line, ...headers] = requests[0]!.trimEnd().split('\r\n');
  expect(line).toBe('GET /xs8/base/repodata/repomd.xml?a=b HTTP/1.1');
  expect(headers.map((header) => header.toLowerCase()).toSorted()).toEqual([
    'accept-encoding: identity',
    'accept: */*',
    'connection: close',
    `host: www.example.test:${target.port}`,
    'user-agent: xenreach',
  ]);
});

test.for([
  ['https://www.example.test/', undefined],
  ['/login', undefined],
  ['https://cdn.example.test/x', undefined],
  ['http://portal.hotel.test/login', 'portal.hotel.test'],
  ['http://192.0.2.9/login', '192.0.2.9'],
  ['http://[2001:db8::1]/', '[2001:db8::1]'],
  ['http://', undefined],
  ['::::', undefined],
] as const)('a redirect to %s warns of %s', async ([location, host]) => {
  const { io, outcome } = await get(head('302 Found', `Location: ${location}`));
  expect(outcome).toBe('answered');
  expect(io.warnings).toEqual(host === undefined ? [] : [`redirected to ${host}: a captive portal?`]);
  expect(requests).toHaveLength(1);
});

test.for([
  ['302 Found', 'https://mirror.example.org/repo', []],
  [
    '302 Found',
    'https://www.example.test/elsewhere',
    ['HTTP 302 where a redirect to a mirror is usual: does something else answer for it?'],
  ],
  ['200 OK', undefined, ['HTTP 200 where a redirect to a mirror is usual: does something else answer for it?']],
  ['404 Not Found', undefined, []],
] as const)('where a redirect is expected, %s to %s warns of %s', async ([status, location, warnings]) => {
  const { io, outcome } = await get(head(status, ...(location === undefined ? [] : [`Location: ${location}`])), {
    redirect: 'expected',
  });
  expect(outcome).toBe('answered');
  expect(io.warnings).toEqual(warnings);
});

test('a client that goes by CONNECT asks for the path alone', async () => {
  const { outcome } = await get(head('200 OK'), { tunnel: true, path: '/x' });
  expect(outcome).toBe('answered');
  expect(requests[0]).toMatch(/^GET \/x HTTP\/1\.1\r\nHost: www\.example\.test:\d+\r\n/);
});

test.for([
  ['Thu, 01 Jan 2026 00:00:01 GMT', [], 1000, 0, 0],
  ['Thu, 01 Jan 2026 00:01:00 GMT', [], 60_000, 1, 0],
  ['Wed, 31 Dec 2025 23:50:00 GMT', [], -600_000, 0, 1],
  ['Wed, 31 Dec 2025 23:50:00 GMT', ['Age: 600'], 0, 0, 0],
  ['tomorrow', [], undefined, 0, 0],
] as const)('the Date %s with %j is %d ms away', async ([date, others, dateOffsetMs, notes, warnings]) => {
  const { io } = await get(head('200 OK', `Date: ${date}`, ...others));
  expect(io.evidence['dateOffsetMs']).toBe(dateOffsetMs);
  expect(io.notes).toHaveLength(notes);
  expect(io.warnings).toHaveLength(warnings);
});

test('a body is read to 64 KiB and no further', async () => {
  let written = 0;
  const chunk = 'x'.repeat(16 * 1024);
  const flood = (socket: Socket): void => {
    const more = (): void => {
      while (!socket.destroyed && written < 64 * 1024 * 1024) {
        written += chunk.length;
        if (!socket.write(chunk)) return void socket.once('drain', more);
      }
    };
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    more();
  };
  const { io, outcome } = await get(flood);
  expect(outcome).toBe('answered');
  expect(io.warnings).toEqual([]);
  await expect.poll(() => open.size).toBe(0);
  expect(written).toBeLessThan(32 * 1024 * 1024);
});

test('a body that breaks off is an answer with a warning', async () => {
  const { io, outcome } = await get('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc');
  expect(outcome).toBe('answered');
  expect(io.warnings).toEqual([expect.stringContaining('does the path lose large packets')]);
});

test('what a server calls itself is not shown as it came', async () => {
  const { io } = await get(head('200 OK', `Server: \u009B2Jx${'y'.repeat(500)}`));
  expect(io.evidence['server']).toMatch(/^2Jxy+…$/);
});

test.for([
  ['closes at once', (socket: Socket) => socket.end(), 'closed'],
  ['resets', (socket: Socket) => socket.resetAndDestroy(), 'closed'],
  ['closes within the header', (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\nServer: x'), 'closed'],
  ['speaks SSH', (socket: Socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'), 'garbled'],
  ['speaks TLS', (socket: Socket) => socket.end(Buffer.from('15030300020228', 'hex')), 'garbled'],
  ['speaks HTTP/0.9', (socket: Socket) => socket.end('<html>hello</html>'), 'garbled'],
  ['sends a status of two digits', (socket: Socket) => socket.end('HTTP/1.1 20 OK\r\n\r\n'), 'garbled'],
  ['sends a status below 100', (socket: Socket) => socket.end('HTTP/1.1 099 OK\r\n\r\n'), 'garbled'],
  [
    'switches protocols unasked',
    (s: Socket) => s.end('HTTP/1.1 101 X\r\nUpgrade: a\r\nConnection: upgrade\r\n\r\n'),
    'garbled',
  ],
  ['asks us to continue', (s: Socket) => s.end(`HTTP/1.1 100 Continue\r\n\r\n${head('200 OK')}`), 'answered'],
  ['asks us to continue and hangs up', (socket: Socket) => socket.end('HTTP/1.1 100 Continue\r\n\r\n'), 'closed'],
  ['only ever asks us to continue', (s: Socket) => s.end('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(99)), 'garbled'],
  [
    'folds a header',
    (s: Socket) => s.end('HTTP/1.1 200 OK\r\nServer: a\r\n  b\r\nContent-Length: 0\r\n\r\n'),
    'answered',
  ],
  ['sends a header without a colon', (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\nnonsense\r\n\r\n'), 'garbled'],
  [
    'sends headers without end',
    (socket: Socket) => socket.end(`HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(20_000)}`),
    'garbled',
  ],
  [
    'sends one endless header',
    (socket: Socket) => socket.end(`HTTP/1.1 200 OK\r\na: ${'b'.repeat(100_000)}`),
    'garbled',
  ],
  [
    'has two lengths',
    (s: Socket) => s.end('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na'),
    'answered',
  ],
  ['has early hints first', (s: Socket) => s.end(`HTTP/1.1 103 Early Hints\r\n\r\n${head('200 OK')}`), 'answered'],
  ['sends two answers', (socket: Socket) => socket.end(head('200 OK') + head('500 No')), 'answered'],
  ['answers in HTTP/1.0', (socket: Socket) => socket.end('HTTP/1.0 200 OK\r\n\r\nhello'), 'answered'],
] as const)('a peer that %s', async ([, peer, outcome]) => {
  expect(await get(peer)).toMatchObject({ outcome });
});

const mute = (): void => undefined;

test('an attempt that is stopped says why', async () => {
  const stopped = new NetError({ outcome: 'aborted', stage: 'exchange', detail: 'interrupted' });
  const end = await get(mute, {}, ({ scope }) => void setImmediate(() => scope.stop(stopped)));
  expect(end).toMatchObject({ outcome: 'aborted', detail: 'interrupted' });
});

test('a body that does not go on leaves the status standing', async () => {
  const { io, outcome } = await get((socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx'));
  expect(outcome).toBe('answered');
  expect(io.warnings).toEqual([expect.stringContaining('the answer was not complete in 1 s')]);
});

/** Sends the start, then the piece again and again, as fast as it is taken. */
const flooding =
  (start: string, piece: string): typeof serve =>
  (socket) => {
    const block = Buffer.from(piece.repeat(Math.ceil(65_536 / piece.length)), 'latin1');
    socket.write(start, 'latin1');
    const more = (): void => {
      while (!socket.destroyed) if (!socket.write(block)) return void socket.once('drain', more);
    };
    more();
  };

test.for([
  ['status line', 'HTTP/1.1 200 ', 'x'],
  ['interim answers', '', 'HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n'],
  ['size of a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', '0'],
  ['extension of a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;', 'x'],
] as const)('an endless %s ends at once, and takes a bounded number of bytes', async ([, start, piece]) => {
  const { outcome } = await get(flooding(start, piece));
  expect(['garbled', 'answered']).toContain(outcome);
  await expect.poll(() => open.size).toBe(0);
});

test('no timer and no socket outlives the request', async () => {
  await get(head('200 OK'));
  const before = timers();
  // One after the other, as a pool slot would.
  for (let i = 0; i < 20; i++) await get(head('200 OK', 'Connection: keep-alive', 'Keep-Alive: timeout=60'));
  await expect.poll(timers).toBeLessThanOrEqual(before);
  await expect.poll(() => open.size).toBe(0);
});

test('HTTPS says what the certificate must be before it asks', async () => {
  const asked: (SecureOptions | undefined)[] = [];
  serve = (socket) => socket.end(head('200 OK'));
  await using attempt = realIo(target);
  const secure: NetIo['secure'] = (conn, options) => {
    asked.push(options);
    return Promise.resolve(conn);
  };
  const options = v.parse(https.options, { publicName: true, servername: 'cdn.example.test' });
  const io = Object.assign(attempt.io, { secure });
  expect(await ending(https.run(io, target, options))).toMatchObject({ outcome: 'answered' });
  expect(asked).toEqual([{ trust: 'verify', isPublicName: true, servername: 'cdn.example.test' }]);
});

test('an IPv6 address is a host like any other', async () => {
  serve = (socket) => socket.end(head('200 OK'));
  const own = { ...target, host: '2001:db8::1' };
  await using attempt = realIo(own);
  await http.run(attempt.io, own, v.parse(http.options, {}));
  expect(requests[0]).toContain(`\r\nHost: [2001:db8::1]:${target.port}\r\n`);
});

test.for(['', 'x', '/ x', '/\r\nHost: evil', '/é', `/${'x'.repeat(2048)}`])('%j is no path', (path) => {
  expect(v.safeParse(http.options, { path }).success).toBe(false);
});

test('any bytes are an outcome', async () => {
  const start = fc.constantFrom(
    '',
    'HTTP/1.1 ',
    'HTTP/1.1 200 OK\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
  );
  await fc.assert(
    fc.asyncProperty(start, fc.uint8Array({ maxLength: 200 }), async (line, rest) => {
      const bytes = Buffer.concat([Buffer.from(line), rest]);
      const { outcome } = await get((socket) => void socket.end(bytes));
      expect(['answered', 'declined', 'closed', 'garbled']).toContain(outcome);
    }),
    { numRuns: 150 },
  );
});
