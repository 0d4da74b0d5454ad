/** Words that stand for what only the site knows. */
import { expect, test } from 'vitest';
import { templates } from '../../src/model/spec.ts';
import { fillTemplates } from '../../src/plan/options.ts';

const all = Object.fromEntries(templates.map((name) => [name, `$${name}`]));

test('each word is filled in', () => {
  expect(
    fillTemplates(all, { domain: 'corp.test', dns: { query: 'a.test', type: 'SRV' }, poolCertificates: ['0a'] }),
  ).toEqual({
    domain: 'corp.test',
    realm: 'CORP.TEST',
    'ad-srv': '_ldap._tcp.dc._msdcs.corp.test',
    'dns-query': 'a.test',
    'dns-type': 'SRV',
    'pool-certificates': ['0a'],
  });
});

test('what the site does not know is left out', () => {
  expect(fillTemplates(all, { domain: undefined, dns: {} })).toEqual({});
});

test('everything else stays as it is', () => {
  const options = { path: '/$domain', price: '$5', proto: '$constructor', list: ['$domain'], none: null, yes: true };
  expect(fillTemplates(options, { domain: 'corp.test', dns: {} })).toEqual(options);
});
