/** Where an API is to be asked, as the command line says it: a socket's path, https://HOST[:PORT], or a bare host. */
import { hostFault, plainHost } from '../load/host.ts';
import { parseHostPort } from '../model/address.ts';
import { UsageError } from '../model/errors.ts';
import type { XapiEndpoint } from '../net/xapi-client.ts';

/** Where a host's own API listens for root. */
export const usualSocket = '/var/lib/xcp/xapi';

interface Care {
  readonly fingerprints: readonly string[];
  readonly trust: readonly string[];
}

export function parseXapi(text: string, care: Care): XapiEndpoint {
  if (text.startsWith('/') || text.startsWith('./')) return { kind: 'socket', path: text };
  const [, scheme, rest = ''] = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(.*)$/is.exec(text) ?? [];
  if (scheme?.toLowerCase() === 'http') {
    throw new UsageError('--xapi goes by https: over http everybody on the way would read the password');
  }
  if (scheme !== undefined && scheme.toLowerCase() !== 'https') throw wrong(text);
  if (rest.includes('@')) {
    throw new UsageError(
      '--xapi takes no user in the URL: --xapi-user NAME, and the password in XENREACH_XAPI_PASSWORD',
    );
  }
  const found = parseHostPort(rest.replace(/\/$/, ''));
  if (!found || found.host === '' || hostFault(found.host) !== null) throw wrong(text);
  return { kind: 'tls', host: plainHost(found.host), port: found.port ?? 443, ...care };
}

const wrong = (text: string): UsageError =>
  new UsageError(`--xapi ${JSON.stringify(text.slice(0, 100))} is neither https://HOST nor the path of a socket`);

/** As openssl prints them, with colons or without; only SHA-256 is taken. */
export function parseFingerprint(text: string): string {
  const hex = text
    .replace(/^sha-?256[ =:]+(?:fingerprint=)?/i, '')
    .replaceAll(/[:\s]/g, '')
    .toLowerCase();
  if (/^[0-9a-f]{64}$/.test(hex)) return hex;
  throw new UsageError('--tls-fingerprint takes the SHA-256 of the certificate: 64 hex digits, with colons or without');
}
