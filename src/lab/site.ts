/** Opens the ports of the lab's hosts, and writes the site file that says where each role is. */
import type { Listeners } from '../net/listeners.ts';
import type { Authority } from './certificate.ts';
import { openPeer, type Peer } from './peer.ts';
import type { Destination } from './peers/proxy.ts';

/** Nothing listens there. */
export const vacant = 'vacant';

/** What is behind a port: a peer to be started, the port number of one that runs already, or nothing. */
export type PortUse = Peer | number | typeof vacant;

export interface LabHost {
  readonly role: string;
  /** As the site file names it. */
  readonly host: string;
  /** Where its ports are opened, when that is not the host itself. */
  readonly addresses?: readonly [string, ...string[]];
  readonly ports?: Readonly<Record<number, PortUse>>;
  /** UDP ports of a service that answers nobody. */
  readonly oneWay?: readonly number[];
  readonly console?: 'vnc' | 'rdp';
  readonly domain?: string;
  /** What is wrong with it. */
  readonly about?: string;
}

export interface LabSite {
  readonly name: string;
  readonly hosts: readonly LabHost[];
  readonly proxy: (host: string) => Destination;
  /** Names that stand for a whole domain. */
  readonly names: Readonly<Record<string, readonly string[]>>;
}

/** What a site is made with. */
export interface LabContext {
  readonly listeners: Listeners;
  readonly authority: Authority;
  /** 127.0.0.n, or 127.0.0.1 where a machine has no other. */
  readonly address: (n: number) => string;
}

/** Opens UDP ports that somebody else has: documented port -> the one in use. */
export type OpenStandIns = (address: string, ports: readonly number[]) => Promise<ReadonlyMap<string, number>>;

/** Every role that some row starts from. */
const vantage = [
  'xenserver-host',
  'xencenter',
  'windows-vm',
  'wlb-appliance',
  'management-client',
  'pvs-server',
  'pvs-target-device',
];

/** The `ports` of one host in the site file: documented port -> the one in use. */
export async function openPorts(
  listeners: Listeners,
  { host, addresses = [host], ports = {}, oneWay = [] }: LabHost,
  openStandIns: OpenStandIns,
): Promise<ReadonlyMap<string, number>> {
  const standIns = oneWay.length > 0 ? await openStandIns(host, oneWay) : [];
  const opened = Object.entries(ports).map(async ([documented, use]) => {
    if (typeof use === 'number') return [documented, use] as const;
    const port = use === vacant ? await listeners.vacant(addresses[0]) : await openPeer(listeners, addresses, use);
    return [documented, port] as const;
  });
  return new Map([...(await Promise.all(opened)), ...standIns]);
}

export interface SiteText {
  readonly site: LabSite;
  readonly ports: ReadonlyMap<LabHost, ReadonlyMap<string, number>>;
  readonly proxyUrl: string;
  readonly trust: string;
}

/** All values are ours: JSON quoting is enough. */
export function siteText({ site, ports, proxyUrl, trust }: SiteText): string {
  const roles = Map.groupBy(site.hosts, (host) => host.role);
  const listText = (hosts: readonly LabHost[]): string =>
    hosts.map((host) => `    - ${hostText(host, ports.get(host))}`).join('\n');
  const names = Object.entries(site.names).map(([domain, list]) => `${quote(domain)}: [${list.join(', ')}]`);
  return [
    `name: ${site.name}`,
    'spec: xenserver-8',
    `vantage: [${vantage.join(', ')}]`,
    'roles:',
    ...[...roles].map(([role, hosts]) => `  ${role}:\n${listText(hosts)}`),
    'facts: { https-only: true, ssh-enabled: true, ad-ldaps: true }',
    `proxy: { url: ${quote(proxyUrl)} }`,
    `trust: [${quote(trust)}]`,
    `names: { ${names.join(', ')} }`,
    'dns: { query: repo.ops.xenserver.com }',
    '',
  ].join('\n');
}

function hostText(host: LabHost, ports: ReadonlyMap<string, number> = new Map()): string {
  const map = [...ports].map(([documented, port]) => `${quote(documented)}: ${port}`);
  const keys = [
    `host: ${quote(host.host)}`,
    ...(map.length > 0 ? [`ports: { ${map.join(', ')} }`] : []),
    ...(host.console ? [`console: ${host.console}`] : []),
    ...(host.domain === undefined ? [] : [`domain: ${host.domain}`]),
  ];
  return `{ ${keys.join(', ')} }${host.about === undefined ? '' : ` # ${host.about}`}`;
}

const quote = (value: string): string => JSON.stringify(value);
