/**
 * Two ends and what lies between: each line of the table in docs/verdicts.md for a responder, made by a real firewall, over
 * IPv4 and IPv6, with either responder at the other end.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Hint, Outcome } from '../../src/model/outcome.ts';
import type { RowVerdict } from '../../src/model/verdict.ts';
import { checkSite, type SiteRun } from '../support/check-site.ts';
import { exec, filterAt, linksUp, makeLab, setFirewall, whyNotLive, type Lab } from '../support/netns.ts';
import { kinds, python, startResponder, type Running } from '../support/respond.ts';
import type { Server } from '../support/servers.ts';
import { startEcho } from '../support/servers/echo.ts';

/** Where the router's own listener accepts what it takes from the way. */
const middleboxPort = 9999;

const rules = `
table inet lab {
  chain filter {
    type filter hook forward priority 0; policy accept;
    udp sport { 123, 6910 } drop comment "the answers"
    udp dport 5405 drop
    tcp dport 27000 drop
    tcp dport 7279 reject with tcp reset
    udp dport 6930 reject with icmpx port-unreachable
    tcp dport 21064 tcp flags & psh == psh drop comment "whatever is no handshake"
  }
  chain there {
    type nat hook prerouting priority -100;
    tcp dport 8896 redirect to :${middleboxPort}
  }
  chain translated {
    type nat hook postrouting priority 100;
    udp dport 6911 masquerade
  }
}`;

interface Line {
  readonly what: string;
  readonly check: readonly [probe: string, port: number];
  readonly row: string;
  readonly outcome: Outcome | RegExp;
  readonly hint: Hint | null;
  readonly pair: Readonly<Record<string, unknown>>;
  /** Of the check, in service mode. */
  readonly verdict: RowVerdict;
  /** What the row says where this check decides it. */
  readonly because?: RegExp;
  readonly remedy?: RegExp;
}

