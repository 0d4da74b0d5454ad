import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressKind } from '../../src/model/address.ts';
import { NetError } from '../../src/model/errors.ts';
import { usableAddresses } from '../../src/net/found-addresses.ts';

const fours = (count: number): string[] => Array.from({ length: count }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
const sixes = (count: number): string[] => Array.from({ length: count }, (_, i) => `2001:db8::${(i + 1).toString(16)}`);

describe('the addresses that DNS has for a name', () => {
  test.for([
    [fours(8), 8, []],
    [fours(4000), 8, [/fs1 has 4000 addresses: 8 of them are checked/]],
    [[...fours(4000), ...sixes(2)], 8, [/4002 addresses/]],
    [[...fours(1), ...sixes(2300)], 8, [/2301 addresses/]],
    [['10.0.0.1', '224.0.0.251'], 1, [/224\.0\.0\.251 is a multicast address/]],
    [
      ['10.0.0.1', 'fe80::1', 'ff05::1:3', '0.0.0.0', '255.255.255.255', '240.0.0.1'],
      1,
      [/fe80::1 is of some link.* and 1 more$/],
    ],
  ] as const)('%# are at most eight, those of hosts, and what is left out is told', ([addresses, count, notes]) => {
    const found = usableAddresses('fs1', addresses);
    expect(found.usable).toHaveLength(count);
    expect(found.notes).toEqual(notes.map((text) => expect.stringMatching(text) as string));
  });

  test('of both families some are taken', () => {
    const { usable } = usableAddresses('fs1', [...fours(100), ...sixes(100)]);
    expect(usable.filter((address) => address.includes(':'))).toHaveLength(4);
    expect(usableAddresses('fs1', [...fours(100), ...sixes(1)]).usable.at(-1)).toBe('2001:db8::1');
  });

  test.for([
    '224.0.0.251',
    '239.255.255.250',
    'ff05::1:3',
    '0.0.0.0',
    '::',
    '255.255.255.255',
    '240.0.0.1',
    '::ffff:224.0.0.1',
  ])('nothing is sent to %s, and the outcome says why', (address) => {
    expect(() => usableAddresses('fs1', [address])).toThrow(NetError);
    expect(() => usableAddresses('fs1', [address])).toThrow(/fs1 has no address that a packet can be sent to/);
  });

  test('whatever they are, those that are left can be sent to', () => {
    const address = fc.oneof(fc.ipV4(), fc.ipV6(), fc.string(), fc.constantFrom('224.0.0.1', 'ff02::1', '127.0.0.1'));
    fc.assert(
      fc.property(fc.array(address, { maxLength: 40 }), (addresses) => {
        try {
          const { usable, notes } = usableAddresses('fs1', addresses);
          expect(usable.length).toBeLessThanOrEqual(8);
          for (const one of usable) expect(['ordinary', 'loopback', 'link-local']).toContain(addressKind(one));
          expect(notes.join('').length).toBeLessThan(1000);
        } catch (error) {
          expect(error).toBeInstanceOf(NetError);
        }
      }),
    );
  });
});
