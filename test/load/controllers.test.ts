/** Domain controllers by the DNS service records of their domain: found, limited, and what is done when there are none. */
import { describe, expect, test } from 'vitest';
import { findControllers, unfoundControllers, type ServiceLookup } from '../../src/load/controllers.ts';
import type { RoleHosts } from '../../src/model/site.ts';
import { hostOf, roleOf, siteOf } from '../support/sites.ts';

type Records = Readonly<Record<string, readonly string[]>>;

function lookupIn(records: Records): ServiceLookup & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    services: (name) => {
      asked.push(name);
      const names = records[name];
      if (!names) return Promise.reject(new Error(`${name}: no such name`));
      return Promise.resolve(names.map((each) => ({ name: each, port: 389 })));
    },
  };
}

const searched = (parts: Partial<RoleHosts> = {}): RoleHosts => roleOf([], { domain: 'corp.test', ...parts });

async function foundIn(role: RoleHosts, records: Records): Promise<RoleHosts> {
  const site = await findControllers(siteOf({ 'domain-controller': role }), lookupIn(records));
  return site.roles['domain-controller']!;
}

const dc = '_ldap._tcp.dc._msdcs.corp.test';
const gc = '_ldap._tcp.gc._msdcs.corp.test';

describe('a domain', () => {
  test('has the controllers of its records, in their order, each once', async () => {
    const role = await foundIn(searched(), { [dc]: ['DC2.corp.test', 'dc1.corp.test', 'dc2.corp.test'], [gc]: [] });
    expect(role.hosts).toEqual([
      hostOf('dc2.corp.test', { domain: 'corp.test' }),
      hostOf('dc1.corp.test', { domain: 'corp.test' }),
    ]);
    expect(role.notes).toEqual(['2 controllers of corp.test found by DNS']);
    expect(role.globalCatalogs).toBeUndefined();
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
      expect(role.notes[0]).toMatch(/^corp\.test has no service records .*: its own addresses are taken$/);
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
