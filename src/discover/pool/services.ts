/** The services that hosts are set up with: licenses, time, names, logs, Workload Balancing. */
import type { Finding } from '../finding.ts';
import { endpointIn, has, hostIn, list, map, port, text } from '../records.ts';
import { syslogTarget } from '../syslog-target.ts';
import { managementInterfaces, namesOf, type Member, type PoolView } from './view.ts';

export const serviceFindings = (view: PoolView, timeServers: readonly string[] | undefined): Finding[] => [
  ...licenseFindings(view),
  ...timeFindings(view, timeServers),
  ...nameServerFindings(view),
  ...syslogFindings(view),
  ...balancingFindings(view),
];

const licensePort = 27_000;

/** The host's own map wins over the pool's, key by key, as xapi joins them; `localhost` is what a host has before it is set. */
function licenseFindings(view: PoolView): Finding[] {
  const findings: Finding[] = [];
  const pools = map(view.pool, 'license_server');
  for (const { fields, name } of view.members) {
    const own = map(fields, 'license_server');
    const address = text(own, 'address') || text(pools, 'address');
    if (!address || address === 'localhost' || address.startsWith('127.') || address === '::1') continue;
    const host = hostIn(address);
    const where = `${text(own, 'address') ? 'host' : 'pool'}.license_server of ${name}`;
    if (host === undefined) findings.push(noHost(where, address));
    else {
      const used = port(text(own, 'port') ?? text(pools, 'port'));
      const ports = used !== undefined && used !== licensePort ? { [licensePort]: used } : undefined;
      findings.push({ kind: 'host', role: 'citrix-license-server', host, ports, from: where });
    }
  }
  if (findings.length > 0) return findings;
  const hint = 'host.license_server is not set (localhost): licenses come from elsewhere, or none is used';
  return [{ kind: 'absent', about: { role: 'citrix-license-server' }, hint }];
}

function timeFindings(view: PoolView, followed: readonly string[] | undefined): Finding[] {
  const findings: Finding[] = [];
  for (const { fields, name } of view.members) {
    if (text(fields, 'ntp_mode') !== 'Custom') continue;
    for (const server of list(fields, 'ntp_custom_servers')) {
      findings.push(hostFinding('ntp-server', server, `host.ntp_custom_servers of ${name}`));
    }
  }
  for (const server of followed ?? []) {
    findings.push(
      hostFinding('ntp-server', server, 'what the chrony of the coordinator follows (host.get_ntp_servers_status)'),
    );
  }
  if (findings.length > 0) return findings;
  const modes = view.byValue((fields) => text(fields, 'ntp_mode'));
  const told = [...modes].map(([mode, names]) => `${mode} on ${namesOf(names)}`).join(', ');
  const hint = told
    ? `host.ntp_mode is ${told}: the servers stand in /etc/chrony.conf of the hosts`
    : 'this pool does not tell its time servers: they stand in /etc/chrony.conf of the hosts';
  return [{ kind: 'absent', about: { role: 'ntp-server' }, hint }];
}

function nameServerFindings(view: PoolView): Finding[] {
  const findings = managementInterfaces(view).flatMap((fields) => {
    const from = `PIF.DNS of the management interface of ${view.nameOf(text(fields, 'host'))}`;
    const servers = (text(fields, 'DNS') ?? '').split(/[,\s]+/).filter(Boolean);
    return servers.map((server) => hostFinding('dns-server', server, from));
  });
  if (findings.length > 0) return findings;
  const hint = 'no management interface has a DNS server (PIF.DNS)';
  return [{ kind: 'absent', about: { role: 'dns-server' }, hint }];
}

function syslogFindings(view: PoolView): Finding[] {
  const findings = view.members.flatMap(({ fields, name }: Member): Finding[] => {
    const destination = text(map(fields, 'logging'), 'syslog_destination');
    if (!destination) return [];
    const from = `host.logging syslog_destination of ${name}`;
    const target = syslogTarget(destination);
    if (!target) return [noHost(from, destination)];
    const { host, isTcp, port: used } = target;
    return [
      {
        kind: 'host',
        role: 'syslog-server',
        host,
        port: used,
        from: isTcp ? from.replace('host.logging', 'host.logging (by TCP)') : from,
      },
    ];
  });
  if (findings.length > 0) return findings;
  return [{ kind: 'absent', about: { role: 'syslog-server' }, hint: 'no host logs to another machine (host.logging)' }];
}

/** HOST:PORT without a scheme. */
function balancingFindings({ pool }: PoolView): Finding[] {
  const role = 'wlb-appliance';
  if (!has(pool, 'wlb_url')) return [{ kind: 'absent', about: { role }, hint: 'this pool has no field wlb_url' }];
  const url = text(pool, 'wlb_url') ?? '';
  if (url === '') return [{ kind: 'not-used', role, from: 'pool.wlb_url is empty: no Workload Balancing' }];
  const endpoint = endpointIn(url.replace(/^https?:\/\//, '').replace(/\/.*$/, ''));
  if (!endpoint) return [noHost('pool.wlb_url', url)];
  const isOff = pool['wlb_enabled'] === false;
  const from = `pool.wlb_url${isOff ? ' (Workload Balancing is switched off)' : ''}`;
  return [{ kind: 'host', role, ...endpoint, from }];
}

function hostFinding(role: string, text_: string, from: string): Finding {
  const host = hostIn(text_);
  return host === undefined ? noHost(from, text_) : { kind: 'host', role, host, from };
}

/** What stands where a host should, and is none. */
export const noHost = (from: string, value: string): Finding => ({
  kind: 'remark',
  text: `left out: ${from} is ${JSON.stringify(value.slice(0, 80))}, which is no host that can be checked`,
});
