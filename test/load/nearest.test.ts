import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { didYouMean, nearest } from '../../src/load/nearest.ts';

const roles = [
  'xenserver-host',
  'xencenter',
  'vm',
  'ntp-server',
  'dns-server',
  'citrix-license-server',
  'domain-controller',
];

test.for([
  ['ntp-sever', 'ntp-server'],
  ['ntp_server', 'ntp-server'],
  ['dsn-server', 'dns-server'],
  ['XenServer-Host', 'xenserver-host'],
  ['licence-server', 'citrix-license-server'],
  ['controller', 'domain-controller'],
  ['vms', 'vm'],
  ['printer', null],
  ['', null],
  ['x'.repeat(10_000), null],
])('%s is meant to be %s', ([word, meant]) => {
  expect(nearest(word ?? '', roles)).toBe(meant);
});

test('where nothing is near, all that is known is told', () => {
  expect(didYouMean('prot', ['port', 'ports'])).toBe('; did you mean "port"?');
  expect(didYouMean('printer', ['port', 'ports'])).toBe('; known: port, ports');
  expect(didYouMean('printer', [])).toBe('');
});

test('a known word is its own nearest', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string({ minLength: 1, maxLength: 20 }), { minLength: 1 }), (words) => {
      expect(nearest(words[0]!, words)?.toLowerCase()).toBe(words[0]!.toLowerCase());
    }),
  );
});
