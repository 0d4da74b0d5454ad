/** Where a row goes: the hosts of its role, the names that it gives itself, or every name of the site; without ourselves. */
import { canonicalHost, isAddress, isLoopback, zoneOf } from '../model/address.ts';
import type { Host, RoleHosts, Vantage } from '../model/site.ts';
import type { Requirement } from '../model/spec.ts';
import type { PlanInput } from './plan.ts';

export interface Destination {
  readonly role: RoleHosts;
  /** Those that suit the row, without this machine. */
  readonly hosts: readonly Host[];
  /** Those that are this machine. */
  readonly selves: readonly Host[];
  /** This machine may be a member of the role: a name may yet turn out to be its own. */
  readonly mayBeSelf: boolean;
}

const nobody: RoleHosts = { hosts: [], require: 'all', notes: [] };

export class Destinations {
  readonly #input: PlanInput;
  readonly #self: Self;

  constructor(input: PlanInput) {
    this.#input = input;
    this.#self = new Self(input.vantage);
  }

  of(row: Requirement): Destination {
    const role = this.#roleOf(row);
    const mayBeSelf = this.#isOwnRole(row.to);
    const suited = role.hosts.filter((host) => suits(host, row.where));
    if (!mayBeSelf) return { role, hosts: suited, selves: [], mayBeSelf };
    const [others, selves] = [false, true].map((isSelf) => suited.filter(({ host }) => this.#self.is(host) === isSelf));
    return { role, hosts: others!, selves: selves!, mayBeSelf };
  }

  #roleOf(row: Requirement): RoleHosts {
    const { spec, site } = this.#input;
    if (row.hosts) {
      const names = (row.sample === undefined ? undefined : site.names[row.sample]) ?? row.hosts;
      return { ...nobody, hosts: names.map(named) };
    }
    if (spec.roles[row.to]?.discovery === 'site-names') return { ...nobody, hosts: this.#siteNames() };
    const role = site.roles[row.to] ?? nobody;
    if (row.among !== 'global-catalogs' || !role.globalCatalogs) return role;
    return { ...role, hosts: role.globalCatalogs, require: role.isCatalogUnknown === true ? 'any' : role.require };
  }

  /** Every name that this vantage's rows need resolved, the proxy's among them. */
  #siteNames(): Host[] {
    const { spec, site, selection } = this.#input;
    const destinations = new Set(
      spec.rows.filter((row) => row.sourceRoles.some((role) => selection.as.includes(role))).map((row) => row.to),
    );
    const hosts = [...destinations].flatMap((to) => site.roles[to]?.hosts ?? []).map(({ host }) => host);
    const proxy = site.proxy === null ? null : URL.parse(site.proxy.url);
    const names = (proxy ? [...hosts, proxy.hostname] : hosts).filter((host) => !isAddress(withoutBrackets(host)));
    return [...new Map(names.map((host) => [canonicalHost(host), host])).values()].map(named);
  }

  /** What this machine says about itself proves nothing about the network. */
  #isOwnRole(role: string): boolean {
    const { spec, selection } = this.#input;
    return selection.as.includes(role) || selection.as.includes(spec.roles[role]?.machines ?? '');
  }
}

const named = (host: string): Host => ({ host, ports: {} });

const withoutBrackets = (host: string): string => host.replace(/^\[(.*)\]$/, '$1');

/** A host that does not say (`console`) is taken for every row of its role. */
function suits(host: Host, where: Readonly<Record<string, string>>): boolean {
  const wanted = Object.entries(where);
  if (wanted.length === 0) return true;
  const properties: Readonly<Record<string, unknown>> = { ...host };
  return wanted.every(([key, value]) => properties[key] === undefined || properties[key] === value);
}

/** This machine, under every spelling of its names and addresses. Whoever writes 127.0.0.1 means it. */
class Self {
  readonly #vantage: Vantage;
  readonly #addresses: ReadonlySet<string>;

  constructor(vantage: Vantage) {
    this.#vantage = vantage;
    this.#addresses = new Set(vantage.addresses.map(canonicalHost));
  }

  is(host: string): boolean {
    if (isAddress(host)) return !isLoopback(host) && this.#isOwnAddress(canonicalHost(host));
    const name = canonicalHost(host);
    const own = this.#vantage.hostname.toLowerCase();
    return name !== 'localhost' && (name === own || (own.includes('.') && name === own.split('.')[0]));
  }

  /** Link-local addresses are the same on many links: only one on the link that the zone names is ours. */
  #isOwnAddress(canonical: string): boolean {
    const zone = zoneOf(canonical);
    if (zone === undefined) return this.#addresses.has(canonical);
    const link = this.#vantage.links?.find(({ name, index }) => zone === name || zone === String(index));
    return link?.addresses.some((own) => `${own}%${zone}` === canonical) ?? false;
  }
}
