/** One whole site of real servers, from every source role at once: what a healthy site's report says, row by row. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { makeAuthority, type Authority } from '../../support/certificates.ts';
import { xenserver8 } from '../../support/sites.ts';
import { checkSite } from '../../support/check-site.ts';
import { makeLab, setNames, whyNotLive, type Lab } from '../../support/netns.ts';
import { probe } from '../../support/run-xenreach.ts';
import type { Server } from '../../support/servers.ts';
import { startBind9 } from '../../support/servers/bind9.ts';
import { startChrony } from '../../support/servers/chrony.ts';
import { startCorosync } from '../../support/servers/corosync.ts';
import { startEcho } from '../../support/servers/echo.ts';
import { startMute } from '../../support/servers/mute.ts';
import { startNfs } from '../../support/servers/nfs.ts';
import { startNginx } from '../../support/servers/nginx.ts';
import { startOpenssh } from '../../support/servers/openssh.ts';
import { startRsyslog } from '../../support/servers/rsyslog.ts';
import { startSambaAd } from '../../support/servers/samba-ad.ts';
import { startSmbd } from '../../support/servers/smbd.ts';
import { startSquid } from '../../support/servers/squid.ts';
import { startTgt } from '../../support/servers/tgt.ts';
import { startTigervnc } from '../../support/servers/tigervnc.ts';
import { startXapi } from '../../support/servers/xapi.ts';
import { startXrdp } from '../../support/servers/xrdp.ts';

const vendor = [
  ...['repo', 'repo-src', 'telemetry', 'updates'].map((name) => `${name}.ops.xenserver.com`),
  ...['citrix.com', 'www.citrix.com', 'fileservice.citrix.com', 'support.citrix.com', 'pvupdates.vmd.citrix.com'],
  ...['storage.googleapis.com', 'downloadns.citrix.com.edgesuite.net'],
];

/** What no vantage can prove from here; all other rows pass. */
const vendorRows = xenserver8.rows.filter(({ hosts }) => hosts).map(({ id }) => [id, 'warn'] as const);

const otherVerdicts: Readonly<Record<string, string>> = {
  ...Object.fromEntries(vendorRows), // the lab's authority plays the vendor's
  syslog: 'unverified', // one-way
  'clustering-udp': 'unverified', // mute to strangers
  'pvs-outbound': 'unverified', // the protocol is not published
  'pvs-logon': 'unverified',
  'pvs-target-port': 'unverified',
  'pvs-server-ports': 'unverified',
  'management-port-80-closed': 'skipped', // the site does not say https-only
};

const names = [
  'dc1',
  'dns',
  'ntp',
  'lic',
  'files',
  'san',
  'nas',
  'log',
  'member',
  'wlb',
  'linux',
  'windows',
  'xs2',
  'pvs',
  'target',
  'origin',
  'proxy',
] as const;

const needed = [
  ...['samba', 'named', 'chronyd', 'smbd', 'tgtd', 'ganesha.nfsd', 'rpcbind', 'rsyslogd', 'corosync', 'nginx'],
  ...['Xtigervnc', 'xrdp', 'sshd', 'squid'],
];

