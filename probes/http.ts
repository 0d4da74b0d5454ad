/**
 * HTTP and HTTPS: one GET over a connection of our own, no redirect followed. Any status is the server's word that it was
 * reached; what it says about a gateway, a portal or the clock is told. RFC 9110 section 15 (status), 6.6.1 (Date).
 */
import * as v from 'valibot';
import { NetError } from '../src/model/errors.ts';
import { answered, declined, type Answer } from '../src/model/outcome.ts';
import type { Conn, ProbeIo } from '../src/model/probe.ts';
import { httpAuthority } from '../src/model/address.ts';
import { defineProbe } from '../src/model/probe.ts';
import { clockOffsetMs, compareClocks, kerberosSkewMs } from '../src/wire/clock.ts';
import { readBody, readHead, type HttpHead } from '../src/wire/http1.ts';
import { DecodeError } from '../src/wire/reader.ts';
import { printable } from '../src/wire/text.ts';
import { ServerName, Trust } from './tls.ts';

/** Date has whole seconds, and ages on the way back. */
const clockLimits = { noteBeyondMs: 5000, warnBeyondMs: kerberosSkewMs };

const proxyAuthentication = 407;
const tooMany = 429;
const blocked = 451;
const portalAuthentication = 511;

const Path = v.optional(
  v.pipe(v.string(), v.regex(/^\/[\x21-\x7e]{0,2047}$/, 'expected a path that begins with /')),
  '/',
);

/** A network of mirrors sends whoever asks on to one of them; whoever else does so may be a captive portal. */
const Redirect = v.optional(v.picklist(['unexpected', 'expected']), 'unexpected');
type Redirect = v.InferOutput<typeof Redirect>;

export const http = defineProbe({
  transport: 'tcp',
  port: 80,
  scheme: 'http',
  about: {
    title: 'HTTP',
    sends: 'GET with the user agent xenreach and Connection: close; through a proxy in absolute form, to the proxy',
    proves: 'an HTTP server, or a proxy in its place, answers with a status; 5xx, 407 and 511 are its "no"',
    leaves: 'one line in the access log',
    reference: 'RFC 9110',
    client:
      'yum and curl of a XenServer host: absolute form to a proxy (RFC 9112, 3.2.2), each address of a name in turn',
  },
  options: v.strictObject({
    path: Path,
    /** Through a proxy by CONNECT, as only some clients go. */
    tunnel: v.optional(v.boolean(), false),
    redirect: Redirect,
  }),

  async run(io, target, { path, tunnel, redirect }) {
    const authority = httpAuthority(target.host, target.port, 80);
    const conn = tunnel
      ? await get(await io.connect(), authority, path)
      : await io.ask({ method: 'GET', path, headers });
    return judge(io, conn, new URL(`http://${authority}`), redirect);
  },
});

export const https = defineProbe({
  transport: 'tcp',
  port: 443,
  scheme: 'https',
  about: {
    title: 'HTTPS',
    sends: 'a TLS handshake, then GET with the user agent xenreach and Connection: close',
    proves: 'a certificate that is good for the name, and an HTTP status; 5xx, 407 and 511 are a "no"',
    leaves: 'one line in the access log',
    reference: 'RFC 9110',
    client:
      'yum and curl 8.6 of a XenServer 8 host, built with OpenSSL (the spec file of xcp-ng-rpms/curl, imported from xs8): TLS 1.2 or later, RSA keys of 2048 bits, no SHA-1, the name by its alternative names (the common name where there is none, which is a warning), a chain without gaps',
  },
  options: v.strictObject({
    path: Path,
    servername: ServerName,
    trust: Trust,
    /** The name is a public one, so a private issuer means interception. */
    publicName: v.optional(v.boolean(), false),
    redirect: Redirect,
  }),

  async run(io, target, { path, servername, trust, publicName, redirect }) {
    const names = servername !== undefined && { servername };
    const conn = await io.secure(await io.connect(), { trust, isPublicName: publicName, ...names });
    const authority = httpAuthority(target.host, target.port, 443);
    return judge(io, await get(conn, authority, path), new URL(`https://${authority}`), redirect);
  },
});

const headers = ['User-Agent: xenreach', 'Accept: */*', 'Accept-Encoding: identity', 'Connection: close'];

async function get(conn: Conn, authority: string, path: string): Promise<Conn> {
  const lines = [`GET ${path} HTTP/1.1`, `Host: ${authority}`, ...headers, '', ''];
  await conn.write(Buffer.from(lines.join('\r\n'), 'latin1'));
  return conn;
}

