/** What DNS says of a domain, and what is made of it. */
import { expect, test } from 'vitest';
import { dnsSource, type DomainGuess } from '../../src/discover/dns.ts';
import { NetError } from '../../src/model/errors.ts';

const zone: Readonly<Record<string, readonly string[]>> = {
  '_ldap._tcp.dc._msdcs.corp.test': ['dc1.corp.test', 'dc2.corp.test', '10.0.0.1', 'bad name'],
  '_kerberos._tcp.dc._msdcs.corp.test': ['dc1.corp.test'],
  '_ldap._tcp.gc._msdcs.forest.test': ['gc1.forest.test'],
};

const services = async (name: string) => {
  const found = zone[name];
  if (!found) throw new NetError({ outcome: 'unresolved', stage: 'resolve', detail: 'no such name' });
  return found.map((each) => ({ name: each }));
};

const introductions = async () => new Map([['dc1.corp.test', { forest: 'Forest.test', isGlobalCatalog: true }]]);

const ask = (how: DomainGuess['how'], domain: string) =>
  dnsSource([{ domain, how, from: 'somewhere' }], { services, introductions });

test('controllers, KDCs, the forest and its catalogs are told beside the domain', async () => {
  const { findings, trouble } = await ask('guessed', 'corp.test');
  expect(findings).toEqual([
    { kind: 'domain', domain: 'corp.test', from: 'somewhere; DNS names its controllers' },
    { kind: 'remark', text: 'DNS: controllers of corp.test: dc1.corp.test, dc2.corp.test' },
    { kind: 'remark', text: 'DNS: KDCs of corp.test: dc1.corp.test' },
    { kind: 'remark', text: 'the controllers say: the forest of corp.test is forest.test' },
    { kind: 'remark', text: 'DNS: global catalogs of forest.test: gc1.forest.test' },
  ]);
  expect(trouble).toBeNull();
});

test('a search domain without controllers is no domain, and nothing to tell', async () => {
  expect(await ask('guessed', 'home.test')).toMatchObject({ findings: [], told: [], trouble: null });
});

test('one that was named stays, and is trouble', async () => {
  const { findings, trouble } = await ask('named', 'home.test');
  expect(findings).toEqual([{ kind: 'domain', domain: 'home.test', from: 'somewhere' }]);
  expect(trouble).toBe('DNS names no controllers of home.test: no such name');
});

test('one that the pool knows is told, and no trouble: this machine may have other resolvers', async () => {
  const { findings, told, trouble } = await ask('known', 'home.test');
  expect({ findings, told, trouble }).toEqual({
    findings: [],
    told: ['DNS names no controllers of home.test: no such name'],
    trouble: null,
  });
});
