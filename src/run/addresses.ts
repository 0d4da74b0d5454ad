/**
 * Check → addresses. A name is tried at each of its addresses, but for those of this machine itself and those of a family
 * that this machine does not have.
 */
import { addressKind, canonicalHost, familyOf, isLoopback, mayBeNameOf } from '../model/address.ts';
import type { Check } from '../model/plan.ts';
import type { Probe } from '../model/probe.ts';
import { listed, usableAddresses } from '../net/found-addresses.ts';
import type { Family, NameResolver } from '../net/resolver.ts';

export interface AddressSettings {
  readonly family: Family;
  /** This machine's addresses. */
  readonly ownAddresses: readonly string[];
  readonly ownHostname?: string;
}

export interface Addresses {
  readonly usable: readonly string[];
  /** What was left out, and why. */
  readonly notes: readonly string[];
}

/** Names in question at the same time. */
const mostLookups = 64;

/** The check begins with the addresses of its host. */
export const isNamed = (check: Check, probe: Probe): boolean =>
  check.address === null && !check.viaProxy && probe.perAddress !== false;

/** Undefined when every address of the host is this machine's own; rejects with a NetError when it has none. */
export async function addressesOf(
  check: Check,
  settings: AddressSettings,
  resolver: NameResolver,
): Promise<Addresses | undefined> {
  const all = await resolver.addresses(check.host);
  const others = all.filter((address) => !isOwn(address, check, settings));
  if (others.length === 0) return undefined;
  const ofFamily = withoutUnusableFamily(others, settings);
  const left = others.filter((address) => !ofFamily.includes(address));
  const { usable, notes } = usableAddresses(check.host, ofFamily);
  if (left.length > 0) notes.push(`${listed(left)} left out: this machine has no IPv6 beyond its own link`);
  return { usable, notes: [...resolver.passedOverFor(check.host), ...notes] };
}

/** Calls `lookUp` for each, so many at a time. */
export async function forEachName<T>(items: readonly T[], lookUp: (item: T) => Promise<void>): Promise<void> {
  const next = items[Symbol.iterator]();
  const lookUpSome = async (): Promise<void> => {
    for (const item of next) await lookUp(item);
  };
  await Promise.all(Array.from({ length: Math.min(mostLookups, items.length) }, lookUpSome));
}

function isOwn(address: string, check: Check, { ownAddresses, ownHostname = 'localhost' }: AddressSettings): boolean {
  if (!check.mayBeSelf) return false;
  // Debian gives a machine's own name the address 127.0.1.1.
  if (isLoopback(address)) return mayBeNameOf(check.host, ownHostname);
  return ownAddresses.includes(canonicalHost(address));
}

/** A name with IPv4 and IPv6 on a machine without IPv6 is no finding about the network. */
function withoutUnusableFamily(
  addresses: readonly string[],
  { family, ownAddresses }: AddressSettings,
): readonly string[] {
  const hasIPv6 = ownAddresses.some((address) => familyOf(address) === 6 && addressKind(address) === 'ordinary');
  if (hasIPv6 || family === '6') return addresses;
  const usable = addresses.filter((address) => familyOf(address) === 4);
  return usable.length > 0 ? usable : addresses;
}
