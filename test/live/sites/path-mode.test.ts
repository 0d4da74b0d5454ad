/** Before anything is installed at the other end: hosts are up, nothing listens, and the question is what the network lets through. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkSite, verdictsOf } from '../../support/check-site.ts';
import { filterAt, makeLab, setFirewall, setNames, whyNotLive, type Lab } from '../../support/netns.ts';

const sources = [
  'xenserver-host',
  'xencenter',
  'windows-vm',
  'wlb-appliance',
  'management-client',
  'pvs-server',
  'pvs-target-device',
];
const speakFor = (...roles: readonly string[]): string[] => roles.flatMap((role) => ['--as', role]);

const vendor = [
  ...['repo', 'repo-src', 'telemetry', 'updates'].map((name) => `${name}.ops.xenserver.com`),
  ...['citrix.com', 'www.citrix.com', 'fileservice.citrix.com', 'support.citrix.com', 'pvupdates.vmd.citrix.com'],
  ...['storage.googleapis.com', 'downloadns.citrix.com.edgesuite.net'],
];

describe.skipIf(whyNotLive() !== null)('hosts that are up, with nothing installed', () => {
  let lab: Lab<'bare' | 'other' | 'controller' | 'stream' | 'dropped' | 'rejected'>;
  let site: object;

  beforeAll(() => {
    lab = makeLab(['bare', 'other', 'controller', 'stream', 'dropped', 'rejected']);
    const { bare, other, controller, stream, dropped, rejected } = lab.hosts;
    setNames(lab.client, { hosts: `${bare.address} ${vendor.join(' ')}\n`, 'resolv.conf': 'nameserver 127.0.0.1\n' });
    const rules = [
      `ip daddr ${dropped.address} drop`,
      `ip daddr ${rejected.address} reject with icmp admin-prohibited`,
    ];
    setFirewall(lab.router, filterAt('forward', ...rules));
    site = {
      roles: {
        'xenserver-host': bare.address,
        'citrix-license-server': bare.address,
        'ntp-server': bare.address,
        'dns-server': bare.address,
        'domain-controller': { host: controller.address, domain: 'lab.test' },
        'smb-file-server': other.address,
        'san-controller': other.address,
        'nfsv4-server': other.address,
        'nfsv3-server': other.address,
        'syslog-server': other.address,
        'cluster-member': other.address,
        'wlb-appliance': bare.address,
        vm: bare.address,
        'pvs-server': stream.address,
        'pvs-target-device': bare.address,
      },
    };
  });

  afterAll(() => lab?.[Symbol.dispose]());

  test.concurrent('in path mode every row passes on a refusal, TCP and UDP', async ({ onTestFailed }) => {
    const { report, row, ran } = await checkSite(lab.client, site, {
      args: ['--mode', 'path', ...speakFor(...sources)],
      onTestFailed,
    });
    const found = Object.entries(verdictsOf(report));
    expect(found.filter(([, verdict]) => verdict !== 'pass')).toEqual([]);
    expect(found).toHaveLength(46);
    expect([ran.exitCode, report.mode, report.complete]).toEqual([0, 'path', true]);
    expect(new Set(report.checks.map(({ outcome }) => outcome))).toEqual(new Set(['refused']));
    expect(row('iscsi').because).toContain('the way is open (refused)');
    // A refusal by rpcbind says nothing about ports that only rpcbind knows.
    expect(row('nfsv3-dynamic').notes.join()).toContain('not known before rpcbind runs');
  });

  test.concurrent('in service mode nothing listens, and only the rows that expect no more pass', async ({
    onTestFailed,
  }) => {
    const { report, row, ran } = await checkSite(lab.client, site, {
      args: speakFor('xenserver-host', 'xencenter'),
      onTestFailed,
    });
    const passed = Object.entries(verdictsOf(report)).filter(([, verdict]) => verdict === 'pass');
    expect(passed.map(([id]) => id)).toEqual(['clustering-tcp', 'clustering-udp']);
    expect([ran.exitCode, report.summary.fail]).toEqual([
      1,
      report.rows.filter(({ verdict }) => verdict === 'fail').length,
    ]);
    for (const { id, verdict } of report.rows) {
      if (verdict !== 'fail') continue;
      expect(row(id).because).toMatch(/^service: .*nothing listens/);
      // Nobody at the site starts the vendor's servers.
      const isVendors = row(id).to === 'external-domain';
      expect(row(id).remedy).toMatch(isVendors ? /is the vendor's address/ : /^The way is open: /);
    }
  });

  const toEach = (address: string): object => ({
    roles: {
      'san-controller': address,
      'smb-file-server': address,
      'nfsv3-server': address,
      'ntp-server': address,
      'cluster-member': address,
      'citrix-license-server': address,
    },
  });
  const tcpRows = [
    'license-initial',
    'iscsi',
    'smb-direct',
    'nfsv3',
    'nfsv3-rpcbind',
    'nfsv3-dynamic',
    'clustering-tcp',
  ];

  test.concurrent('a firewall that drops fails in path mode too, and silence on UDP stays unverified', async ({
    onTestFailed,
  }) => {
    const { report, row } = await checkSite(lab.client, toEach(lab.hosts.dropped.address), {
      args: ['--mode', 'path'],
      onTestFailed,
    });
    for (const id of tcpRows) {
      expect(row(id)).toMatchObject({ verdict: 'fail' });
      expect(row(id).because).toMatch(/^firewall: .*dropped/);
    }
    expect(verdictsOf(report)).toMatchObject({ ntp: 'unverified', 'clustering-udp': 'unverified' });
    expect(row('ntp').because).toContain('TCP to the same host is dropped as well');
  });

  test.concurrent('a firewall that rejects fails in path mode too, on UDP as well', async ({ onTestFailed }) => {
    const { row } = await checkSite(lab.client, toEach(lab.hosts.rejected.address), {
      args: ['--mode', 'path'],
      onTestFailed,
    });
    for (const id of [...tcpRows, 'ntp', 'clustering-udp']) {
      expect(row(id)).toMatchObject({ verdict: 'fail' });
      expect(row(id).because).toMatch(/^firewall: .*rejects/);
    }
  });
});
