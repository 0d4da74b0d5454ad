/** The four ways in which a site writes a role, as one; and the one in which the plan wants it. */
import { canonicalHost } from '../model/address.ts';
import type { Host, HostObject, RoleHosts, SiteFile } from '../model/site.ts';
import type { Path } from './faults.ts';
import { plainHost } from './host.ts';

/** A role as the file wrote it, with where each host stands. */
export interface WrittenRole {
  readonly name: string;
  readonly path: Path;
  readonly hosts: readonly WrittenHost[];
  readonly domain?: string | undefined;
  readonly limit?: number | undefined;
  readonly require?: 'all' | 'any' | undefined;
}

export interface WrittenHost extends HostObject {
  readonly path: Path;
}

export function writtenRole(name: string, entry: SiteFile['roles'][string]): WrittenRole {
  const path = ['roles', name];
  if (typeof entry === 'string') return { name, path, hosts: [{ host: entry, path }] };
  if (Array.isArray(entry)) return { name, path, hosts: writtenHosts(entry, path) };
  if ('host' in entry) return { name, path, hosts: [{ ...entry, path }] };
  return { ...entry, name, path, hosts: writtenHosts(entry.hosts ?? [], [...path, 'hosts']) };
}

const writtenHosts = (hosts: readonly (string | HostObject)[], path: Path): readonly WrittenHost[] =>
  hosts.map((host, i) => Object.assign(typeof host === 'string' ? { host } : host, { path: [...path, i] }));

/** Hosts that are given stay; a domain without any is to be searched for them. */
export function normalRole({ hosts, domain, limit, require = 'all' }: WrittenRole): RoleHosts {
  const isSearched = domain !== undefined && hosts.length === 0;
  return {
    hosts: hosts.map((host) => normalHost({ domain, ...host })),
    require,
    ...(isSearched && { domain: plainName(domain) }),
    ...(isSearched && limit !== undefined && { limit }),
    notes: [],
  };
}

const normalHost = ({ host, port, ports = {}, console, domain }: HostObject): Host => ({
  host: plainHost(host),
  ports,
  ...(port !== undefined && { port }),
  ...(console && { console }),
  ...(domain !== undefined && { domain: plainName(domain) }),
});

/** A domain or a name that is asked for, as everything that is made of it has it. */
export const plainName = (name: string): string => canonicalHost(plainHost(name));
