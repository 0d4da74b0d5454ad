/** Spec × site → what to try. Pure and deterministic: the same inputs give the same plan, in the same order. */
import { bracketed, canonicalHost, isAddress, isLoopback, zoneOf } from '../model/address.ts';
import { UsageError } from '../model/errors.ts';
import type { Check, Plan, PlannedRow, Skip, Use } from '../model/plan.ts';
import { optionsOf, type Probe, type ProbeOptions, type Transport } from '../model/probe.ts';
import type { Host, RoleHosts, Site, Vantage } from '../model/site.ts';
import type { LoadedSpec, Need, Requirement } from '../model/spec.ts';
import { fillTemplates } from './template.ts';
import { countPorts, expandPorts, portInUse, portsText } from './ports.ts';

export interface Selection {
  /** Source roles to speak for. */
  readonly as: readonly string[];
  /** Only these; empty means all. */
  readonly rows: readonly string[];
  readonly sections: readonly string[];
  readonly roles: readonly string[];
}

export interface PlanInput {
  readonly spec: LoadedSpec;
  readonly site: Site;
  readonly vantage: Vantage;
  readonly selection: Selection;
  readonly probes: Readonly<Record<string, Probe>>;
}

/** A check while rows are still being added to it. */
interface Draft extends Omit<Check, 'uses'> {
  /** Shared by all that one need made, until a second use comes. */
  uses: readonly Use[];
}

/** A host's checks by port: one each as a rule, and in `more` what else is asked there. */
interface Endpoints {
  readonly first: Map<number, Draft>;
  readonly more: Map<number, Draft[]>;
}

/** What is found out once about a host, however many rows name it. */
interface Place {
  readonly endpoints: Endpoints;
  /** As it stands in an id: an IPv6 address in brackets. */
  readonly label: string;
  readonly address: string | null;
}

/** A site may come from a stranger, and 48 rows of 65,535 ports for a thousand hosts are a line each in it. */
const maxChecks = 2 ** 20;

const noDrafts: readonly Draft[] = [];
const nobody: RoleHosts = { hosts: [], require: 'all', notes: [] };

