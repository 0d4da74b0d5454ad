/**
 * Who holds which port of this machine, as the kernel tells it: a port is held when any socket has it at any address, for
 * whoever binds beside a service takes packets from it. Columns of /proc/net/udp: `sl local_address rem_address st … inode`.
 */
import { readdirSync, readlinkSync } from 'node:fs';
import type { Transport } from '../model/probe.ts';
import { readOrEmpty } from './proc.ts';

export interface HeldPort {
  readonly transport: Transport;
  readonly port: number;
  /** Of the sockets that have it. */
  readonly inodes: readonly string[];
}

export interface Holder {
  readonly pid: number;
  readonly program: string;
}

/** TCP sockets that wait for connections; a datagram socket of any state gets datagrams. */
const listening = '0A';

export function heldPorts(read = readOrEmpty): HeldPort[] {
  return (['tcp', 'udp'] as const).flatMap((transport) => {
    const lines = ['', '6'].flatMap((family) => read(`/proc/net/${transport}${family}`).split('\n').slice(1));
    const sockets = lines.flatMap((line) => {
      const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
      const port = Number.parseInt(local.slice(local.lastIndexOf(':') + 1), 16);
      return Number.isNaN(port) || (transport === 'tcp' && state !== listening) ? [] : [{ port, inode }];
    });
    return [...Map.groupBy(sockets, ({ port }) => port)].map(([port, same]): HeldPort => ({
      transport,
      port,
      inodes: same.map(({ inode }) => inode),
    }));
  });
}

/** The process that has one of these sockets open; undefined where this user may not look. */
export function holderOf(inodes: readonly string[]): Holder | undefined {
  const wanted = new Set(inodes.map((inode) => `socket:[${inode}]`));
  for (const pid of listOf('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const isHolder = listOf(`/proc/${pid}/fd`).some((fd) => wanted.has(linkOf(`/proc/${pid}/fd/${fd}`)));
    if (isHolder) return { pid: Number(pid), program: readOrEmpty(`/proc/${pid}/comm`).trim() };
  }
  return undefined;
}

function listOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function linkOf(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
}
