/** Storage as a pool has it: an iSCSI target, a filer with NFS 3 and 4, a file server; then a firewall that knows port 2049 only. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkSite, verdictsOf } from '../../support/check-site.ts';
import { filterAt, makeLab, setFirewall, whyNotLive, type Lab } from '../../support/netns.ts';
import type { Server } from '../../support/servers.ts';
import { startNfs } from '../../support/servers/nfs.ts';
import { startSmbd } from '../../support/servers/smbd.ts';
import { startTgt, tgtTarget } from '../../support/servers/tgt.ts';

const mountd = 20_048;

describe.skipIf(whyNotLive('tgtd', 'ganesha.nfsd', 'rpcbind', 'rpc.statd', 'smbd') !== null)('storage', () => {
  let lab: Lab<'san' | 'nas' | 'files'>;
  let site: object;
  const servers: Server[] = [];

  beforeAll(async () => {
    lab = makeLab(['san', 'nas', 'files']);
    const { san, nas, files } = lab.hosts;
    site = {
      roles: {
        'san-controller': san.address,
        'nfsv3-server': nas.address,
        'nfsv4-server': nas.address,
        'smb-file-server': files.address,
      },
    };
    servers.push(...(await Promise.all([startTgt(san), startNfs(nas), startSmbd(files)])));
  }, 60_000);

  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()));
    lab?.[Symbol.dispose]();
  });

  const storage = ['san-controller', 'nfsv3-server', 'nfsv4-server', 'smb-file-server'].flatMap((role) => [
    '--role',
    role,
  ]);

  test('every row is proven in its own protocol', async () => {
    const { report, row, checks, ran } = await checkSite(lab.client, site, { args: storage });
    expect(verdictsOf(report)).toEqual({
      iscsi: 'pass',
      nfsv3: 'pass',
      'nfsv3-rpcbind': 'pass',
      'nfsv3-dynamic': 'pass',
      nfsv4: 'pass',
      'smb-direct': 'pass',
      'smb-netbios-session': 'pass',
    });
    expect(ran.exitCode).toBe(0);
    expect(checks('iscsi')[0]?.evidence).toMatchObject({ targets: [tgtTarget] });
    expect(checks('nfsv4')[0]?.evidence).toMatchObject({ version: 4 });
    expect(checks('nfsv3')[0]?.evidence).toMatchObject({ version: 3 });
    expect(checks('smb-direct').find(({ probe }) => probe === 'smb')?.evidence).toMatchObject({ dialect: '3.1.1' });
    for (const check of checks('nfsv3-dynamic')) {
      expect(check).toMatchObject({
        outcome: 'answered',
        evidence: { ports: { mountd: [mountd], nlockmgr: [32_803], status: expect.any(Array) as unknown } },
      });
    }
    // The page's UDP for SMB is told, and harms nobody.
    expect(row('smb-direct').notes.join()).toMatch(
      /UDP 445 is advisory and may be ignored \(nothing listens there \(refused\)\): .*SMB on port 445 is TCP only/,
    );
  });

  test.for([
    ['dropped', 'drop', 'timeout', 'firewall'],
    ['rejected', 'reject with icmp admin-prohibited', 'unreachable', 'firewall'],
    ['closed', 'meta l4proto tcp reject with tcp reset', 'refused', 'service'],
  ] as const)('a mountd that is %s is named, with its port', async ([, verdict, outcome, layer]) => {
    setFirewall(lab.router, filterAt('forward', `tcp dport ${mountd} ${verdict}`));
    const { report, row, checks, ran } = await checkSite(lab.client, site, { args: storage });
    setFirewall(lab.router, '');
    const dynamic = row('nfsv3-dynamic');
    expect(dynamic).toMatchObject({ verdict: 'fail' });
    expect(checks('nfsv3-dynamic').find(({ transport }) => transport === 'tcp')).toMatchObject({ outcome });
    expect(dynamic.because).toContain(`mountd on TCP port ${mountd}`);
    expect(dynamic.because).toContain(`${layer}: `);
    expect(dynamic.remedy).toMatch(outcome === 'refused' ? 'mountd' : `TCP ${mountd}`);
    expect(dynamic.remedy).not.toContain('111');
    expect(verdictsOf(report)).toMatchObject({ nfsv3: 'pass', 'nfsv3-rpcbind': 'pass', nfsv4: 'pass', iscsi: 'pass' });
    expect(ran.exitCode).toBe(1);
  });

  test('a filer whose port 111 is shut keeps its NFSv4 row', async () => {
    setFirewall(lab.router, filterAt('forward', 'meta l4proto { tcp, udp } th dport 111 drop'));
    const { report, row } = await checkSite(lab.client, site, { args: [...storage, '--timeout', '4s'] });
    setFirewall(lab.router, '');
    expect(verdictsOf(report)).toMatchObject({
      nfsv3: 'pass',
      nfsv4: 'pass',
      'nfsv3-rpcbind': 'fail',
      'nfsv3-dynamic': 'fail',
    });
    expect(row('nfsv3-dynamic').because).toContain('rpcbind on TCP');
    expect(row('nfsv3-dynamic').remedy).toContain('TCP 111');
  });
});