export function makePlan(input: PlanInput): Plan {
  const { spec, site, vantage, probes } = input;
  const drafts: Draft[] = [];
  /** By host and port, whatever asks there. */
  const known = new Map<string, Endpoints>();
  const ownAddresses = new Set(vantage.addresses.map(canonicalHost));
  const places = new Map<Host, Place>();
  const optionsByText = new Map<string, Draft['options']>();
  const optionsMade = new Map<Need, Map<string, Readonly<Record<string, unknown>>>>();
  const facts = {
    ...Object.fromEntries(Object.entries(spec.facts).map(([id, fact]) => [id, fact.default])),
    ...site.facts,
  };

  const total = spec.rows.reduce((sum, row) => sum + (whySkip(row, input, facts) ? 0 : wantedBy(row)), 0);
  if (total > maxChecks) {
    throw new UsageError(
      `this plan has ${total} checks, and more than ${maxChecks} are not made: narrow it with --row, --section or --role, or list fewer hosts or ports`,
    );
  }
  const rows = spec.rows.map((row): PlannedRow => {
    const skip = whySkip(row, input, facts);
    const base = {
      requirement: row,
      transports: transportsOf(row, probes),
      ports: portsText(row.needs.map((need) => need.ports ?? [defaultPort(need)])),
    };
    if (skip) return { ...base, skip, checks: [], require: 'all', notes: [] };
    return plannedRow(row, base);
  });
  return { rows, checks: drafts };

  function plannedRow(row: Requirement, base: Pick<PlannedRow, 'requirement' | 'transports' | 'ports'>): PlannedRow {
    const role = roleOf(row);
    const skipped = (skip: Skip): PlannedRow => ({ ...base, skip, checks: [], require: 'all', notes: [] });
    if (role.hosts.length === 0 && role.notes.length > 0) {
      return skipped({
        reason: 'role-is-empty',
        because: role.notes.join('; '),
        remedy: `list the hosts of ${row.to} in the site file`,
      });
    }
    if (role.hosts.length === 0) return skipped(emptyRole(row));
    const suited = role.hosts.filter((host) => suits(host, row.where));
    if (suited.length === 0) {
      const wanted = Object.entries(row.where)
        .map(([key, value]) => `${key}: ${value}`)
        .join(', ');
      return skipped({ reason: 'not-applicable', because: `no host of ${row.to} has ${wanted}`, remedy: null });
    }
    const isPeer = isPeerRole(row.to);
    const isOwn = ({ host }: Host): boolean => isPeer && isSelf(host);
    const hosts = suited.filter((host) => !isOwn(host));
    if (hosts.length === 0) {
      return skipped({
        reason: 'role-is-empty',
        because: `the only host of ${row.to} is this machine itself`,
        remedy: `add the other hosts to roles.${row.to} of the site file`,
      });
    }
    const checks: string[] = [];
    const selves = suited.filter(isOwn).map(({ host }) => `${host} is this machine itself and was left out`);
    const notes = [...role.notes, ...selves];
    const documented = row.needs.flatMap((need) => need.ports ?? [defaultPort(need)]);
    const isOnlyPort = expandPorts(documented, 0).length === 1;
    for (const need of row.needs) {
      const missing = unmetFact(need.when, facts);
      if (missing !== undefined) {
        const service = need.service ?? probeNamed(need.probe).about.title;
        notes.push(`${service} on port ${portsText([need.ports ?? [defaultPort(need)]])} is left out: ${missing}`);
        continue;
      }
      const ports = expandPorts(need.ports ?? [defaultPort(need)], defaultPort(need));
      const uses: readonly Use[] = [useOf(row, need, probeNamed(need.probe))];
      for (const host of hosts) {
        const place = placeOf(host);
        for (const port of ports) {
          const id = draft(row, need, uses, host, place, portInUse(host, port, isOnlyPort), isPeer, role);
          if (id !== undefined) checks.push(id);
        }
      }
    }
    if (checks.length === 0)
      return skipped({ reason: 'not-applicable', because: notes.at(-1) ?? 'no need of it applies', remedy: null });
    if (row.sample !== undefined) notes.push(sampleNote(row.sample, hosts.length));
    return { ...base, skip: null, checks, require: role.require, notes };
  }

  /** Counted before any is made; endpoints of several rows count each time. */
  function wantedBy(row: Requirement): number {
    const hosts = roleOf(row).hosts.length;
    const ports = row.needs.map((need) => countPorts(need.ports ?? [defaultPort(need)]));
    return hosts * ports.reduce((sum, count) => sum + count, 0);
  }

  /** The id of a check that the row has not named yet. */
  function draft(
    row: Requirement,
    need: Need,
    uses: readonly Use[],
    host: Host,
    { endpoints, label, address }: Place,
    port: number,
    isPeer: boolean,
    role: RoleHosts,
  ): string | undefined {
    const probe = probeNamed(need.probe);
    const transport = need.transport ?? (probe.transport === 'either' ? 'tcp' : probe.transport);
    const options = optionsFor(need, host.domain ?? role.domain);
    const viaProxy = transport === 'tcp' && isProxied(row);
    const first = endpoints.first.get(port);
    const others = first ? [first, ...(endpoints.more.get(port) ?? noDrafts)] : noDrafts;
    const same = others.find(
      (each) =>
        each.probe === need.probe &&
        each.options === options &&
        each.transport === transport &&
        each.viaProxy === viaProxy,
    );
    if (same) {
      const isFirst = same.uses.every((each) => each.row !== row.id);
      same.uses = [...same.uses, ...uses];
      return isFirst ? same.id : undefined;
    }
    const check: Draft = {
      id: uniqueId(`${need.probe}/${label}:${port}${probe.transport === 'either' ? `/${transport}` : ''}`, others),
      probe: need.probe,
      transport,
      host: host.host,
      address,
      port,
      options,
      viaProxy,
      isName: probe.perAddress === false,
      isAnswerDue: transport === 'udp' && !probe.onSilence,
      isPeer,
      uses,
    };
    drafts.push(check);
    if (first) endpoints.more.set(port, [...others.slice(1), check]);
    else endpoints.first.set(port, check);
    return check.id;
  }

  function placeOf(host: Host): Place {
    let place = places.get(host);
    if (!place) {
      const address = isAddress(host.host) ? canonicalHost(host.host) : null;
      places.set(host, (place = { endpoints: endpointsOf(host.host), label: bracketed(host.host), address }));
    }
    return place;
  }

  /** In another spelling it is the same host. */
  function endpointsOf(host: string): Endpoints {
    const name = canonicalHost(host);
    let endpoints = known.get(name);
    if (!endpoints) known.set(name, (endpoints = { first: new Map(), more: new Map() }));
    return endpoints;
  }

  /** Filled in and checked once for each need and domain; the probe's own defaults stand in them. */
  function optionsFor(need: Need, domain: string | undefined): Readonly<Record<string, unknown>> {
    const key = domain ?? '';
    let made = optionsMade.get(need);
    if (!made) optionsMade.set(need, (made = new Map()));
    let options = made.get(key);
    if (!options) {
      const filled = fillTemplates(need.options, { domain, dns: site.dns });
      made.set(key, (options = theSame(parseOptions(probeNamed(need.probe), need, filled))));
    }
    return options;
  }

  /** Equal options of different needs as one object. */
  function theSame(options: Draft['options']): Draft['options'] {
    const text = JSON.stringify(options);
    const first = optionsByText.get(text) ?? options;
    optionsByText.set(text, first);
    return first;
  }

  function roleOf(row: Requirement): RoleHosts {
    if (row.hosts) {
      const names = (row.sample === undefined ? undefined : site.names[row.sample]) ?? row.hosts;
      return { hosts: names.map((host) => ({ host, ports: {} })), require: 'all', notes: [] };
    }
    if (spec.roles[row.to]?.discovery === 'site-names') return { hosts: siteNames(), require: 'all', notes: [] };
    const role = site.roles[row.to] ?? nobody;
    const wantsCatalogs = row.needs.some((need) => need.options['globalCatalog'] === true);
    if (!wantsCatalogs || !role.globalCatalogs) return role;
    return { ...role, hosts: role.globalCatalogs, require: role.isCatalogUnknown === true ? 'any' : role.require };
  }

  /** Every host that this vantage's rows reach by name. */
  function siteNames(): Host[] {
    const destinations = new Set(spec.rows.filter((row) => input.selection.as.includes(row.from)).map((row) => row.to));
    const names = [...destinations].flatMap((to) => site.roles[to]?.hosts ?? []).map(({ host }) => host);
    const unique = new Map(names.filter((host) => !isAddress(host)).map((host) => [canonicalHost(host), host]));
    return [...unique.values()].map((host) => ({ host, ports: {} }));
  }

  function emptyRole(row: Requirement): Skip {
    if (spec.roles[row.to]?.discovery === 'site-names') {
      return { reason: 'not-applicable', because: 'the site names every host by its address', remedy: null };
    }
    return {
      reason: 'role-is-empty',
      because: `the site names no host for ${row.to}`,
      remedy: `add hosts under roles.${row.to} of the site file${input.selection.as.includes(row.to) ? '' : `, or say not-used: [${row.to}]`}`,
    };
  }

  /** A role that this machine may itself be a member of: what it says about itself proves nothing about the network. */
  function isPeerRole(role: string): boolean {
    const { as } = input.selection;
    return as.includes(role) || as.includes(spec.roles[role]?.machines ?? '');
  }

  function isSelf(host: string): boolean {
    if (isAddress(host)) return !isLoopback(host) && isOwnAddress(canonicalHost(host));
    const name = canonicalHost(host);
    const own = vantage.hostname.toLowerCase();
    return name !== 'localhost' && (name === own || (own.includes('.') && name === own.split('.')[0]));
  }

  /** Link-local addresses are the same on many links: only one on the link that the zone names is ours. */
  function isOwnAddress(canonical: string): boolean {
    const zone = zoneOf(canonical);
    if (zone === undefined) return ownAddresses.has(canonical);
    const link = vantage.links?.find(({ name, index }) => zone === name || zone === String(index));
    return link?.addresses.some((own) => `${own}%${zone}` === canonical) ?? false;
  }

  /** Rows to external domains, or those of them that the site's proxy is for. Datagrams go direct: CONNECT carries none. */
  function isProxied(row: Requirement): boolean {
    if (site.proxy === null || row.hosts === undefined) return false;
    return site.proxy.for?.includes(row.id) ?? true;
  }

  function probeNamed(name: string): Probe {
    const probe = probes[name];
    if (!probe) throw new RangeError(`no probe is called ${name}`);
    return probe;
  }

  function defaultPort(need: Need): number {
    return probeNamed(need.probe).port;
  }
}

