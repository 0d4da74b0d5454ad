/** What an address says by itself. */
import { BlockList, isIP } from 'node:net';

let loopback: BlockList | undefined;

export const isLoopback = (address: string): boolean => {
  // Asked three times for a datagram, and parsing an address takes a microsecond.
  if (!address.startsWith('127.') && !address.includes(':')) return false;
  const family = isIP(address);
  return family === 4 || (family === 6 && (loopback ??= loopbackOfBoth()).check(address, 'ipv6'));
};

function loopbackOfBoth(): BlockList {
  const list = new BlockList();
  list.addSubnet('127.0.0.0', 8, 'ipv4'); // as ::ffff:127.0.0.1
  list.addAddress('::1', 'ipv6');
  return list;
}

/** 4, 6, or 0 for a name; an IPv6 zone (`fe80::1%eth0`) does not hide the address. */
export function familyOf(host: string): 0 | 4 | 6 {
  const family = isIP(host);
  return family === 4 || family === 6 ? family : 0;
}
