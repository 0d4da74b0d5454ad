/** This machine, as far as a run must know it: its name, its addresses, how many files it may hold open. */
import { existsSync, readdirSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { canonicalHost } from '../model/address.ts';
import type { Link, Vantage } from '../model/site.ts';
import { readTextIfThere } from './read-file.ts';

export function thisMachine(): Vantage {
  const interfaces = Object.entries(networkInterfaces());
  const addresses = interfaces.flatMap(([, entries = []]) => entries.map(({ address }) => canonicalHost(address)));
  const links = interfaces.map(([name, entries = []]): Link => {
    const ofIpv6 = entries.filter(({ family }) => family === 'IPv6');
    const index = ofIpv6.find(({ scopeid = 0 }) => scopeid > 0)?.scopeid ?? 0;
    return { name, index, addresses: ofIpv6.map(({ address }) => canonicalHost(address)) };
  });
  return { hostname: hostname(), addresses: [...new Set(addresses)], links };
}

/**
 * Where endpoints answer, 64 sockets are as fast as 4,096; silent ones alone set the pace of a run, at sockets / timeout.
 * So a run begins with 512 and takes more only while silence holds them (src/run/pool.ts), up to what 40 MB buys.
 */
const defaultConcurrency = 512;
const mostConcurrency = 8192;

/** For the resolver, standard streams, reports, and what Node itself opens later; a quarter where the limit is small. */
const keptBack = 256;

export interface SocketRoom {
  readonly concurrency: number;
  readonly growTo: number;
}

/** How many sockets at a time this process can hold without asking: four fifths of what its limit of open files leaves. */
export function roomForSockets(limit = openFilesLimit(), open = openFiles()): SocketRoom {
  const free = limit === undefined ? defaultConcurrency : (limit - open - Math.min(keptBack, limit >> 2)) * 0.8;
  const growTo = Math.max(1, Math.min(mostConcurrency, Math.floor(free)));
  return { concurrency: Math.min(defaultConcurrency, growTo), growTo };
}

/** False where a bare root has none; elsewhere than on Linux nothing is missed. */
export const hasProc = (): boolean => process.platform !== 'linux' || existsSync('/proc/self/limits');

function openFilesLimit(): number | undefined {
  const [, soft] = /^Max open files\s+(\d+)/m.exec(readTextIfThere('/proc/self/limits')) ?? [];
  return soft === undefined ? undefined : Number(soft);
}

function openFiles(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return 32;
  }
}