/** The same endpoint with other options is another check. */
function uniqueId(id: string, others: readonly Draft[]): string {
  if (others.length === 0) return id;
  const count = others.filter((each) => each.id === id || each.id.startsWith(`${id}~`)).length;
  return count === 0 ? id : `${id}~${count + 1}`;
}

function whySkip(row: Requirement, { spec, site, selection }: PlanInput, facts: Facts): Skip | null {
  const { rows, sections, roles } = selection;
  const isSelected =
    (rows.length === 0 || rows.includes(row.id)) &&
    (sections.length === 0 || sections.includes(row.section)) &&
    (roles.length === 0 || roles.includes(row.to));
  if (!isSelected) return { reason: 'not-selected', because: 'it was not asked for', remedy: null };
  // What the site says of itself holds from wherever it is asked.
  const isElsewhere = !selection.as.includes(row.from);
  const unused = [row.to, row.from].find((role) => site.notUsed.includes(role));
  if (unused !== undefined) {
    return { reason: 'not-applicable', because: `the site says ${unused} is not used`, remedy: null };
  }
  const missing = unmetFact(row.when, facts);
  if (missing !== undefined) return { reason: 'not-applicable', because: missing, remedy: null };
  if (!isElsewhere) return null;
  return {
    reason: 'other-vantage',
    because: `it starts from ${row.from}, which is not where this runs`,
    remedy: `run xenreach on ${spec.roles[row.from]?.title ?? row.from} with --as ${row.from}`,
  };
}

