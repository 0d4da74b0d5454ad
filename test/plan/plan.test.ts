/** Spec × site → plan: what is merged, expanded, left out and skipped, each with its reason. */
import { describe, expect, test } from 'vitest';
import { UsageError } from '../../src/model/errors.ts';
import type { Check, Plan, PlannedRow } from '../../src/model/plan.ts';
import type { RoleHosts, Site } from '../../src/model/site.ts';
import { makePlan, type PlanInput, type Selection } from '../../src/plan/plan.ts';
import { elsewhere, hostOf, probes, roleOf, siteOf, xenserver8 } from '../support/sites.ts';

const asHost: Selection = { as: ['xenserver-host'], rows: [], sections: [], roles: [] };

function planOf(site: Site, selection: Partial<Selection> = {}, parts: Partial<PlanInput> = {}): Plan {
  return makePlan({
    spec: xenserver8,
    site,
    vantage: elsewhere,
    selection: { ...asHost, ...selection },
    probes,
    ...parts,
  });
}

const planFor = (roles: Readonly<Record<string, RoleHosts>>, selection: Partial<Selection> = {}): Plan =>
  planOf(siteOf(roles), selection);

function rowIn(plan: Plan, id: string): PlannedRow {
  const row = plan.rows.find(({ requirement }) => requirement.id === id);
  if (!row) throw new Error(`no row ${id}`);
  return row;
}

const checksOf = (plan: Plan, id: string): Check[] =>
  rowIn(plan, id).checks.map((check) => {
    const found = plan.checks.find((each) => each.id === check);
    if (!found) throw new Error(`no check ${check}`);
    return found;
  });

const endpoints = (checks: readonly Check[]): string[] =>
  checks.map(({ probe, transport, host, port }) => `${probe} ${transport} ${host} ${port}`);

describe('one host in two spellings', () => {
  test.for([
    ['2001:db8::5', '2001:db8:0::5'],
    ['dc1.example.test', 'DC1.example.test.'],
    ['192.0.2.5', '::ffff:192.0.2.5'],
  ] as const)('%s and %s are one check', ([one, other]) => {
    const roles = { 'ntp-server': roleOf([one]), 'domain-controller': roleOf([other]) };
    const plan = planFor(roles, { rows: ['ntp', 'ad-ntp'] });
    expect(checksOf(plan, 'ntp')).toEqual(expect.arrayContaining(checksOf(plan, 'ad-ntp')));
  });

  test.for(['2001:db8:0:0:0:0:0:fa', '2001:DB8::FA', 'fe80::fa%eth0', 'fe80:0::fa%2'])('%s is this machine', (host) => {
    const vantage = {
      ...elsewhere,
      addresses: ['2001:db8::fa', 'fe80::fa'],
      links: [{ name: 'eth0', index: 2, addresses: ['fe80::fa'] }],
    };
    const site = siteOf({ 'xenserver-host': roleOf([host]) });
    expect(rowIn(planOf(site, {}, { vantage }), 'pool-management').skip?.because).toContain('this machine itself');
    const other = siteOf({ 'xenserver-host': roleOf(['fe80::fa%eth1', '::1']) });
    expect(checksOf(planOf(other, {}, { vantage }), 'pool-management').length).toBeGreaterThan(1);
  });
});

test('every row of the spec is in the plan, in the order of the page', () => {
  const { rows } = planFor({});
  expect(rows.map(({ requirement }) => requirement.id)).toEqual(xenserver8.rows.map(({ id }) => id));
});

test('one need is one check for each host and port', () => {
  const plan = planFor({ 'dns-server': roleOf(['192.0.2.1', 'ns2.example.test', '2001:db8::53']) });
  expect(endpoints(checksOf(plan, 'dns'))).toEqual([
    'dns udp 192.0.2.1 53',
    'dns udp ns2.example.test 53',
    'dns udp 2001:db8::53 53',
    'dns-tcp tcp 192.0.2.1 53',
    'dns-tcp tcp ns2.example.test 53',
    'dns-tcp tcp 2001:db8::53 53',
  ]);
  expect(checksOf(plan, 'dns').map(({ address }) => address)).toEqual([
    ...['192.0.2.1', null, '2001:db8::53'],
    ...['192.0.2.1', null, '2001:db8::53'],
  ]);
  expect(rowIn(plan, 'dns')).toMatchObject({ transports: ['tcp', 'udp'], ports: '53', skip: null });
});

