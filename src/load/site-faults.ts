/** The rules of a site: every word is one of the spec's, every host can be one, and nothing is said twice. */
import { canonicalHost } from '../model/address.ts';
import type { HostObject, SiteFile } from '../model/site.ts';
import type { LoadedSpec, Requirement } from '../model/spec.ts';
import { show, type Fault, type Path } from './faults.ts';
import { hostFault, nameFault, plainHost } from './host.ts';
import { decodeProxyUrl, proxyUrlFault } from './proxy-url.ts';
import { unknownWord, wrongKind } from './shared-faults.ts';
import type { WrittenHost, WrittenRole } from './site-roles.ts';

interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** Everything that is wrong with a site of the right shape, against the spec. */
export const siteFaults = (site: SiteFile, roles: readonly WrittenRole[], spec: LoadedSpec): readonly Fault[] => [
  ...wordFaults(site, spec),
  ...roles.flatMap((role) => roleFaults(role, site, spec)),
  ...proxyFaults(site.proxy, spec),
  ...nameFaults(site, spec),
];

function wordFaults(site: SiteFile, spec: LoadedSpec): Fault[] {
  const sources = [...new Set(spec.rows.flatMap((row) => row.sourceRoles))];
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
