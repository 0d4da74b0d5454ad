/** Networks as a person writes them: an address, or ADDRESS/BITS. */
import { BlockList } from 'node:net';
import { canonicalHost, familyOf, withoutZone } from '../model/address.ts';

export interface Networks {
  has(address: string): boolean;
}

/** Undefined where a text is no network. */
export function networksOf(texts: readonly string[]): Networks | undefined {
  const list = new BlockList();
  for (const text of texts) {
    const [address = '', bits] = text.split('/');
    const family = familyOf(address);
    const most = family === 4 ? 32 : 128;
    const prefix = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : Infinity;
    if (family === 0 || prefix > most) return undefined;
    list.addSubnet(canonicalHost(address), prefix, family === 4 ? 'ipv4' : 'ipv6');
  }
  return {
    has: (address) => list.check(withoutZone(canonicalHost(address)), familyOf(address) === 6 ? 'ipv6' : 'ipv4'),
  };
}