const lines: readonly Line[] = [
  {
    what: 'an open way to a one-way service is proven by the stand-in',
    check: ['syslog', 514],
    row: 'syslog',
    ...{ outcome: 'answered', hint: 'stand-in', verdict: 'pass' },
    pair: { port: 'bound', proof: 'receipt', sent: 3, seen: 3, nat: false, back: true },
    because: /^a stand-in answers: 3 of 3 datagrams arrived/,
  },
  {
    what: 'an open way is no service yet',
    check: ['https', 8012],
    row: 'wlb-api',
    ...{ outcome: 'answered', hint: 'stand-in', verdict: 'fail' },
    pair: { port: 'bound', proof: 'receipt', sent: 1, seen: 1, back: true },
    because: /^service: .*a stand-in answers: the connection arrived/,
    remedy: /^The way is open, and a stand-in answers: start the service on ADDRESS/,
  },
  {
    what: 'where a refusal is enough, so is the stand-in',
    check: ['tcp', 8892],
    row: 'clustering-tcp',
    ...{ outcome: 'answered', hint: 'stand-in', verdict: 'pass' },
    pair: { port: 'bound', seen: 1 },
  },
  {
    what: 'a datagram to a one-way service arrived, though no answer comes back',
    check: ['udp', 6910],
    row: 'pvs-logon',
    ...{ outcome: 'timeout', hint: 'arrived', verdict: 'pass' },
    pair: { port: 'bound', proof: 'receipt', sent: 3, seen: 3, back: false },
    because: /no answer to 3 datagrams.*the other end saw 3 of 3/,
  },
  {
    what: 'a question arrived and its answer does not come back',
    check: ['ntp', 123],
    row: 'ntp',
    ...{ outcome: 'timeout', hint: 'arrived', verdict: 'fail' },
    pair: { port: 'bound', proof: 'receipt', sent: 3, seen: 3, back: false },
    because: /^firewall: .*the other end saw 3 of 3/,
    remedy:
      /^UDP 123 from SOURCE gets to ADDRESS; ask for the way back: answers from ADDRESS, UDP source port 123, to SOURCE\./,
  },
  {
    what: 'a datagram is dropped on the way',
    check: ['udp', 5405],
    row: 'clustering-udp',
    ...{ outcome: 'timeout', hint: 'not-arrived', verdict: 'fail' },
    pair: { port: 'bound', proof: 'receipt', sent: 3, seen: 0 },
    because: /^firewall: .*the other end was listening and saw 0 of 3/,
    remedy: /^Ask for UDP 5405 from SOURCE to ADDRESS; ADDRESS was listening and nothing came/,
  },
  {
    what: 'a connection is dropped on the way',
    check: ['tcp', 27_000],
    row: 'license-initial',
    ...{ outcome: 'timeout', hint: 'not-arrived', verdict: 'fail' },
    pair: { port: 'bound', proof: 'receipt', sent: 1, seen: 0 },
    because: /^firewall: .*the other end was listening and saw no connection/,
    remedy: /^Ask for TCP 27000 from SOURCE to ADDRESS/,
  },
  {
    what: 'a router resets a connection in the name of the other end',
    check: ['tcp', 7279],
    row: 'license-checkout',
    ...{ outcome: 'refused', hint: 'refused-on-the-way', verdict: 'fail' },
    pair: { port: 'bound', proof: 'receipt', seen: 0 },
    because: /^firewall: .*somebody else refused/,
    remedy: /^Ask for TCP 7279 from SOURCE to ADDRESS; ADDRESS was listening and saw nothing, so a firewall/,
  },
  {
    what: 'a router says that a port is closed which is not',
    check: ['udp', 6930],
    row: 'pvs-server-ports',
    ...{ outcome: 'refused', hint: 'refused-on-the-way', verdict: 'fail' },
    pair: { port: 'bound', proof: 'receipt', seen: 0 },
    because: /^firewall: .*:6930\/udp: .*somebody else refused/,
  },
  {
    what: 'a middlebox accepts in the name of the other end',
    check: ['tcp', 8896],
    row: 'clustering-tcp',
    ...{ outcome: /timeout/, hint: 'middlebox', verdict: 'fail' },
    pair: { port: 'bound', proof: 'receipt', seen: 0 },
    because: /^firewall: .*:8896\/tcp: .*saw no connection: somebody else accepted it/,
    remedy: /^Find what accepts TCP 8896 from SOURCE to ADDRESS in the name of ADDRESS/,
  },
  {
    what: 'a firewall lets the handshake through and not the bytes',
    check: ['tcp', 21_064],
    row: 'clustering-tcp',
    // The responder waits as long as we do.
    ...{ outcome: /timeout|closed/, hint: 'middlebox', verdict: 'fail' },
    pair: { port: 'bound', proof: 'receipt', seen: 1 },
  },
  {
    what: 'addresses are translated on the way',
    check: ['udp', 6911],
    row: 'pvs-server-ports',
    ...{ outcome: 'answered', hint: 'stand-in', verdict: 'pass' },
    pair: { port: 'bound', seen: 3, nat: true, sourceSeen: 'ROUTER' },
  },
];

const families = [4, 6] as const;
/** Outside a test there is nobody to tell. */
const noHook = (): void => undefined;
const needed = whyNotLive(python);

