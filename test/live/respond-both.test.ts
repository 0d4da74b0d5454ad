/** `check --both`: the other end probes this machine, and the rows that start there are proven here. */
import { writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { checkSite, type SiteRun } from '../support/check-site.ts';
import { exec, filterAt, linksUp, makeLab, setFirewall, whyNotLive, type Lab } from '../support/netns.ts';
import { kinds, python, startResponder } from '../support/respond.ts';
import { reportOf, runXenreach } from '../support/run-xenreach.ts';
import type { Report } from '../../src/model/report.ts';

describe.skipIf(whyNotLive(python, 'tcpdump') !== null)('a check of both directions', () => {
  let lab: Lab<'one' | 'two'>;

  beforeAll(async () => {
    lab = makeLab(['one', 'two']);
    await linksUp(lab.client);
  });

  afterEach(() => setFirewall(lab.router, ''));

  afterAll(() => lab?.[Symbol.dispose]());

  const families = [4, 6] as const;
  const at = (host: { address: string; address6: string }, family: 4 | 6): string =>
    family === 4 ? host.address : host.address6;

  for (const kind of kinds) {
    test.for(families)(`${kind}: Provisioning, from the target device, over IPv%i`, async (family) => {
      const roles = { 'pvs-server': at(lab.hosts.one, family), 'pvs-target-device': at(lab.client, family) };
      const site = { roles, vantage: ['pvs-target-device'] };
      await using responder = await startResponder(lab.hosts.one, site, { kind, roles: ['pvs-server'] });
      const args = ['--pair', responder.pairFile, '--both', '--timeout', '2s'];
      const open = await checkSite(lab.client, site, { args });
      for (const id of ['pvs-logon', 'pvs-server-ports', 'pvs-outbound', 'pvs-target-port'])
        expect(open.row(id)).toMatchObject({ verdict: 'pass' });
      expect(open.row('pvs-outbound').because).toMatch(/^a stand-in here was probed by the other end: 3 of 3/);
      expect(open.ran.exitCode).toBe(0);
      // It listened while it ran, and no longer.
      expect(exec(lab.client.namespace, ['ss', '-Hlntu'])).toBe('');

      setFirewall(lab.router, filterAt('forward', 'udp dport 6902 drop'));
      const shut = await checkSite(lab.client, site, { args });
      expect(shut.row('pvs-outbound')).toMatchObject({ verdict: 'fail' });
      expect(shut.row('pvs-outbound').because).toMatch(
        /^firewall: .*the other end probed udp 6902 of this machine, which was listening and saw nothing/,
      );
      expect(shut.row('pvs-outbound').remedy).toMatch(
        /^Ask for UDP 6902 from \S+ to \S+; \S+ was listening and nothing came/,
      );
      expect(shut.row('pvs-target-port').verdict).toBe('pass');
    });
  }

  test('a cluster of three, each way, with the ports of each bound once', async () => {
    const { one, two } = lab.hosts;
    const members = [lab.client, one, two].map(({ address }) => address);
    const site = { roles: { 'xenserver-host': members, 'cluster-member': members } };
    const options = { roles: ['cluster-member'] };
    await using first = await startResponder(one, site, options);
    await using second = await startResponder(two, site, { ...options, kind: 'python' });
    setFirewall(lab.router, filterAt('forward', `ip saddr ${two.address} tcp dport 8896 drop`));
    const rows = ['clustering-tcp', 'clustering-udp'].flatMap((row) => ['--row', row]);
    const args = ['--pair', first.pairFile, '--pair', second.pairFile, '--both', ...rows];
    const run: SiteRun = await checkSite(lab.client, site, { args });
    expect(run.row('clustering-udp').verdict).toBe('pass');
    expect(run.checks('clustering-udp')).toHaveLength(8);
    expect(run.row('clustering-tcp').verdict).toBe('fail');
    const failing = run.checks('clustering-tcp').filter(({ verdict }) => verdict === 'fail');
    expect(failing).toMatchObject([
      { port: 8896, hint: 'not-arrived', evidence: { pair: { sourceSeen: two.address } } },
    ]);
  });

  test('its report is judged again as it was, and by what the network lets through', async () => {
    const roles = { 'pvs-server': lab.hosts.one.address, 'pvs-target-device': lab.client.address };
    const site = {
      roles: { ...roles, 'wlb-appliance': lab.hosts.one.address },
      vantage: ['pvs-target-device', 'xenserver-host'],
    };
    await using responder = await startResponder(lab.hosts.one, site, { roles: ['pvs-server', 'wlb-appliance'] });
    setFirewall(lab.router, filterAt('forward', 'udp sport 6910 drop', 'udp dport 6911 drop'));
    const rows = ['pvs-logon', 'pvs-server-ports', 'pvs-outbound', 'wlb-api'];
    const args = ['--pair', responder.pairFile, '--both', ...rows.flatMap((row) => ['--row', row])];
    const run = await checkSite(lab.client, site, { args });
    const verdicts = ({ rows: of }: Report): Record<string, unknown> =>
      Object.fromEntries(of.filter(({ id }) => rows.includes(id)).map(({ id, verdict }) => [id, verdict]));
    expect(verdicts(run.report)).toEqual({
      'pvs-logon': 'pass',
      'pvs-server-ports': 'fail',
      'pvs-outbound': 'pass',
      'wlb-api': 'fail',
    });
    // Beside the pair, which goes with its folder.
    const file = `${responder.pairFile}.report`;
    writeFileSync(file, run.ran.stdout);
    const again = async (...more: readonly string[]): Promise<Report> =>
      reportOf(await runXenreach(['judge', file, '--format', 'json', ...more]));
    expect(verdicts(await again())).toEqual(verdicts(run.report));
    expect(verdicts(await again('--mode', 'path'))).toMatchObject({ 'wlb-api': 'pass', 'pvs-server-ports': 'fail' });
  });

  test('nobody is probed who did not ask himself', async () => {
    // The responder's own packets are counted: none goes anywhere but to the address that asked.
    const site = {
      roles: { 'pvs-server': lab.hosts.one.address, 'pvs-target-device': lab.client.address },
      vantage: ['pvs-target-device'],
    };
    await using responder = await startResponder(lab.hosts.one, site, { roles: ['pvs-server'] });
    setFirewall(
      lab.hosts.one,
      `table inet lab {
         set to { type ipv4_addr; flags dynamic; }
         chain lab {
           type filter hook output priority 0;
           meta l4proto { tcp, udp } oifname "eth0" add @to { ip daddr }
         }
       }`,
    );
    await checkSite(lab.client, site, { args: ['--pair', responder.pairFile, '--both', '--timeout', '2s'] });
    expect(exec(lab.hosts.one.namespace, ['nft', 'list', 'set', 'inet', 'lab', 'to'])).toContain(
      `elements = { ${lab.client.address} }`,
    );
    setFirewall(lab.hosts.one, '');
  });
});
