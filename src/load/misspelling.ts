/**
 * Hosts as people write, copy and paste them, when they are neither an address nor a name: each slip by its own name, with
 * what to write instead. The first line of the table that fits is told.
 */
import { isAddress } from '../model/address.ts';
import { show } from './faults.ts';

interface Slip {
  /** What it looks like. */
  readonly pattern: RegExp;
  /** `is what; what to write`, or only what to write; null when it is something else after all. */
  readonly told: (match: RegExpExecArray, text: string) => string | null;
}

const label = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/i;
const quotes = /["'`´«»‹›\u2018-\u201f\u300c\u300d\uff02\uff07]/u;
const dashes = /[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]/u;
const invisible = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u115f\u1160\u3164]/u;

const named: Readonly<Record<string, string>> = {
  '\u00a0': 'a no-break space',
  '\u00ad': 'a soft hyphen',
  '\u200b': 'a zero-width space',
  '\u200c': 'a zero-width non-joiner',
  '\u200d': 'a zero-width joiner',
  '\u2060': 'a word joiner',
  '\ufeff': 'a byte order mark',
  '\t': 'a tab',
  '\n': 'a line end',
  '\r': 'a carriage return',
};

/** Words that stand before or behind a host in the files that hosts are copied from: chrony.conf, resolv.conf, fstab. */
const before = /^(?:server|pool|peer|nameserver|host)$/i;
const octets = String.raw`\d{1,3}(?:\.\d{1,3}){3}`;

const slips: readonly Slip[] = [
  { pattern: /^\s*$/, told: () => 'is empty; give an address or a name' },
  {
    pattern: /^[a-z][a-z0-9+.-]*:\/\/(?:[^/]*@)?(\[[^\]]*\]|[^/:?#]+)/i,
    told: ([, host]) => `write only the host: ${host}`,
  },
  {
    pattern: quotes,
    told: (_, text) => `has quotation marks in it; write it without them: ${without(text, quotes)}`,
  },
  {
    pattern: invisible,
    told: ([char], text) => `has ${called(char)} in it, which nobody sees; write it again: ${without(text, invisible)}`,
  },
  {
    pattern: dashes,
    told: ([char], text) =>
      `has a dash (${codePoint(char)}) where a hyphen belongs; write ${text.replaceAll(new RegExp(dashes, 'gu'), '-')}`,
  },
  {
    pattern: /[\u3002\uff01-\uff5e\uff61\u0660-\u0669\u06f0-\u06f9\u2070-\u2089]/u,
    told: (_, text) => `has full-width or foreign digits or signs in it; write ${asAscii(text)}`,
  },
  {
    pattern: /^\\\\([^\\/]+)|^\/\/([^\\/]+)|^([^/:]+):\/(?!\/)/,
    told: ([, unc, slashes, nfs]) =>
      `is a share, which is more than a host; write only the host: ${unc ?? slashes ?? nfs}`,
  },
  {
    pattern: new RegExp(String.raw`^(${octets}|[0-9a-f:.]*:[0-9a-f:.]*)\/(?:\d{1,3}|${octets})$`, 'i'),
    told: () => 'is a network; give the address of each host in it, one host an entry',
  },
  {
    pattern: new RegExp(String.raw`^(${octets})\s*(?:-|\.\.+|–)\s*(${octets}|\d{1,3})$`),
    told: ([, first]) => `is a range; list the address of each host in it: [${first}, ...]`,
  },
  {
    pattern: /^[\d.]*(?:\*|\[\d[\d,-]*\]|\{\d[\d,.-]*\})[\d.*]*$|^\*\./,
    told: () => 'is a pattern; list each host: [a, b]',
  },
  {
    pattern: new RegExp(`^${octets}$`),
    told: ([text]) =>
      /\b0\d/.test(text) && text.split('.').every((part) => Number(part) < 256)
        ? `has leading zeros, which some programs take for octal; write ${text.split('.').map(Number).join('.')}`
        : null,
  },
  {
    pattern: new RegExp(String.raw`^(${octets})\.$`),
    told: ([, address]) => `is an address with a final dot; write ${address}`,
  },
  { pattern: /^\d{1,3}(?:,\d{1,3}){3}$/, told: ([text]) => `has commas for dots; write ${text.replaceAll(',', '.')}` },
  {
    pattern: /^(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}$/i,
    told: () => 'is the hardware (MAC) address of an interface; give its IP address or its name',
  },
  {
    pattern: /^(\[[^\]]+\]|[^:,\s]+):(\d+),\d+$/,
    told: ([, host, port]) =>
      `is an iSCSI portal with its group tag; write only the host, and the port apart: { host: ${quoted(host)}, port: ${port} }`,
  },
  {
    pattern: /^(\[[^\]]+\]|[^:,\s/]+):(\d+)(?:\/(?:tcp|udp))?$/i,
    told: ([, host, port]) => {
      const wanted = `write the port apart: { host: ${quoted(host)}, port: ${port} }`;
      return isPort(port)
        ? wanted
        : `has a port behind it that is none: ${port}; ${wanted.replace(String(port), 'PORT')}`;
    },
  },
  { pattern: /^[^@\s]*@([^@\s]+)$/, told: ([, host]) => `has a user in front; write only the host: ${host}` },
  { pattern: /[\s,;|]/, told: (_, text) => severalTold(text) },
  {
    pattern: /^([^/\\]+)[/\\]/,
    told: ([, host]) => `has more than a host in it; write only the host: ${host}`,
  },
  {
    pattern: /^([0-9a-f:.]+)%(.*)$/i,
    told: ([, address = '', zone = '']) => {
      if (!address.includes(':'))
        return `has a zone (%${zone}), which only a link-local IPv6 address has; write ${address}`;
      if (!isAddress(address)) return 'is not an IPv6 address';
      if (zone === '') return `has no interface behind its %; write ${address}%eth0`;
      return `has a zone that cannot be read; give the interface by its number (ip link): ${address}%2`;
    },
  },
  { pattern: /^\[|^[0-9a-f]*:[0-9a-f.]*:/i, told: () => 'is not an IPv6 address' },
];