describe.skipIf(needed !== null).for(kinds)('with the %s responder', (kind) => {
  let lab: Lab<'server'>;
  let middlebox: Server;
  let responder: Running;
  const runs = new Map<4 | 6, SiteRun>();
  const addresses = (family: 4 | 6) => ({
    ADDRESS: family === 4 ? lab.hosts.server.address : lab.hosts.server.address6,
    SOURCE: family === 4 ? lab.client.address : lab.client.address6,
    ROUTER: family === 4 ? '10.91.1.1' : 'fd91:0:0:1::1',
  });

  beforeAll(async () => {
    lab = makeLab(['server']);
    await linksUp(lab.client);
    const { server } = lab.hosts;
    const siteAt = (host: string): { vantage: string[]; roles: Record<string, string> } => ({
      vantage: ['xenserver-host', 'pvs-target-device'],
      roles: Object.fromEntries(roles.map((role) => [role, host])),
    });
    const roles = [
      'syslog-server',
      'ntp-server',
      'cluster-member',
      'citrix-license-server',
      'wlb-appliance',
      'pvs-server',
    ];
    setFirewall(lab.router, rules);
    middlebox = await startEcho(lab.router, middleboxPort);
    responder = await startResponder(server, siteAt(server.address), { kind, roles, args: ['--for', '5m'] });
    const rows = [...new Set(lines.map(({ row }) => row))].flatMap((row) => ['--row', row]);
    const args = ['--pair', responder.pairFile, ...rows];
    for (const family of families) {
      // One after the other: they share the responder's rate.
      runs.set(family, await checkSite(lab.client, siteAt(addresses(family).ADDRESS), { args, onTestFailed: noHook }));
    }
  }, 120_000);

  afterAll(async () => {
    await responder?.stop('SIGKILL');
    await middlebox?.stop();
    lab?.[Symbol.dispose]();
  });

  describe.for(families)('over IPv%i', (family) => {
    const filled = (pattern: RegExp): RegExp =>
      new RegExp(
        Object.entries(addresses(family)).reduce((text, [name, value]) => text.replaceAll(name, value), pattern.source),
      );

    test.for(lines)('$what', (line) => {
      const { report, row } = runs.get(family)!;
      const [probe, port] = line.check;
      const check = report.checks.find((each) => each.probe === probe && each.port === port);
      const { ROUTER: sourceSeen } = addresses(family);
      const pair = line.pair['sourceSeen'] === undefined ? line.pair : { ...line.pair, sourceSeen };
      const outcome: unknown = line.outcome instanceof RegExp ? expect.stringMatching(line.outcome) : line.outcome;
      expect(check).toMatchObject({ outcome, hint: line.hint, evidence: { pair } });
      // A check of several rows has the worst of their verdicts.
      expect(check?.verdict).toBe(line.verdict);
      if (line.verdict === 'pass' && line.because)
        expect(row(line.row)).toMatchObject({ verdict: 'pass', remedy: null });
      if (line.because) expect(row(line.row).because).toMatch(filled(line.because));
      if (line.remedy) expect(row(line.row).remedy).toMatch(filled(line.remedy));
    });

    test('packets of the whole size get through both ways', () => {
      const size = family === 4 ? 1472 : 1452;
      const check = runs.get(family)!.report.checks.find(({ probe }) => probe === 'syslog');
      expect(check?.evidence['pair']).toMatchObject({ mtu: { there: size, back: size, blackHole: false } });
    });
  });

  test('the responder ends with receipts of all that came, and leaves no port', async () => {
    const receipts = await responder.receipts();
    expect(receipts).toMatchObject({ schema: 'xenreach.receipts/1', ended: 'signal', roles: responder.pair.roles });
    expect(JSON.stringify(receipts)).not.toContain(responder.pair.key);
    const syslog = receipts.ports.filter(({ port }) => port === 514);
    expect(new Set(syslog.map(({ from }) => from))).toEqual(new Set([lab.client.address, lab.client.address6]));
    expect((await responder.ended).exitCode).toBe(3);
    expect(exec(lab.hosts.server.namespace, ['ss', '-Hlntu'])).toBe('');
  });
});

describe.skipIf(needed !== null)('a responder that was asked before', () => {
  test.for(kinds)('tells a later check nothing of what an earlier one sent (%s)', async (kind) => {
    using lab = makeLab(['server']);
    const { server } = lab.hosts;
    const roles = ['cluster-member', 'citrix-license-server'];
    const site = { roles: Object.fromEntries(roles.map((role) => [role, server.address])) };
    await using responder = await startResponder(server, site, { kind, roles });
    const rows = ['clustering-udp', 'license-initial', 'license-checkout'];
    const args = ['--pair', responder.pairFile, ...rows.flatMap((row) => ['--row', row]), '--timeout', '3s'];
    const hints = ({ report }: SiteRun): (string | null)[] =>
      report.checks.toSorted((a, b) => a.port - b.port).map(({ hint }) => hint);
    expect(hints(await checkSite(lab.client, site, { args }))).toEqual([
      'stand-in',
      'stand-in',
      'stand-in',
      'stand-in',
    ]);
    setFirewall(
      lab.router,
      filterAt('forward', 'tcp dport 27000 drop', 'tcp dport 7279 reject with tcp reset', 'udp dport 5405 drop'),
    );
    const shut = await checkSite(lab.client, site, { args });
    expect(hints(shut)).toEqual(['stand-in', 'not-arrived', 'refused-on-the-way', 'not-arrived']);
  });
});

