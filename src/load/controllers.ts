/**
 * Domain controllers by their domain's DNS service records, best priority first; global catalogs by the forest's own.
 * MS-ADTS 6.3.6, RFC 2782.
 */
import { NetError } from '../model/errors.ts';
import type { Host, RoleHosts, Site } from '../model/site.ts';

export interface ServiceLookup {
  services(name: string): Promise<readonly { readonly name: string; readonly port: number }[]>;
}

/** Large domains have hundreds; the best few say what the firewall does. */
const usualLimit = 8;

/** The site with every `domain:` role filled in. A domain that cannot be found keeps its own name as its only host. */
export async function findControllers(site: Site, lookup: ServiceLookup): Promise<Site> {
  const roles = await Promise.all(
    Object.entries(site.roles).map(async ([name, role]): Promise<[string, RoleHosts]> => [
      name,
      await found(role, lookup),
    ]),
  );
  return { ...site, roles: Object.fromEntries(roles) };
}

/** What a plan shows: nothing is sent, so the controllers are not known yet. */
export function unfoundControllers(site: Site): Site {
  const roles = Object.entries(site.roles).map(([name, role]): [string, RoleHosts] => {
    if (role.domain === undefined || role.hosts.length > 0) return [name, role];
    const note = `the controllers of ${role.domain} are found by DNS when the check runs`;
    return [name, { ...role, hosts: [hostOf(role.domain, role.domain)], notes: [note] }];
  });
  return { ...site, roles: Object.fromEntries(roles) };
}

async function found(role: RoleHosts, lookup: ServiceLookup): Promise<RoleHosts> {
  const { domain } = role;
  if (domain === undefined || role.hosts.length > 0) return role;
  const limit = role.limit ?? usualLimit;
  const controllers = await records(lookup, [`_ldap._tcp.dc._msdcs.${domain}`, `_ldap._tcp.${domain}`]);
  if (controllers.names.length === 0) {
    const note = `${domain} has no service records for its controllers (${controllers.why}): its own addresses are taken`;
    return { ...role, hosts: [hostOf(domain, domain)], notes: [note] };
  }
  // Global catalogs are the forest's: its root is the domain itself or one of its parents.
  const roots = selfAndParents(domain);
  const catalogs = await records(
    lookup,
    roots.flatMap((root) => [`_ldap._tcp.gc._msdcs.${root}`, `_gc._tcp.${root}`]),
  );
  const taken = controllers.names.slice(0, limit);
  const notes = [
    `${controllers.names.length} ${controllers.names.length === 1 ? 'controller' : 'controllers'} of ${domain} found by DNS${left(controllers.names.length, limit)}`,
  ];
  return {
    ...role,
    hosts: taken.map((name) => hostOf(name, domain)),
    ...(catalogs.names.length > 0 && {
      globalCatalogs: catalogs.names.slice(0, limit).map((name) => hostOf(name, domain)),
    }),
    notes,
  };
}

async function records(lookup: ServiceLookup, queries: readonly string[]): Promise<{ names: string[]; why: string }> {
  let why = 'none listed';
  for (const query of queries) {
    try {
      const services = await lookup.services(query);
      const names = services.map(({ name }) => name.toLowerCase()).filter((name) => name !== '' && name !== '.');
      if (names.length > 0) return { names: [...new Set(names)], why: '' };
    } catch (error) {
      why = error instanceof Error ? error.message : String(error);
      // Who does not answer one question does not answer the next.
      if (error instanceof NetError && error.failure.hint === 'resolver-silent') break;
    }
  }
  return { names: [], why };
}

/** corp.example.test -> corp.example.test, example.test */
function selfAndParents(domain: string): string[] {
  const labels = domain.replace(/\.$/, '').split('.');
  return labels.slice(0, -1).map((_, i) => labels.slice(i).join('.'));
}

const hostOf = (host: string, domain: string): Host => ({ host, ports: {}, domain });

const left = (count: number, limit: number): string =>
  count > limit ? `, the best ${limit} are checked (limit: ${limit})` : '';
