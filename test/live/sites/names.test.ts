/** Hosts by their names: two addresses of which one is dead, none, a dead resolver, a search list, this machine itself, IPv6 alone. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkSite, runOnSite } from '../../support/check-site.ts';
import { filterAt, makeLab, setFirewall, setNames, whyNotLive, type Lab } from '../../support/netns.ts';
import type { Server } from '../../support/servers.ts';
import { startBind9 } from '../../support/servers/bind9.ts';
import { startEcho } from '../../support/servers/echo.ts';
import { startUnbound } from '../../support/servers/unbound.ts';
import { patienceMs } from '../../support/patience.ts';

/** The license server's port: all that its row asks of it is to stay open. */
const port = 27_000;
const license = ['--row', 'license-initial', '--row', 'fqdn-resolvable'];

describe.skipIf(whyNotLive('named') !== null)('names', () => {
  let lab: Lab<'dns' | 'alive' | 'deaf' | 'cut' | 'unwilling' | 'two' | 'ten'>;
  const servers: Server[] = [];

  beforeAll(async () => {
    lab = makeLab(['dns', 'alive', 'deaf', 'cut', 'unwilling', 'two', 'ten']);
    const { dns, alive, deaf, cut, unwilling, two, ten } = lab.hosts;
    setNames(lab.client, {
      hosts: '127.0.0.1 localhost\n',
      'resolv.conf': `search lab.test\nnameserver ${dns.address}\n`,
    });
    // Two resolvers that never answer, and one that is not there.
    setNames(deaf, { hosts: '', 'resolv.conf': 'search lab.test\nnameserver 10.91.9.53\nnameserver 10.91.9.54\n' });
    setNames(cut, { hosts: '', 'resolv.conf': `nameserver ${alive.address}\n` });
    // The first of two refuses, as a server does that was moved to other clients.
    setNames(two, { hosts: '', 'resolv.conf': `nameserver ${unwilling.address}\nnameserver ${dns.address}\n` });
    const silent = Array.from({ length: 10 }, (_, i) => `nameserver 10.91.9.${60 + i}\n`);
    setNames(ten, { hosts: '', 'resolv.conf': silent.join('') });
    setFirewall(lab.router, filterAt('forward', 'udp dport 53 ip daddr 10.91.9.0/24 drop'));
    const records = [
      `half.lab.test. A ${alive.address}`,
      `half.lab.test. A ${alive.absent}`,
      `whole.lab.test. A ${alive.address}`,
      `whole.lab.test. AAAA ${alive.address6}`,
      `six.lab.test. AAAA ${alive.address6}`,
      `myself.lab.test. A ${lab.client.address}`,
      'empty.lab.test. TXT "no address"',
    ];
    const started = [startBind9(dns, records), startUnbound(unwilling, { refuses: true }), startEcho(alive, port)];
    servers.push(...(await Promise.all(started)));
  });

  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()));
    lab?.[Symbol.dispose]();
  });

  const siteOf = (hosts: unknown): object => ({ roles: { 'citrix-license-server': hosts } });

  test('one of two addresses is dead: a warning that names it', async () => {
    const { row, checks, ran } = await checkSite(lab.client, siteOf('half.lab.test'), { args: license });
    const { alive } = lab.hosts;
    const outcomes = checks('license-initial').map(({ address, outcome }) => [address, outcome] as const);
    expect(Object.fromEntries(outcomes)).toEqual({ [alive.address]: 'answered', [alive.absent]: 'unreachable' });
    expect(row('license-initial')).toMatchObject({ verdict: 'warn' });
    expect(row('license-initial').because).toContain(
      `half.lab.test (${alive.absent}):27000/tcp does not work while another does`,
    );
    expect(row('fqdn-resolvable')).toMatchObject({ verdict: 'pass' });
    expect(ran.exitCode).toBe(0);
  });

  test.for([
    ['IPv4 and IPv6', 'whole.lab.test', 2],
    ['IPv6 alone', 'six.lab.test', 1],
    ['a short name of the search list', 'whole', 2],
    ['a name with a dot at its end', 'whole.lab.test.', 2],
  ] as const)('every address is tried: %s', async ([, name, count]) => {
    const { row, checks } = await checkSite(lab.client, siteOf(name), { args: license });
    expect(checks('license-initial').map(({ outcome }) => outcome)).toEqual(Array(count).fill('answered'));
    expect(row('license-initial')).toMatchObject({ verdict: 'pass' });
    expect(row('fqdn-resolvable')).toMatchObject({ verdict: 'pass' });
  });

  test('--family takes only the addresses of one', async () => {
    const { alive } = lab.hosts;
    for (const [family, address] of [
      ['4', alive.address],
      ['6', alive.address6],
    ] as const) {
      // One machine, one run at a time.
      const { checks } = await checkSite(lab.client, siteOf('whole.lab.test'), {
        args: [...license, '--family', family],
      });
      expect(checks('license-initial')).toMatchObject([{ address, outcome: 'answered' }]);
    }
  });

  test('an IPv6 literal is a host like any other', async () => {
    const { alive } = lab.hosts;
    const { row } = await checkSite(lab.client, siteOf(alive.address6), { args: license });
    expect(row('license-initial')).toMatchObject({ verdict: 'pass' });
    expect(row('fqdn-resolvable')).toMatchObject({ verdict: 'skipped', skip: 'not-applicable' });
  });

  test.for([
    ['ghost.lab.test', 'no-such-name', 'no such name'],
    ['empty.lab.test', 'no-such-name', 'the name exists, without one'],
  ] as const)('%s has no address', async ([name, hint, words]) => {
    const { row, checks, ran } = await checkSite(lab.client, siteOf(name), { args: license });
    expect(checks('license-initial')).toMatchObject([{ outcome: 'unresolved', stage: 'resolve', hint, address: null }]);
    expect(row('license-initial').because).toMatch(/^name: /);
    expect(row('license-initial').because).toContain(words);
    expect(row('fqdn-resolvable')).toMatchObject({ verdict: 'fail' });
    expect(ran.exitCode).toBe(1);
  });

  test('twenty names at resolvers that never answer hold up nobody', async () => {
    const names = Array.from({ length: 20 }, (_, i) => `lic${i}.example.test`);
    const site = siteOf([...names, lab.hosts.alive.address]);
    const { report, row, checks } = await checkSite(lab.hosts.deaf, site, { args: [...license, '--timeout', '2s'] });
    const [alive, ...others] = checks('license-initial').toReversed();
    expect(alive).toMatchObject({ outcome: 'answered' });
    expect(others).toHaveLength(20);
    for (const check of others) {
      expect(check).toMatchObject({ outcome: 'unresolved', stage: 'resolve', hint: 'resolver-silent' });
    }
    expect(row('license-initial').because).toContain('no DNS server answered');
    expect(row('license-initial').remedy).toContain('/etc/resolv.conf');
    expect(report.durationMs).toBeLessThan(patienceMs);
  });

  test('a resolver that is not there is told as such, at once', async () => {
    const { row, checks, report } = await checkSite(lab.hosts.cut, siteOf('whole.lab.test'), { args: license });
    expect(checks('license-initial')).toMatchObject([{ outcome: 'unresolved', hint: 'resolver-silent' }]);
    expect(row('license-initial').because).toContain('cannot be reached');
    expect(report.durationMs).toBeLessThan(patienceMs);
  });

  test('a resolver that refuses is passed over as the C library does, and told', async () => {
    const { unwilling, two } = lab.hosts;
    const { row, checks, ran } = await checkSite(two, siteOf('whole.lab.test'), { args: license });
    expect(checks('license-initial').map(({ outcome }) => outcome)).toEqual(['answered', 'answered']);
    expect(row('license-initial')).toMatchObject({ verdict: 'pass' });
    // In the header alone.
    const told = `DNS server ${unwilling.address} answered REFUSED`;
    expect(row('license-initial').notes.join('\n')).toContain(told);
    expect(row('fqdn-resolvable')).toMatchObject({ verdict: 'warn' });
    expect(row('fqdn-resolvable').because).toContain(told);
    expect(ran.exitCode).toBe(0);
  });

  test('the search for controllers ends with the run, however many servers are silent', async () => {
    const site = { roles: { 'domain-controller': { domain: 'ad.lab.test' } } };
    const { ran } = await checkSite(lab.hosts.ten, site, { args: ['--row', 'ad-smb', '--deadline', '1s'] });
    expect(ran.exitCode).toBe(3);
    expect(ran.durationMs).toBeLessThan(patienceMs);
  });

  test('a domain of controllers is not looked up for rows that want none', async () => {
    const site = {
      roles: { 'citrix-license-server': lab.hosts.alive.address, 'domain-controller': { domain: 'ad.lab.test' } },
    };
    const { row, ran } = await checkSite(lab.hosts.deaf, site, { args: ['--row', 'license-initial'] });
    expect(row('license-initial')).toMatchObject({ verdict: 'pass' });
    expect(ran.durationMs).toBeLessThan(patienceMs);
  });

  test('controllers that no resolver tells are told as such, and soon', async () => {
    const site = { roles: { 'domain-controller': { domain: 'ad.lab.test' } } };
    const { row, ran } = await checkSite(lab.hosts.deaf, site, { args: ['--row', 'ad-smb', '--timeout', '2s'] });
    expect(row('ad-smb')).toMatchObject({ verdict: 'fail' });
    expect(row('ad-smb').because).toMatch(/^name: .*no DNS server answered/);
    expect(row('ad-smb').remedy).toContain('/etc/resolv.conf');
    expect(ran.durationMs).toBeLessThan(patienceMs);
  });

  test('of any, one good host is enough, and the others are told', async () => {
    const { alive, dns } = lab.hosts;
    const site = siteOf({ hosts: [dns.address, alive.address, 'ghost.lab.test'], require: 'any' });
    const { row, ran } = await checkSite(lab.client, site, { args: ['--row', 'license-initial'] });
    expect(row('license-initial')).toMatchObject({ verdict: 'pass' });
    expect(row('license-initial').because).toContain('one good host is enough');
    const notes = row('license-initial').notes.join('\n');
    expect(notes).toContain(`${dns.address}:27000/tcp: service: nothing listens`);
    expect(notes).toContain('ghost.lab.test:27000/tcp: name: ');
    expect(ran.exitCode).toBe(0);
    const all = await checkSite(lab.client, siteOf([dns.address, alive.address]), {
      args: ['--row', 'license-initial'],
    });
    expect(all.row('license-initial')).toMatchObject({ verdict: 'fail' });
  });

  test('this machine is left out of its own pool, by address and by name', async () => {
    const { alive } = lab.hosts;
    const site = {
      roles: { 'xenserver-host': [lab.client.address, 'myself.lab.test', lab.client.address6, alive.address] },
    };
    const { row, checks } = await checkSite(lab.client, site, {
      args: ['--row', 'pool-management', '--timeout', '2s'],
    });
    expect(new Set(checks('pool-management').map(({ address }) => address))).toEqual(new Set([alive.address]));
    expect(row('pool-management').notes.join()).toContain('myself.lab.test is this machine itself');
    const alone = { roles: { 'xenserver-host': [lab.client.address] } };
    const { exitCode, stdout, stderr } = await runOnSite(lab.client, alone, { args: ['--row', 'pool-management'] });
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toContain('pool-management');
  });
});
