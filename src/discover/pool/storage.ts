/** Storage of the pool that lies elsewhere: NFS, iSCSI and SMB, by the settings with which each host plugs it. */
import { nfsFinding, nfsServerOf, smbFact, smbFinding } from '../file-servers.ts';
import type { Finding } from '../finding.ts';
import { flag, hostIn, map, port, text, type Fields } from '../records.ts';
import { noHost } from './services.ts';
import type { PoolView } from './view.ts';

/** One host's way to one storage repository. */
interface Attachment {
  readonly type: string;
  readonly config: Fields;
  readonly from: string;
}

const remote = new Set(['nfs', 'lvmoiscsi', 'gfs2', 'iso', 'smb', 'cifs', 'lvmofcoe']);

export function storageFindings(view: PoolView): Finding[] {
  if (!view.knows('PBD') || !view.knows('SR')) return absences([]);
  const attachments = attachmentsOf(view);
  const found = attachments.flatMap((each) => findingsOf(each));
  const smb = attachments.filter(({ type, config }) => smbShareOf(type, config) !== undefined);
  const findings = [...found, ...smbFact(smb.map(smbVersionOf), 'SMB repository')];
  return [...findings, ...absences(findings)];
}

/** Every host has one for a shared repository, most of them alike: each kind of setting is told once. */
function attachmentsOf(view: PoolView): readonly Attachment[] {
  const known = new Map<string, Attachment>();
  for (const plug of view.of('PBD').values()) {
    const repository = view.get('SR', text(plug, 'SR'));
    const type = text(repository ?? {}, 'type');
    if (!repository || type === undefined || !remote.has(type)) continue;
    const config = map(plug, 'device_config');
    const isDetached = flag(plug, 'currently_attached') === false;
    const name = text(repository, 'name_label') || 'a repository without a name';
    const key = JSON.stringify([text(plug, 'SR'), config]);
    const detached = isDetached ? `, not attached on ${view.nameOf(text(plug, 'host'))}` : '';
    const seen = known.get(key);
    if (!seen) known.set(key, { type, config, from: `SR "${name}" (${type})${detached}` });
    else if (isDetached) known.set(key, { ...seen, from: `${seen.from}${detached}`.slice(0, 240) });
  }
  return [...known.values()];
}

function findingsOf({ type, config, from }: Attachment): Finding[] {
  if (type === 'nfs') {
    const version = text(config, 'nfsversion');
    const found = nfsFinding(
      text(config, 'server'),
      version,
      text(config, 'options') ?? '',
      `${from}, version ${version ?? '3 (default)'}`,
    );
    return [found ?? noHost(`the server of ${from}`, text(config, 'server') ?? '')];
  }
  const share = smbShareOf(type, config);
  if (share !== undefined) return [smbFinding(share, from) ?? noHost(`the share of ${from}`, share)];
  if (type === 'iso') return isoFindings(config, from);
  return portals(type, config, from);
}

function smbShareOf(type: string, config: Fields): string | undefined {
  if (type === 'smb' || type === 'cifs') return text(config, 'server') ?? '';
  if (type !== 'iso' || isLocalFolder(config)) return undefined;
  const location = text(config, 'location') ?? '';
  const kind = text(config, 'type') || (location.includes(':/') ? 'nfs_iso' : 'cifs');
  return kind === 'cifs' || kind === 'smb' ? location : undefined;
}

const isLocalFolder = (config: Fields): boolean =>
  flag(config, 'legacy_mode') === true || /^\/(?!\/)/.test(text(config, 'location') ?? '');

/** The storage manager takes 3.0 where nothing is said. */
const smbVersionOf = ({ config }: Attachment): string => text(config, 'vers') || '3.0';

function isoFindings(config: Fields, from: string): Finding[] {
  const location = text(config, 'location') ?? '';
  if (isLocalFolder(config)) return [];
  const found = nfsFinding(nfsServerOf(location), text(config, 'nfsversion'), text(config, 'options') ?? '', from);
  return found ? [found] : [noHost(`the location of ${from}`, location)];
}

/** `target` may be a list; `multihomelist` is IP:PORT,…; `multiSession` is IP,PORT,IQN|… */
function portals(type: string, config: Fields, from: string): Finding[] {
  if (type === 'gfs2' && text(config, 'provider') === 'hba') return [];
  const usual = port(text(config, 'port'));
  const targets = (text(config, 'target') ?? '').split(',').map((host) => [host, usual] as const);
  const homes = (text(config, 'multihomelist') ?? '').split(',').map((each) => {
    const [, host = '', digits] = /^(.*):(\d+)$/.exec(each.trim()) ?? [];
    return [host, port(digits)] as const;
  });
  const sessions = (text(config, 'multiSession') ?? '').split('|').map((each) => {
    const [host = '', digits] = each.split(',');
    return [host, port(digits)] as const;
  });
  return [...targets, ...homes, ...sessions].flatMap(([name, used]): Finding[] => {
    const trimmed = name.trim();
    if (trimmed === '') return [];
    const host = hostIn(trimmed);
    if (host === undefined) return [noHost(`a portal of ${from}`, trimmed)];
    return [{ kind: 'host', role: 'san-controller', host, port: used === 3260 ? undefined : used, from }];
  });
}

/** NFSv4 alone leaves the rows of version 3 without a purpose: that much is known. */
function absences(findings: readonly Finding[]): Finding[] {
  const hasRole = (role: string): boolean => findings.some((each) => each.kind === 'host' && each.role === role);
  const isFourOnly = hasRole('nfsv4-server') && !hasRole('nfsv3-server');
  const roles = ['nfsv4-server', 'nfsv3-server', 'san-controller', 'smb-file-server'].filter((role) => !hasRole(role));
  return roles.map((role): Finding => {
    if (role === 'nfsv3-server' && isFourOnly) {
      return { kind: 'not-used', role, from: 'all NFS storage of the pool is version 4: no rpcbind, no mountd' };
    }
    return { kind: 'absent', about: { role }, hint: `no storage of this kind is plugged (PBD.device_config)` };
  });
}
