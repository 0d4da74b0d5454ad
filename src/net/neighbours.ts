/**
 * The kernel keeps 1,024 neighbours (gc_thresh3). When more hosts than that are on this machine's own links, packets to the
 * others are thrown away before they leave, and no call says so: it looks like silence. Only a counter tells. A container
 * does not see it; there, a table that is nearly full and a SYN that could not be sent tell the same.
 */
import type { Deadlines } from './deadlines.ts';
import { counter, readOrEmpty } from './proc.ts';

const tables = ['/proc/net/stat/arp_cache', '/proc/net/stat/ndisc_cache'];
const nearlyFull = 900;
const everyMs = 1000;

export class Neighbours {
  readonly #deadlines: Deadlines;
  readonly #count: () => number;
  #seen: number;
  #seenAt = performance.now();
  #overflowedAt = -Infinity;

  constructor(deadlines: Deadlines, count = overflows) {
    this.#deadlines = deadlines;
    this.#count = count;
    this.#seen = count();
    this.#watch();
  }

  /** Whether packets may have been thrown away since then. */
  overflowedSince(startedAt: number): boolean {
    if (performance.now() - this.#seenAt > 100) this.#look();
    return this.#overflowedAt >= startedAt;
  }

  #watch(): void {
    this.#deadlines.add(everyMs, () => {
      this.#look();
      this.#watch();
    });
  }

  #look(): void {
    const count = this.#count();
    this.#seenAt = performance.now();
    if (count > this.#seen) this.#overflowedAt = this.#seenAt;
    this.#seen = count;
  }
}

/** How often a neighbour may have found no place. */
function overflows(): number {
  const counted = tables.map(readOrEmpty).filter((text) => text !== '');
  if (counted.length > 0) return counted.reduce((sum, text) => sum + tableFulls(text), 0);
  const neighbours = readOrEmpty('/proc/net/arp').split('\n').length;
  return neighbours < nearlyFull ? 0 : counter(readOrEmpty('/proc/net/netstat'), 'TcpExt', 'TCPRetransFail');
}

/** A head of column names, then a line of hexadecimal numbers for each processor. */
export function tableFulls(text: string): number {
  const [head = '', ...lines] = text.trimEnd().split('\n');
  const column = head.trim().split(/\s+/).indexOf('table_fulls');
  if (column < 0) return 0;
  return lines.reduce((sum, line) => sum + (parseInt(line.trim().split(/\s+/)[column] ?? '', 16) || 0), 0);
}
