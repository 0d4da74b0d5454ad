/** Alerts that the pool keeps and that say what a failed row says: quoted under it, never a verdict of their own. */
import type { Finding } from '../finding.ts';
import { text, type Fields } from '../records.ts';
import type { PoolView } from './view.ts';

const storage = ['iscsi', 'nfsv4', 'nfsv3', 'nfsv3-rpcbind', 'nfsv3-dynamic', 'smb-direct'];
const licenses = ['license-initial', 'license-checkout'];
const directory = ['dc-ldap', 'dc-ldaps', 'ad-dns', 'ad-kerberos', 'ad-ldap', 'ad-ldaps', 'ad-smb'];
const clustering = ['clustering-tcp', 'clustering-udp'];

/** The names of xapi's messages -> the rows that they speak of. */
const rowsOf: Readonly<Record<string, readonly string[]>> = {
  LICENSE_SERVER_UNAVAILABLE: licenses,
  LICENSE_SERVER_UNREACHABLE: licenses,
  LICENSE_SERVER_VERSION_OBSOLETE: licenses,
  GRACE_LICENSE: licenses,
  HOST_CLOCK_SKEW_DETECTED: ['ntp', 'ad-ntp', 'ad-kerberos'],
  PBD_PLUG_FAILED_ON_SERVER_START: storage,
  HA_STATEFILE_LOST: storage,
  WLB_CONSULTATION_FAILED: ['wlb-api'],
  EXTAUTH_INIT_IN_HOST_FAILED: directory,
  EXTAUTH_IN_POOL_IS_NON_HOMOGENEOUS: directory,
  PERIODIC_UPDATE_SYNC_FAILED: ['updates-repo'],
  CLUSTER_HOST_ENABLE_FAILED: clustering,
  CLUSTER_HOST_FENCING: clustering,
  CLUSTER_HOST_LEAVING: clustering,
};

/** What is older has been dealt with, or forgotten. */
const maxAgeMs = 30 * 86_400_000;
const maxBody = 160;

/** The latest of each name. */
export function alertFindings(view: PoolView, nowMs: number): Finding[] {
  const latest = new Map<string, { readonly atMs: number; readonly message: Fields }>();
  for (const message of view.of('message').values()) {
    const name = text(message, 'name') ?? '';
    const atMs = timeOf(text(message, 'timestamp') ?? '');
    if (!Object.hasOwn(rowsOf, name) || !(nowMs - atMs < maxAgeMs)) continue;
    if (atMs > (latest.get(name)?.atMs ?? 0)) latest.set(name, { atMs, message });
  }
  return [...latest].map(([name, { atMs, message }]): Finding => {
    const body = (text(message, 'body') ?? '')
      .replaceAll(/<[^>]*>/g, ' ')
      .replaceAll(/\s+/g, ' ')
      .trim();
    const said = body === '' ? '' : `: ${body.slice(0, maxBody)}`;
    return {
      kind: 'alert',
      rows: rowsOf[name] ?? [],
      text: `the pool has an alert ${name} of ${new Date(atMs).toISOString()}${said}`,
    };
  });
}

/** 20240420T12:00:00Z, 20240420T12:00:00, 2024-04-20T12:00:00Z. NaN for anything else. */
function timeOf(stamp: string): number {
  const [, year, month, day, time] = /^(\d{4})-?(\d\d)-?(\d\d)T(\d\d:\d\d:\d\d)/.exec(stamp) ?? [];
  return year === undefined ? Number.NaN : Date.parse(`${year}-${month}-${day}T${time}Z`);
}
