/** What an address says by itself. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { familyOf, isLoopback } from '../../src/net/address.ts';

test.for([
  ['127.0.0.1', 4, true],
  ['127.255.255.254', 4, true],
  ['128.0.0.1', 4, false],
  ['::1', 6, true],
  ['0:0:0:0:0:0:0:1', 6, true],
  ['::2', 6, false],
  ['fe80::1%eth0', 6, false],
  ['localhost', 0, false],
  ['', 0, false],
  ['127.1', 0, false],
] as const)('%s: family %i, loopback %s', ([address, family, loopback]) => {
  expect([familyOf(address), isLoopback(address)]).toEqual([family, loopback]);
});

test('any text has a family, or is a name', () => {
  fc.assert(fc.property(fc.ipV4(), (address) => familyOf(address) === 4));
  fc.assert(fc.property(fc.ipV6(), (address) => familyOf(address) === 6));
  fc.assert(fc.property(fc.string(), (text) => [0, 4, 6].includes(familyOf(text)) && isLoopback(text) !== undefined));
});
