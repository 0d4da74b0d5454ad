/** What may stand for a host in a site or a spec: an IPv4 or IPv6 address that a packet can be sent to, or a DNS name. */
import { familyOf } from '../net/address.ts';
import { show } from './faults.ts';

const label = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/i;

/** What is wrong with it and what to do, or null. */
export function hostFault(text: string): string | null {
  const host = withoutBrackets(text);
  const family = familyOf(host);
  if (family === 0)
    return isIpv6Like(text) ? `${show(text)} is not an IPv6 address` : notName(text, 'an address or a name');
  const kind = family === 4 ? unusableIpv4(host) : unusableIpv6(host);
  return kind === null ? null : `${show(text)} is ${kind}; give the address of one host`;
}

/** What is wrong with it as a name that DNS can hold: labels of letters, digits, hyphens and underscores. */
export function nameFault(text: string): string | null {
  const isAddress = familyOf(withoutBrackets(text)) !== 0;
  return isAddress ? `${show(text)} is an address; give a name` : notName(text, 'a name');
}

function notName(text: string, wanted: string): string | null {
  const is = `${show(text)} is not ${wanted}`;
  const url = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/]*@)?([^/:]+)/i.exec(text);
  if (url) return `${is}; write only the host: ${url[1]}`;
  const withPort = /^([^:]+):(\d+)$/.exec(text);
  if (withPort) return `${is}; write the port apart: { host: ${withPort[1]}, port: ${withPort[2]} }`;
  if (/[\s,]/.test(text.trim())) return `${is}; write several as a list: [a, b]`;
  if (/[^\0-\x7f]/.test(text)) return `${is}; write an international name in its xn-- form`;
  const name = text.endsWith('.') ? text.slice(0, -1) : text;
  if (name.length > 253) return `${is}; a name has at most 253 characters`;
  const labels = name.split('.');
  // A resolver would take such a name for an address: 256.1.1.1, 10.20.30, 0x7f.1
  if (/^(?:\d+|0x[0-9a-f]*)$/i.test(labels.at(-1)!)) return `${is}; an IPv4 address has four numbers from 0 to 255`;
  const wrong = labels.find((part) => !label.test(part));
  if (wrong === undefined) return null;
  if (wrong.length > 63) return `${is}; between its dots a name has at most 63 characters`;
  return `${is}; a name has letters, digits and hyphens between its dots`;
}

/** As it is compared: two spellings of one host are the same. */
export function canonicalHost(host: string): string {
  const name = host.toLowerCase();
  return familyOf(host) === 6 ? (canonicalIpv6(name) ?? name) : name.replace(/\.$/, '');
}

const isIpv6Like = (text: string): boolean => /^\[|^[0-9a-f]*:[0-9a-f.]*:/i.test(text);

export const withoutBrackets = (text: string): string => /^\[(.*)\]$/s.exec(text)?.[1] ?? text;

function unusableIpv4(address: string): string | null {
  if (address === '255.255.255.255') return 'the broadcast address';
  const first = Number(address.split('.')[0]);
  if (first === 0) return 'an address that stands for no host';
  if (first >= 224) return first < 240 ? 'a multicast address' : 'a reserved address';
  return null;
}

function unusableIpv6(address: string): string | null {
  const canonical = canonicalIpv6(address.toLowerCase())!;
  if (canonical === '::') return 'an address that stands for no host';
  if (canonical.startsWith('ff')) return 'a multicast address';
  const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(canonical);
  if (!mapped) return null;
  const [high, low] = [Number.parseInt(mapped[1]!, 16), Number.parseInt(mapped[2]!, 16)];
  return unusableIpv4([high >> 8, high & 255, low >> 8, low & 255].join('.'));
}

function canonicalIpv6(address: string): string | null {
  const [digits, zone] = address.split('%');
  const url = URL.parse(`http://[${digits}]/`);
  if (url === null) return null;
  return withoutBrackets(url.hostname) + (zone === undefined ? '' : `%${zone}`);
}
