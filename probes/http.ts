/**
 * HTTP and HTTPS: one GET over a connection of our own, no redirect followed. Any status is the server's word that it was
 * reached; what it says about a gateway, a portal or the clock is told. RFC 9110 section 15 (status), 6.6.1 (Date).
 */
import type { buildConnector } from 'undici';
import * as v from 'valibot';
import { NetError } from '../src/model/errors.ts';
import type { Answer } from '../src/model/outcome.ts';
import type { Conn, ProbeIo, Target } from '../src/model/probe.ts';
import { defineProbe } from '../src/model/probe.ts';
import { DecodeError } from '../src/wire/reader.ts';
import { printable } from '../src/wire/text.ts';
import { ServerName, Trust } from './tls.ts';

const maxHeaderBytes = 32 * 1024;
const maxBodyBytes = 64 * 1024;

/** Date has whole seconds and is as old as the way back is long. */
const clockNoteMs = 5000;
const clockWarningMs = 5 * 60_000;

const proxyAuthentication = 407;
const portalAuthentication = 511;

const Path = v.optional(
  v.pipe(v.string(), v.regex(/^\/[\x21-\x7e]{0,2047}$/, 'expected a path that begins with /')),
  '/',
);

export const http = defineProbe({
  transport: 'tcp',
  port: 80,
  about: {
    title: 'HTTP',
    sends: 'GET with the user agent xenreach and Connection: close',
    proves: 'an HTTP server, or a proxy in its place, answers with a status; 5xx and 407 are its "no"',
    leaves: 'one line in the access log',
    reference: 'RFC 9110',
  },
  load: () => import('undici'),
  options: v.strictObject({ path: Path }),

  async run(io, target, { path }) {
    return ask(io, await io.connect(), 'http', target, path);
  },
});

export const https = defineProbe({
  transport: 'tcp',
  port: 443,
  about: {
    title: 'HTTPS',
    sends: 'a TLS handshake, then GET with the user agent xenreach and Connection: close',
    proves: 'a certificate that is good for the name, and an HTTP status; 5xx and 407 are a "no"',
    leaves: 'one line in the access log',
    reference: 'RFC 9110',
  },
  load: () => import('undici'),
  options: v.strictObject({
    path: Path,
    servername: ServerName,
    trust: Trust,
    /** The name is a public one, so a private issuer means interception. */
    publicName: v.optional(v.boolean(), false),
  }),

  async run(io, target, { path, servername, trust, publicName }) {
    const names = servername !== undefined && { servername };
    const conn = await io.secure(await io.connect(), { trust, isPublicName: publicName, ...names });
    return ask(io, conn, 'https', target, path);
  },
});

const gone = 'the connection is gone';

type Connected = Extract<Parameters<buildConnector.Callback>, [null, unknown]>[1];

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Why the body broke off, when it did. */
  readonly cut?: string;
}

async function ask(io: ProbeIo, conn: Conn, scheme: string, { host, port }: Target, path: string): Promise<Answer> {
  const origin = new URL(`${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`);
  const { status, headers, cut } = await get(io, conn, origin, path);
  const header = (name: string): string | undefined => [headers[name] ?? []].flat()[0];
  const server = header('server');
  const location = header('location');
  io.record({
    status,
    ...(server !== undefined && { server: printable(server) }),
    ...(location !== undefined && { location: printable(location, 256) }),
  });
  compareClocks(io, header('date'), header('age'));
  if (cut !== undefined) io.warn(`the status came but its body broke off (${cut}): does the path lose large packets?`);

  if (status === portalAuthentication) {
    io.warn('HTTP 511: a captive portal answers in place of the server');
    return { outcome: 'answered', detail: 'HTTP 511: something that wants a login answers', evidence: {} };
  }
  if (status >= 500)
    return { outcome: 'declined', detail: `HTTP ${status}: ${refusals[status] ?? 'the server fails'}`, evidence: {} };
  if (status === proxyAuthentication) {
    return { outcome: 'declined', detail: 'HTTP 407: a proxy stands in the way and wants credentials', evidence: {} };
  }
  const goal = status >= 300 && status < 400 ? hostOf(location, origin) : undefined;
  if (goal !== undefined && !isSameSite(goal, origin.hostname)) io.warn(`redirected to ${goal}: a captive portal?`);
  return { outcome: 'answered', detail: `HTTP ${status}: ${meaning(status, goal)}`, evidence: {} };
}