async function judge(io: ProbeIo, conn: Conn, origin: URL, redirect: Redirect): Promise<Answer> {
  const head = await readHead(conn);
  const { status } = head;
  const header = (name: string): string | undefined => head.headers.get(name);
  const server = header('server');
  const location = header('location');
  io.record({
    status,
    ...(server !== undefined && { server: printable(server) }),
    ...(location !== undefined && { location: printable(location, 256) }),
  });
  compareDates(io, header('date'), header('age'));
  await readRest(io, conn, head);
  const no = refusalOf(status, header('retry-after'));
  if (no) return no;
  if (status === blocked) io.warn('HTTP 451: blocked by policy, by the server or by a gateway in front of it');
  const goal = status >= 300 && status < 400 ? hostOf(location, origin) : undefined;
  const isElsewhere = goal !== undefined && !isSameSite(goal, origin.hostname);
  if (isElsewhere && redirect === 'unexpected') io.warn(`redirected to ${goal}: a captive portal?`);
  if (!isElsewhere && redirect === 'expected' && status < 400)
    io.warn(`HTTP ${status} where a redirect to a mirror is usual: does something else answer for it?`);
  return answered(`HTTP ${status}: ${meaning(status, goal)}`);
}

/** A server's "no" is 5xx; a proxy or portal in the way says 407 or 511. */
function refusalOf(status: number, retryAfter: string | undefined): Answer | undefined {
  const no = (words: string, remedy?: string): Answer => declined(`HTTP ${status}: ${words}`, {}, remedy);
  if (status === portalAuthentication) {
    return no(
      'a captive portal answers in place of the server',
      'Sign this machine in to the network, or have it exempted from the captive portal.',
    );
  }
  if (status === proxyAuthentication) {
    return no(
      'a proxy stands in the way and wants credentials',
      'Give the proxy and its credentials in the site file, or have this destination exempted from it.',
    );
  }
  if (status < 500) return undefined;
  const later = retryAfter === undefined ? '' : `; it says to try again ${whenOf(retryAfter)}`;
  return no(`${refusals[status] ?? 'the server fails'}${later}`);
}

const whenOf = (text: string): string => (/^\d{1,6}$/.test(text) ? `in ${text} s` : `at ${printable(text)}`);

const refusals: Readonly<Record<number, string>> = {
  500: 'the server fails with an error of its own',
  502: 'a gateway is there, the server behind it is not',
  503: 'the server says that it cannot serve now',
  504: 'a gateway is there, the server behind it does not answer',
};

function meaning(status: number, goal: string | undefined): string {
  if (status === tooMany) return 'reached; it takes no more requests of this machine for now';
  if (status === 401 || status === 403) return 'reached; without credentials it shows nothing more';
  return goal === undefined ? 'reached' : `reached; redirects to ${goal}`;
}

/** The status stands when its body breaks off, unless what follows has no end. */
async function readRest(io: ProbeIo, conn: Conn, head: HttpHead): Promise<void> {
  try {
    await readBody(conn, head);
  } catch (error) {
    if (error instanceof DecodeError) return io.warn(`the status came, and a body that cannot be read (${error.told})`);
    if (!(error instanceof NetError) || error.failure.outcome === 'garbled') throw error;
    io.warn(`the status came but its body broke off (${error.message}): does the path lose large packets?`);
  }
}

/** A cache's answer keeps the origin's Date and says how long ago that was. */
function compareDates(io: ProbeIo, date: string | undefined, age: string | undefined): void {
  const theirs = date !== undefined && date.length <= 64 ? Date.parse(date) : Number.NaN;
  if (Number.isNaN(theirs)) return;
  const agedMs = /^\d{1,9}$/.test(age ?? '') ? Number(age) * 1000 : 0;
  const dateOffsetMs = clockOffsetMs(theirs + agedMs, io.now());
  io.record({ dateOffsetMs });
  compareClocks(io, dateOffsetMs, clockLimits, (by) => `this machine's clock and the server's Date differ by ${by}`);
}

function hostOf(location: string | undefined, origin: URL): string | undefined {
  if (location === undefined || !URL.canParse(location, origin)) return undefined;
  return printable(new URL(location, origin).hostname) || undefined;
}

/** Two names are of one site when their last two labels are the same, which is enough for a warning. */
function isSameSite(a: string, b: string): boolean {
  return siteOf(a.toLowerCase()) === siteOf(b.toLowerCase());
}

const siteOf = (host: string): string => (/^\[|^[\d.]+$/.test(host) ? host : host.split('.').slice(-2).join('.'));
