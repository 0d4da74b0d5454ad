/** File servers, however a storage repository, a mount table or a setting spells them. */
import type { Finding } from './finding.ts';
import { hostIn, port } from './records.ts';

/** "3", "3.0", "4", "4.1" -> the role of that protocol. */
export function nfsFinding(
  server: string | undefined,
  version: string | undefined,
  options: string,
  from: string,
): Finding | undefined {
  const host = hostIn(server);
  if (host === undefined) return undefined;
  const isFour = (version ?? '').startsWith('4');
  const used = port(/(?:^|,)port=(\d+)/.exec(options)?.[1]);
  const ports = used !== undefined && used !== 2049 ? { 2049: used } : undefined;
  return { kind: 'host', role: isFour ? 'nfsv4-server' : 'nfsv3-server', host, ports, from };
}

export function smbFinding(share: string | undefined, from: string): Finding | undefined {
  const [, server] = /^(?:smb:|cifs:)?[\\/]{2,4}([^\\/]+)/i.exec(share ?? '') ?? [];
  const host = hostIn(server?.replace(/^.*@/, ''));
  return host === undefined ? undefined : { kind: 'host', role: 'smb-file-server', host, from };
}

/** SERVER:/PATH, [IPv6]:/PATH */
export const nfsServerOf = (location: string | undefined): string | undefined =>
  /^(\[[^\]]+\]|[^:]+):\//.exec(location ?? '')?.[1];

/** What the versions of SMB say of port 139: from 2 on nobody uses it. */
export function smbFact(versions: readonly (string | undefined)[], what: string): Finding[] {
  if (versions.length === 0) return [];
  const isModern = versions.every((version) => version !== undefined && /^[23]/.test(version));
  if (!isModern)
    return [
      { kind: 'absent', about: { fact: 'smb-netbios' }, hint: `not known: not every ${what} says which SMB it speaks` },
    ];
  return [
    {
      kind: 'fact',
      fact: 'smb-netbios',
      value: false,
      from: `every ${what} is mounted with SMB 2 or 3, which uses port 445 alone`,
    },
  ];
}
