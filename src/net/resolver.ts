/**
 * Names to addresses by the system's own configuration: hosts file, then the servers of resolv.conf, with its search list.
 * Never getaddrinfo: it runs two at a time in Node's thread pool, and twenty names at a dead server would hold up the rest
 * for twenty seconds.
 */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { NetError } from '../model/errors.ts';
import { familyOf } from '../model/address.ts';
import type { ServiceRecord } from '../wire/dns-srv.ts';
import { codeOf } from './failure.ts';
import { NameServers } from './name-servers.ts';
import { parseHosts, parseResolvConf, type ResolvConf } from './resolv-conf.ts';

export type Family = '4' | '6' | 'any';

export interface ResolverOptions {
  readonly family: Family;
  /** One try at one server, where resolv.conf wants no shorter one. */
  readonly timeoutMs: number;
  /** At the most: resolv.conf may want fewer. */
  readonly tries: number;
  readonly hostsFile?: string;
  readonly resolvConf?: string;
  /** Instead of those of resolv.conf: ADDRESS or ADDRESS:PORT. */
  readonly servers?: readonly string[];
}

/** What this machine is configured with. */
interface System extends ResolvConf {
  readonly dns: NameServers;
  readonly hosts: ReadonlyMap<string, readonly string[]>;
}

/** Until glibc 2.26 the search list was cut here; the control domain of XenServer has 2.17. */
const oldSearchLimit = 6;

export class NameResolver {
  readonly #family: Family;
  readonly #options: ResolverOptions;
  #opened: System | undefined;
  readonly #known = new Map<string, Promise<readonly string[]>>();
  readonly #passedOver = new Map<string, Set<string>>();
  readonly #notes = new Map<string, string>();

  constructor(options: ResolverOptions) {
    this.#family = options.family;
    this.#options = options;
  }

  /** Opened with the first name: a run of addresses alone needs none. */
  get #system(): System {
    return (this.#opened ??= openSystem(this.#options));
  }

  /** Every address of the name, IPv4 first. Rejects with a NetError of outcome `unresolved`. A name is asked for once. */
  addresses(name: string): Promise<readonly string[]> {
    const key = name.toLowerCase();
    let known = this.#known.get(key);
    if (!known) {
      known = this.#lookUp(key);
      // The run may await it only later: until then a rejection is not unhandled.
      known.catch(() => undefined);
      this.#known.set(key, known);
    }
    return known;
  }

  /** The DNS servers that had to be passed over before the name was resolved, and why. */
  passedOverFor(name: string): readonly string[] {
    return [...(this.#passedOver.get(name.toLowerCase()) ?? [])];
  }

  /** What a reader should know of how its addresses were found. */
  noteOn(name: string): string | undefined {
    return this.#notes.get(name.toLowerCase());
  }

  /** Service records of a name (RFC 2782), best first. */
  async services(name: string): Promise<readonly ServiceRecord[]> {
    try {
      const records = await this.#system.dns.services(name, (passed) => this.#tell(name, passed));
      return records.toSorted((a, b) => a.priority - b.priority || b.weight - a.weight || a.name.localeCompare(b.name));
    } catch (error) {
      throw unresolved(name, [error], this.#opened?.servers ?? []);
    }
  }

  /** Ends what is still being asked, and closes the sockets of the resolver. */
  cancel(): void {
    this.#opened?.dns.cancel();
  }

  async #lookUp(name: string): Promise<readonly string[]> {
    if (familyOf(name) !== 0) return [name];
    const local = this.#wanted(this.#system.hosts.get(name.replace(/\.$/, '')) ?? []);
    if (local.length > 0) return local;
    const errors: unknown[] = [];
    for (const candidate of this.#candidates(name)) {
      const found = await Promise.allSettled([
        this.#family === '6' ? [] : this.#ask(name, candidate, 4),
        this.#family === '4' ? [] : this.#ask(name, candidate, 6),
      ]);
      const addresses = found.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
      if (addresses.length > 0) {
        this.#tellOfSearch(name, candidate);
        return addresses;
      }
      const reasons = found.flatMap((result): unknown[] => (result.status === 'rejected' ? [result.reason] : []));
      errors.push(...reasons);
      // A server that is silent, not there or unwilling is so for the next suffix too.
      if (reasons.some((reason) => endsSearch.has(codeOf(reason) ?? ''))) break;
    }
    throw unresolved(name, errors, this.#system.servers);
  }

  #ask(name: string, candidate: string, family: 4 | 6): Promise<readonly string[]> {
    return this.#system.dns.addresses(candidate, family, (passed) => this.#tell(name, passed));
  }

  #tell(name: string, passed: string): void {
    const key = name.toLowerCase();
    this.#passedOver.set(key, (this.#passedOver.get(key) ?? new Set()).add(passed));
  }

  #tellOfSearch(name: string, candidate: string): void {
    const index = this.#system.search.findIndex((suffix) => candidate === `${name}.${suffix}`);
    if (index < oldSearchLimit) return;
    this.#notes.set(
      name,
      `found by search domain ${index + 1}: C libraries before glibc 2.26, as in XenServer, try the first ${oldSearchLimit}`,
    );
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
    return addresses.filter((address) => this.#family === 'any' || String(familyOf(address)) === this.#family);
  }
}

