/**
 * From a pool's records to findings: pure, by the presence of fields and never by version. A class or field that an older
 * pool lacks says nothing, and that nothing is told.
 */
import type { Finding } from '../finding.ts';
import { flag, has, map, text, type PoolRecords } from '../records.ts';
import { accessFindings } from './access.ts';
import { alertFindings } from './alerts.ts';
import { certificateFindings } from './certificates.ts';
import { directoryFindings } from './directory.ts';
import { serviceFindings } from './services.ts';
import { storageFindings } from './storage.ts';
import { updateFindings } from './updates.ts';
import { PoolView, type Self } from './view.ts';
import { clusterFindings, provisioningFindings, vmFindings } from './workloads.ts';

export interface PoolInput {
  readonly records: PoolRecords;
  readonly self: Self;
  /** Time servers that chrony on the coordinator follows, where the API tells. */
  readonly timeServers: readonly string[] | undefined;
  readonly wantsVms: boolean;
  /** Asked over the host's own socket: this machine is one of the pool. */
  readonly isLocal: boolean;
  readonly nowMs: number;
}

export function poolFindings({ records, self, timeServers, wantsVms, isLocal, nowMs }: PoolInput): readonly Finding[] {
  const view = new PoolView(records, self);
  return [
    ...identity(view, isLocal),
    ...members(view),
    ...accessFindings(view),
    ...serviceFindings(view, timeServers),
    ...directoryFindings(view),
    ...storageFindings(view),
    ...clusterFindings(view),
    ...updateFindings(view),
    ...provisioningFindings(view),
    ...(wantsVms ? vmFindings(view) : []),
    ...certificateFindings(view),
    ...alertFindings(view, nowMs),
  ];
}

function identity(view: PoolView, isLocal: boolean): Finding[] {
  const { pool, members: hosts } = view;
  const findings: Finding[] = [];
  const named = text(pool, 'name_label');
  const self = hosts.find(({ isSelf }) => isSelf);
  const name = named || hosts.find(({ isCoordinator }) => isCoordinator)?.name;
  if (name) findings.push({ kind: 'name', name, from: named ? 'pool.name_label' : "the coordinator's name" });
  if (isLocal || self) {
    const from = self ? `this machine is the pool's host ${self.name}` : "the pool's own socket is on this machine";
    findings.push({ kind: 'vantage', role: 'xenserver-host', from });
  }
  return [...findings, ...productOf(view), ...remarks(view)];
}

/** Of the coordinator: an upgrade begins there. */
function productOf({ members: hosts }: PoolView): Finding[] {
  const coordinator = hosts.find(({ isCoordinator }) => isCoordinator) ?? hosts[0];
  if (!coordinator) return [];
  const software = map(coordinator.fields, 'software_version');
  const brand = text(software, 'product_brand');
  const version = text(software, 'product_version');
  const from = `host.software_version of ${coordinator.name}`;
  return brand && version ? [{ kind: 'product', brand, version, from }] : [];
}

function remarks(view: PoolView): Finding[] {
  const { pool, members: hosts } = view;
  const told: string[] = [];
  const products = view.byValue((fields) => {
    const software = map(fields, 'software_version');
    const brand = text(software, 'product_brand');
    const version = text(software, 'product_version_text') || text(software, 'product_version');
    return brand === undefined
      ? undefined
      : [brand, version, withXapi(text(software, 'xapi'))].filter(Boolean).join(' ');
  });
  for (const [product, names] of products) told.push(`${names.length} x ${product}`);
  if (hosts.length > 0 && view.pool['master'] !== undefined && !hosts.some(({ isCoordinator }) => isCoordinator)) {
    told.push('the pool names a coordinator that is none of its hosts');
  }
  const isHighlyAvailable = flag(pool, 'ha_enabled');
  if (isHighlyAvailable !== undefined) {
    const stack = text(pool, 'ha_cluster_stack');
    told.push(isHighlyAvailable ? `high availability is on${stack ? ` (${stack})` : ''}` : 'high availability is off');
  }
  const telemetry = text(pool, 'telemetry_frequency');
  if (telemetry) told.push(`telemetry is sent ${telemetry}`);
  if (has(pool, 'tls_verification_enabled')) {
    told.push(`the pool's TLS verification is ${flag(pool, 'tls_verification_enabled') === true ? 'on' : 'off'}`);
  }
  return told.map((each) => ({ kind: 'remark', text: `pool: ${each}` }));
}

const withXapi = (version: string | undefined): string => (version ? `(xapi ${version})` : '');

function members(view: PoolView): Finding[] {
  const findings = view.members.flatMap(({ address, name, isCoordinator, isSelf, fields }): Finding[] => {
    if (address === undefined)
      return [{ kind: 'remark', text: `pool: host ${name} has no address that can be checked` }];
    const isDead = flag(view.get('host_metrics', text(fields, 'metrics')) ?? {}, 'live') === false;
    const marks = [isCoordinator && 'coordinator', isSelf && 'this machine', isDead && 'down when asked'].filter(
      Boolean,
    );
    const from = `host.address of ${name}${marks.length > 0 ? ` (${marks.join(', ')})` : ''}`;
    return [{ kind: 'host', role: 'xenserver-host', host: address, from }];
  });
  if (findings.some(({ kind }) => kind === 'host')) return findings;
  const hint = 'the pool named no host: list its members';
  return [...findings, { kind: 'absent', about: { role: 'xenserver-host' }, hint }];
}