describe('the same endpoint', () => {
  test('wanted by several rows with the same probe and options is one check', () => {
    const plan = planFor({
      'ntp-server': roleOf(['192.0.2.5']),
      'domain-controller': roleOf(['192.0.2.5']),
    });
    const ntp = plan.checks.filter(({ probe }) => probe === 'ntp');
    expect(endpoints(ntp)).toEqual(['ntp udp 192.0.2.5 123']);
    expect(ntp[0]?.uses.map(({ row }) => row)).toEqual(['ntp', 'ad-ntp']);
    expect([rowIn(plan, 'ntp').checks[0], rowIn(plan, 'ad-ntp').checks[0]]).toEqual([ntp[0]?.id, ntp[0]?.id]);
  });

  test('is one however the name is written', () => {
    const plan = planFor({
      'ntp-server': roleOf(['DC1.example.test']),
      'domain-controller': roleOf(['dc1.EXAMPLE.test']),
    });
    expect(plan.checks.filter(({ probe }) => probe === 'ntp')).toHaveLength(1);
  });

  test('with other options is another check with an id of its own', () => {
    const plan = planFor({
      'dns-server': roleOf(['192.0.2.5']),
      'domain-controller': roleOf([hostOf('192.0.2.5', { domain: 'corp.example.test' })]),
    });
    const dns = plan.checks.filter(({ probe }) => probe === 'dns');
    expect(dns.map(({ id }) => id)).toEqual(['dns/192.0.2.5:53', 'dns/192.0.2.5:53~2']);
    expect(dns.map(({ uses }) => uses.map(({ row }) => row))).toEqual([['dns'], ['ad-dns']]);
  });

  test('keeps how each row will judge it', () => {
    const plan = planOf(siteOf({ 'xenserver-host': roleOf(['192.0.2.2']) }, { facts: { 'https-only': true } }));
    const shut = checksOf(plan, 'management-port-80-closed');
    expect(shut.map(({ uses }) => uses)).toEqual([
      [
        {
          row: 'management-port-80-closed',
          expect: 'shut',
          level: 'required',
          oneWay: false,
          service: 'TCP connection',
          unless: null,
          note: null,
          isVendors: false,
        },
      ],
    ]);
    expect(rowIn(plan, 'pool-management').notes.join()).toMatch(
      /XenServer management API on port 80 is left out: the fact https-only is true/,
    );
  });
});

describe('ports', () => {
  test('of a range are all there, each once', () => {
    const plan = planFor({ 'pvs-server': roleOf(['192.0.2.5']) }, { as: ['pvs-target-device'] });
    const ports = checksOf(plan, 'pvs-server-ports').map(({ port }) => port);
    expect(ports).toEqual(Array.from({ length: 21 }, (_, i) => 6910 + i));
    expect(rowIn(plan, 'pvs-logon').checks[0]).toBe(rowIn(plan, 'pvs-server-ports').checks[0]);
  });

  test('that are dynamic begin where the probe asks', () => {
    const plan = planFor({ 'nfsv3-server': roleOf(['192.0.2.5']) });
    expect(checksOf(plan, 'nfsv3-dynamic').map(({ transport, port }) => [transport, port])).toEqual([
      ['tcp', 111],
      ['udp', 111],
    ]);
    expect(rowIn(plan, 'nfsv3-dynamic').ports).toBe('dynamic');
  });

  test('are those in use at the host, by the documented ones', () => {
    const moved = hostOf('192.0.2.5', { ports: { '111': 10_111, '2049': 12_049 } });
    const plan = planFor({ 'nfsv3-server': roleOf([moved, '192.0.2.6']) });
    expect(checksOf(plan, 'nfsv3').map(({ port }) => port)).toEqual([12_049, 2049, 12_049, 2049]);
    expect(checksOf(plan, 'nfsv3-rpcbind').map(({ port }) => port)).toEqual([10_111, 111, 10_111, 111]);
    expect(checksOf(plan, 'nfsv3-dynamic').map(({ port }) => port)).toEqual([10_111, 111, 10_111, 111]);
  });

  test('of a role with one port may be given as `port`', () => {
    const plan = planFor({ 'san-controller': roleOf([hostOf('192.0.2.5', { port: 3261 })]) });
    expect(checksOf(plan, 'iscsi').map(({ port }) => port)).toEqual([3261]);
  });
});

