/**
 * A tunnel through an HTTP proxy: CONNECT, and basic or digest authentication when the proxy asks for it. Credentials are
 * sent after a 407 only, once, the better scheme first. RFC 9110 sections 9.3.6 and 11.7, RFC 7616, RFC 7617.
 */
import { hostPort } from '../model/address.ts';
import { NetError } from '../model/errors.ts';
import type { Evidence } from '../model/outcome.ts';
import { DecodeError } from '../wire/reader.ts';
import type { StreamConn } from './conn.ts';
import { crypto } from './crypto.ts';

const maxHeadBytes = 32 * 1024;
const headEnd = Buffer.from('\r\n\r\n');

export interface Proxy {
  readonly host: string;
  readonly port: number;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

export interface Challenge {
  readonly scheme: 'basic' | 'digest';
  readonly parameters: Readonly<Record<string, string>>;
}

export interface ResponseHead {
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly (readonly [string, string])[];
}

/** Resolves with a connection whose next byte is the destination's. `open` gives a fresh connection to the proxy. */
export async function tunnel(
  open: () => Promise<StreamConn>,
  proxy: Proxy,
  host: string,
  port: number,
  record: (evidence: Evidence) => void,
): Promise<StreamConn> {
  const authority = hostPort(host, port);
  const first = await ask(await open(), authority);
  record({ proxy: hostPort(proxy.host, proxy.port), proxyStatus: first.head.status });
  if (isUp(first.head)) return settled(first.conn);
  const isAsking = first.head.status === 407 || first.head.status === 401;
  const challenges = isAsking ? challengesOf(first.head) : [];
  const authorization = authorizationFor(challenges, proxy, authority);
  if (authorization === undefined) throw refusal(first.head, challenges, proxy, false);
  first.conn.destroy();
  const second = await ask(await open(), authority, authorization);
  record({ proxyStatus: second.head.status });
  if (isUp(second.head)) return settled(second.conn);
  throw refusal(second.head, challenges, proxy, true);
}

async function ask(
  conn: StreamConn,
  authority: string,
  authorization?: string,
): Promise<{ conn: StreamConn; head: ResponseHead }> {
  const lines = [
    `CONNECT ${authority} HTTP/1.1`,
    `Host: ${authority}`,
    'User-Agent: xenreach',
    ...(authorization === undefined ? [] : [`Proxy-Authorization: ${authorization}`]),
    '',
    '',
  ];
  await conn.write(Buffer.from(lines.join('\r\n')));
  try {
    return { conn, head: decodeHead(await conn.readUntil(headEnd, maxHeadBytes)) };
  } catch (error) {
    if (error instanceof DecodeError) throw garbled(`what listens there is no HTTP proxy: ${error.message}`);
    throw error;
  }
}

function settled(conn: StreamConn): StreamConn {
  // TLS servers never speak first: bytes behind the proxy's blank line are a block page.
  if (conn.bufferedBytes > 0) throw garbled('the proxy says "connected" and sends a page of its own');
  return conn;
}

const isUp = (head: ResponseHead): boolean => head.status >= 200 && head.status < 300;

function garbled(detail: string): NetError {
  return new NetError({ outcome: 'garbled', stage: 'proxy', detail, hint: 'proxy' });
}

/** `HTTP/1.1 407 Proxy Authentication Required` and header lines, up to the blank one. */
export function decodeHead(bytes: Uint8Array): ResponseHead {
  const [statusLine, ...lines] = Buffer.from(bytes).toString('latin1').split('\r\n');
  const match = /^HTTP\/1\.[01] (\d{3})(?: (.*))?$/.exec(statusLine ?? '');
  if (!match) throw new DecodeError('no HTTP status line', 0);
  const headers: [string, string][] = [];
  for (const line of lines) {
    if (line === '') continue;
    const colon = line.indexOf(':');
    if (colon <= 0) throw new DecodeError('a header line without a name', 0);
    if (headers.length >= 100) throw new DecodeError('more than 100 header lines', 0);
    headers.push([line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]);
  }
  return { status: Number(match[1]), reason: (match[2] ?? '').slice(0, 80), headers };
}

/** The schemes a proxy offers and we speak; a 401 with WWW-Authenticate is some proxies' way to say the same. */
function challengesOf(head: ResponseHead): Challenge[] {
  return head.headers
    .filter(([name]) => name === 'proxy-authenticate' || name === 'www-authenticate')
    .flatMap(([, value]) => decodeChallenge(value) ?? []);
}

/** `Digest realm="xs", nonce="…", qop="auth"` */
export function decodeChallenge(value: string): Challenge | undefined {
  const [, scheme, rest] = /^\s*(basic|digest)\b\s*(.*)$/i.exec(value.slice(0, 4096)) ?? [];
  if (scheme === undefined || rest === undefined) return undefined;
  const parameters: Record<string, string> = {};
  for (const [, name, quoted, token] of rest.matchAll(/([a-z0-9-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/gi)) {
    if (name !== undefined) parameters[name.toLowerCase()] = quoted?.replaceAll(/\\(.)/g, '$1') ?? token ?? '';
  }
  return { scheme: scheme.toLowerCase() === 'basic' ? 'basic' : 'digest', parameters };
}

function authorizationFor(challenges: readonly Challenge[], proxy: Proxy, authority: string): string | undefined {
  const { username, password } = proxy;
  if (username === undefined || password === undefined) return undefined;
  const digest = challenges.find(({ scheme }) => scheme === 'digest');
  const answer =
    digest && digestAnswer(digest.parameters, username, password, authority, crypto().randomBytes(8).toString('hex'));
  if (answer !== undefined) return answer;
  if (!challenges.some(({ scheme }) => scheme === 'basic')) return undefined;
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

const digestHashes: ReadonlyMap<string, string> = new Map([
  ['md5', 'md5'],
  ['sha-256', 'sha256'],
  ['sha-512-256', 'sha512-256'],
]);

/** RFC 7616 section 3.4; without qop the form of RFC 2069. Undefined for an algorithm we do not speak. */
export function digestAnswer(
  challenge: Readonly<Record<string, string>>,
  username: string,
  password: string,
  uri: string,
  cnonce: string,
  method = 'CONNECT',
): string | undefined {
  const algorithm = challenge['algorithm'] ?? 'MD5';
  const isSession = algorithm.toLowerCase().endsWith('-sess');
  const hashName = digestHashes.get(algorithm.toLowerCase().replace(/-sess$/, ''));
  const { realm = '', nonce = '', opaque } = challenge;
  const offered = challenge['qop']?.split(',').map((word) => word.trim());
  if (hashName === undefined || (offered && !offered.includes('auth'))) return undefined;
  const hash = (text: string): string => crypto().createHash(hashName).update(text).digest('hex');
  const secret = hash(`${username}:${realm}:${password}`);
  const ha1 = isSession ? hash(`${secret}:${nonce}:${cnonce}`) : secret;
  const ha2 = hash(`${method}:${uri}`);
  const count = '00000001';
  const response = offered ? hash(`${ha1}:${nonce}:${count}:${cnonce}:auth:${ha2}`) : hash(`${ha1}:${nonce}:${ha2}`);
  const fields = [
    `username=${quote(username)}`,
    `realm=${quote(realm)}`,
    `nonce=${quote(nonce)}`,
    `uri=${quote(uri)}`,
    `response="${response}"`,
    `algorithm=${algorithm}`,
    ...(offered ? [`qop=auth`, `nc=${count}`] : []),
    ...(offered || isSession ? [`cnonce="${cnonce}"`] : []),
    ...(opaque === undefined ? [] : [`opaque=${quote(opaque)}`]),
  ];
  return `Digest ${fields.join(', ')}`;
}

// A quoted string may not end a line of the request: what a peer sends us back is not trusted with that.
const quote = (text: string): string => `"${text.replaceAll(/[\r\n]/g, '').replaceAll(/["\\]/g, String.raw`\$&`)}"`;

function refusal(head: ResponseHead, challenges: readonly Challenge[], proxy: Proxy, sent: boolean): NetError {
  const { status } = head;
  const said = head.headers.find(([name]) => name === 'x-squid-error')?.[1];
  const own = `the proxy ${hostPort(proxy.host, proxy.port)}`;
  return new NetError({
    outcome: 'declined',
    stage: 'proxy',
    hint: 'proxy',
    code: `HTTP_${status}`,
    detail: `${own} ${whatItSaid(status, challenges, proxy, sent)}${said === undefined ? '' : ` (${clean(said)})`}`,
  });
}

function whatItSaid(status: number, challenges: readonly Challenge[], proxy: Proxy, sent: boolean): string {
  if (status === 407 || status === 401) {
    if (sent) return `rejects the credentials of ${clean(proxy.username ?? '')} (HTTP ${status})`;
    const schemes = challenges.map(({ scheme }) => scheme).join(' or ') || 'no scheme that we speak';
    if (proxy.username !== undefined && proxy.password !== undefined) return `wants ${schemes} (HTTP ${status})`;
    return `wants credentials (${schemes}; HTTP ${status})`;
  }
  if (status === 403) return 'forbids this destination by its rules (HTTP 403)';
  if (status >= 500) return `could not reach the destination (HTTP ${status})`;
  return `answered CONNECT with HTTP ${status}`;
}

const clean = (text: string): string => text.replaceAll(/[^\u0020-\u007e]/g, '?').slice(0, 80);
