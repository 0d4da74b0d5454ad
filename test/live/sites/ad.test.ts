/** A site whose domain controllers are found by DNS: a real domain, a zone with several controllers, a wrong domain. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { makeAuthority, type Authority } from '../../support/certificates.ts';
import { checkSite, verdictsOf } from '../../support/check-site.ts';
import { makeLab, setNames, whyNotLive, type Lab } from '../../support/netns.ts';
import { probe } from '../../support/run-xenreach.ts';
import type { Server } from '../../support/servers.ts';
import { startBind9 } from '../../support/servers/bind9.ts';
import { startChrony } from '../../support/servers/chrony.ts';
import { faketime, startMitKerberos } from '../../support/servers/mit-kerberos.ts';
import { startSambaAd } from '../../support/servers/samba-ad.ts';

const toControllers = ['--role', 'domain-controller'];

const passes = {
  'dc-ldap': 'pass',
  'dc-ldaps': 'pass',
  'ad-dns': 'pass',
  'ad-kerberos': 'pass',
  'ad-ntp': 'pass',
  'ad-netbios-name': 'pass',
  'ad-netbios-session': 'pass',
  'ad-ldap': 'pass',
  'ad-smb': 'pass',
  'ad-kpasswd': 'pass',
  'ad-ldaps': 'pass',
  'ad-global-catalog': 'pass',
};

describe.skipIf(whyNotLive('samba', 'named', 'chronyd', 'krb5kdc', faketime) !== null)('Active Directory', () => {
  let lab: Lab<'dc1' | 'dns' | 'late' | 'pool2'>;
  let authority: Authority;
  const servers: Server[] = [];

  beforeAll(async () => {
    // The domain is made for the address of the first host.
    lab = makeLab(['dc1', 'dns', 'late', 'pool2']);
    const { dc1, dns, late, pool2 } = lab.hosts;
    authority = makeAuthority('ad.lab.test authority');
    setNames(lab.client, { hosts: '', 'resolv.conf': `nameserver ${dc1.address}\n` });
    setNames(pool2, { hosts: '', 'resolv.conf': `nameserver ${dns.address}\n` });
    const records = [
      ...['last 30 0', 'third 20 10', 'second 20 90', 'first 10 0'].map((line) => {
        const [name, priority, weight] = line.split(' ');
        return `_ldap._tcp.dc._msdcs.many.lab.test. SRV ${priority} ${weight} 389 ${name}.many.lab.test.`;
      }),
      '_ldap._tcp.gc._msdcs.lab.test. SRV 0 0 3268 catalog.lab.test.',
      ...['first', 'second', 'third', 'last'].map((name) => `${name}.many.lab.test. A ${dc1.address}`),
      `catalog.lab.test. A ${dc1.address}`,
    ];
    servers.push(
      ...(await Promise.all([
        startSambaAd(dc1, authority.issue({ names: ['dc1.ad.lab.test', dc1.address], algorithm: 'rsa' })),
        startChrony(dc1),
        startBind9(dns, records),
        startMitKerberos(late, { clock: '-10m' }),
      ])),
    );
    // It answers before it has its names.
    await vi.waitFor(
      async () => {
        const check = await probe('netbios-name', dc1.address, ['--timeout', '1s'], lab.client);
        if (check.evidence['domain'] !== 'ADLAB') throw new Error(check.detail ?? '');
      },
      { timeout: 30_000, interval: 300 },
    );
  }, 120_000);

  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()));
    lab?.[Symbol.dispose]();
  });

  const trusted = (): object => ({ args: toControllers, files: { 'ca.pem': authority.certificate } });

  test('a domain is found, and all of its controller is proven', async () => {
    const site = { roles: { 'domain-controller': { domain: 'ad.lab.test' } }, trust: ['ca.pem'] };
    const { report, row, checks, ran } = await checkSite(lab.client, site, trusted());
    expect(verdictsOf(report)).toEqual(passes);
    expect(ran.exitCode).toBe(0);
    expect(row('dc-ldap').notes.join()).toContain('1 controller of ad.lab.test found by DNS');
    for (const check of report.checks) {
      expect(check).toMatchObject({ host: 'dc1.ad.lab.test', address: lab.hosts.dc1.address });
    }
    const { evidence } = checks('ad-ldap').find((check) => check.probe === 'cldap')!;
    expect(evidence).toMatchObject({ domain: 'ad.lab.test', forest: 'ad.lab.test', hostname: 'dc1.ad.lab.test' });
    expect(evidence['site']).toBe('Default-First-Site-Name');
    const ldap = checks('ad-ldap').find((check) => check.probe === 'ldap')!;
    expect(ldap.evidence).toMatchObject({
      defaultNamingContext: 'DC=ad,DC=lab,DC=test',
      dnsHostName: 'dc1.ad.lab.test',
    });
    for (const check of checks('ad-kerberos')) expect(check.evidence).toMatchObject({ realm: 'AD.LAB.TEST' });
    expect(checks('ad-netbios-name')[0]?.evidence).toMatchObject({ computer: 'DC1', domain: 'ADLAB' });
    expect(checks('ad-global-catalog')[0]?.evidence).toMatchObject({ isGlobalCatalogReady: true });
  });

  test("a certificate of the domain's own authority is not trusted unasked", async () => {
    const site = { roles: { 'domain-controller': { domain: 'ad.lab.test' } } };
    const { row } = await checkSite(lab.client, site, { args: [...toControllers, '--row', 'ad-ldaps'] });
    expect(row('ad-ldaps')).toMatchObject({ verdict: 'fail' });
    expect(row('ad-ldaps').because).toContain('issued by ad.lab.test authority');
    expect(row('ad-ldaps').remedy).toContain('trust');
  });

  test('a controller that serves another domain than the site says', async () => {
    const { address } = lab.hosts.dc1;
    const site = {
      roles: { 'domain-controller': { host: address, domain: 'other.lab' } },
      trust: ['ca.pem'],
    };
    const { row, ran } = await checkSite(lab.client, site, trusted());
    expect(ran.exitCode).toBe(1);
    for (const id of ['dc-ldap', 'dc-ldaps', 'ad-ldap', 'ad-ldaps', 'ad-global-catalog']) {
      expect(row(id)).toMatchObject({ verdict: 'fail' });
      expect(row(id).because).toContain('other.lab');
      expect(row(id).because).toContain('ad.lab.test');
    }
    expect(row('ad-dns')).toMatchObject({ verdict: 'fail' });
    expect(row('ad-smb')).toMatchObject({ verdict: 'pass' });
  });

  test('of many controllers the best are taken, and the cap is told', async () => {
    const site = (limit: number): object => ({ roles: { 'domain-controller': { domain: 'many.lab.test', limit } } });
    const hosts = async (limit: number, row: string): Promise<readonly [string[], string]> => {
      const args = ['--row', row, '--timeout', '2s'];
      const { report, row: rowOf } = await checkSite(lab.hosts.pool2, site(limit), { args });
      return [report.checks.map(({ host }) => host), rowOf(row).notes.join('\n')];
    };
    const [one, toldOne] = await hosts(1, 'ad-smb');
    expect(one).toEqual(['first.many.lab.test']);
    expect(toldOne).toContain('4 controllers of many.lab.test found by DNS, the best 1 are checked (limit: 1)');
    const [three] = await hosts(3, 'ad-smb');
    expect(three).toEqual(['first.many.lab.test', 'second.many.lab.test', 'third.many.lab.test']);
    // The forest's root is a parent of the domain.
    const [catalogs] = await hosts(3, 'ad-global-catalog');
    expect(catalogs).toEqual(['catalog.lab.test']);
  });

  test('a domain without records is told as such', async () => {
    const site = { roles: { 'domain-controller': { domain: 'nowhere.lab.test' } } };
    const { row } = await checkSite(lab.hosts.pool2, site, { args: ['--row', 'ad-smb', '--timeout', '2s'] });
    expect(row('ad-smb')).toMatchObject({ verdict: 'fail' });
    expect(row('ad-smb').notes.join()).toContain('nowhere.lab.test has no service records for its controllers');
  });

  test('a clock that is ten minutes late is told on the Kerberos row', async () => {
    const site = { roles: { 'domain-controller': { host: lab.hosts.late.address, domain: 'lab.test' } } };
    const { row } = await checkSite(lab.client, site, { args: ['--row', 'ad-kerberos'] });
    expect(row('ad-kerberos')).toMatchObject({ verdict: 'warn' });
    expect(row('ad-kerberos').because).toMatch(/10 min behind/);
  });
});
