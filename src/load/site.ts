/** Loads a site file and holds it against the spec: a word that means nothing is an error, never a check less. */
import { basename, dirname, extname, resolve } from 'node:path';
import * as v from 'valibot';
import { canonicalHost } from '../model/address.ts';
import { UsageError } from '../model/errors.ts';
import { SiteFile, type Host, type HostObject, type RoleHosts, type Site, type SiteProxy } from '../model/site.ts';
import type { LoadedSpec, Requirement } from '../model/spec.ts';
import { show, throwIfAny, type Fault, type Path } from './faults.ts';
import { hostFault, nameFault, plainHost } from './host.ts';
import { decodeProxyUrl, passwordPlaces, proxyUrlFault } from './proxy-url.ts';
import { readFile } from './read-file.ts';
import { shapeFaults } from './shape.ts';
import { defaultSpec } from './default-spec.ts';
import { unknownWord, wrongKind } from './shared-faults.ts';
import { parseYaml, type YamlDocument } from './yaml.ts';

const standardInput = '<stdin>';

/** A role as the file wrote it, with where each host stands. */
interface WrittenRole {
  readonly name: string;
  readonly path: Path;
  readonly hosts: readonly WrittenHost[];
  readonly domain?: string | undefined;
  readonly limit?: number | undefined;
  readonly require?: 'all' | 'any' | undefined;
}

interface WrittenHost extends HostObject {
  readonly path: Path;
}

interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** A site that is read, before it is held against the spec that it may name itself. */
export interface SiteDocument extends YamlDocument {
  /** Where its relative paths start, and where the files that it names lie. */
  readonly folder: string;
  /** The spec that it asks for, a file's path resolved; null when it names none. */
  readonly spec: string | null;
}

/** `specNamed` gets the spec that the site asks for, a file's path resolved; the usual one where it asks for none. */
export async function readSiteFile(file: string, specNamed: (name: string) => Promise<LoadedSpec>): Promise<Site> {
  const document = await readSite(readFile(file), file);
  return siteOf(document, await specNamed(document.spec ?? defaultSpec));
}

export async function parseSite(source: string | Uint8Array, fileName: string, spec: LoadedSpec): Promise<Site> {
  return siteOf(await readSite(source, fileName), spec);
}

/** `fileName` stands in error messages. */
export async function readSite(source: string | Uint8Array, fileName: string): Promise<SiteDocument> {
  const document = await parseYaml(source, fileName);
  const folder = folderOf(fileName);
  const named = v.safeParse(v.looseObject({ spec: v.pipe(v.string(), v.nonEmpty()) }), document.value);
  const spec = named.success ? named.output.spec : null;
  return { ...document, folder, spec: spec !== null && isPath(spec) ? resolve(folder, spec) : spec };
}

/** A spec is bundled, or a file with its path. */
export const isPath = (spec: string): boolean => /[/\\.]/.test(spec);

export function siteOf(document: SiteDocument, spec: LoadedSpec): Site {
  const { file: fileName, folder } = document;
  const misshapen = shapeFaults(SiteFile, document.value);
  const sound = v.safeParse(SiteFile, withoutFaulty(misshapen, document.value));
  const site = sound.success ? sound.output : v.parse(SiteFile, {});
  const roles = Object.entries(site.roles).map(([name, entry]) => writtenRole(name, entry));
  throwIfAny(
    [
      ...misshapen.map(withoutSecrets),
      ...wordFaults(site, spec),
      ...roles.flatMap((role) => roleFaults(role, site, spec)),
      ...proxyFaults(site.proxy, spec),
      ...nameFaults(site, spec),
    ],
    document,
  );
  return {
    name: site.name ?? (fileName === standardInput ? 'site' : basename(fileName, extname(fileName))),
    origin: 'file',
    spec: document.spec ?? spec.id,
    vantage: [...new Set(site.vantage)],
    roles: Object.fromEntries(roles.map((role) => [role.name, normalRole(role)])),
    notUsed: [...new Set(site['not-used'])],
    facts: site.facts,
    proxy: site.proxy ? proxyOf(site.proxy, folder) : null,
    trust: (site.trust ?? []).map((file) => resolve(folder, file)),
    folder,
    names: site.names ?? {},
    dns: dnsOf(site.dns),
  };
}

/** The URL of `--proxy` or `proxy:`, as http://HOST:PORT; `where` opens the error message. */
export function parseProxyUrl(text: string, where: string): string {
  const fault = proxyUrlFault(text);
  if (fault !== null) throw new UsageError(`${where} ${fault}`);
  return text.trim().replace(/\/$/, '');
}

