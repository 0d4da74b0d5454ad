/**
 * What an address says by itself, and when two texts mean the same host. Pure: no socket is needed to read an address
 * (RFC 4291, 2.2; RFC 5952 for its one spelling; RFC 4007, 11 for the zone behind `%`).
 */

export type AddressKind =
  | 'ordinary'
  | 'loopback'
  | 'link-local'
  | 'unspecified'
  | 'multicast'
  | 'broadcast'
  | 'reserved'; // 240.0.0.0/4, the old class E

interface Parsed {
  readonly family: 4 | 6;
  /** Four octets, or eight groups of sixteen bits. */
  readonly numbers: readonly number[];
  readonly zone: string | undefined;
}

const octet = String.raw`(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)`;
const ipv4 = new RegExp(String.raw`^${octet}\.${octet}\.${octet}\.${octet}$`);
const group = /^[0-9a-f]{1,4}$/i;
const zoned = /^([0-9a-f:.]+)%([0-9a-z.:-]+)$/i;

/** 4, 6, or 0 for a name; an IPv6 zone (`fe80::1%eth0`) does not hide the address. */
export const familyOf = (text: string): 0 | 4 | 6 => parse(text)?.family ?? 0;

/** Of what is known to be an address: asked for each packet that goes out. */
export const familyOfAddress = (address: string): 4 | 6 => (address.includes(':') ? 6 : 4);

export const isAddress = (text: string): boolean => parse(text) !== null;

/** What a packet to this address would mean; null for a name. An IPv4-mapped IPv6 address is the IPv4 address in it. */
export function addressKind(text: string): AddressKind | null {
  const parsed = parse(text);
  if (parsed === null) return null;
  const mapped = embeddedIpv4(parsed);
  return mapped === null ? ipv6Kind(parsed.numbers) : ipv4Kind(mapped);
}

export const isLoopback = (text: string): boolean => {
  // Asked three times for a datagram, and nearly all addresses are of the third kind.
  if (text.startsWith('127.')) return familyOf(text) === 4;
  return text.includes(':') && addressKind(text) === 'loopback';
};

/** The interface behind `%`, as a link-local IPv6 address needs it. */
export const zoneOf = (text: string): string | undefined => parse(text)?.zone;

/**
 * One spelling for all texts that mean one host: an address by RFC 5952, an IPv4-mapped one as the IPv4 address that the
 * packets go to, with its zone only where the zone matters; a name in lower case and without the dot that ends it.
 */
export function canonicalHost(host: string): string {
  const parsed = parse(host);
  if (parsed === null) return host.toLowerCase().replace(/\.$/, '');
  const mapped = embeddedIpv4(parsed);
  if (mapped !== null) return mapped.join('.');
  const text = ipv6Text(parsed.numbers);
  const isOfItsLink = parsed.zone !== undefined && ['link-local', 'multicast'].includes(ipv6Kind(parsed.numbers));
  return isOfItsLink ? `${text}%${parsed.zone}` : text;
}

export const isSameHost = (one: string, other: string): boolean => canonicalHost(one) === canonicalHost(other);

/** A machine that calls itself xs01 may be xs01.example.test to others, and the other way round; localhost is everybody. */
export function mayBeNameOf(name: string, hostname: string): boolean {
  const [host, own] = [canonicalHost(name), canonicalHost(hostname)];
  if (own === '' || own === 'localhost' || host === 'localhost') return false;
  return host === own || host.startsWith(`${own}.`) || own.startsWith(`${host}.`);
}

/** As other protocols carry it: a name without the dot that ends it in DNS (RFC 6066, 3), an address without its zone. */
export function sentHost(host: string): string {
  const parsed = parse(host);
  return parsed === null ? host.replace(/\.$/, '') : withoutZone(canonicalHost(host));
}

export function withoutZone(address: string): string {
  const at = address.indexOf('%');
  return at < 0 ? address : address.slice(0, at);
}

/** In brackets where its colons would be taken for the port's: `[2001:db8::1]`. */
export const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);

export const hostPort = (host: string, port: number): string => `${bracketed(host)}:${port}`;

/** What stands in `Host` and in a URL: the port only where it is not the scheme's own (RFC 9110, 7.2; RFC 6874, 1). */
export function httpAuthority(host: string, port: number, defaultPort: number): string {
  const sent = bracketed(sentHost(host));
  return port === defaultPort ? sent : `${sent}:${port}`;
}

export const withoutBrackets = (text: string): string => /^\[(.*)\]$/s.exec(text)?.[1] ?? text;

