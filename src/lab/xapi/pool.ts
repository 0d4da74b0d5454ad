/** The records of the pool that the lab's site is of: where its hosts really listen, as a pool would have been told. */
import type { LabHost, LabSite } from '../site.ts';
import type { ApiRecords } from './api.ts';

export interface LabPool {
  readonly site: LabSite;
  readonly ports: ReadonlyMap<LabHost, ReadonlyMap<string, number>>;
  readonly proxyUrl: string;
}

type Fields = Readonly<Record<string, unknown>>;

const none = 'OpaqueRef:NULL';
const ref = (kind: string, n: number): string => `OpaqueRef:${kind}-${n}`;

export function poolRecords({ site, ports, proxyUrl }: LabPool): ApiRecords {
  const of = (role: string): readonly LabHost[] => site.hosts.filter((host) => host.role === role);
  const portOf = (host: LabHost | undefined, documented: string): string =>
    String((host && ports.get(host)?.get(documented)) ?? documented);
  const [license, syslog, balancing] = ['citrix-license-server', 'syslog-server', 'wlb-appliance'].map(
    (role) => of(role)[0],
  );
  const domain = of('domain-controller')[0]?.domain ?? '';
  const shared: Fields = {
    API_version_major: 2,
    API_version_minor: 21,
    software_version: { product_brand: 'XenServer', product_version: '8.4.0', product_version_text: '8', xapi: '26.1' },
    license_server: license ? { address: license.host, port: portOf(license, '27000') } : {},
    logging: syslog ? { syslog_destination: `${syslog.host}:${portOf(syslog, '514')}` } : {},
    external_auth_type: domain === '' ? '' : 'AD',
    external_auth_service_name: domain,
    external_auth_configuration: domain === '' ? {} : { domain, ldaps: 'true' },
    ntp_mode: 'Custom',
    ntp_custom_servers: of('ntp-server').map(({ host }) => host),
    https_only: true,
    ssh_enabled: true,
  };
  const members = of('xenserver-host');
  const hosts = entries('host', members, ({ host }, n) => ({
    ...shared,
    uuid: `lab-${n}`,
    hostname: `lab-${n + 1}`,
    address: host,
  }));
  const managed = {
    management: true,
    DNS: of('dns-server')
      .map(({ host }) => host)
      .join(','),
  };
  return {
    pool: {
      [ref('pool', 0)]: {
        name_label: site.name,
        master: members.length > 0 ? ref('host', 0) : none,
        ha_enabled: false,
        wlb_url: balancing ? `${balancing.host}:${portOf(balancing, '8012')}` : '',
        repository_proxy_url: proxyUrl,
      },
    },
    host: hosts,
    host_metrics: {},
    PIF: {
      ...entries('management', members, (_, n) => ({ ...managed, host: ref('host', n) })),
      ...entries('cluster', of('cluster-member'), ({ host }) => ({ IP: host })),
    },
    ...storageRecords(of, portOf),
    Repository: {},
    Cluster: of('cluster-member').length > 0 ? { [ref('cluster', 0)]: {} } : {},
    Cluster_host: entries('member', of('cluster-member'), (_, n) => ({
      host: ref('host', 0),
      PIF: ref('cluster', n),
      enabled: true,
    })),
    PVS_site: {},
    PVS_server: entries('pvs', of('pvs-server'), ({ host }) => ({ addresses: [host] })),
  };
}

function storageRecords(
  of: (role: string) => readonly LabHost[],
  portOf: (host: LabHost, documented: string) => string,
): ApiRecords {
  const repositories: [string, Fields][] = [
    ...of('nfsv4-server').map(nfs('4')),
    ...of('nfsv3-server').map(nfs('3')),
    ...of('san-controller').map((host): [string, Fields] => [
      'lvmoiscsi',
      { target: host.host, port: portOf(host, '3260') },
    ]),
    ...of('smb-file-server').map(({ host }): [string, Fields] => ['smb', { server: `//${host}/vms` }]),
  ];
  return {
    SR: entries('sr', repositories, ([type], n) => ({ type, name_label: `${type} ${n + 1}`, shared: true })),
    PBD: entries('pbd', repositories, ([, config], n) => ({
      host: ref('host', 0),
      SR: ref('sr', n),
      device_config: config,
      currently_attached: true,
    })),
  };

  function nfs(version: string) {
    return (host: LabHost): [string, Fields] => [
      'nfs',
      { server: host.host, serverpath: '/vol', nfsversion: version, options: `port=${portOf(host, '2049')}` },
    ];
  }
}

const entries = <T>(
  kind: string,
  values: readonly T[],
  make: (value: T, n: number) => Fields,
): Record<string, Fields> => Object.fromEntries(values.map((value, n) => [ref(kind, n), make(value, n)]));
