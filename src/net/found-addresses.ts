/**
 * What DNS says of a name is written by somebody else: its addresses obey the rules of those that a site writes, and no
 * more of them are tried than say something about the network.
 */
import { addressKind, familyOf, zoneOf, type AddressKind } from '../model/address.ts';
import { NetError } from '../model/errors.ts';

/** The best known services have this many. */
const mostAddresses = 8;
const mostShown = 4;

const noHost: Readonly<Partial<Record<AddressKind, string>>> = {
  unspecified: 'stands for no host',
  multicast: 'is a multicast address',
  broadcast: 'is the broadcast address',
  reserved: 'is a reserved address',
};

export interface Found {
  readonly usable: readonly string[];
  /** What was left out, and why. */
  readonly notes: string[];
}

/** Throws where the name has addresses, and none of them is a host's. */
export function usableAddresses(name: string, addresses: readonly string[]): Found {
  const faults = addresses.flatMap((address) => faultOf(address) ?? []);
  const sound = addresses.filter((address) => faultOf(address) === undefined);
  if (sound.length === 0 && faults.length > 0) {
    const detail = `${name} has no address that a packet can be sent to: ${listed(faults)}`;
    const remedy = `Correct the DNS records of ${name}.`;
    throw new NetError({ outcome: 'unresolved', stage: 'resolve', hint: 'no-such-name', detail, remedy });
  }
  const usable = fairShare(sound, mostAddresses);
  const notes = faults.length > 0 ? [`left out, DNS has it for ${name}: ${listed(faults)}`] : [];
  if (usable.length < sound.length)
    notes.push(`${name} has ${sound.length} addresses: ${usable.length} of them are checked`);
  return { usable, notes };
}

/** The first of a long list, and how many more there are. */
export function listed(texts: readonly string[], most = mostShown): string {
  const more = texts.length - most;
  return more > 0 ? `${texts.slice(0, most).join(', ')} and ${more} more` : texts.join(', ');
}

function faultOf(address: string): string | undefined {
  const kind = addressKind(address);
  if (kind === null) return `${address} is no address`;
  if (kind === 'link-local' && familyOf(address) === 6 && zoneOf(address) === undefined)
    return `${address} is of some link, and DNS cannot say which`;
  const why = noHost[kind];
  return why === undefined ? undefined : `${address} ${why}`;
}

/** Half of them may be of the family that has more; the order stays. */
function fairShare(addresses: readonly string[], most: number): readonly string[] {
  if (addresses.length <= most) return addresses;
  const [fours, sixes] = [4, 6].map((family) => addresses.filter((address) => familyOf(address) === family));
  const ofSix = Math.min(sixes!.length, Math.max(most / 2, most - fours!.length));
  return [...fours!.slice(0, most - ofSix), ...sixes!.slice(0, ofSix)];
}
