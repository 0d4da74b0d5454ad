/** This machine, as far as a run must know it: its name, its addresses, how many files it may hold open. */
import { readdirSync, readFileSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import type { Vantage } from '../model/site.ts';

export function thisMachine(): Vantage {
  const addresses = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
  return { hostname: hostname(), addresses: [...new Set(addresses.map(({ address }) => address.toLowerCase()))] };
}

/** Silent endpoints alone set the pace of a run, and 512 of them at a time cost 3 MB. */
const usualConcurrency = 512;

/** For the resolver, standard streams, reports, and what Node itself opens later. */
const keptBack = 24;

/** How many sockets at a time this process can hold: 512, or what the limit of open files leaves. */
export function defaultConcurrency(): number {
  const limit = openFilesLimit();
  if (limit === undefined) return usualConcurrency;
  const free = Math.floor((limit - openFiles() - keptBack) * 0.8);
  return Math.max(1, Math.min(usualConcurrency, free));
}

function openFilesLimit(): number | undefined {
  const [, soft] = /^Max open files\s+(\d+)/m.exec(readOrEmpty('/proc/self/limits')) ?? [];
  return soft === undefined ? undefined : Number(soft);
}

function openFiles(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return 32;
  }
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