describe.skipIf(whyNotLive(...needed) !== null)('a site of real servers', () => {
  let lab: Lab<(typeof names)[number]>;
  let authority: Authority;
  let folder: string;
  const servers: Server[] = [];

  beforeAll(async () => {
    lab = makeLab(names);
    folder = mkdtempSync(join(tmpdir(), 'xenreach-real-site-'));
    authority = makeAuthority('lab.test authority');
    const at = lab.hosts;
    const own = Object.values(at).map(({ name, address }) => `${address} ${name}.lab.test\n`);
    setNames(lab.client, { hosts: own.join(''), 'resolv.conf': `nameserver ${at.dc1.address}\n` });
    setNames(at.proxy, {
      hosts: `${at.origin.address} ${vendor.join(' ')}\n`,
      'resolv.conf': 'nameserver 127.0.0.1\n',
    });
    const leaf = (...leafNames: readonly string[]) => authority.issue({ names: leafNames });
    servers.push(
      ...(await Promise.all([
        startSambaAd(at.dc1, authority.issue({ names: ['dc1.ad.lab.test'], algorithm: 'rsa' })),
        startChrony(at.dc1),
        startBind9(at.dns),
        startChrony(at.ntp),
        startMute(
          at.pvs,
          Array.from({ length: 21 }, (_, i) => 6910 + i),
        ),
        startMute(at.target, [6901, 6902, 6905]),
        startEcho(at.lic, 27_000),
        startEcho(at.lic, 7279),
        startSmbd(at.files),
        startTgt(at.san),
        startNfs(at.nas),
        startRsyslog(at.log),
        startCorosync(at.member),
        startNginx(at.wlb, leaf('wlb.lab.test'), { others: { 8012: leaf('wlb.lab.test') } }),
        startTigervnc(at.linux),
        startXrdp(at.windows, leaf('windows.lab.test')),
        startXapi(at.xs2),
        startOpenssh(at.xs2),
        startNginx(at.origin, leaf(...vendor)),
        startSquid(at.proxy),
      ])),
    );
    // A controller answers before it has its NetBIOS names.
    await vi.waitFor(
      async () => {
        const check = await probe('netbios-name', at.dc1.address, ['--timeout', '1s'], lab.client);
        if (check.evidence['domain'] !== 'ADLAB') throw new Error(check.detail ?? '');
      },
      { timeout: 30_000, interval: 300 },
    );
  }, 120_000);

  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()));
    lab?.[Symbol.dispose]();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  test('every row that can be proven passes, from every source role', { timeout: 120_000 }, async () => {
    const at = lab.hosts;
    const site = {
      vantage: [
        ...['xenserver-host', 'xencenter', 'windows-vm', 'wlb-appliance', 'management-client'],
        ...['pvs-server', 'pvs-target-device'],
      ],
      roles: {
        'xenserver-host': [lab.client.address, at.xs2.address],
        'citrix-license-server': 'lic.lab.test',
        'ntp-server': at.ntp.address,
        'dns-server': at.dns.address,
        'domain-controller': { domain: 'ad.lab.test' },
        'smb-file-server': 'files.lab.test',
        'san-controller': at.san.address,
        'nfsv4-server': 'nas.lab.test',
        'nfsv3-server': 'nas.lab.test',
        'syslog-server': at.log.address,
        'cluster-member': [lab.client.address, at.member.address],
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
      trust: ['ca.pem'],
    };
    const { report, row, ran } = await checkSite(lab.client, site, {
      args: ['--output', `text=${folder}/report.txt`],
      files: { 'ca.pem': authority.certificate, 'proxy.password': 'secret\n' },
    });
    const text = readFileSync(join(folder, 'report.txt'), 'utf8');
    // For whoever wants to look at one.
    const kept = process.env['XENREACH_REAL_SITE_REPORT'];
    if (kept !== undefined) writeFileSync(kept, text);

    const found = report.rows.map(({ id, verdict }) => [id, verdict] as const);
    const expected = report.rows.map(({ id }) => [id, otherVerdicts[id] ?? 'pass'] as const);
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected));
    expect(row('management-port-80-closed')).toMatchObject({ verdict: 'skipped', skip: 'not-applicable' });
    expect([ran.exitCode, report.complete, report.rows.length]).toEqual([0, true, 48]);
    expect(report.stats.connects).toBeGreaterThan(40);
    expect(row('syslog').because).toContain('silence on UDP proves nothing');
    expect(row('dc-ldap').notes.join()).toContain('1 controller of ad.lab.test found by DNS');

    const told = text.split('\n');
    expect(told.filter((line) => line.length > 80)).toEqual([]);
    for (const { id } of report.rows) expect(text).toContain(id);
  });
});