describe('this machine', () => {
  test('is left out of the hosts of its own role, by address and by name', () => {
    const hosts = ['192.0.2.250', '2001:DB8::FA', 'xs1', 'XS1.example.test.', '192.0.2.2'];
    const plan = planFor({ 'xenserver-host': roleOf(hosts) });
    expect([...new Set(checksOf(plan, 'pool-management').map(({ host }) => host))]).toEqual(['192.0.2.2']);
    expect(checksOf(plan, 'pool-management').every(({ mayBeSelf }) => mayBeSelf)).toBe(true);
  });

  test('as the only host of a role is no host at all', () => {
    const plan = planFor({ 'xenserver-host': roleOf(['192.0.2.250']) });
    expect(rowIn(plan, 'pool-management').skip).toEqual({
      reason: 'role-is-empty',
      because: 'the only host of xenserver-host is this machine itself',
      remedy: 'add the other hosts to roles.xenserver-host of the site file',
    });
  });

  test('is left out of a role whose machines are its own kind', () => {
    const plan = planFor({ 'cluster-member': roleOf(['192.0.2.250', '192.0.2.9']) });
    expect(endpoints(checksOf(plan, 'clustering-udp'))).toEqual(['udp udp 192.0.2.9 5404', 'udp udp 192.0.2.9 5405']);
  });

  test('is a host like any other where it serves itself', () => {
    const plan = planFor({ 'ntp-server': roleOf(['192.0.2.250']) });
    expect(endpoints(checksOf(plan, 'ntp'))).toEqual(['ntp udp 192.0.2.250 123', 'tcp tcp 192.0.2.250 123']);
  });

  test('on loopback is not left out: that is how the lab is reached', () => {
    const vantage = { hostname: 'localhost', addresses: ['127.0.0.1', '::1'] };
    const site = siteOf({ 'xenserver-host': roleOf(['127.0.0.1', '::1', 'localhost']) });
    expect(checksOf(planOf(site, {}, { vantage }), 'pool-management')).toHaveLength(6);
  });
});

