/**
 * The other tables on sites of real servers: each bundled one, what a supplement adds, and the ways in which the servers of
 * their own probes decline.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Report } from '../../src/model/report.ts';
import { checkSite, verdictsOf } from '../support/check-site.ts';
import { makeLab, whyNotLive, type Lab } from '../support/netns.ts';
import { probe } from '../support/run-xenreach.ts';
import type { Server } from '../support/servers.ts';
import { startAiosmtpd } from '../support/servers/aiosmtpd.ts';
import { startBind9 } from '../support/servers/bind9.ts';
import { startChrony } from '../support/servers/chrony.ts';
import { startNbdkit } from '../support/servers/nbdkit.ts';
import { startNfs } from '../support/servers/nfs.ts';
import { startNrpe } from '../support/servers/nrpe.ts';
import { startOpenssh } from '../support/servers/openssh.ts';
import { startSnmpd } from '../support/servers/snmpd.ts';
import { startTgt } from '../support/servers/tgt.ts';

const why = whyNotLive('nbdkit', 'snmpd', 'nrpe', 'named', 'chronyd', 'tgtd', 'ganesha.nfsd', 'sshd');
const python = '/usr/lib/python3/dist-packages/aiosmtpd/main.py';

describe.skipIf((why ?? whyNotLive(python)) !== null)('real servers', () => {
  let lab: Lab<'disks' | 'secret' | 'host' | 'shut' | 'names' | 'clock' | 'filer' | 'mail'>;
  const servers: Server[] = [];

  beforeAll(async () => {
    lab = makeLab(['disks', 'secret', 'host', 'shut', 'names', 'clock', 'filer', 'mail']);
    const { disks, secret, host, shut, names, clock, filer, mail } = lab.hosts;
    servers.push(
      ...(await Promise.all([
        startNbdkit(disks),
        startNbdkit(secret, { tls: true }),
        startSnmpd(host),
        startNrpe(host),
        startOpenssh(host),
        startNrpe(shut, { allowed: '192.0.2.1' }),
        startBind9(names),
        startChrony(clock),
        startNfs(filer),
        startTgt(disks),
        startAiosmtpd(mail),
      ])),
    );
  });
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()));
    lab?.[Symbol.dispose]();
  });

  test.for([
    ['nbd', 'disks', 'answered', { tls: false }],
    ['nbd', 'secret', 'answered', { tls: true, tlsProtocol: 'TLSv1.3' }],
    ['snmp', 'host', 'answered', { boots: 1 }],
    ['nrpe', 'host', 'answered', { text: 'NRPE v4.1.0', tlsProtocol: 'TLSv1.2' }],
    ['nrpe', 'shut', 'declined', {}],
    ['smtp', 'mail', 'answered', { startTls: false }],
    ['nbd', 'mail', 'refused', {}],
  ] as const)('%s of %s is %s', async ([name, at, outcome, evidence]) => {
    const check = await probe(name, lab.hosts[at].address, ['--timeout', '4s'], { namespace: lab.client.namespace });
    expect(check).toMatchObject({ outcome, evidence });
  });

  const site = (spec: unknown, roles: object, facts: object = {}): object => ({
    spec,
    roles,
    facts,
    'not-used': ['external-domain'],
  });

  test('a supplement adds its rows to a vendor’s table, and each says which it is from', async () => {
    const { names, clock, host, disks, mail } = lab.hosts;
    const roles = {
      'dns-server': [names.address],
      'ntp-server': [clock.address],
      'xenserver-host': [host.address],
      'nbd-host': [disks.address],
      'mail-server': [mail.address],
      'san-controller': [disks.address],
    };
    const { report } = await checkSite(
      lab.client,
      site(['xenserver-8', 'supplement'], roles, { snmp: true, nrpe: true, 'sdn-gre': false }),
      { args: ['--as', 'xenserver-host', '--as', 'monitoring-server', '--as', 'backup-server', '--timeout', '2s'] },
    );
    expect(report.spec).toMatchObject({
      id: 'xenserver-8+supplement',
      catalogues: [{ rows: 48 }, { id: 'supplement' }],
    });
    expect(verdictsOf(report)).toMatchObject({
      dns: 'pass',
      ntp: 'pass',
      iscsi: 'pass',
      snmp: 'pass',
      nrpe: 'pass',
      'nbd-export': 'pass',
      'alert-mail': 'pass',
    });
    expect(rowOf(report, 'dns')).toMatchObject({ catalogue: 'xenserver-8' });
    expect(rowOf(report, 'snmp')).toMatchObject({ catalogue: 'supplement', basis: 'code', confidence: 'high' });
  });

  test('XCP-ng: one of two versions of NFS is enough, several roles share a row, GRE is told as beyond any probe', async () => {
    const { filer, disks, host } = lab.hosts;
    const roles = {
      'backup-nfs-server': [filer.address],
      'nbd-host': [disks.address],
      'sdn-member': [host.address],
      'xenserver-host': [host.address],
    };
    const args = ['--as', 'xo-proxy', '--as', 'xenserver-host', '--timeout', '2s'];
    const { report } = await checkSite(lab.client, site('xcp-ng-8-3', roles, { 'sdn-gre': true }), { args });
    expect(verdictsOf(report)).toMatchObject({ 'xo-backup-nfs': 'pass', 'xo-nbd': 'pass', 'sdn-gre': 'unverified' });
    expect(rowOf(report, 'xo-nbd')?.from).toBe('xen-orchestra, xo-proxy');
    expect(rowOf(report, 'sdn-gre')).toMatchObject({
      because: 'no probe can try IP protocol 47 (GRE)',
      ports: 'IP protocol 47 (GRE)',
      confidence: 'medium',
    });
    expect(report.complete).toBe(true);
  });

  test('XenServer 9: SSH that is off as it comes is not wanted, and a row that was not seen says so', async () => {
    const { names, host } = lab.hosts;
    const roles = { 'dns-server': [names.address], 'xenserver-host': [host.address] };
    const args = ['--as', 'xenserver-host', '--as', 'xencenter', '--timeout', '2s'];
    const { report } = await checkSite(lab.client, site('xenserver-9', roles), { args });
    expect(rowOf(report, 'xencenter-ssh')).toMatchObject({ verdict: 'skipped', skip: 'not-applicable' });
    expect(rowOf(report, 'dns')).toMatchObject({ verdict: 'pass', confidence: 'medium', basis: 'inferred' });
    // Nothing listens on port 80 of that host, as it should be.
    expect(rowOf(report, 'management-port-80-closed')).toMatchObject({ verdict: 'pass' });
  });

  test('Citrix Hypervisor 8.2: no row for what its hosts do not fetch', async () => {
    const { names, host } = lab.hosts;
    const roles = { 'dns-server': [names.address], 'xenserver-host': [host.address] };
    const args = ['--as', 'xencenter', '--as', 'xenserver-host', '--row', 'dns', '--row', 'xencenter-ssh'];
    const { report } = await checkSite(lab.client, site('citrix-hypervisor-8-2', roles), { args });
    expect(verdictsOf(report)).toMatchObject({ dns: 'pass', 'xencenter-ssh': 'pass' });
    expect(rowOf(report, 'telemetry')).toBeUndefined();
  });

  test('a site of another product than its table is told', async () => {
    const { names } = lab.hosts;
    const roles = { 'dns-server': [names.address] };
    const { ran } = await checkSite(lab.client, { ...site('xenserver-8', roles), product: 'XCP-ng 8.3.0' }, {});
    expect(ran.stderr).toContain('the site is XCP-ng 8.3.0, and xenserver-8 is for XenServer 8: rows may not apply');
  });
});

const rowOf = (report: Report, id: string) => report.rows.find((row) => row.id === id);
