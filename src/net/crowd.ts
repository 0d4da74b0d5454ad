/**
 * A connection that we close first stays for a minute in TIME_WAIT, and holds its local port for that destination. At
 * 14,000 to one address and port every further connect blocks this process for 3 ms while the kernel searches a port; at
 * 28,000 there is none left. So where many connections go, the later ones are closed by a reset, which leaves nothing.
 */
import { readFileSync } from 'node:fs';

/** The peer logs a reset connection and a reset costs a tenth more: so not before it is needed. */
const usualBound = 5000;
const windowMs = 60_000;

/** Destinations share boxes by their hash: a few that share one reset a little early, and a million cost 128 KiB. */
const boxes = 1 << 16;

export interface CrowdOptions {
  readonly bound?: number;
  readonly share?: number;
}

export class Crowd {
  readonly #bound: number;
  readonly #counts = new Uint16Array(boxes);
  #since = performance.now();

  /** `share`: of how many that count the same destinations this is one. */
  constructor({ bound = Math.min(usualBound, localPorts() >> 2), share = 1 }: CrowdOptions = {}) {
    this.#bound = Math.floor(bound / share);
  }

  /** Counts a connection to that destination; true when so many went there in the last minute that it must be reset. */
  joins(address: string, port: number): boolean {
    const now = performance.now();
    if (now - this.#since > windowMs) {
      this.#counts.fill(0);
      this.#since = now;
    }
    const box = hash(address, port);
    const count = (this.#counts[box] ?? 0) + 1;
    if (count > this.#bound) return true;
    this.#counts[box] = count;
    return false;
  }
}

function hash(address: string, port: number): number {
  let mixed = port;
  for (let i = 0; i < address.length; i += 1) mixed = Math.imul(mixed ^ address.charCodeAt(i), 0x01_00_01_93);
  return (mixed ^ (mixed >>> 16)) & (boxes - 1);
}

function localPorts(): number {
  try {
    const [from = 0, to = 0] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split('\t').map(Number);
    return to - from + 1;
  } catch {
    return 16_384; // the IANA range, which other systems use
  }
}