describe.skipIf(needed !== null)('a path that loses large packets', () => {
  test.for([
    ['there', 'ip daddr'],
    ['back', 'ip saddr'],
  ] as const)('without a word is told as a black hole: on the way %s', async ([way, side]) => {
    using lab = makeLab(['server']);
    const { server } = lab.hosts;
    const site = { roles: { 'syslog-server': server.address, 'cluster-member': server.address } };
    await using responder = await startResponder(server, site, { roles: Object.keys(site.roles) });
    setFirewall(lab.router, filterAt('forward', `${side} ${server.address} meta l4proto udp meta length > 1450 drop`));
    const args = ['--pair', responder.pairFile, '--row', 'syslog', '--row', 'clustering-udp'];
    const { row, checks } = await checkSite(lab.client, site, { args });
    const mtu = { there: way === 'there' ? 1372 : 1472, back: 1372, blackHole: true };
    expect(checks('syslog')[0]?.evidence['pair']).toMatchObject({ mtu });
    expect(row('syslog')).toMatchObject({ verdict: 'warn' });
    expect(row('syslog').because).toMatch(
      /datagrams of more than 1372 bytes vanish on the way (?:there|back), and no router says so/,
    );
  });

  test.for([
    ['get through', '', 8972],
    ['vanish, as at a switch, is no fault', 'ip daddr TARGET meta l4proto udp meta length > 1500 drop', 1472],
  ] as const)('where all links carry jumbo packets and these %s', async ([, rule, size]) => {
    using lab = makeLab(['server']);
    const { server } = lab.hosts;
    for (const { namespace } of [lab.client, lab.router, server]) {
      const links = exec(namespace, ['ls', '/sys/class/net']).split(/\s+/);
      for (const link of links.filter((name) => name !== '' && name !== 'lo'))
        exec(namespace, ['ip', 'link', 'set', link, 'mtu', '9000']);
    }
    const site = { roles: { 'syslog-server': server.address } };
    await using responder = await startResponder(server, site, { roles: ['syslog-server'] });
    if (rule !== '') setFirewall(lab.router, filterAt('forward', rule.replace('TARGET', server.address)));
    const args = ['--pair', responder.pairFile, '--row', 'syslog'];
    const { row, checks } = await checkSite(lab.client, site, { args });
    expect(row('syslog')).toMatchObject({ verdict: 'pass' });
    expect(checks('syslog')[0]?.evidence['pair']).toMatchObject({
      mtu: { there: size, back: size, blackHole: false },
    });
  });

  test('with the router saying so is no black hole', async () => {
    using lab = makeLab(['server']);
    const { server } = lab.hosts;
    const site = { roles: { 'syslog-server': server.address } };
    await using responder = await startResponder(server, site, { roles: ['syslog-server'] });
    exec(lab.router.namespace, ['ip', 'link', 'set', 'to1', 'mtu', '1400']);
    const { row, checks } = await checkSite(lab.client, site, {
      args: ['--pair', responder.pairFile, '--row', 'syslog'],
    });
    expect(row('syslog')).toMatchObject({ verdict: 'pass' });
    expect(checks('syslog')[0]?.evidence['pair']).toMatchObject({ mtu: { there: 1372, blackHole: false } });
  });
});

describe.skipIf(needed !== null)('without a pair', () => {
  test('a router’s reset looks like a closed port, which before an install is good news; with one it does not', async () => {
    using lab = makeLab(['server']);
    const { server } = lab.hosts;
    const site = { roles: { 'citrix-license-server': server.address } };
    setFirewall(lab.router, filterAt('forward', 'tcp dport 27000 reject with tcp reset'));
    await using responder = await startResponder(server, site, { roles: ['citrix-license-server'] });
    const args = ['--mode', 'path', '--row', 'license-initial'];
    const alone = await checkSite(lab.client, site, { args });
    expect(alone.row('license-initial')).toMatchObject({ verdict: 'pass' });
    expect(alone.checks('license-initial')).toMatchObject([{ outcome: 'refused', hint: null }]);
    const paired = await checkSite(lab.client, site, { args: [...args, '--pair', responder.pairFile] });
    expect(paired.row('license-initial')).toMatchObject({ verdict: 'fail' });
    expect(paired.checks('license-initial')).toMatchObject([{ outcome: 'refused', hint: 'refused-on-the-way' }]);
  });
});
