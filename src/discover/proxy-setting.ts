/** The URL of an HTTP proxy as pools and systems write it, made one that a site may hold: no password, a port. */
import { decodeProxyUrl, proxyUrlFault } from '../load/proxy-url.ts';
import { bracketed } from '../model/address.ts';
import { printable } from '../wire/text.ts';

/** http://HOST:PORT, or undefined. A URL without a port means that of its scheme. */
export function proxyUrl(text: string): { readonly url: string; readonly username: string | undefined } | undefined {
  const [, scheme = 'http://', credentials, rest = ''] = /^(https?:\/\/)?(?:(.*)@)?([^@]*)$/is.exec(text.trim()) ?? [];
  const bare = `${scheme}${rest.replace(/[/?#]+$/, '')}`;
  const ported = /:\d+$/.test(bare) ? bare : `${bare}:${/^https/i.test(scheme) ? 443 : 80}`;
  if (proxyUrlFault(ported) !== null) return undefined;
  const { isSecure, host, port } = decodeProxyUrl(ported);
  const username = printable(credentials?.replace(/:.*/s, '') ?? '', 128) || undefined;
  return { url: `${isSecure ? 'https' : 'http'}://${bracketed(host)}:${port}`, username };
}
