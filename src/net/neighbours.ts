/**
 * The kernel keeps 1,024 neighbours (gc_thresh3). When more hosts than that are on this machine's own links, packets to the
 * others are thrown away before they leave, and no call says so: it looks like silence. Only a counter tells.
 */
import { readFileSync } from 'node:fs';
import type { Deadlines } from './deadlines.ts';

const tables = ['/proc/net/stat/arp_cache', '/proc/net/stat/ndisc_cache'];
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
  overflowedSince(at: number): boolean {
    if (performance.now() - this.#seenAt > 100) this.#look();
    return this.#overflowedAt >= at;
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

/** How often a neighbour found no place, over all processors. */
function overflows(): number {
  let sum = 0;
  for (const table of tables) sum += tableFulls(readOrEmpty(table));
  return sum;
}

/** A head of column names, then a line of hexadecimal numbers for each processor. */
export function tableFulls(text: string): number {
  const [head = '', ...lines] = text.trimEnd().split('\n');
  const column = head.trim().split(/\s+/).indexOf('table_fulls');
  if (column < 0) return 0;
  return lines.reduce((sum, line) => sum + (parseInt(line.trim().split(/\s+/)[column] ?? '', 16) || 0), 0);
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