describe('a skip', () => {
  const reasonIn = (plan: Plan, id: string): string | undefined => rowIn(plan, id).skip?.reason;
  const everything = siteOf({}, { notUsed: ['ntp-server', 'xencenter', 'vm'] });

  test('says first that the row was not selected, whatever else holds', () => {
    const plan = planOf(everything, { rows: ['iscsi'] });
    expect(reasonIn(plan, 'vm-vnc')).toBe('not-selected');
    expect(reasonIn(plan, 'iscsi')).toBe('role-is-empty');
  });

  test('then that it does not apply, with the word that says so', () => {
    const plan = planOf(siteOf({}, { notUsed: ['ntp-server'], facts: { 'ad-ldaps': false } }));
    expect(rowIn(plan, 'ntp').skip).toMatchObject({
      reason: 'not-applicable',
      because: 'the site says ntp-server is not used',
    });
    expect(reasonIn(planOf(everything), 'vm-vnc'), 'from wherever it is asked').toBe('not-applicable');
    expect(rowIn(plan, 'ad-ldaps').skip).toMatchObject({
      reason: 'not-applicable',
      because: 'the fact ad-ldaps is false here',
    });
  });

  test('then that it starts elsewhere, and where to run it', () => {
    const { skip } = rowIn(planOf(siteOf({})), 'vm-vnc');
    expect(skip).toEqual({
      reason: 'other-vantage',
      because: 'it starts from xencenter, which is not where this runs',
      remedy: 'run xenreach on a workstation that runs XenCenter with --as xencenter',
    });
  });

  test('and last that the site names no host, and what to add', () => {
    expect(rowIn(planFor({}), 'ntp').skip).toEqual({
      reason: 'role-is-empty',
      because: 'the site names no host for ntp-server',
      remedy: 'add hosts under roles.ntp-server of the site file, or say not-used: [ntp-server]',
    });
    expect(reasonIn(planFor({ 'ntp-server': roleOf([]) }), 'ntp')).toBe('role-is-empty');
  });

  test('a source that is not used skips its rows too', () => {
    const plan = planOf(everything, { as: ['xencenter'] });
    expect(reasonIn(plan, 'xencenter-management')).toBe('not-applicable');
  });

  test('a role that could not be found says what was tried', () => {
    const plan = planFor({ 'domain-controller': roleOf([], { notes: ['no service records'] }) });
    expect(rowIn(plan, 'dc-ldap').skip).toMatchObject({ reason: 'role-is-empty', because: 'no service records' });
  });

  test('rows, sections and destination roles narrow each other', () => {
    const ids = (selection: Partial<Selection>): string[] =>
      planOf(siteOf({ 'ntp-server': roleOf(['192.0.2.5']), 'dns-server': roleOf(['192.0.2.5']) }), selection)
        .rows.filter(({ skip }) => skip?.reason !== 'not-selected')
        .map(({ requirement }) => requirement.id);
    expect(ids({ rows: ['dns', 'ntp'] })).toEqual(['ntp', 'dns']);
    expect(ids({ rows: ['dns', 'ntp'], roles: ['ntp-server'] })).toEqual(['ntp']);
    expect(ids({ rows: ['dns'], sections: ['provisioning'] })).toEqual([]);
    expect(ids({ sections: ['provisioning'] })).toHaveLength(4);
  });
});

describe('facts', () => {
  const hosts = { 'cluster-member': roleOf(['192.0.2.16']), 'xenserver-host': roleOf(['192.0.2.2']) };

  test('have the defaults of the spec', () => {
    const plan = planFor(hosts);
    expect(checksOf(plan, 'clustering-tcp').map(({ port }) => port)).toEqual([8892, 8896, 21_064]);
    expect(rowIn(plan, 'management-port-80-closed').skip?.reason).toBe('not-applicable');
  });

  test('of the site choose needs, and the plan says which were left out', () => {
    const plan = planOf(siteOf(hosts, { facts: { 'cluster-live': true } }));
    expect(checksOf(plan, 'clustering-tcp').map(({ port }) => port)).toEqual([8892, 8896]);
    expect(rowIn(plan, 'clustering-tcp').notes).toEqual([
      'the distributed lock manager on port 21064 is left out: the fact cluster-live is true here',
    ]);
  });

  test('that leave a row without needs make it not applicable', () => {
    const row = xenserver8.rows.find(({ id }) => id === 'ntp')!;
    const needs = row.needs.map((need) => Object.assign({}, need, { when: { 'https-only': true } }));
    const spec = { ...xenserver8, rows: [{ ...row, needs }] };
    const plan = planOf(siteOf({ 'ntp-server': roleOf(['192.0.2.5']) }), {}, { spec });
    expect(rowIn(plan, 'ntp').skip).toMatchObject({ reason: 'not-applicable' });
    expect(plan.checks).toEqual([]);
  });
});