/** The site less its misshapen entries, so that the rest can be looked at in the same go. */
function withoutFaulty(faults: readonly Fault[], value: unknown): unknown {
  if (faults.length === 0 || typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const site = structuredClone<object>(value);
  for (const { path } of faults) {
    const [key = '', entry] = path;
    const section: unknown = Reflect.get(site, key);
    const isList = key === 'roles' || key === 'facts' || key === 'names';
    if (isList && entry !== undefined && typeof section === 'object' && section !== null)
      Reflect.deleteProperty(section, entry);
    else Reflect.deleteProperty(site, key);
  }
  return site;
}

/** What is written under `proxy` is not repeated, and whoever wrote a password there is told where it belongs. */
function withoutSecrets(fault: Fault): Fault {
  if (fault.path[0] !== 'proxy') return fault;
  const isPassword = fault.path[1] === 'password';
  const text = isPassword
    ? `no password is written into a site; ${passwordPlaces}`
    : fault.text.replace(/, not .*/s, '');
  return { ...fault, text };
}

function wordFaults(site: SiteFile, spec: LoadedSpec): Fault[] {
  const sources = [...new Set(spec.rows.map((row) => row.from))];
  const roles = Object.keys(spec.roles);
  const vantage = (site.vantage ?? []).flatMap((role, i): Fault[] => {
    const path = ['vantage', i];
    if (!roles.includes(role)) return unknownWord('role', role, sources, { path });
    if (sources.includes(role)) return [];
    return [{ path, text: `role "${role}" is the source of no row; sources: ${sources.join(', ')}` }];
  });
  const notUsed = (site['not-used'] ?? []).flatMap((role, i) =>
    unknownWord('role', role, roles, { path: ['not-used', i] }),
  );
  const facts = Object.entries(site.facts).flatMap(([name, value]) => {
    const fact = spec.facts[name];
    const path = ['facts', name];
    if (!fact) return unknownWord('fact', name, Object.keys(spec.facts), { path: path, atKey: true });
    return wrongKind(name, fact.default, value, path);
  });
  return [...vantage, ...notUsed, ...facts];
}

function roleFaults(role: WrittenRole, site: SiteFile, spec: LoadedSpec): Fault[] {
  const { name, path } = role;
  const known = spec.roles[name];
  if (!known) return unknownWord('role', name, Object.keys(spec.roles), { path: path, atKey: true });
  if (known.discovery === 'row-names' || known.discovery === 'site-names') {
    const why = known.discovery === 'row-names' ? 'its rows name their own' : 'they are all the names in this site';
    return [{ path, text: `role "${name}" takes no hosts: ${why}; remove it`, atKey: true }];
  }
  const faults: Fault[] = [];
  const isUsed = role.hosts.length > 0 || role.domain !== undefined;
  if (isUsed && site['not-used']?.includes(name)) {
    const text = `role "${name}" has hosts and stands under "not-used" too; remove one of the two`;
    faults.push({ path, text, atKey: true });
  }
  if (role.domain !== undefined) faults.push(...domainFaults(name, role.domain, path, spec));
  else if (role.limit !== undefined) {
    faults.push({
      path: [...path, 'limit'],
      text: '"limit" counts the controllers of a "domain"; add one or remove it',
    });
  }
  const rows = spec.rows.filter((row) => row.to === name);
  const seen = new Set<string>();
  for (const host of role.hosts) {
    faults.push(...hostFaults(name, host, rows, spec));
    const identity = JSON.stringify([canonicalHost(plainHost(host.host)), host.port, host.ports, host.console]);
    if (seen.has(identity))
      faults.push({ path: host.path, text: `${show(host.host)} is here a second time; remove one` });
    seen.add(identity);
  }
  return faults;
}

function hostFaults(role: string, host: WrittenHost, rows: readonly Requirement[], spec: LoadedSpec): Fault[] {
  const { path } = host;
  const faults: Fault[] = [];
  const wrong = hostFault(host.host);
  if (wrong !== null) faults.push({ path: [...path, 'host'], text: wrong });
  if (host.domain !== undefined) faults.push(...domainFaults(role, host.domain, path, spec));
  if (host.console !== undefined && !rows.some((row) => 'console' in row.where)) {
    const text = `no row asks for the console of role "${role}"; remove it`;
    faults.push({ path: [...path, 'console'], text, atKey: true });
  }
  const documented = documentedPorts(rows, host);
  if (host.port !== undefined) faults.push(...portFaults(role, host, documented));
  for (const port of Object.keys(host.ports ?? {})) {
    if (documented.some(({ from, to }) => from <= Number(port) && Number(port) <= to)) continue;
    const text = `no row to role "${role}" has port ${port}; documented: ${portsText(documented)}`;
    faults.push({ path: [...path, 'ports', port], text, atKey: true });
  }
  return faults;
}

/** `port` is clear only where one port is documented. */
function portFaults(role: string, host: WrittenHost, documented: readonly PortRange[]): Fault[] {
  const [only, another] = documented;
  const path = [...host.path, 'port'];
  if (!only) return [{ path, atKey: true, text: `no row to role "${role}" has a port; remove it` }];
  if (another || only.from !== only.to) {
    const ports = portsText(documented);
    const text = `role "${role}" has several ports (${ports}); say which one moved: ports: { "${only.from}": ${host.port} }`;
    return [{ path, atKey: true, text }];
  }
  return host.ports ? [{ path, atKey: true, text: '"port" and "ports" say the same thing; keep one of them' }] : [];
}

/** Of the rows that want this host: one with a console is not asked for the other. */
function documentedPorts(rows: readonly Requirement[], host: HostObject): readonly PortRange[] {
  const wanting = rows.filter(({ where }) => !host.console || !where['console'] || where['console'] === host.console);
  const entries = new Set(wanting.flatMap((row) => row.needs).flatMap((need) => need.ports ?? []));
  return [...entries].flatMap((entry) => {
    const [from, to] = String(entry).split('-').map(Number);
    return entry === 'dynamic' || from === undefined ? [] : [{ from, to: to ?? from }];
  });
}

const portsText = (ports: readonly PortRange[]): string =>
  ports.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(', ') || 'none';

function domainFaults(role: string, domain: string, path: Path, spec: LoadedSpec): Fault[] {
  const at = [...path, 'domain'];
  if (spec.roles[role]?.discovery !== 'active-directory') {
    return [{ path: at, text: `role "${role}" has no domain; give its hosts`, atKey: true }];
  }
  const wrong = nameFault(domain);
  return wrong === null ? [] : [{ path: at, text: wrong }];
}

function proxyFaults(proxy: SiteFile['proxy'], spec: LoadedSpec): Fault[] {
  if (!proxy) return [];
  const wrong = proxyUrlFault(proxy.url);
  const faults: Fault[] = wrong === null ? [] : [{ path: ['proxy', 'url'], text: wrong }];
  const isNamed = proxy.username !== undefined || (wrong === null && decodeProxyUrl(proxy.url).username !== undefined);
  if (proxy.passwordFile !== undefined && !isNamed) {
    faults.push({ path: ['proxy', 'passwordFile'], text: 'a password needs a `username`; add it', atKey: true });
  }
  for (const [i, id] of (proxy.for ?? []).entries()) faults.push(...proxiedRowFaults(id, spec, ['proxy', 'for', i]));
  return faults;
}

/** Only the rows to external domains go through a proxy at all. */
function proxiedRowFaults(id: string, spec: LoadedSpec, path: Path): Fault[] {
  const row = spec.rows.find((each) => each.id === id);
  if (row?.hosts) return [];
  const proxied = spec.rows.filter((each) => each.hosts).map((each) => each.id);
  if (!row) return unknownWord('row', id, proxied, { path });
  return [
    {
      path,
      text: `row "${id}" goes to hosts of the site, without a proxy; rows that go through one: ${proxied.join(', ')}`,
    },
  ];
}

function nameFaults(site: SiteFile, spec: LoadedSpec): Fault[] {
  const samples = spec.rows.flatMap((row) => row.sample ?? []);
  const faults: Fault[] = [];
  for (const [sample, names] of Object.entries(site.names ?? {})) {
    faults.push(...unknownWord('sampled domain', sample, samples, { path: ['names', sample], atKey: true }));
    for (const [i, name] of names.entries()) faults.push(...nameFaultAt(name, ['names', sample, i]));
  }
  if (site.dns?.query !== undefined) faults.push(...nameFaultAt(site.dns.query, ['dns', 'query']));
  return faults;
}

function nameFaultAt(name: string, path: Path): Fault[] {
  const text = nameFault(name);
  return text === null ? [] : [{ path, text }];
}

/** The four ways to write a role, as one. */
function writtenRole(name: string, entry: SiteFile['roles'][string]): WrittenRole {
  const path = ['roles', name];
  if (typeof entry === 'string') return { name, path, hosts: [{ host: entry, path }] };
  if (Array.isArray(entry)) return { name, path, hosts: writtenHosts(entry, path) };
  if ('host' in entry) return { name, path, hosts: [{ ...entry, path }] };
  return { ...entry, name, path, hosts: writtenHosts(entry.hosts ?? [], [...path, 'hosts']) };
}

const writtenHosts = (hosts: readonly (string | HostObject)[], path: Path): readonly WrittenHost[] =>
  hosts.map((host, i) => Object.assign(typeof host === 'string' ? { host } : host, { path: [...path, i] }));

/** Hosts that are given stay; a domain without any is to be searched for them. */
function normalRole({ hosts, domain, limit, require = 'all' }: WrittenRole): RoleHosts {
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
const plainName = (name: string): string => canonicalHost(plainHost(name));

const proxyOf = (proxy: NonNullable<SiteFile['proxy']>, folder: string): SiteProxy => ({
  url: parseProxyUrl(proxy.url, 'the proxy'),
  ...(proxy.username !== undefined && { username: proxy.username }),
  ...(proxy.passwordFile !== undefined && { passwordFile: resolve(folder, proxy.passwordFile) }),
  ...(proxy.for && { for: [...new Set(proxy.for)] }),
});

const dnsOf = ({ query, type }: NonNullable<SiteFile['dns']> = {}): Site['dns'] => ({
  ...(query !== undefined && { query: plainName(query) }),
  ...(type && { type }),
});

const folderOf = (fileName: string): string => resolve(fileName === standardInput ? '.' : dirname(fileName));
