/** What may stand for a host in a site or a spec: an IPv4 or IPv6 address that a packet can be sent to, or a DNS name. */
import {
  addressKind,
  canonicalHost,
  familyOf,
  isAddress,
  withoutBrackets,
  withoutZone,
  zoneOf,
  type AddressKind,
} from '../model/address.ts';
import type { Vantage } from '../model/site.ts';
import { show } from './faults.ts';
import { misspelling } from './misspelling.ts';

const unusable: Readonly<Partial<Record<AddressKind, string>>> = {
  unspecified: 'an address that stands for no host',
  multicast: 'a multicast address',
  broadcast: 'the broadcast address',
  reserved: 'a reserved address',
};

/** As the plan takes it: without the brackets of an IPv6 address and the blanks that an editor leaves at the end. */
export const plainHost = (text: string): string => withoutBrackets(text.replaceAll(/^[ \t]+|[ \t]+$/g, ''));

/** What is wrong with it and what to do, or null. */
export function hostFault(text: string): string | null {
  const host = plainHost(text);
  const kind = addressKind(host);
  if (kind === null) return misspelling(text, 'an address or a name');
  const why = unusable[kind];
  if (why !== undefined) return `${show(text)} is ${why}; give the address of one host`;
  return wantsLink(host) ? linkWanted(text, host) : null;
}

/** What is wrong with it as a name that DNS can hold: labels of letters, digits, hyphens and underscores. */
export function nameFault(text: string): string | null {
  return isAddress(plainHost(text)) ? `${show(text)} is an address; give a name` : misspelling(text, 'a name');
}

/** What this machine lacks to send to or from an address of a link; null when it lacks nothing, or it is no such address. */
export function missingLink(address: string, { links }: Vantage): string | null {
  const zone = zoneOf(address);
  if (zone === undefined) return wantsLink(address) ? linkWanted(address, address) : null;
  const isKnown = links?.some(({ name, index }) => zone === name || zone === String(index)) ?? true;
  if (isKnown) return null;
  const known = links?.map(({ name }) => name).join(', ');
  return `${show(address)} names an interface that this machine does not have: ${zone}; there are ${known}`;
}

const wantsLink = (host: string): boolean =>
  familyOf(host) === 6 && addressKind(host) === 'link-local' && zoneOf(host) === undefined;

const linkWanted = (text: string, host: string): string =>
  `${show(text)} is a link-local address, which many links have; name its interface: ${withoutZone(canonicalHost(host))}%eth0`;
