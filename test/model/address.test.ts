/** What an address says by itself, held against Node's own answers, and when two texts mean one host. */
import { BlockList, isIP } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  addressKind,
  canonicalHost,
  familyOf,
  hostPort,
  isAddress,
  isLoopback,
  isSameHost,
  mayBeNameOf,
  parseHostPort,
  sentHost,
  withoutBrackets,
  zoneOf,
} from '../../src/model/address.ts';

test.for([
  ['127.0.0.1', 4, 'loopback'],
  ['127.255.255.254', 4, 'loopback'],
  ['128.0.0.1', 4, 'ordinary'],
  ['0.0.0.0', 4, 'unspecified'],
  ['0.1.2.3', 4, 'unspecified'],
  ['169.254.1.1', 4, 'link-local'],
  ['224.0.0.251', 4, 'multicast'],
  ['240.0.0.1', 4, 'reserved'],
  ['255.255.255.255', 4, 'broadcast'],
  ['010.0.0.1', 0, null],
  ['127.1', 0, null],
  ['localhost', 0, null],
  ['', 0, null],
  ['::1', 6, 'loopback'],
  ['0:0:0:0:0:0:0:1', 6, 'loopback'],
  ['::ffff:127.0.0.1', 6, 'loopback'],
  ['::ffff:e000:1', 6, 'multicast'],
  ['::', 6, 'unspecified'],
  ['::2', 6, 'ordinary'],
  ['fe80::1%eth0', 6, 'link-local'],
  ['febf::1', 6, 'link-local'],
  ['fec0::1', 6, 'ordinary'],
  ['ff05::1:3', 6, 'multicast'],
  ['2001:db8::1::2', 0, null],
  ['1:2:3:4:5:6:7', 0, null],
  ['1:2:3:4:5:6:7:8::', 0, null],
  [':::', 0, null],
  ['a:b', 0, null],
] as const)('%s: family %i, %s', ([text, family, kind]) => {
  expect([familyOf(text), addressKind(text), isLoopback(text)]).toEqual([family, kind, kind === 'loopback']);
});

const addresses = fc.oneof(fc.ipV4(), fc.ipV6());
const digits = fc.constantFrom('0', '1', '7f', 'FFFF', '255', '256', '00', '01', '10.0.0.1', ':', '::', '.', '%', 'e0');
const nearAddresses = fc.array(digits, { maxLength: 17 }).map((parts) => parts.join(''));

test('what is an address is what Node says is one', () => {
  fc.assert(fc.property(addresses, (text) => familyOf(text) === isIP(text) && isAddress(text)));
  fc.assert(fc.property(nearAddresses, (text) => familyOf(text) === isIP(text)));
  fc.assert(fc.property(fc.string(), (text) => familyOf(text) === isIP(text)));
});

test('the one spelling of an IPv6 address is the one that URLs have, but for IPv4-mapped ones', () => {
  fc.assert(
    fc.property(fc.ipV6(), (text) => {
      const ofUrl = withoutBrackets(new URL(`http://[${text}]/`).hostname);
      return ofUrl.startsWith('::ffff:') || canonicalHost(text) === ofUrl;
    }),
  );
  expect(canonicalHost('::FFFF:a00:1')).toBe('10.0.0.1');
});

test('a canonical spelling is its own, and of the same kind', () => {
  fc.assert(
    fc.property(addresses, (text) => {
      const canonical = canonicalHost(text);
      return canonicalHost(canonical) === canonical && addressKind(canonical) === addressKind(text);
    }),
  );
});

test('the kinds are the networks that the registries name', () => {
  const networks = {
    loopback: ['127.0.0.0/8', '::1/128'],
    'link-local': ['169.254.0.0/16', 'fe80::/10'],
    multicast: ['224.0.0.0/4', 'ff00::/8'],
  };
  for (const [kind, subnets] of Object.entries(networks)) {
    const list = new BlockList();
    for (const subnet of subnets) {
      const [network = '', bits] = subnet.split('/');
      list.addSubnet(network, Number(bits), isIP(network) === 4 ? 'ipv4' : 'ipv6');
    }
    const inNetwork = fc.constantFrom(...subnets.map((subnet) => subnet.split('/')[0]!));
    fc.assert(
      fc.property(fc.oneof(addresses, inNetwork), (text) => {
        return (addressKind(text) === kind) === list.check(text, isIP(text) === 4 ? 'ipv4' : 'ipv6');
      }),
    );
  }
});

test.for([
  ['FS01.Example.Test', 'fs01.example.test.'],
  ['2001:db8::fa', '2001:DB8:0:0:0:0:0:fa'],
  ['2001:db8::5', '2001:db8:0::5'],
  ['::ffff:10.0.0.1', '10.0.0.1'],
  ['2001:db8::5%eth0', '2001:db8::5'],
  ['fe80:0::1%eth0', 'fe80::1%eth0'],
] as const)('%s and %s are one host', ([one, other]) => {
  expect(isSameHost(one, other)).toBe(true);
});

test.for([
  ['fe80::1%eth0', 'fe80::1%eth1'],
  ['10.0.0.1', '10.0.0.10'],
  ['fs01', 'fs01.example.test'],
] as const)('%s and %s are two', ([one, other]) => {
  expect(isSameHost(one, other)).toBe(false);
});

test.for([
  ['xs01.example.test', 'xs01', true],
  ['XS01.', 'xs01.example.test', true],
  ['xs01.example.test', 'xs01.example.test', true],
  ['xs011', 'xs01', false],
  ['xs02.example.test', 'xs01', false],
  ['localhost', 'localhost', false],
  ['localhost', 'localhost.localdomain', false],
  ['xs01', '', false],
] as const)('%s may be a name of the machine %j: %s', ([name, hostname, isOurs]) => {
  expect(mayBeNameOf(name, hostname)).toBe(isOurs);
});

test('what is sent has no final dot and no zone', () => {
  expect(sentHost('Dc1.example.test.')).toBe('Dc1.example.test');
  expect(sentHost('fe80:0::1%eth0')).toBe('fe80::1');
  expect(sentHost('10.0.0.1')).toBe('10.0.0.1');
  expect(zoneOf('fe80::1%eth0')).toBe('eth0');
  expect(zoneOf('dc1')).toBeUndefined();
});

test('host and port as text, and back', () => {
  expect([hostPort('192.0.2.5', 443), hostPort('2001:db8::5', 443), hostPort('a.test', 1)]).toEqual([
    '192.0.2.5:443',
    '[2001:db8::5]:443',
    'a.test:1',
  ]);
  const hosts = fc.oneof(addresses, fc.domain(), fc.constant('fe80::1%eth0'));
  fc.assert(
    fc.property(hosts, fc.integer({ min: 1, max: 65_535 }), (host, port) => {
      expect(parseHostPort(hostPort(host, port))).toEqual({ host, port });
    }),
  );
  expect(parseHostPort('2001:db8::1')).toEqual({ host: '2001:db8::1', port: undefined });
  expect(parseHostPort('[2001:db8::1]')).toEqual({ host: '2001:db8::1', port: undefined });
  for (const text of ['a:', 'a:0', 'a:65536', 'a:b', 'a:1:2', '[::1]:x']) expect(parseHostPort(text)).toBeNull();
});
