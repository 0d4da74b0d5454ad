/** The files of the system's own name resolution, read as glibc reads them: hosts(5) and resolv.conf(5). */
import { familyOf, isAddress } from '../model/address.ts';

/** What resolv.conf says. */
export interface ResolvConf {
  /** Addresses, in their order; the C library asks no more than three. */
  readonly servers: readonly string[];
  readonly search: readonly string[];
  readonly ndots: number;
  /** One try at one server. */
  readonly timeoutMs: number;
  /** How often all servers are asked. */
  readonly attempts: number;
  /** Each question begins with another server. */
  readonly isRotating: boolean;
}

const maxServers = 3;

/** A text that long is no list that a person wrote: glibc 2.26 and later have no bound of their own. */
const maxSearch = 256;

const bounds = { ndots: [0, 15], timeout: [1, 30], attempts: [1, 5] } as const;

/** hosts(5): an address, then names. */
export function parseHosts(text: string): Map<string, string[]> {
  const hosts = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [address, ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (!address || !isAddress(address)) continue;
    for (const name of names) {
      const key = name.toLowerCase();
      const known = hosts.get(key) ?? [];
      if (!known.includes(address))
        hosts.set(
          key,
          [...known, address].toSorted((a, b) => familyOf(a) - familyOf(b)),
        );
    }
  }
  return hosts;
}

/**
 * The last `search` or `domain` line counts, and of options the last of a kind. Without such a line the domain is that of
 * the host's own name; without a server it is this machine.
 */
export function parseResolvConf(text: string, hostname = ''): ResolvConf {
  const servers: string[] = [];
  let search: readonly string[] | undefined;
  const options = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [word, ...rest] = line.trim().split(/\s+/);
    const [first] = rest;
    if (word === 'nameserver' && first !== undefined && isAddress(first)) servers.push(first);
    if (word === 'search') search = rest;
    if (word === 'domain' && first !== undefined) search = [first];
    if (word === 'options') for (const option of rest) readOption(option, options);
  }
  const ownDomain = hostname.includes('.') ? [hostname.slice(hostname.indexOf('.') + 1)] : [];
  const suffixes = (search ?? ownDomain).map((suffix) => suffix.toLowerCase().replace(/(?<=.)\.$/, ''));
  return {
    servers: servers.length > 0 ? servers.slice(0, maxServers) : ['127.0.0.1'],
    search: suffixes.filter((suffix) => suffix !== '.' && suffix !== '').slice(0, maxSearch),
    ndots: options.get('ndots') ?? 1,
    timeoutMs: (options.get('timeout') ?? 5) * 1000,
    attempts: options.get('attempts') ?? 2,
    isRotating: options.has('rotate'),
  };
}

function readOption(option: string, options: Map<string, number>): void {
  if (option === 'rotate') options.set('rotate', 1);
  const [, word, digits] = /^(ndots|timeout|attempts):(\d{1,9})$/.exec(option) ?? [];
  if (word !== 'ndots' && word !== 'timeout' && word !== 'attempts') return;
  const [least, most] = bounds[word];
  options.set(word, Math.max(least, Math.min(most, Number(digits))));
}
