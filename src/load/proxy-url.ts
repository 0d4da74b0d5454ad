/** The URL of an HTTP proxy, from a site or the command line. It may hold a password, so no error ever repeats it. */
import { withoutBrackets } from '../model/address.ts';
import { hostFault } from './host.ts';

export const passwordPlaces =
  'give the user as `username` and a file with the password as `passwordFile`, or the password in XENREACH_PROXY_PASSWORD';

const pattern =
  /^(?:(?<scheme>[a-z][a-z0-9+.-]*):\/\/)?(?<credentials>.*@)?(?<host>\[[^\]]*\]|[^:/?#@[\]]*)(?::(?<port>\d*))?(?<rest>[/?#].*)?$/is;

export interface ProxyUrl {
  readonly isSecure: boolean;
  readonly host: string;
  readonly port: number;
  readonly username: string | undefined;
}

/** Of a URL without a fault. */
export function decodeProxyUrl(text: string): ProxyUrl {
  const { scheme, credentials, host = '', port = '' } = pattern.exec(text.trim())?.groups ?? {};
  const user = credentials?.slice(0, -1);
  return {
    isSecure: scheme?.toLowerCase() === 'https',
    host: withoutBrackets(host),
    port: Number(port),
    username: user ? decodeURIComponent(user) : undefined,
  };
}

/** What is wrong with it and what to do, or null. */
export function proxyUrlFault(text: string): string | null {
  const { scheme = '', credentials, host = '', port = '', rest } = pattern.exec(text.trim())?.groups ?? {};
  // http://user@host is fine: a name is no secret.
  if (credentials?.includes(':')) return `the proxy URL holds a password; ${passwordPlaces}`;
  const wrongScheme = schemeFault(scheme.toLowerCase(), rest);
  if (wrongScheme !== null) return wrongScheme;
  if (credentials !== undefined && !isDecodable(credentials)) {
    return 'the user in the proxy URL has a percent sign that begins no %XX; write it as %25';
  }
  if (host === '' || hostFault(host) !== null) return `the proxy URL has no valid host; write ${form}`;
  if (/\.pac$|wpad\.dat$/i.test(rest ?? '')) return pacFile;
  if (port === '') return `the proxy URL has no port; write ${form}`;
  if (Number(port) < 1 || Number(port) > 65_535) return 'the port of the proxy URL must be from 1 to 65535';
  if (rest !== undefined && rest !== '/') return `the proxy URL ends after the port; write ${form}`;
  return null;
}

const form = 'http://HOST:PORT';

const pacFile =
  "the proxy URL is that of a file that chooses a proxy (PAC); open it, and write the proxy that it names for the vendor's domains";

function schemeFault(scheme: string, rest: string | undefined): string | null {
  if (scheme === 'http' || scheme === 'https') return null;
  if (scheme.startsWith('socks')) {
    return `the proxy URL is that of a SOCKS proxy, which is not spoken here; write the HTTP proxy beside it, as ${form}, or leave it out to check without`;
  }
  if (scheme.startsWith('pac') || /\.pac$/i.test(rest ?? '')) return pacFile;
  return `the proxy URL must be ${form}, or https://HOST:PORT for a proxy that is itself spoken to in TLS`;
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
