/**
 * Samba as the Active Directory domain controller dc1.ad.lab.test: DNS, LDAP, global catalog, Kerberos, kpasswd, CLDAP,
 * NetBIOS and SMB. Making a domain takes half a minute, so the tree is made once and every start works on a copy.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Certificate } from '../certificates.ts';
import { cache, startServer, type Place, type Server } from '../servers.ts';

const ports = [
  'tcp/53',
  'udp/53',
  'tcp/88',
  'udp/88',
  'tcp/464',
  'udp/464',
  'tcp/389',
  'udp/389',
  'tcp/636',
  'tcp/3268',
];

export function startSambaAd(place: Place, tls: Certificate): Promise<Server> {
  const domain = provision();
  return startServer(place, {
    name: 'samba-ad',
    listens: [...ports, 'udp/137', 'tcp/139', 'tcp/445'],
    hostname: 'dc1',
    limitMs: 60_000,
    files: { 'tls/cert.pem': tls.certificate, 'tls/key.pem': tls.key },
    script: `
cp -a ${domain}/. /run/xenreach/
chmod 600 tls/key.pem
exec samba --interactive --model=single --debug-stdout --no-process-group -s etc/smb.conf \\
  --option='interfaces=${place.address}/24' --option='bind interfaces only=yes' \\
  --option='tls certfile=/run/xenreach/tls/cert.pem' --option='tls keyfile=/run/xenreach/tls/key.pem' --option='tls cafile='`,
  });
}

/** The folder of a provisioned domain; its paths are those inside the sandbox. */
function provision(): string {
  const version = execFileSync('samba', ['--version'], { encoding: 'utf8' })
    .trim()
    .replaceAll(/[^\w.-]+/g, '-');
  const done = join(cache, 'samba-ad', version);
  if (existsSync(done)) return done;
  mkdirSync(join(cache, 'samba-ad'), { recursive: true });
  const making = mkdtempSync(join(cache, 'samba-ad/making-'));
  const script = `
mount -t tmpfs tmpfs /run
mkdir -p /run/xenreach/private
mount --bind ${making} /run/xenreach
hostname dc1
ip link set lo up
samba-tool domain provision --targetdir=/run/xenreach --realm=AD.LAB.TEST --domain=ADLAB --server-role=dc \\
  --dns-backend=SAMBA_INTERNAL --adminpass=Passw0rd.lab --host-name=dc1 --host-ip=10.91.1.2 \\
  --option='posix:eadb=/run/xenreach/eadb.tdb' \\
  --option='server services=s3fs, rpc, nbt, ldap, cldap, kdc, dns'`;
  try {
    execFileSync('unshare', ['--mount', '--net', '--uts', 'sh', '-ec', script], { timeout: 180_000, stdio: 'pipe' });
    if (!existsSync(done)) renameSync(making, done);
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
  return done;
}
