/**
 * An HTTP proxy: a tunnel by CONNECT, or a request for plain HTTP handed on to it in absolute form, as curl and yum send
 * them. Credentials are sent after a 407 only, once, by the strongest scheme that it offers and we speak. RFC 9110 sections
 * 9.3.6 (CONNECT), 11.7 (authentication) and 15.2 (interim answers); RFC 9112 section 3.2.2 (absolute form).
 */
import { hostPort } from '../model/address.ts';
import { NetError } from '../model/errors.ts';
import type { Evidence } from '../model/outcome.ts';
import { DecodeError } from '../wire/reader.ts';
import { decodeChallenges, type Challenge } from './challenge.ts';
import type { StreamConn } from './conn.ts';
import { crypto } from './crypto.ts';
import { digestAnswer, strongestDigest } from './digest.ts';
import { refusal, type Refused } from './proxy-refusal.ts';
import { veilOf } from './veil.ts';

const maxHeadBytes = 32 * 1024;
const maxHeaders = 100;
const maxInterim = 16;
const headEnd = Buffer.from('\r\n\r\n');

export interface Proxy {
  readonly host: string;
  readonly port: number;
  /** It is spoken to in TLS. */
  readonly isSecure?: boolean;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

export interface ResponseHead {
  readonly status: number;
  readonly reason: string;
  /** Names in lower case; the values of a repeated name joined by commas. */
  readonly headers: ReadonlyMap<string, string>;
}

/** What the proxy is asked: a method and a target, and the lines that follow. */
export interface ProxyRequest {
  readonly method: string;
  readonly uri: string;
  /** The destination as HOST:PORT. */
  readonly authority: string;
  readonly headers: readonly string[];
}

export interface ProxyReply {
  readonly conn: StreamConn;
  readonly head: ResponseHead;
  /** The head as it came. */
  readonly bytes: Uint8Array;
}

/** How the proxy is reached: `open` gives a fresh connection to it. */
export interface Way {
  readonly open: () => Promise<StreamConn>;
  readonly proxy: Proxy;
  readonly record: (evidence: Evidence) => void;
}

/** Resolves with a connection whose next byte is the destination's. */
export async function tunnel(way: Way, host: string, port: number): Promise<ProxyReply> {
  const authority = hostPort(host, port);
  const headers = [`Host: ${authority}`, 'User-Agent: xenreach'];
  const reply = await ask(way, { method: 'CONNECT', uri: authority, authority, headers }, isUp);
  // TLS servers never speak first: bytes behind the proxy's blank line are a block page.
  if (reply.conn.bufferedBytes > 0) throw ownPage();
  return reply;
}

/** Resolves with the answer's head and the connection that its body comes on; throws what is the proxy's own word. */
export function forward(way: Way, request: ProxyRequest): Promise<ProxyReply> {
  return ask(way, request, isOfDestination);
}

async function ask(way: Way, request: ProxyRequest, isFine: (head: ResponseHead) => boolean): Promise<ProxyReply> {
  const { open, proxy, record } = way;
  const first = await send(await open(), request, proxy);
  record({ proxy: hostPort(proxy.host, proxy.port), proxyStatus: first.head.status });
  if (isFine(first.head)) return first;
  const challenges = challengesOf(first.head);
  const authorization = authorizationFor(challenges, proxy, request);
  if (authorization === undefined) throw refusal(refused(first.head, challenges, false));
  first.conn.destroy();
  const second = await send(await open(), request, proxy, authorization);
  record({ proxyStatus: second.head.status });
  if (isFine(second.head)) return second;
  throw refusal(refused(second.head, challengesOf(second.head), true));

  function refused(head: ResponseHead, offered: readonly Challenge[], sent: boolean): Refused {
    const { authority, method } = request;
    const { username, password } = proxy;
    const own = hostPort(proxy.host, proxy.port);
    return {
      head,
      challenges: offered,
      proxy: own,
      authority,
      method,
      username,
      hasPassword: password !== undefined,
      sent,
    };
  }
}

async function send(
  conn: StreamConn,
  { method, uri, headers }: ProxyRequest,
  proxy: Proxy,
  authorization?: string,
): Promise<ProxyReply> {
  const own = authorization === undefined ? [] : [`Proxy-Authorization: ${authorization}`];
  const lines = [`${method} ${uri} HTTP/1.1`, ...headers, ...own, '', ''];
  await conn.write(Buffer.from(lines.join('\r\n'), 'latin1'));
  const veil = veilOf(proxy);
  try {
    for (let count = 0; count < maxInterim; count += 1) {
      // Interim answers come before the one that counts.
      const bytes = await conn.readUntil(headEnd, maxHeadBytes);
      // What it repeats of a password is blanked before anything is cut off or looked at.
      const head = decodeHead(Buffer.from(veil(Buffer.from(bytes).toString('latin1')), 'latin1'));
      if (head.status >= 200 || head.status === 101) return { conn, head, bytes };
    }
  } catch (error) {
    if (error instanceof DecodeError) throw noProxy(error.told);
    throw error;
  }
  throw noProxy(`more than ${maxInterim} interim answers`);
}

const isUp = ({ status }: ResponseHead): boolean => status >= 200 && status < 300;

/**
 * Of a forwarded request most answers are the destination's. A proxy marks what it hands on with Via (RFC 9110, 7.6.3), so
 * a failure without it is its own, and Squid says of its own that they are.
 */
function isOfDestination({ status, headers }: ResponseHead): boolean {
  if (status === 407 || status === 502 || status === 504 || status === 511) return false;
  return !headers.has('x-squid-error') && (status < 500 || headers.has('via'));
}

const noProxy = (why: string): NetError =>
  new NetError({
    outcome: 'garbled',
    stage: 'proxy',
    hint: 'proxy',
    detail: `what listens there is no HTTP proxy: ${why}`,
    remedy:
      'Check the host and the port of the proxy (proxy.url in the site file, or --proxy): another service answers there.',
  });

export const ownPage = (): NetError =>
  new NetError({
    outcome: 'garbled',
    stage: 'proxy',
    hint: 'proxy',
    detail: 'the proxy says "connected" and sends a page of its own',
    remedy:
      'Open the destination in a browser behind this proxy: it shows the page, which says what it wants (to sign in, or a block).',
  });

/** `HTTP/1.1 407 Proxy Authentication Required` and header lines, up to the blank one. */
export function decodeHead(bytes: Uint8Array): ResponseHead {
  const [statusLine, ...lines] = Buffer.from(bytes).toString('latin1').split('\r\n');
  const match = /^HTTP\/1\.[01] (\d{3})(?: (.*))?$/.exec(statusLine ?? '');
  if (!match) throw new DecodeError('no HTTP status line', 0);
  const headers = new Map<string, string>();
  let count = 0;
  for (const line of lines) {
    if (line === '') continue;
    const colon = line.indexOf(':');
    if (colon <= 0) throw new DecodeError('a header line without a name', 0);
    if (++count > maxHeaders) throw new DecodeError(`more than ${maxHeaders} header lines`, 0);
    const name = line.slice(0, colon).toLowerCase();
    const before = headers.get(name);
    const value = line.slice(colon + 1).trim();
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return { status: Number(match[1]), reason: (match[2] ?? '').slice(0, 80), headers };
}

/** A 401 with WWW-Authenticate is some proxies' way to say the same. */
function challengesOf({ status, headers }: ResponseHead): readonly Challenge[] {
  if (status !== 407 && status !== 401) return [];
  return decodeChallenges(['proxy-authenticate', 'www-authenticate'].flatMap((name) => headers.get(name) ?? []));
}

function authorizationFor(
  challenges: readonly Challenge[],
  { username, password }: Proxy,
  { method, uri }: ProxyRequest,
): string | undefined {
  if (username === undefined || password === undefined) return undefined;
  const digest = strongestDigest(challenges);
  if (digest) {
    const cnonce = crypto().randomBytes(8).toString('hex');
    return digestAnswer(digest, { username, password }, { method, uri, cnonce });
  }
  if (!challenges.some(({ scheme }) => scheme === 'basic')) return undefined;
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