describe('hosts of one role', () => {
  test('are told apart by their console; one that does not say is taken for both', () => {
    const vms = [hostOf('192.0.2.5', { console: 'vnc' }), hostOf('192.0.2.6', { console: 'rdp' }), hostOf('192.0.2.7')];
    const plan = planFor({ vm: roleOf(vms) }, { as: ['xencenter'] });
    expect(checksOf(plan, 'vm-vnc').map(({ host }) => host)).toEqual(['192.0.2.5', '192.0.2.7']);
    expect(checksOf(plan, 'vm-rdp').map(({ host }) => host)).toEqual(['192.0.2.6', '192.0.2.7']);
  });

  test('without the wanted console make the row not applicable', () => {
    const plan = planFor({ vm: roleOf([hostOf('192.0.2.5', { console: 'vnc' })]) }, { as: ['xencenter'] });
    expect(rowIn(plan, 'vm-rdp').skip).toEqual({
      reason: 'not-applicable',
      because: 'no host of vm has console: rdp',
      remedy: null,
    });
  });

  test('may be found to hold the global catalogs, or not', () => {
    const role = roleOf(['dc1.example.test'], { globalCatalogs: [hostOf('gc1.example.test')] });
    const plan = planFor({ 'domain-controller': role });
    expect(endpoints(checksOf(plan, 'ad-global-catalog'))).toEqual(['ldap tcp gc1.example.test 3268']);
    expect(endpoints(checksOf(plan, 'ad-smb'))).toEqual(['smb tcp dc1.example.test 445']);
    expect(rowIn(plan, 'ad-global-catalog').require).toBe('all');
  });

  test('of which nobody knows the global catalogs need only one that answers', () => {
    const hosts = ['dc1.example.test', 'dc2.example.test'];
    const role = roleOf(hosts, { globalCatalogs: hosts.map((host) => hostOf(host)), isCatalogUnknown: true });
    const plan = planFor({ 'domain-controller': role });
    expect(rowIn(plan, 'ad-global-catalog')).toMatchObject({ require: 'any' });
    expect(rowIn(plan, 'ad-smb')).toMatchObject({ require: 'all' });
  });

  test('carry the notes of their discovery and the wish that one is enough', () => {
    const plan = planFor({ 'ntp-server': roleOf(['192.0.2.5'], { require: 'any', notes: ['found 12'] }) });
    expect(rowIn(plan, 'ntp')).toMatchObject({ require: 'any', notes: ['found 12'] });
  });
});

describe('external domains', () => {
  test('are named by their rows', () => {
    const plan = planFor({});
    expect(endpoints(checksOf(plan, 'updates-repo'))).toEqual(['https tcp repo.ops.xenserver.com 443']);
    expect(checksOf(plan, 'updates-repo')[0]).toMatchObject({ viaProxy: false, address: null });
  });

  test('go through the proxy, and nothing else does', () => {
    const site = siteOf({ 'ntp-server': roleOf(['192.0.2.5']) }, { proxy: { url: 'http://proxy.example.test:3128' } });
    const plan = planOf(site);
    expect(plan.checks.filter(({ viaProxy }) => viaProxy).map(({ uses }) => uses[0]?.row)).toEqual([
      'updates-repo',
      'updates-source-repo',
      'telemetry',
    ]);
  });

  test('serves the rows that it is for, and no others', () => {
    const site = { ...siteOf({}), proxy: { url: 'http://proxy.example.test:3128', for: ['updates-repo'] } };
    const plan = planOf(site, { sections: ['domains'] });
    expect(plan.checks.filter(({ viaProxy }) => viaProxy).map(({ uses }) => uses[0]?.row)).toEqual(['updates-repo']);
    expect(checksOf(plan, 'telemetry')[0]).toMatchObject({ viaProxy: false });
  });

  test('takes no datagrams: those go direct, by an address that is found here', () => {
    const rows = xenserver8.rows.map((row) =>
      row.id === 'telemetry' ? { ...row, needs: [{ ...row.needs[0]!, probe: 'dns', options: {} }] } : row,
    );
    const site = { ...siteOf({}), proxy: { url: 'http://proxy.example.test:3128' } };
    const plan = planOf(site, { rows: ['telemetry'] }, { spec: { ...xenserver8, rows } });
    expect(checksOf(plan, 'telemetry')[0]).toMatchObject({ transport: 'udp', viaProxy: false });
  });

  test('that stand for all their subdomains are sampled, by the names of the site if it has any', () => {
    const usual = planOf(siteOf({}), { as: ['xencenter'] });
    expect(checksOf(usual, 'xencenter-hotfixes-citrix').map(({ host }) => host)).toEqual([
      ...['citrix.com', 'www.citrix.com', 'fileservice.citrix.com', 'support.citrix.com'],
    ]);
    const chosen = planOf(siteOf({}, { names: { 'citrix.com': ['docs.citrix.com'] } }), { as: ['xencenter'] });
    expect(checksOf(chosen, 'xencenter-hotfixes-citrix').map(({ host }) => host)).toEqual(['docs.citrix.com']);
    expect(rowIn(chosen, 'xencenter-hotfixes-citrix').notes).toEqual([
      '"citrix.com and subdomains" is sampled by 1 name: a rule for all of it cannot be proven',
    ]);
  });
});