/** `name`, `name:1`, `[::1]`, `[::1]:1` and `::1`; null when what stands behind the last colon is no port. */
export function parseHostPort(text: string): { readonly host: string; readonly port: number | undefined } | null {
  if (familyOf(text) === 6) return { host: text, port: undefined };
  const [, host, digits] = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(text) ?? [];
  const port = digits === undefined ? undefined : Number(digits);
  if (host === undefined || port === 0 || (port ?? 0) > 65_535) return null;
  return { host: withoutBrackets(host), port };
}

/** An address as sixteen octets, an IPv4 one mapped (RFC 4291, 2.5.5.2); null for a name. */
export function octetsOf(address: string): Uint8Array | null {
  const parsed = parse(address);
  if (parsed === null) return null;
  if (parsed.family === 4) return Uint8Array.from([...ipv4Prefix, ...parsed.numbers]);
  return Uint8Array.from(parsed.numbers.flatMap((each) => [each >> 8, each & 255]));
}

/** The other way round, in the one spelling of each. */
export function addressOfOctets(octets: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) => ((octets[2 * i] ?? 0) << 8) | (octets[2 * i + 1] ?? 0));
  return canonicalHost(ipv6Text(groups));
}

const ipv4Prefix = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255];

function parse(text: string): Parsed | null {
  if (!text.includes(':')) {
    const octets = ipv4.exec(text)?.slice(1).map(Number);
    return octets === undefined ? null : { family: 4, numbers: octets, zone: undefined };
  }
  const [, address = text, zone] = zoned.exec(text) ?? [];
  const numbers = ipv6Groups(address);
  return numbers === null ? null : { family: 6, numbers, zone };
}

/** The last two groups may be written as an IPv4 address; `::` stands once for one or more groups of zeros. */
function ipv6Groups(text: string): number[] | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const [head = '', tail] = halves;
  const before = groupsOf(head, tail === undefined);
  const after = groupsOf(tail ?? '', true);
  if (before === null || after === null) return null;
  if (tail === undefined) return before.length === 8 ? before : null;
  const missing = 8 - before.length - after.length;
  return missing < 1 ? null : [...before, ...Array.from({ length: missing }, () => 0), ...after];
}

function groupsOf(text: string, isLast: boolean): number[] | null {
  if (text === '') return [];
  const parts = text.split(':');
  const [, ...octets] = (isLast ? ipv4.exec(parts.at(-1) ?? '') : null) ?? [];
  const [a = 0, b = 0, c = 0, d = 0] = octets.map(Number);
  const hex = octets.length > 0 ? parts.slice(0, -1) : parts;
  if (!hex.every((part) => group.test(part))) return null;
  const groups = hex.map((part) => Number.parseInt(part, 16));
  return octets.length > 0 ? [...groups, (a << 8) | b, (c << 8) | d] : groups;
}

/** The octets of an IPv4 address, also of one in ::ffff:0:0/96; null for any other. */
function embeddedIpv4({ family, numbers }: Parsed): readonly number[] | null {
  if (family === 4) return numbers;
  const [high = 0, low = 0] = numbers.slice(6);
  const isMapped = numbers[5] === 0xff_ff && numbers.slice(0, 5).every((each) => each === 0);
  return isMapped ? [high >> 8, high & 255, low >> 8, low & 255] : null;
}

function ipv4Kind(octets: readonly number[]): AddressKind {
  const [first = 0, second = 0] = octets;
  if (octets.every((each) => each === 255)) return 'broadcast';
  if (first === 0) return 'unspecified';
  if (first === 127) return 'loopback';
  if (first >= 240) return 'reserved';
  if (first >= 224) return 'multicast';
  return first === 169 && second === 254 ? 'link-local' : 'ordinary';
}

function ipv6Kind(groups: readonly number[]): AddressKind {
  const [first = 0] = groups;
  if (first >= 0xff_00) return 'multicast';
  if ((first & 0xff_c0) === 0xfe_80) return 'link-local';
  if (groups.slice(0, 7).some((each) => each !== 0)) return 'ordinary';
  return groups[7] === 0 ? 'unspecified' : groups[7] === 1 ? 'loopback' : 'ordinary';
}

/** RFC 5952, 4: lower case, no leading zeros, `::` for the first of the longest runs of two or more zeros. */
function ipv6Text(groups: readonly number[]): string {
  let [from, length] = [0, 1];
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (groups[end] === 0) end += 1;
    if (end - start > length) [from, length] = [start, end - start];
  }
  const hex = groups.map((each) => each.toString(16));
  return length < 2 ? hex.join(':') : `${hex.slice(0, from).join(':')}::${hex.slice(from + length).join(':')}`;
}
