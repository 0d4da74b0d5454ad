/** Where a responder stands: which of the site's hosts is this machine, at which addresses it answers, and who should come. */
import { existsSync } from 'node:fs';
import { addressKind, canonicalHost, isAddress, isLoopback } from '../model/address.ts';
import { UsageError } from '../model/errors.ts';
import type { Host, Site, Vantage } from '../model/site.ts';
import { NameResolver } from '../net/resolver.ts';
import { ownHostIn } from './wanted.ts';

const mostAddresses = 16;
const lookupMs = 2500;

/** The site's entry for this machine in each role. Throws a UsageError where a role is somebody else's. */
export async function ownHosts(site: Site, roles: readonly string[], vantage: Vantage): Promise<Map<string, Host>> {
  const found = new Map<string, Host>();
  for (const role of roles) {
    const hosts = site.roles[role]?.hosts ?? [];
    if (hosts.length === 0)
      throw new UsageError(
        `the site names no host for ${role}; add this machine under roles.${role} of the site file, then start again`,
      );
    const own =
      ownHostIn(hosts, vantage) ??
      hosts.find(({ host }) => isLoopback(host)) ??
      (await hostByName(hosts, vantage.addresses));
    if (!own)
      throw new UsageError(
        `no host of ${role} is this machine: the site names ${hosts.map(({ host }) => host).join(', ')}, and this machine has ${vantage.addresses.join(', ')}; run it there, or correct the site file`,
      );
    found.set(role, own);
  }
  return found;
}

async function hostByName(hosts: readonly Host[], addresses: readonly string[]): Promise<Host | undefined> {
  const own = new Set(addresses.map(canonicalHost));
  const named = hosts.filter(({ host }) => !isAddress(host));
  const found = await Promise.all(named.map(async (host) => [host, await addressesOf(host.host)] as const));
  return found.find(([, list]) => list.some((address) => own.has(address)))?.[0];
}

/** Every address that packets from elsewhere can come to, and those of loopback that the site itself names. */
export function ownAddresses(vantage: Vantage, hosts: Iterable<Host>): string[] {
  const ordinary = vantage.addresses.filter((address) => addressKind(address) === 'ordinary').map(canonicalHost);
  const named = [...hosts].map(({ host }) => host).filter((host) => isLoopback(host));
  return [...new Set([...named, ...ordinary])].slice(0, mostAddresses);
}

/** The hosts of the roles that come here, each by its addresses; this machine is none of them. */
export async function sourcesOf(
  site: Site,
  roles: readonly string[],
  own: readonly string[],
): Promise<readonly (readonly string[])[]> {
  const hosts = new Set(roles.flatMap((role) => site.roles[role]?.hosts ?? []).map(({ host }) => canonicalHost(host)));
  const found = await Promise.all([...hosts].map((host) => addressesOf(host)));
  return found.filter((addresses) => !addresses.some((address) => own.includes(address)));
}

/** An address by itself; none where a name does not resolve here. */
async function addressesOf(name: string): Promise<readonly string[]> {
  if (isAddress(name)) return [canonicalHost(name)];
  const resolver = new NameResolver({ family: 'any', timeoutMs: lookupMs, tries: 2 });
  try {
    return (await resolver.addresses(name)).map(canonicalHost);
  } catch {
    return [];
  } finally {
    resolver.cancel();
  }
}

/** A stopped cluster may start at any time, and then wants its ports at once. */
export const hasCluster = (): boolean => ['/var/lib/xcp', '/etc/corosync/corosync.conf'].every(existsSync);
export const clusterRole = 'cluster-member';
