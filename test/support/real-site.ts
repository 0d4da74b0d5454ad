/** A whole site of real servers, each on a machine of its own, and what a site file says of it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { makeAuthority, type Authority } from './certificates.ts';
import { makeLab, setNames, type Lab } from './netns.ts';
import { probe } from './run-xenreach.ts';
import type { Server } from './servers.ts';
import { startBind9 } from './servers/bind9.ts';
import { startChrony } from './servers/chrony.ts';
import { startEcho } from './servers/echo.ts';
import { startNfs } from './servers/nfs.ts';
import { startNginx } from './servers/nginx.ts';
import { startOpenssh } from './servers/openssh.ts';
import { startSambaAd } from './servers/samba-ad.ts';
import { startSmbd } from './servers/smbd.ts';
import { startSquid } from './servers/squid.ts';
import { startTgt } from './servers/tgt.ts';
import { startTigervnc } from './servers/tigervnc.ts';
import { startXapi } from './servers/xapi.ts';
import { startXrdp } from './servers/xrdp.ts';

const vendor = [
  ...['repo', 'repo-src', 'telemetry', 'updates'].map((name) => `${name}.ops.xenserver.com`),
  ...['citrix.com', 'www.citrix.com', 'fileservice.citrix.com', 'support.citrix.com', 'pvupdates.vmd.citrix.com'],
  ...['storage.googleapis.com', 'downloadns.citrix.com.edgesuite.net'],
];

const names = [
  ...(['dc1', 'dns', 'ntp', 'lic', 'files', 'san', 'nas', 'log', 'member', 'wlb'] as const),
  ...(['linux', 'windows', 'xs2', 'pvs', 'target', 'origin', 'proxy', 'desk'] as const),
] as const;
type SiteHost = (typeof names)[number];

/** The programs behind it. */
export const realServers = [
  ...['samba', 'named', 'chronyd', 'smbd', 'tgtd', 'ganesha.nfsd', 'rpcbind', 'nginx'],
  ...['Xtigervnc', 'xrdp', 'sshd', 'squid'],
];

export interface RealSite extends AsyncDisposable {
  readonly lab: Lab<SiteHost>;
  readonly authority: Authority;
  /** For whatever a test writes; removed with the site. */
  readonly folder: string;
  /** What its site file says, without `vantage`. */
  readonly site: Readonly<Record<string, unknown>> & { readonly roles: Readonly<Record<string, unknown>> };
  /** The files that it names, beside the authority's certificate. */
  readonly files: Readonly<Record<string, string>>;
}

/**
 * Everything but what answers nobody (syslog, the cluster, Provisioning), which `others` starts as it likes. `asking` are the
 * machines that checks run on, beside the client.
 */
export async function startRealSite(
  others: (lab: Lab<SiteHost>) => readonly Promise<Server>[],
  asking: readonly SiteHost[] = [],
): Promise<RealSite> {
  const lab = makeLab(names);
  const at = lab.hosts;
  const folder = mkdtempSync(join(tmpdir(), 'xenreach-real-site-'));
  const authority = makeAuthority('lab.test authority');
  const own = Object.values(at).map(({ name, address }) => `${address} ${name}.lab.test\n`);
  for (const host of [lab.client, ...asking.map((name) => at[name])])
    setNames(host, { hosts: own.join(''), 'resolv.conf': `nameserver ${at.dc1.address}\n` });
  setNames(at.proxy, { hosts: `${at.origin.address} ${vendor.join(' ')}\n`, 'resolv.conf': 'nameserver 127.0.0.1\n' });
  const leaf = (...leafNames: readonly string[]) => authority.issue({ names: leafNames });
  const servers = await Promise.all([
    startSambaAd(at.dc1, authority.issue({ names: ['dc1.ad.lab.test'], algorithm: 'rsa' })),
    startChrony(at.dc1),
    startBind9(at.dns),
    startChrony(at.ntp),
    startEcho(at.lic, 27_000),
    startEcho(at.lic, 7279),
    startSmbd(at.files),
    startTgt(at.san),
    startNfs(at.nas),
    startNginx(at.wlb, leaf('wlb.lab.test'), { others: { 8012: leaf('wlb.lab.test') } }),
    startTigervnc(at.linux),
    startXrdp(at.windows, leaf('windows.lab.test')),
    startXapi(at.xs2),
    startOpenssh(at.xs2),
    startNginx(at.origin, leaf(...vendor)),
    startSquid(at.proxy),
    ...others(lab),
  ]);
  // A controller answers before it has its NetBIOS names.
  await vi.waitFor(
    async () => {
      const check = await probe('netbios-name', at.dc1.address, ['--timeout', '1s'], lab.client);
      if (check.evidence['domain'] !== 'ADLAB') throw new Error(check.detail ?? '');
    },
    { timeout: 30_000, interval: 300 },
  );
  return {
    lab,
    authority,
    folder,
    site: siteOf(lab),
    files: { 'proxy.password': 'secret\n' },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(servers.map((server) => server.stop()));
      lab[Symbol.dispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const siteOf = ({ client, hosts: at }: Lab<SiteHost>): RealSite['site'] => ({
  roles: {
    'xenserver-host': [client.address, at.xs2.address],
    'citrix-license-server': 'lic.lab.test',
    'ntp-server': at.ntp.address,
    'dns-server': at.dns.address,
    'domain-controller': { domain: 'ad.lab.test' },
    'smb-file-server': 'files.lab.test',
    'san-controller': at.san.address,
    'nfsv4-server': 'nas.lab.test',
    'nfsv3-server': 'nas.lab.test',
    'syslog-server': at.log.address,
    'cluster-member': [client.address, at.member.address],
    'wlb-appliance': 'wlb.lab.test',
    vm: [
      { host: at.linux.address, console: 'vnc' },
      { host: at.windows.address, console: 'rdp' },
    ],
    'pvs-server': at.pvs.address,
    'pvs-target-device': at.target.address,
  },
  dns: { query: 'www.lab.test' },
  proxy: { url: `http://${at.proxy.address}:3128`, username: 'user', passwordFile: './proxy.password' },
});
