/**
 * How many connections to one destination may be left in TIME_WAIT. One that we close first stays there for a minute, and
 * holds its local port for that destination: with half of the ports taken each further connect blocks this process while
 * the kernel searches one, and in the end there is none left. So where many connections go, the later ones are closed by a
 * reset, which leaves nothing. The peer logs a reset connection, and it costs more: so not before it is needed.
 */
import { readFileSync } from 'node:fs';

const mostToOne = 5000;
const windowMs = 60_000;

/** Destinations are counted by their hash: a few that share a counter are reset a little early, and a million cost 128 KiB. */
const counters = 1 << 16;

export interface TimeWaitOptions {
  /** Connections to one destination in a minute. */
  readonly most?: number;
  /** How many budgets, this one included, count the same destinations. */
  readonly share?: number;
}

export class TimeWaitBudget {
  readonly #most: number;
  readonly #counts = new Uint16Array(counters);
  #since = performance.now();

  constructor({ most = Math.min(mostToOne, localPorts() >> 2), share = 1 }: TimeWaitOptions = {}) {
    this.#most = Math.floor(most / share);
  }

  /** Counts a connection to that destination; true when so many went there in the last minute that it must be reset. */
  mustReset(address: string, port: number): boolean {
    const now = performance.now();
    if (now - this.#since > windowMs) {
      this.#counts.fill(0);
      this.#since = now;
    }
    const index = hash(address, port);
    const count = (this.#counts[index] ?? 0) + 1;
    if (count > this.#most) return true;
    this.#counts[index] = count;
    return false;
  }
}

function hash(address: string, port: number): number {
  let mixed = port;
  for (let i = 0; i < address.length; i += 1) mixed = Math.imul(mixed ^ address.charCodeAt(i), 0x01_00_01_93);
  return (mixed ^ (mixed >>> 16)) & (counters - 1);
}

function localPorts(): number {
  try {
    const [from = 0, to = 0] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split('\t').map(Number);
    return to - from + 1;
  } catch {
    return 16_384; // the IANA range, which other systems use
  }
}