const refusals: Readonly<Record<number, string>> = {
  500: 'the server fails with an error of its own',
  502: 'a gateway is there, the server behind it is not',
  503: 'the server says that it cannot serve now',
  504: 'a gateway is there, the server behind it does not answer',
};

function meaning(status: number, goal: string | undefined): string {
  if (status === 401 || status === 403) return 'reached; without credentials it shows nothing more';
  return goal === undefined ? 'reached' : `reached; redirects to ${goal}`;
}

/** undici, with every timer of its own off: the deadline is the connection's. */
async function get(io: ProbeIo, conn: Conn, origin: URL, path: string): Promise<Reply> {
  const { Client, errors } = await import('undici');
  // undici takes any duplex stream here; its type names only the two kinds that it makes itself.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const stream = conn.stream() as Connected;
  let isTaken = false;
  const client = new Client(origin, {
    // Not at once: called back while it still dispatches the request, the client never sends it. And not twice: for a
    // socket that dies before the request is out the client connects again, with a dead one in a loop that never yields.
    connect: (_options, callback) =>
      queueMicrotask(() => {
        if (isTaken || stream.destroyed) return callback(new Error(gone, { cause: stream.errored }), null);
        isTaken = true;
        callback(null, stream);
      }),
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: maxHeaderBytes,
    allowH2: false,
  });
  try {
    const { statusCode, headers, body } = await client.request({
      path,
      method: 'GET',
      reset: true,
      headers: { 'user-agent': 'xenreach', accept: '*/*', 'accept-encoding': 'identity' },
    });
    const cut = await drain(body).catch(async (error: unknown) => (await failureOf(error)).message);
    return { status: statusCode, headers, ...(cut !== undefined && { cut }) };
  } catch (error) {
    throw await failureOf(error);
  } finally {
    await client.destroy();
  }

  /** The connection's own error where there is one; else what the parser made of the bytes. */
  async function failureOf(error: unknown): Promise<NetError | DecodeError> {
    const chain = causes(error);
    const own = chain.find((cause) => cause instanceof NetError);
    if (own) return own;
    const closed = chain.find(isClose);
    if (!closed) return new DecodeError(`not HTTP: ${printable(chain[0]?.message ?? '')}`, 0);
    // When it was the deadline that closed it, any wait on the connection says so.
    const late: unknown = await caught(io.closesWithin(conn, 1));
    if (late instanceof NetError) return late;
    const detail = 'the peer closed the connection before the answer was complete';
    return new NetError({ outcome: 'closed', stage: 'exchange', detail }, { cause: closed });
  }

  function isClose(error: Error): boolean {
    if (error instanceof errors.SocketError) return /^(?:other side )?closed$/.test(error.message);
    return error.message === gone || ('code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE'));
  }
}

const caught = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );

/** Reads a body to its end or to our bound, whichever comes first; leaving the loop drops the connection. */
async function drain(body: AsyncIterable<Uint8Array>): Promise<undefined> {
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > maxBodyBytes) break;
  }
  return undefined;
}

function causes(error: unknown): Error[] {
  const chain: Error[] = [];
  for (let cause = error; cause instanceof Error && chain.length < 8; cause = cause.cause) chain.push(cause);
  return chain;
}

/** A cache's answer keeps the origin's Date and says how long ago that was. */
function compareClocks(io: ProbeIo, date: string | undefined, age: string | undefined): void {
  const theirs = date !== undefined && date.length <= 64 ? Date.parse(date) : Number.NaN;
  if (Number.isNaN(theirs)) return;
  const agedMs = /^\d{1,9}$/.test(age ?? '') ? Number(age) * 1000 : 0;
  const dateOffsetMs = Math.round(theirs + agedMs - io.now());
  io.record({ dateOffsetMs });
  const text = `this machine's clock and the server's Date differ by ${Math.round(Math.abs(dateOffsetMs) / 1000)} s`;
  if (Math.abs(dateOffsetMs) > clockWarningMs) io.warn(text);
  else if (Math.abs(dateOffsetMs) > clockNoteMs) io.note(text);
}

function hostOf(location: string | undefined, origin: URL): string | undefined {
  if (location === undefined || !URL.canParse(location, origin)) return undefined;
  return printable(new URL(location, origin).hostname) || undefined;
}

/** Near enough for a warning: the same last two labels. An address is only like itself. */
function isSameSite(a: string, b: string): boolean {
  return siteOf(a.toLowerCase()) === siteOf(b.toLowerCase());
}

const siteOf = (host: string): string => (/^\[|^[\d.]+$/.test(host) ? host : host.split('.').slice(-2).join('.'));
