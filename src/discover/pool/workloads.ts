/** What runs on the pool: the cluster, Citrix Provisioning, and virtual machines with their consoles. */
import type { Finding } from '../finding.ts';
import { flag, hostIn, list, map, text, type Fields } from '../records.ts';
import type { PoolView } from './view.ts';

/** By the addresses on the cluster's own network, which the hosts' own are not. */
export function clusterFindings(view: PoolView): Finding[] {
  const role = 'cluster-member';
  if (!view.knows('Cluster')) {
    return [{ kind: 'absent', about: { role }, hint: 'not known: this pool has no class Cluster' }];
  }
  if (view.of('Cluster').size === 0)
    return [{ kind: 'not-used', role, from: 'the pool has no Cluster: clustering is off' }];
  const hosts = [...view.of('Cluster_host').values()];
  const findings = hosts.flatMap((each): Finding[] => {
    const name = view.nameOf(text(each, 'host'));
    const network = view.get('PIF', text(each, 'PIF'));
    const host =
      hostIn(text(network ?? {}, 'IP')) ??
      list(network ?? {}, 'IPv6').flatMap((entry) => hostIn(entry.replace(/\/\d+$/, '')) ?? [])[0];
    if (host === undefined) return [{ kind: 'remark', text: `pool: the cluster interface of ${name} has no address` }];
    const state = flag(each, 'enabled') === false ? ', disabled' : flag(each, 'live') === false ? ', not live' : '';
    return [{ kind: 'host', role, host, from: `PIF.IP of the Cluster_host of ${name}${state}` }];
  });
  const selves = new Set(view.members.filter(({ isSelf }) => isSelf).map(({ reference }) => reference));
  const isMember = hosts.some((each) => selves.has(text(each, 'host') ?? '') && flag(each, 'enabled') !== false);
  const live: Finding = isMember
    ? {
        kind: 'fact',
        fact: 'cluster-live',
        value: true,
        from: 'this machine is a member of the running cluster: TCP 21064 is left alone',
      }
    : {
        kind: 'absent',
        about: { fact: 'cluster-live' },
        hint: 'a cluster runs; say true wherever this runs on one of its members or behind its address',
      };
  return [...findings, live];
}

/** Known only where PVS-Accelerator is set up, so that there is none means little. */
export function provisioningFindings(view: PoolView): Finding[] {
  const findings = [...view.of('PVS_server').values()].flatMap((fields) => {
    const site = view.get('PVS_site', text(fields, 'site'));
    const from = `PVS_server.addresses of site ${text(site ?? {}, 'name_label') || 'without a name'}`;
    return list(fields, 'addresses').flatMap((address): Finding[] => {
      const host = hostIn(address);
      return host === undefined ? [] : [{ kind: 'host', role: 'pvs-server', host, from }];
    });
  });
  if (findings.length > 0) return findings;
  const hint = 'the pool knows its servers only where PVS-Accelerator is set up';
  return [{ kind: 'absent', about: { role: 'pvs-server' }, hint }];
}

const maxVms = 500;

/** Running, with an address that its agent told. Windows is looked at by RDP, what else by VNC. */
export function vmFindings(view: PoolView): Finding[] {
  const running = [...view.of('VM').values()].filter(
    (vm) =>
      text(vm, 'power_state') === 'Running' &&
      flag(vm, 'is_a_template') !== true &&
      flag(vm, 'is_control_domain') !== true,
  );
  const found = running.flatMap((vm) => consoleOf(vm, view.get('VM_guest_metrics', text(vm, 'guest_metrics'))) ?? []);
  const told: Finding = {
    kind: 'remark',
    text: `pool: ${running.length} VMs are running, ${found.length} with an address${found.length > maxVms ? `, of which ${maxVms} are listed` : ''}`,
  };
  return [...found.slice(0, maxVms), told];
}

function consoleOf(vm: Fields, metrics: Fields | undefined): Finding | undefined {
  const networks = map(metrics ?? {}, 'networks');
  const keys = Object.keys(networks)
    .filter((key) => /^\d+\/(?:ip|ipv4\/\d+)$/.test(key))
    .toSorted();
  const host = keys.map((key) => hostIn(text(networks, key))).find((each) => each !== undefined);
  if (host === undefined) return undefined;
  const system = map(metrics ?? {}, 'os_version');
  const distribution = `${text(system, 'distro') ?? ''} ${text(system, 'name') ?? ''}`.toLowerCase();
  const console = distribution.trim() === '' ? undefined : /windows|microsoft/.test(distribution) ? 'rdp' : 'vnc';
  return { kind: 'host', role: 'vm', host, console, from: `VM "${text(vm, 'name_label') ?? ''}"` };
}
