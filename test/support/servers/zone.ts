/** What the DNS servers of the lab say about lab.test, in the master file's own syntax. */
export function zone(address: string): readonly string[] {
  const long = 'x'.repeat(200);
  return [
    'lab.test. SOA ns.lab.test. root.lab.test. 1 60 60 60 60',
    'lab.test. NS ns.lab.test.',
    `ns.lab.test. A ${address}`,
    `www.lab.test. A ${address}`,
    'www.lab.test. AAAA 2001:db8::80',
    `dc1.lab.test. A ${address}`,
    '_ldap._tcp.dc._msdcs.lab.test. SRV 0 100 389 dc1.lab.test.',
    '_kerberos._tcp.lab.test. SRV 0 100 88 dc1.lab.test.',
    // More than one datagram holds.
    ...Array.from({ length: 40 }, (_, i) => `big.lab.test. TXT "${i} ${long}"`),
  ];
}