describe('names of the site', () => {
  test('are resolved once each, those that this vantage reaches', () => {
    const plan = planFor({
      'ntp-server': roleOf(['time.example.test', '192.0.2.5']),
      'dns-server': roleOf(['TIME.example.test']),
      vm: roleOf(['vm1.example.test']),
    });
    expect(endpoints(checksOf(plan, 'fqdn-resolvable'))).toEqual(['resolve udp TIME.example.test 53']);
  });

  test('that do not exist make the row not applicable', () => {
    expect(rowIn(planFor({ 'ntp-server': roleOf(['192.0.2.5']) }), 'fqdn-resolvable').skip).toEqual({
      reason: 'not-applicable',
      because: 'the site names every host by its address',
      remedy: null,
    });
  });
});

describe('what only the site knows', () => {
  test('fills the options of the probes', () => {
    const controllers = [hostOf('192.0.2.5', { domain: 'corp.example.test' }), '192.0.2.6'];
    const plan = planOf(
      siteOf(
        {
          'domain-controller': roleOf(controllers, { domain: 'emea.example.test' }),
          'dns-server': roleOf(['192.0.2.7']),
        },
        { dns: { query: 'repo.example.test', type: 'AAAA' } },
      ),
    );
    const optionOf = (row: string, option: string): unknown[] =>
      checksOf(plan, row).map(({ options }) => options[option]);
    expect(optionOf('ad-ldap', 'domain')).toEqual([
      ...['corp.example.test', 'emea.example.test'],
      ...['corp.example.test', 'emea.example.test'],
    ]);
    expect(optionOf('ad-kerberos', 'realm').slice(0, 2)).toEqual(['CORP.EXAMPLE.TEST', 'EMEA.EXAMPLE.TEST']);
    expect(optionOf('ad-dns', 'query')[0]).toBe('_ldap._tcp.dc._msdcs.corp.example.test');
    expect(optionOf('dns', 'query')).toEqual(['repo.example.test', 'repo.example.test']);
    expect(optionOf('dns', 'type')).toEqual(['AAAA', 'AAAA']);
  });

  test('is left out when the site does not say it', () => {
    const plan = planFor({ 'domain-controller': roleOf(['192.0.2.5']), 'dns-server': roleOf(['192.0.2.7']) });
    expect(checksOf(plan, 'ad-ldap')[0]?.options['domain']).toBeUndefined();
    expect(JSON.stringify(plan.checks)).not.toContain('$');
  });

  test('and is no option of the probe is an error of the site', () => {
    const site = siteOf({ 'dns-server': roleOf(['192.0.2.7']) }, { dns: { type: 'NAPTR' } });
    expect(() => planOf(site)).toThrow(UsageError);
    expect(() => planOf(site)).toThrow(/the dns probe cannot take .*NAPTR/);
  });
});

test('a probe that is not there is a defect', () => {
  expect(() => planOf(siteOf({}), {}, { probes: {} })).toThrow(RangeError);
});

test('a plan that nobody can mean is counted, not made', () => {
  const row = rowIn(planFor({}), 'nfsv4').requirement;
  const needs = [{ ...row.needs[0]!, probe: 'tcp', options: {}, ports: ['1-65535'] }];
  const spec = { ...xenserver8, rows: Array.from({ length: 20 }, (_, i) => ({ ...row, id: `row-${i}`, needs })) };
  const site = siteOf({ 'nfsv4-server': roleOf(['192.0.2.1', '192.0.2.2']) });
  expect(() => planOf(site, {}, { spec })).toThrow(new RegExp(`this plan has ${20 * 2 * 65_535} checks`));
  expect(planOf(site, { rows: ['row-1'] }, { spec }).checks).toHaveLength(2 * 65_535);
});
