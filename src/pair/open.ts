/** The pairs that were given, made ready for a run: read, unsealed, and each with a nonce of this run. */
import { readdirSync } from 'node:fs';
import { readPair, parsePair, type ReadPair } from '../load/pair.ts';
import { thisMachine } from '../load/machine.ts';
import { readTextIfThere, type NamedFiles } from '../load/read-file.ts';
import { randomBytes, tagWith } from '../net/crypto.ts';
import type { Pair } from '../model/pair.ts';
import { turns, type End } from './ends.ts';
import { Prober, type ProberSettings } from './prober.ts';

export interface Given {
  /** Of the command line. */
  readonly files: readonly string[];
  /** Of the site, which says where its files may lie. */
  readonly named: readonly string[];
  readonly folders: NamedFiles;
  /** The content of XENREACH_PAIR. */
  readonly content: string;
  /** Of responders that this program started itself. */
  readonly own: readonly Pair[];
}

export interface Opened {
  readonly prober: Prober;
  readonly ends: readonly End[];
  readonly warnings: readonly string[];
}

/** Throws a UsageError for a pair that cannot be used. */
export function openPairs(given: Given, settings: Pick<ProberSettings, 'timeoutMs'>): Opened {
  const now = new Date();
  const read: ReadPair[] = [
    ...given.files.map((file) => readPair(file, now)),
    ...given.named.map((file) => readPair(file, now, given.folders)),
  ];
  if (given.content !== '')
    read.push({ name: 'XENREACH_PAIR', pair: parsePair(given.content, 'XENREACH_PAIR', now), warning: null });
  const ends = [...read.map(({ pair }) => pair), ...given.own].map((pair): End => ({
    pair,
    tag: tagWith(Buffer.from(pair.key, 'base64url')),
    nonce: randomBytes(16),
    isOurs: given.own.includes(pair),
    ways: new Map(),
    turn: turns(),
  }));
  const isOwn = (address: string): boolean => thisMachine().addresses.includes(address);
  const prober = new Prober(ends, { ...settings, isOwn, ownMtu: largestMtu() });
  return { prober, ends, warnings: [...read.flatMap(({ warning }) => warning ?? []), ...prober.conflicts] };
}

/** Of the interfaces that lead anywhere. */
function largestMtu(): number {
  const names = interfaces().filter((name) => name !== 'lo');
  return Math.max(0, ...names.map((name) => Number(readTextIfThere(`/sys/class/net/${name}/mtu`)) || 0));
}

function interfaces(): readonly string[] {
  try {
    return readdirSync('/sys/class/net');
  } catch {
    return [];
  }
}
