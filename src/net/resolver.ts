/**
 * Names to addresses by the system's own configuration: hosts file, then the servers of resolv.conf, with its search list.
 * Never getaddrinfo: it runs two at a time in Node's thread pool, and twenty names at a dead server would hold up the rest
 * for twenty seconds.
 */
import type * as nodeDns from 'node:dns';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { NetError } from '../model/errors.ts';
import type { ServiceRecord } from '../wire/dns-srv.ts';
import { codeOf } from './failure.ts';
import { askServices } from './services.ts';

export type Family = '4' | '6' | 'any';

export interface ResolverOptions {
  readonly family: Family;
  /** One try at one server. */
  readonly timeoutMs: number;
  readonly tries: number;
  readonly hostsFile?: string;
  readonly resolvConf?: string;
  /** Instead of those of resolv.conf: ADDRESS or ADDRESS:PORT. */
  readonly servers?: readonly string[];
}

/** What this machine is configured with. */
interface System {
  readonly dns: nodeDns.promises.Resolver;
  readonly hosts: ReadonlyMap<string, readonly string[]>;
  readonly search: readonly string[];
  readonly ndots: number;
}

export class NameResolver {
  readonly #family: Family;
  readonly #options: ResolverOptions;
  #opened: System | undefined;
  readonly #known = new Map<string, Promise<readonly string[]>>();
  readonly #timeoutMs: number;
  readonly #end = new AbortController();

  constructor(options: ResolverOptions) {
    this.#family = options.family;
    this.#timeoutMs = options.timeoutMs;
    this.#options = options;
  }

  /** Opened with the first name: a run of addresses alone starts 2 ms sooner without it. */
  get #system(): System {
    return (this.#opened ??= openSystem(this.#options));
  }

  /** Every address of the name, IPv4 first. Rejects with a NetError of outcome `unresolved`. A name is asked for once. */
  addresses(name: string): Promise<readonly string[]> {
    const key = name.toLowerCase();
    let known = this.#known.get(key);
    if (!known) {
      known = this.#lookUp(key);
      // The run may learn of it only later; a rejection that waits is no accident.
      known.catch(() => undefined);
      this.#known.set(key, known);
    }
    return known;
  }

