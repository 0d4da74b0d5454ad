/**
 * What this machine's own links say of an address: whether it is on one of them, and whether anybody there has it. The
 * kernel asks three times, a second apart, then fails every packet to the address; a connection that joins such a question
 * late fails at once, so the time that a failure took says nothing. The neighbour table does. IPv6 has no such file:
 * there, what the first failure of an address was decides for the later ones.
 */
import { BlockList } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Observation } from '../model/outcome.ts';
import type { Transport } from '../model/probe.ts';
import { familyOf } from '../model/address.ts';
import { hostDown } from './failure.ts';
import { readOrEmpty } from './proc.ts';

/** One look serves all the failures of a moment. */
const keptMs = 100;

export class OwnLinks {
  /** Read at the first failure: few runs need it, and a link may have come up since the start. */
  #networks: BlockList | undefined;
  readonly #down = new Set<string>();
  readonly #readTable: () => string;
  #unanswered: ReadonlySet<string> = new Set();
  #lookedAt = -Infinity;

  constructor(readTable = (): string => readOrEmpty('/proc/net/arp')) {
    this.#readTable = readTable;
  }

  isOnLink(address: string): boolean {
    const family = familyOf(address);
    const [plain = ''] = address.split('%');
    this.#networks ??= ownNetworks();
    return family !== 0 && this.#networks.check(plain, family === 4 ? 'ipv4' : 'ipv6');
  }

  /** IPv4 addresses of our links that nobody answers for, as of now. */
  unanswered(): ReadonlySet<string> {
    if (performance.now() - this.#lookedAt > keptMs) {
      this.#unanswered = unansweredIn(this.#readTable());
      this.#lookedAt = performance.now();
    }
    return this.#unanswered;
  }

  /** The observation, with what the link knows about its address. */
  informed(observation: Observation, transport: Transport): Observation {
    const { address, outcome, stage, hint, code } = observation;
    if (address === null) return observation;
    if (outcome === 'unreachable') {
      if (hint === 'host-down') this.#down.add(address);
      return hint === 'icmp-reject' && code === 'EHOSTUNREACH' && this.#isDown(address)
        ? { ...observation, hint: 'host-down', detail: hostDown.text }
        : observation;
    }
    if (outcome !== 'timeout' || !this.isOnLink(address)) return observation;
    if (transport === 'udp' && this.#isDown(address)) {
      return { ...observation, outcome: 'unreachable', hint: 'host-down', detail: hostDown.text, remedy: null };
    }
    return transport === 'udp' || stage === 'connect'
      ? { ...observation, evidence: { ...observation.evidence, onLink: true } }
      : observation;
  }

  #isDown(address: string): boolean {
    return this.#down.has(address) || this.unanswered().has(address);
  }
}

/** Lines of "IP address, HW type, flags, HW address, mask, device" below a head; flags 0x0: nobody has answered. */
export function unansweredIn(table: string): ReadonlySet<string> {
  const [, ...lines] = table.trimEnd().split('\n');
  const entries = lines.map((line) => line.split(/\s+/));
  return new Set(entries.flatMap(([address = '', , flags]) => (flags === '0x0' ? [address] : [])));
}

function ownNetworks(): BlockList {
  const list = new BlockList();
  for (const { internal, cidr, family } of Object.values(networkInterfaces()).flatMap((each) => each ?? [])) {
    const [network, bits] = cidr?.split('/') ?? [];
    if (internal || network === undefined || bits === undefined) continue;
    list.addSubnet(network, Number(bits), family === 'IPv4' ? 'ipv4' : 'ipv6');
  }
  return list;
}
