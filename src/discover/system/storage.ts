/** Storage that this machine mounts or logs in to: fstab, what is mounted now, iSCSI nodes. */
import { nfsFinding, nfsServerOf, smbFact, smbFinding } from '../file-servers.ts';
import type { Finding } from '../finding.ts';
import { hostIn, port } from '../records.ts';
import { linesOf, type SystemFiles } from './files.ts';

interface Mount {
  readonly device: string;
  readonly type: string;
  readonly options: string;
  readonly file: string;
}

export function storage(files: SystemFiles): Finding[] {
  const mounts = ['etc/fstab', 'proc/self/mounts', 'proc/mounts', 'etc/mtab'].flatMap((file) => mountsIn(files, file));
  const smb = mounts.filter(({ type }) => type === 'cifs' || type === 'smb3');
  const versions = smb.map(({ type, options }) => (type === 'smb3' ? '3' : option(options, 'vers')));
  return [...mounts.flatMap(mountFinding), ...smbFact(versions, 'SMB share of this machine'), ...portals(files)];
}

function mountsIn(files: SystemFiles, file: string): Mount[] {
  return linesOf(files.text(file), /^\s*#.*/).flatMap((line): Mount[] => {
    const [device = '', , type = '', options = ''] = line.split(/\s+/);
    return /^(?:nfs4?|cifs|smb3)$/.test(type) ? [{ device, type, options, file }] : [];
  });
}

const option = (options: string, name: string): string | undefined =>
  new RegExp(String.raw`(?:^|,)${name}=([^,]+)`).exec(options)?.[1];

function mountFinding({ device, type, options, file }: Mount): Finding[] {
  const from = `${type} mount of /${file}`;
  if (type === 'cifs' || type === 'smb3') return [smbFinding(device, from) ?? []].flat();
  const version = type === 'nfs4' ? '4' : (option(options, 'vers') ?? option(options, 'nfsvers'));
  return [nfsFinding(nfsServerOf(device), version, options, from) ?? []].flat();
}

/** nodes/IQN/ADDRESS,PORT,GROUP */
function portals(files: SystemFiles): Finding[] {
  return ['var/lib/iscsi/nodes', 'etc/iscsi/nodes'].flatMap((folder) =>
    files.names(folder).flatMap((iqn) =>
      files.names(`${folder}/${iqn}`).flatMap((portal): Finding[] => {
        const [address, digits] = portal.split(',');
        const host = hostIn(address);
        const used = port(digits);
        if (host === undefined || used === undefined) return [];
        const moved = used === 3260 ? undefined : used;
        return [{ kind: 'host', role: 'san-controller', host, port: moved, from: `iSCSI node of /${folder}` }];
      }),
    ),
  );
}