function openSystem({ timeoutMs, tries, servers, hostsFile, resolvConf }: ResolverOptions): System {
  const conf = parseResolvConf(readIfThere(resolvConf ?? '/etc/resolv.conf'), hostname());
  const dns = new NameServers({
    ...conf,
    servers: servers ?? conf.servers,
    timeoutMs: Math.min(timeoutMs, conf.timeoutMs),
    attempts: Math.min(tries, conf.attempts),
  });
  return {
    ...conf,
    servers: servers ?? conf.servers,
    dns,
    hosts: parseHosts(readIfThere(hostsFile ?? '/etc/hosts', noHosts)),
  };
}

/** res_search(3): these end the search; SERVFAIL and a name that does not exist let it go on. */
const endsSearch = new Set([
  'ETIMEOUT',
  'ECONNREFUSED',
  'ECANCELLED',
  'EDESTRUCTION',
  'EREFUSED',
  'ENOTIMP',
  'EFORMERR',
]);

const noSuchName = new Set(['ENOTFOUND', 'ENODATA', 'ENONAME', 'EBADNAME']);

function unresolved(name: string, errors: readonly unknown[], servers: readonly string[]): NetError {
  const codes = errors.map((error) => codeOf(error) ?? 'unknown');
  const code = codes.find((word) => !noSuchName.has(word)) ?? codes[0] ?? 'ENOTFOUND';
  const isMissing = codes.every((word) => noSuchName.has(word));
  const asked = servers.length > 0 ? ` (asked: ${servers.join(', ')})` : '';
  const text = isMissing
    ? `${name} has no address${codes.includes('ENODATA') ? ' (the name exists, without one)' : ': no such name'}`
    : `${name} was not resolved: ${resolverTrouble[code] ?? `the DNS servers said ${code}`}${ended.has(code) ? '' : asked}`;
  const hint = isMissing ? 'no-such-name' : 'resolver-silent';
  return new NetError({ outcome: 'unresolved', stage: 'resolve', detail: text, code, hint });
}

/** We stopped asking: no server failed. */
const ended = new Set(['ECANCELLED', 'EDESTRUCTION']);

const resolverTrouble: Readonly<Record<string, string>> = {
  ETIMEOUT: 'no DNS server answered',
  ECONNREFUSED: 'the DNS servers of this machine cannot be reached',
  ESERVFAIL: 'the DNS servers could not resolve it (SERVFAIL)',
  EBADRESP: 'the DNS server sent an answer that cannot be read',
  EREFUSED: 'the DNS servers refuse to answer us (REFUSED)',
  ENOTIMP: 'the DNS servers do not take such a question (NOTIMP)',
  EFORMERR: 'the DNS servers do not understand the question (FORMERR)',
  EBADNAME: 'it is no name that DNS can hold',
  ECANCELLED: 'the run ended first',
  EDESTRUCTION: 'the run ended first',
};

/** RFC 6761, 6.3: no DNS server is asked what this machine's own address is. A bare root has no hosts file to say so. */
const noHosts = '127.0.0.1 localhost\n';

function readIfThere(file: string, otherwise = ''): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return otherwise;
  }
}
