/** Hosts as people write them: each is taken, or refused by its own name with what to write instead. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { hostFault, missingLink, nameFault, plainHost } from '../../src/load/host.ts';

test.for([
  ['10.20.30.0/24', 'is a network; give the address of each host in it, one host an entry'],
  ['10.20.30.0/255.255.255.0', 'is a network'],
  ['2001:db8::/64', 'is a network'],
  ['10.20.30.11-20', 'is a range; list the address of each host in it: [10.20.30.11, ...]'],
  ['10.20.30.11 - 10.20.30.20', 'is a range'],
  ['10.20.30.11..20', 'is a range'],
  ['10.20.30.*', 'is a pattern; list each host: [a, b]'],
  ['10.20.30.[11-20]', 'is a pattern'],
  ['*.example.test', 'is a pattern'],
  ['010.020.030.005', 'has leading zeros, which some programs take for octal; write 10.20.30.5'],
  ['10.20.30.256', 'is not an address or a name; an IPv4 address has four numbers from 0 to 255'],
  ['10.20.30', 'is not an address or a name; an IPv4 address has four numbers from 0 to 255'],
  ['10.20.30.5.', 'is an address with a final dot; write 10.20.30.5'],
  ['10,20,30,5', 'has commas for dots; write 10.20.30.5'],
  ['10.0.0.1\u00a0', 'has a no-break space (U+00A0) in it, which nobody sees; write it again: 10.0.0.1'],
  ['\ufeff10.0.0.1', 'has a byte order mark (U+FEFF) in it'],
  ['10.0.0.1\u200b', 'has a zero-width space (U+200B) in it'],
  ['10.0.0.1\u202e', 'has an invisible character (U+202E) in it'],
  ['ntp1\tx', 'has a tab (U+0009) in it'],
  ['\u201c10.0.0.1\u201d', 'has quotation marks in it; write it without them: 10.0.0.1'],
  ["'ntp1.example.test'", 'has quotation marks in it; write it without them: ntp1.example.test'],
  ['ntp\u20131.example.test', 'has a dash (U+2013) where a hyphen belongs; write ntp-1.example.test'],
  ['\uff11\uff10.0.0.1', 'has full-width or foreign digits or signs in it; write 10.0.0.1'],
  ['10\u30020\u30020\u30021', 'has full-width or foreign digits or signs in it; write 10.0.0.1'],
  ['\u0661\u0660.0.0.1', 'has full-width or foreign digits or signs in it; write 10.0.0.1'],
  ['https://wlb.example.test:8012/', 'is not an address or a name; write only the host: wlb.example.test'],
  ['iscsi://[2001:db8::1]/x', 'is not an address or a name; write only the host: [2001:db8::1]'],
  ['wlb:8012', 'is not an address or a name; write the port apart: { host: wlb, port: 8012 }'],
  ['[2001:db8::1]:123', 'is not an address or a name; write the port apart: { host: "[2001:db8::1]", port: 123 }'],
  ['10.20.30.9:514/udp', 'is not an address or a name; write the port apart: { host: 10.20.30.9, port: 514 }'],
  ['wlb:80120', 'has a port behind it that is none: 80120'],
  ['10.20.40.50:3260,1', 'is an iSCSI portal with its group tag; write only the host, and the port apart'],
  ['[2001:db8::1]:3260,1', 'is an iSCSI portal with its group tag'],
  ['ntp1.example.test iburst', 'has more than a host in it; write only the host: ntp1.example.test'],
  ['server ntp1.example.test iburst', 'has more than a host in it; write only the host: ntp1.example.test'],
  ['10.0.0.1 # the old one', 'has more than a host in it; write only the host: 10.0.0.1'],
  ['10.0.0.1 10.0.0.2', 'is not an address or a name; write several as a list: [a, b]'],
  ['ntp1,ntp2', 'is not an address or a name; write several as a list: [a, b]'],
  ['nas01:/export/vm', 'is a share, which is more than a host; write only the host: nas01'],
  [String.raw`\\fs01\vm`, 'is a share, which is more than a host; write only the host: fs01'],
  ['//fs01/vm', 'is a share, which is more than a host; write only the host: fs01'],
  ['wlb.example.test/api', 'has more than a host in it; write only the host: wlb.example.test'],
  ['root@xs01', 'has a user in front; write only the host: xs01'],
  ['00:16:3e:5e:6c:01', 'is the hardware (MAC) address of an interface'],
  ['m\u00fcnchen.example', 'write an international name in its xn-- form: xn--mnchen-3ya.example'],
  ['a..b', 'it has two dots with nothing between them'],
  ['.example.test', 'it begins with a dot'],
  ['a~b', 'and no "~"'],
  ['-a.example.test', 'and no part begins or ends with a hyphen'],
  ['[fe80::1::2]', 'is not an IPv6 address'],
  ['2001:db8::12345', 'is not an IPv6 address'],
  ['fe80::1', 'is a link-local address, which many links have; name its interface: fe80::1%eth0'],
  ['fe80::1%', 'has no interface behind its %; write fe80::1%eth0'],
  ['fe80::1%my_if', 'has a zone that cannot be read; give the interface by its number (ip link): fe80::1%2'],
  ['10.0.0.1%eth0', 'has a zone (%eth0), which only a link-local IPv6 address has; write 10.0.0.1'],
  ['0.0.0.0', 'is an address that stands for no host'],
  ['::ffff:224.0.0.1', 'is a multicast address'],
  ['255.255.255.255', 'is the broadcast address'],
  ['240.0.0.1', 'is a reserved address'],
  [' ', 'is empty; give an address or a name'],
] as const)('%j', ([text, told]) => {
  expect(hostFault(text)).toContain(told);
});

test.for([
  ['10.0.0.1 ', '10.0.0.1'],
  ['\t ntp1.example.test', 'ntp1.example.test'],
  ['[2001:db8::1]', '2001:db8::1'],
  ['fe80::1%eth0', 'fe80::1%eth0'],
  ['169.254.169.123', '169.254.169.123'],
  ['dc1.example.test.', 'dc1.example.test.'],
  ['_ldap.example.test', '_ldap.example.test'],
  ['2001-db8--1.ipv6-literal.net', '2001-db8--1.ipv6-literal.net'],
])('%j is taken as %s', ([text = '', host]) => {
  expect([hostFault(text), plainHost(text)]).toEqual([null, host]);
});

test('a link is known by its name and by its number, and one that is not here is named', () => {
  const vantage = { hostname: 'xs01', addresses: [], links: [{ name: 'eth0', index: 2, addresses: [] }] };
  expect([missingLink('fe80::1%eth0', vantage), missingLink('fe80::1%2', vantage)]).toEqual([null, null]);
  expect(missingLink('fe80::1%nosuch', vantage)).toBe(
    '"fe80::1%nosuch" names an interface that this machine does not have: nosuch; there are eth0',
  );
  expect(missingLink('fe80::1', vantage)).toContain('name its interface');
  expect(missingLink('10.0.0.1', vantage)).toBeNull();
});

test('any text is taken or refused in one sentence', () => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.domain(), fc.ipV6(), fc.webUrl());
  fc.assert(fc.property(text, (host) => [null, 'string'].includes(hostFault(host) && typeof hostFault(host))));
  fc.assert(fc.property(text, (host) => [null, 'string'].includes(nameFault(host) && typeof nameFault(host))));
});