  /** Service records of a name (RFC 2782), best first. */
  async services(name: string): Promise<readonly ServiceRecord[]> {
    try {
      const records = await this.#bounded(this.#system.dns.resolveSrv(name)).catch((error: unknown) =>
        this.#servicesAgain(name, error),
      );
      return records.toSorted((a, b) => a.priority - b.priority || b.weight - a.weight || a.name.localeCompare(b.name));
    } catch (error) {
      throw unresolved(name, [error]);
    }
  }

  /** Ends what is still being asked: the socket of the resolver goes with it. */
  cancel(): void {
    this.#opened?.dns.cancel();
    this.#end.abort();
  }

  /** What c-ares calls a bad answer may only be written loosely, as Samba's own DNS server writes service records. */
  async #servicesAgain(name: string, first: unknown): Promise<readonly ServiceRecord[]> {
    const [server] = this.#system.dns.getServers();
    if (codeOf(first) !== 'EBADRESP' || server === undefined) throw first;
    const signal = AbortSignal.any([this.#end.signal, AbortSignal.timeout(this.#timeoutMs)]);
    const { records } = await askServices(server, name, signal).catch(() => {
      throw first;
    });
    if (records.length === 0) throw first;
    return records;
  }

  /** Two servers have their two tries; a resolv.conf with more of them, all silent, holds up a name no longer. */
  async #bounded<T>(asked: Promise<T>): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>();
    const silence = Object.assign(new Error('no DNS server answered'), { code: 'ETIMEOUT' });
    const timer = setTimeout(() => reject(silence), this.#timeoutMs * 4);
    try {
      return await Promise.race([asked, promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #lookUp(name: string): Promise<readonly string[]> {
    if (isIP(name) !== 0) return [name];
    const local = this.#wanted(this.#system.hosts.get(name.replace(/\.$/, '')) ?? []);
    if (local.length > 0) return local;
    const errors: unknown[] = [];
    for (const candidate of this.#candidates(name)) {
      const found = await Promise.allSettled([
        this.#family === '6' ? [] : this.#bounded(this.#system.dns.resolve4(candidate)),
        this.#family === '4' ? [] : this.#bounded(this.#system.dns.resolve6(candidate)),
      ]);
      const addresses = found.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
      if (addresses.length > 0) return addresses;
      const reasons = found.flatMap((result): unknown[] => (result.status === 'rejected' ? [result.reason] : []));
      errors.push(...reasons);
      // A server that is silent, or not there, is so for the next suffix too.
      if (reasons.some((reason) => unheard.has(codeOf(reason) ?? ''))) break;
    }
    throw unresolved(name, errors);
  }

  /** resolv.conf(5): a name with fewer dots than `ndots` is tried in the search list first, another one last. */
  #candidates(name: string): string[] {
    if (name.endsWith('.')) return [name.slice(0, -1)];
    const { search, ndots } = this.#system;
    const searched = search.map((suffix) => `${name}.${suffix}`);
    const dots = name.split('.').length - 1;
    return dots >= ndots ? [name, ...searched] : [...searched, name];
  }

  #wanted(addresses: readonly string[]): string[] {
    return addresses.filter((address) => this.#family === 'any' || String(isIP(address)) === this.#family);
  }
}

function openSystem({ timeoutMs, tries, servers, hostsFile, resolvConf }: ResolverOptions): System {
  const { promises } = process.getBuiltinModule('node:dns');
  const dns = new promises.Resolver({ timeout: timeoutMs, maxTimeout: timeoutMs, tries });
  if (servers) dns.setServers(servers);
  return {
    dns,
    hosts: parseHosts(readIfThere(hostsFile ?? '/etc/hosts')),
    ...parseResolvConf(readIfThere(resolvConf ?? '/etc/resolv.conf')),
  };
}

/** hosts(5): an address, then names. */
export function parseHosts(text: string): Map<string, string[]> {
  const hosts = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [address, ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (!address || isIP(address) === 0) continue;
    for (const name of names) {
      const key = name.toLowerCase();
      const known = hosts.get(key) ?? [];
      if (!known.includes(address))
        hosts.set(
          key,
          [...known, address].toSorted((a, b) => isIP(a) - isIP(b)),
        );
    }
  }
  return hosts;
}

/** resolv.conf(5): the last `search` or `domain` line counts. */
export function parseResolvConf(text: string): { search: string[]; ndots: number } {
  let search: string[] = [];
  let ndots = 1;
  for (const line of text.split('\n')) {
    const [word, ...rest] = line.trim().split(/\s+/);
    if (word === 'search' || word === 'domain') search = rest.slice(0, 6).map((suffix) => suffix.toLowerCase());
    if (word === 'options') {
      const option = rest.find((entry) => /^ndots:\d{1,2}$/.test(entry));
      if (option) ndots = Math.min(15, Number(option.slice(6)));
    }
  }
  return { search: search.filter((suffix) => suffix !== '.'), ndots };
}

const unheard = new Set(['ETIMEOUT', 'ECONNREFUSED', 'ECANCELLED']);

const noSuchName = new Set(['ENOTFOUND', 'ENODATA', 'ENONAME', 'EBADNAME']);

function unresolved(name: string, errors: readonly unknown[]): NetError {
  const codes = errors.map((error) => codeOf(error) ?? 'unknown');
  const code = codes.find((word) => !noSuchName.has(word)) ?? codes[0] ?? 'ENOTFOUND';
  const isMissing = codes.every((word) => noSuchName.has(word));
  const text = isMissing
    ? `${name} has no address${codes.includes('ENODATA') ? ' (the name exists, without one)' : ': no such name'}`
    : `${name} was not resolved: ${resolverTrouble[code] ?? `the DNS server said ${code}`}`;
  const hint = isMissing ? 'no-such-name' : 'resolver-silent';
  return new NetError({ outcome: 'unresolved', stage: 'resolve', detail: text, code, hint });
}

const resolverTrouble: Readonly<Record<string, string>> = {
  ETIMEOUT: 'no DNS server answered',
  ECONNREFUSED: 'the DNS servers of this machine cannot be reached',
  ESERVFAIL: 'the DNS server could not resolve it (SERVFAIL)',
  EBADRESP: 'the DNS server sent an answer that cannot be read',
  EREFUSED: 'the DNS server refuses to answer us (REFUSED)',
  ECANCELLED: 'the run ended first',
};

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
