/**
 * Hosts that are not there, or were there a moment ago: what the kernel's neighbour table knows is told, and whatever nobody
 * can know is told as that. A host that lives and leaves a due answer out is a failure; a lone silence is none.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkSite } from '../../support/check-site.ts';
import { exec, filterAt, makeLab, setFirewall, whyNotLive, type Lab } from '../../support/netns.ts';
import type { Server } from '../../support/servers.ts';
import { startBind9 } from '../../support/servers/bind9.ts';

describe.skipIf(whyNotLive('named') !== null)('hosts that are silent', () => {
  let lab: Lab<'names'>;
  let named: Server;

  beforeAll(async () => {
    lab = makeLab(['names']);
    named = await startBind9(lab.hosts.names);
  });

  afterAll(async () => {
    await named?.stop();
    lab?.[Symbol.dispose]();
  });

  test.concurrent('nobody has the address: every row says so, over TCP and UDP, and no firewall is blamed', async ({
    onTestFailed,
  }) => {
    const { absent } = lab.client;
    const roles = {
      'ntp-server': absent,
      'san-controller': absent,
      'smb-file-server': absent,
      'citrix-license-server': absent,
      'syslog-server': absent,
    };
    const { report, row, ran } = await checkSite(lab.client, { roles }, { args: ['--family', '4'], onTestFailed });
    for (const id of ['ntp', 'iscsi', 'smb-direct', 'smb-netbios-session', 'license-initial', 'syslog']) {
      expect(row(id)).toMatchObject({ verdict: 'fail' });
      expect(row(id).because).toMatch(/^route: .*no host answers at this address/);
      expect(row(id).remedy).toMatch(/powered on/);
    }
    expect(report.checks.filter(({ hint }) => hint === 'icmp-reject')).toEqual([]);
    expect(ran.exitCode).toBe(1);
  });

  test.concurrent('switched off a moment ago: power is named before the firewall', async ({ onTestFailed }) => {
    const address = '10.91.0.77';
    // The kernel still believes that it knows the host's card, as in every pool.
    exec(lab.client.namespace, [
      'ip',
      ...['neigh', 'replace', address, 'lladdr', '02:00:00:00:00:77', 'dev', 'eth0', 'nud', 'stale'],
    ]);
    const { row } = await checkSite(
      lab.client,
      { roles: { 'san-controller': address, 'smb-file-server': address } },
      { args: ['--row', 'iscsi', '--row', 'smb-direct', '--timeout', '3500ms'], onTestFailed },
    );
    expect(row('iscsi').because).toMatch(/nothing came from this host on any port: it is switched off|no host answers/);
    expect(row('iscsi').remedy).toMatch(/^Check (?:first )?that 10\.91\.0\.77 is powered on/);
  });

  test('a DNS server whose UDP is dropped while its TCP answers fails; all of it silent, nothing more is said', async () => {
    const { address } = lab.hosts.names;
    const site = { roles: { 'dns-server': address } };
    const args = ['--row', 'dns', '--timeout', '2s'];
    setFirewall(lab.router, filterAt('forward', `ip daddr ${address} udp dport 53 drop`));
    const udpDropped = await checkSite(lab.client, site, { args });
    expect(udpDropped.row('dns')).toMatchObject({ verdict: 'fail' });
    expect(udpDropped.row('dns').because).toMatch(/^service: .*where one is due: the host answers otherwise/);
    expect(udpDropped.checks('dns').find(({ transport }) => transport === 'udp')).toMatchObject({
      outcome: 'timeout',
      hint: 'answer-due',
      verdict: 'fail',
    });
    const before = await checkSite(lab.client, site, { args: [...args, '--mode', 'path'] });
    expect(before.row('dns')).toMatchObject({ verdict: 'unverified' });
    setFirewall(lab.router, filterAt('forward'));
  });
});
