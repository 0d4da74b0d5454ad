/** The URL of an HTTP proxy, from a site or the command line. It may hold a password, so no error ever repeats it. */
import { hostFault } from './host.ts';

export const passwordPlaces =
  'give the user as `username` and a file with the password as `passwordFile`, or the password in XENREACH_PROXY_PASSWORD';

const pattern =
  /^(?:(?<scheme>[a-z][a-z0-9+.-]*):\/\/)?(?<credentials>.*@)?(?<host>\[[^\]]*\]|[^:/?#@[\]]*)(?::(?<port>\d*))?(?<rest>[/?#].*)?$/is;

/** What is wrong with it and what to do, or null. */
export function proxyUrlFault(text: string): string | null {
  const { scheme, credentials, host = '', port = '', rest } = pattern.exec(text.trim())?.groups ?? {};
  // http://user@host is fine: a name is no secret.
  if (credentials?.includes(':')) return `the proxy URL holds a password; ${passwordPlaces}`;
  if (scheme?.toLowerCase() === 'https')
    return 'a proxy that is spoken to in TLS (https://) is not supported; use http://';
  if (scheme?.toLowerCase() !== 'http') return 'the proxy URL must be http://HOST:PORT';
  if (host === '' || hostFault(host) !== null) return 'the proxy URL has no valid host; write http://HOST:PORT';
  if (port === '') return 'the proxy URL has no port; write http://HOST:PORT';
  if (Number(port) < 1 || Number(port) > 65_535) return 'the port of the proxy URL must be from 1 to 65535';
  if (rest !== undefined && rest !== '/') return 'the proxy URL ends after the port; write http://HOST:PORT';
  return null;
}