function useOf(row: Requirement, need: Need, probe: Probe): Use {
  return {
    row: row.id,
    expect: need.expect,
    level: need.level,
    service: need.service ?? probe.about.title,
    unless: unlessOf(need),
    note: need.note ?? null,
    isVendors: row.hosts !== undefined,
  };
}

/** "facts: { https-only: true }": the other value of the truth that the need hangs on. */
function unlessOf({ when }: Need): string | null {
  const [first] = Object.entries(when);
  return first && typeof first[1] === 'boolean' ? `facts: { ${first[0]}: ${String(!first[1])} }` : null;
}

/** What the site filled in may still be no option of the probe: a query type that is no type. */
function parseOptions(probe: Probe, need: Need, options: ProbeOptions): ProbeOptions {
  const parsed = probe.options['~standard'].validate(options);
  if (parsed instanceof Promise) throw new TypeError(`the options of ${need.probe} cannot be checked at once`);
  if (parsed.issues)
    throw new UsageError(
      `the ${need.probe} probe cannot take ${JSON.stringify(options)}: ${parsed.issues[0]?.message}`,
    );
  return optionsOf(parsed.value);
}

type Facts = Readonly<Record<string, string | number | boolean>>;

function unmetFact(when: Facts, facts: Facts): string | undefined {
  const unmet = Object.entries(when).find(([fact, value]) => facts[fact] !== value);
  return unmet && `the fact ${unmet[0]} is ${String(facts[unmet[0]])} here`;
}

/** A host that does not say (`console`) is taken for every row of its role. */
function suits(host: Host, where: Readonly<Record<string, string>>): boolean {
  const wanted = Object.entries(where);
  if (wanted.length === 0) return true;
  const properties: Readonly<Record<string, unknown>> = { ...host };
  return wanted.every(([key, value]) => properties[key] === undefined || properties[key] === value);
}

function transportsOf(row: Requirement, probes: Readonly<Record<string, Probe>>): Transport[] {
  const transports = row.needs.map((need) => need.transport ?? probes[need.probe]?.transport);
  return (['tcp', 'udp'] as const).filter((transport) => transports.some((used) => used === transport));
}

function sampleNote(domain: string, count: number): string {
  return `"${domain} and subdomains" is sampled by ${count} ${count === 1 ? 'name' : 'names'}: a rule for all of it cannot be proven`;
}
