/**
 * Digest access authentication, RFC 7616; without `qop` the form of RFC 2069. Texts are strings of bytes here (latin1), as
 * they stand in the header: a realm that is not ASCII is hashed and sent back as the bytes that came.
 */
import type { Challenge } from './challenge.ts';
import { crypto } from './crypto.ts';

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

export interface Asked {
  readonly method: string;
  readonly uri: string;
  readonly cnonce: string;
}

/** The strongest first. */
const hashes: readonly (readonly [algorithm: string, hash: string])[] = [
  ['sha-512-256', 'sha512-256'],
  ['sha-256', 'sha256'],
  ['md5', 'md5'],
];

const algorithmOf = ({ parameters }: Challenge): string => parameters.get('algorithm') ?? 'MD5';
const isSession = (algorithm: string): boolean => algorithm.toLowerCase().endsWith('-sess');

function strengthOf(challenge: Challenge): number {
  const name = algorithmOf(challenge)
    .toLowerCase()
    .replace(/-sess$/, '');
  return hashes.findIndex(([algorithm]) => algorithm === name);
}

/** `auth` rather than `auth-int`; our requests have no body, so the second is known too. Null when neither is offered. */
function protectionOf({ parameters }: Challenge): 'auth' | 'auth-int' | undefined | null {
  const offered = parameters
    .get('qop')
    ?.toLowerCase()
    .split(/[\s,]+/);
  if (offered === undefined) return undefined;
  return offered.includes('auth') ? 'auth' : offered.includes('auth-int') ? 'auth-int' : null;
}

/** Of the digest challenges that we can answer, the one with the strongest hash. */
export function strongestDigest(challenges: readonly Challenge[]): Challenge | undefined {
  return challenges
    .filter(
      (challenge) => challenge.scheme === 'digest' && strengthOf(challenge) >= 0 && protectionOf(challenge) !== null,
    )
    .toSorted((a, b) => strengthOf(a) - strengthOf(b))[0];
}

export function digestAnswer(challenge: Challenge, credentials: Credentials, asked: Asked): string | undefined {
  const [, hashName] = hashes[strengthOf(challenge)] ?? [];
  const protection = protectionOf(challenge);
  if (hashName === undefined || protection === null) return undefined;
  const { method, uri, cnonce } = asked;
  const [username, password] = [bytesOf(credentials.username), bytesOf(credentials.password)];
  const [realm = '', nonce = '', opaque] = ['realm', 'nonce', 'opaque'].map((name) => challenge.parameters.get(name));
  const hash = (text: string): string => crypto().createHash(hashName).update(text, 'latin1').digest('hex');
  const algorithm = algorithmOf(challenge);
  const secret = hash(`${username}:${realm}:${password}`);
  const ha1 = isSession(algorithm) ? hash(`${secret}:${nonce}:${cnonce}`) : secret;
  const ha2 = hash(protection === 'auth-int' ? `${method}:${uri}:${hash('')}` : `${method}:${uri}`);
  const count = '00000001';
  const fresh = protection === undefined ? [] : [count, cnonce, protection];
  const fields = [
    `username=${quote(username)}`,
    `realm=${quote(realm)}`,
    `nonce=${quote(nonce)}`,
    `uri=${quote(uri)}`,
    `response="${hash([ha1, nonce, ...fresh, ha2].join(':'))}"`,
    `algorithm=${algorithm}`,
    ...(protection === undefined ? [] : [`qop=${protection}`, `nc=${count}`]),
    ...(protection !== undefined || isSession(algorithm) ? [`cnonce="${cnonce}"`] : []),
    ...(opaque === undefined ? [] : [`opaque=${quote(opaque)}`]),
  ];
  return `Digest ${fields.join(', ')}`;
}

/** The user's own texts go as UTF-8, as curl sends them. */
const bytesOf = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

// A quoted string may not end a line of the request: what a peer sends us back is not trusted with that.
const quote = (text: string): string => `"${text.replaceAll(/[\r\n]/g, '').replaceAll(/["\\]/g, String.raw`\$&`)}"`;
