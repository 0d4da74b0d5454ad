/**
 * Domain controllers by their domain's DNS service records, best priority first; global catalogs by those of the forest,
 * whose root a controller names itself. What DNS says is held to the rules of what a site says. MS-ADTS 6.3.6, RFC 2782.
 */
import { canonicalHost, isAddress } from '../model/address.ts';
import { NetError } from '../model/errors.ts';
import type { Host, RoleHosts, Site } from '../model/site.ts';
import { printable } from '../wire/text.ts';
import { nameFault } from './host.ts';

/** What a controller says of itself when it is pinged. */
export interface Introduction {
  /** The DNS name of the forest's root domain. */
  readonly forest: string;
  readonly isGlobalCatalog: boolean;
}

export interface ServiceLookup {
  services(name: string): Promise<readonly { readonly name: string; readonly port: number }[]>;
  /** DNS servers that were in the way of that answer. */
  passedOverFor?(name: string): readonly string[];
  /** Of those controllers that answer and serve the domain. Without it nobody is to be asked, nor for global catalogs. */
  introductions?(controllers: readonly string[], domain: string): Promise<ReadonlyMap<string, Introduction>>;
}

/** Large domains have hundreds; the best few say what the firewall does. */
const defaultLimit = 8;
const mostShown = 4;

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
  if (role.domain === undefined || role.hosts.length > 0) return role;
  const domain = canonicalHost(role.domain);
  const limit = role.limit ?? defaultLimit;
  const controllers = await records(lookup, [`_ldap._tcp.dc._msdcs.${domain}`, `_ldap._tcp.${domain}`]);
  if (controllers.names.length === 0) {
    const note = `${domain} has no service records for its controllers (${controllers.why}): its own addresses are taken`;
    return { ...role, hosts: [hostOf(domain, domain)], notes: [...controllers.notes, note] };
  }
  const taken = controllers.names.slice(0, limit);
  const count = controllers.names.length;
  const told = `${count} ${count === 1 ? 'controller' : 'controllers'} of ${domain} found by DNS${left(count, limit)}`;
  const hosts = taken.map((name) => hostOf(name, domain));
  if (!lookup.introductions) return { ...role, domain, hosts, notes: [told, ...controllers.notes] };
  const catalogs = await findCatalogs(domain, taken, lookup, await lookup.introductions(taken, domain));
  return {
    ...role,
    domain,
    hosts,
    globalCatalogs: catalogs.names.slice(0, limit).map((name) => hostOf(name, domain)),
    ...(!catalogs.areKnown && { isCatalogUnknown: true }),
    notes: [told, ...controllers.notes, ...catalogs.notes],
  };
}

interface Catalogs {
  readonly names: readonly string[];
  /** Somebody said that these are catalogs. Otherwise any of the controllers may be one. */
  readonly areKnown: boolean;
  readonly notes: readonly string[];
}

/** By the records of the forest's root; without them by what the controllers say of themselves. */
async function findCatalogs(
  domain: string,
  controllers: readonly string[],
  lookup: ServiceLookup,
  said: ReadonlyMap<string, Introduction>,
): Promise<Catalogs> {
  const forests = [...said.values()].map(({ forest }) => forest).filter((name) => nameFault(name) === null);
  const roots =
    forests.length > 0 ? [...new Set(forests.map((name) => canonicalHost(name)))].slice(0, 2) : likelyRoots(domain);
  const { names, notes } = await records(
    lookup,
    roots.flatMap((root) => [`_ldap._tcp.gc._msdcs.${root}`, `_gc._tcp.${root}`]),
  );
  if (names.length > 0) return { names, areKnown: true, notes };
  const own = controllers.filter((name) => said.get(name)?.isGlobalCatalog === true);
  const where = roots.join(', ');
  if (own.length > 0) {
    const note = `${where} has no records of global catalogs: ${own.length} of the controllers ${own.length === 1 ? 'says' : 'say'} to be one`;
    return { names: own, areKnown: true, notes: [...notes, note] };
  }
  const note = `${where} has no records of global catalogs: which controllers are one is not known, one that answers is enough`;
  return { names: controllers, areKnown: false, notes: [...notes, note] };
}

interface Records {
  readonly names: readonly string[];
  readonly why: string;
  /** Targets that are no hosts' names. */
  readonly notes: readonly string[];
}

async function records(lookup: ServiceLookup, queries: readonly string[]): Promise<Records> {
  let why = 'none listed';
  const notes: string[] = [];
  for (const query of queries) {
    try {
      // The next is asked only where this one has none.
      const services = await lookup.services(query);
      notes.push(...(lookup.passedOverFor?.(query) ?? []).map((passed) => `${passed} when asked for ${query}`));
      const targets = services.map(({ name }) => name).filter((name) => name !== '' && name !== '.');
      const sound = targets.filter((name) => !isAddress(name) && nameFault(name) === null);
      const faulty = targets.filter((name) => !sound.includes(name));
      if (faulty.length > 0) notes.push(leftOut(query, faulty));
      if (sound.length > 0) return { names: [...new Set(sound.map((name) => canonicalHost(name)))], why: '', notes };
    } catch (error) {
      why = error instanceof Error ? error.message : String(error);
      // Who does not answer one question does not answer the next.
      if (error instanceof NetError && error.failure.hint === 'resolver-silent') break;
    }
  }
  return { names: [], why, notes };
}

function leftOut(query: string, targets: readonly string[]): string {
  const shown = targets.slice(0, mostShown).map((name) => JSON.stringify(printable(name, 64)));
  const more = targets.length > mostShown ? ` and ${targets.length - mostShown} more` : '';
  return `the records of ${query} point to what is no host's name, left out: ${shown.join(', ')}${more}`;
}

/**
 * The forest's root when no controller tells: the domain itself or one of its parents, but no domain below which anybody
 * may register a name. corp.example.test -> corp.example.test, example.test; corp.co.uk -> corp.co.uk
 */
function likelyRoots(domain: string): string[] {
  const labels = domain.split('.');
  return labels.map((_, i) => labels.slice(i).join('.')).filter((name) => name === domain || !isPublicSuffix(name));
}

/** Without the list of them (publicsuffix.org): one label, or a short one of a country's domain. */
const isPublicSuffix = (name: string): boolean =>
  /^[^.]+$/.test(name) || /^(?:[^.]{1,3}|gouv|info|asso|priv|police|firm|store|school)\.[a-z]{2}$/.test(name);

const hostOf = (host: string, domain: string): Host => ({ host, ports: {}, domain });

const left = (count: number, limit: number): string =>
  count > limit ? `, the best ${limit} are checked (limit: ${limit})` : '';
