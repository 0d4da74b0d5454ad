/**
 * Hosts limit the ICMP errors they send, as every Linux does by default: a burst of six, then one a second. What was asked
 * too fast would look silent. And what is silent is told as such, with what the host does otherwise.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkSite } from '../../support/check-site.ts';
import { exec, filterAt, makeLab, setFirewall, whyNotLive, type Lab } from '../../support/netns.ts';
import type { Server } from '../../support/servers.ts';
import { startTgt } from '../../support/servers/tgt.ts';

describe.skipIf(whyNotLive('tgtd') !== null)('UDP', () => {
  let lab: Lab<'closed' | 'silent' | 'alive' | 'rejecting'>;
  let server: Server;

  beforeAll(async () => {
    lab = makeLab(['closed', 'silent', 'alive', 'rejecting']);
    const { closed, silent, alive, rejecting } = lab.hosts;
    // The kernel's own: port unreachable is among what is limited.
    exec(closed.namespace, ['sh', '-c', 'echo 6168 > /proc/sys/net/ipv4/icmp_ratemask']);
    const rules = [
      `ip daddr ${silent.address} drop`,
      `ip daddr { ${alive.address}, ${rejecting.address} } meta l4proto udp drop`,
      `ip daddr ${rejecting.address} reject with icmp admin-prohibited`,
    ];
    setFirewall(lab.router, filterAt('forward', ...rules));
    server = await startTgt(alive);
  });

  afterAll(async () => {
    await server?.stop();
    lab?.[Symbol.dispose]();
  });

  test.concurrent('21 closed ports of a Provisioning server are all told as closed', async ({ onTestFailed }) => {
    const site = { vantage: ['pvs-target-device'], roles: { 'pvs-server': lab.hosts.closed.address } };
    const { report, row, checks, ran } = await checkSite(lab.client, site, { onTestFailed });
    const range = checks('pvs-server-ports');
    expect(range.map(({ port }) => port)).toEqual(Array.from({ length: 21 }, (_, i) => 6910 + i));
    expect(range.filter(({ outcome }) => outcome !== 'refused')).toEqual([]);
    // Nothing listens where something must; before an install the same is proof of the way.
    expect(row('pvs-server-ports')).toMatchObject({ verdict: 'fail' });
    expect(row('pvs-logon')).toMatchObject({ verdict: 'fail' });
    expect(report.stats.datagrams).toBe(21);
    expect(ran.durationMs).toBeLessThan(40_000);
  });

  test.concurrent('21 silent ones are unverified, each with the reason, and are not waited for one by one', async ({
    onTestFailed,
  }) => {
    const site = { vantage: ['pvs-target-device'], roles: { 'pvs-server': lab.hosts.silent.address } };
    const { row, checks, ran } = await checkSite(lab.client, site, { onTestFailed });
    expect(checks('pvs-server-ports').filter(({ outcome }) => outcome !== 'timeout')).toEqual([]);
    expect(row('pvs-server-ports')).toMatchObject({ verdict: 'unverified' });
    expect(row('pvs-server-ports').because).toMatch(
      /^silence on UDP proves nothing: .*no answer to 3 datagrams in 5 s \(and 20 more of 21\)/,
    );
    expect(row('pvs-server-ports').remedy).toContain('prove it from the other end');
    expect(ran.exitCode).toBe(0);
    expect(ran.durationMs).toBeLessThan(35_000);
  });

  test.concurrent.for([
    ['silent', 'unverified', 'TCP to the same host is dropped as well'],
    ['rejecting', 'unverified', 'a firewall rejects other ports of the same host'],
    ['alive', 'fail', 'where one is due: the host answers otherwise'],
  ] as const)('what TCP to the same host says is told: %s', async ([name, verdict, words], { onTestFailed }) => {
    const { address } = lab.hosts[name];
    const site = { roles: { 'ntp-server': address, 'san-controller': address } };
    const { row } = await checkSite(lab.client, site, { args: ['--row', 'ntp', '--row', 'iscsi'], onTestFailed });
    expect(row('ntp')).toMatchObject({ verdict });
    expect(row('ntp').because).toContain(words);
    expect(row('iscsi').verdict).toBe(name === 'alive' ? 'pass' : 'fail');
  });
});