/** What is wrong with a text that should be `wanted`, or null when it is a name that DNS can hold. */
export function misspelling(text: string, wanted: string): string | null {
  const trimmed = text.replaceAll(/^[ \t]+|[ \t]+$/g, '');
  for (const { pattern, told } of slips) {
    const match = pattern.exec(trimmed);
    const found = match && told(match, trimmed);
    if (found) return `${show(text)} ${/^(?:is|has) /.test(found) ? '' : `is not ${wanted}; `}${found}`;
  }
  const why = nameFaultOf(trimmed);
  return why === null ? null : `${show(text)} is not ${wanted}; ${why}`;
}

function nameFaultOf(text: string): string | null {
  if (/[^\0-\x7f]/.test(text)) {
    const ascii = URL.parse(`http://${text}/`)?.hostname;
    return `write an international name in its xn-- form${ascii?.includes('xn--') ? `: ${ascii}` : ''}`;
  }
  const name = text.endsWith('.') ? text.slice(0, -1) : text;
  if (name.length > 253) return 'a name has at most 253 characters';
  const labels = name.split('.');
  // A resolver would take such a name for an address: 256.1.1.1, 10.20.30, 0x7f.1
  if (/^(?:\d+|0x[0-9a-f]*)$/i.test(labels.at(-1)!)) return 'an IPv4 address has four numbers from 0 to 255';
  const wrong = labels.find((part) => !label.test(part));
  if (wrong === undefined) return null;
  if (wrong.length > 63) return 'between its dots a name has at most 63 characters';
  if (wrong === '') return name.startsWith('.') ? 'it begins with a dot' : 'it has two dots with nothing between them';
  const char = /[^a-z0-9_-]/i.exec(wrong)?.[0];
  const found = char === undefined ? 'and no part begins or ends with a hyphen' : `and no ${show(char)}`;
  return `a name has letters, digits and hyphens between its dots, ${found}`;
}

/** "10.0.0.1 10.0.0.2" are several; in "ntp1.example.test iburst" one is a host. */
function severalTold(text: string): string {
  const words = text.split(/[\s,;|]+/).filter((word) => word !== '');
  const hosts = words.filter((word) => /[.:]/.test(word) && !/[()#]/.test(word));
  const areAll = hosts.length === words.length || /[,;|]/.test(text);
  if (words.length > 1 && areAll) return 'write several as a list: [a, b]';
  const host = before.test(words[0] ?? '') ? words[1] : words[0];
  return `has more than a host in it; write only the host: ${host ?? ''}`;
}

const isPort = (digits: string | undefined): boolean => Number(digits) >= 1 && Number(digits) <= 65_535;
const quoted = (host = ''): string => (host.startsWith('[') ? `"${host}"` : host);
const without = (text: string, what: RegExp): string => text.replaceAll(new RegExp(what, 'gu'), '');
const codePoint = (char: string): string => `U+${char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`;
const called = (char: string): string => {
  const name = named[char];
  return name === undefined ? `an invisible character (${codePoint(char)})` : `${name} (${codePoint(char)})`;
};

/** Full-width forms by their compatibility mapping, other scripts' digits by their value. */
const asAscii = (text: string): string =>
  text
    .normalize('NFKC')
    .replaceAll(/[\u3002\uff61]/g, '.')
    .replaceAll(/[\u0660-\u0669\u06f0-\u06f9]/g, (char) => String((char.codePointAt(0)! & 0xf) % 10));
