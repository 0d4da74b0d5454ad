/** A TCP connection to a literal address: no lookup, no happy eyeballs, one address a socket. */
import { readFileSync } from 'node:fs';
import { isIPv6, Socket } from 'node:net';
import { netError } from './failure.ts';
import type { Scope } from './scope.ts';

export interface TcpOptions {
  readonly sourceAddress?: string | undefined;
}

/** Resolves with the connected socket, paused, with no listener left on it but one that swallows late errors. */
export function openTcp(scope: Scope, address: string, port: number, options: TcpOptions = {}): Promise<Socket> {
  const startedAt = performance.now();
  return scope.wait((resolve, reject) => {
    const socket = new Socket();
    const disown = scope.own(() => socket.destroy());
    socket.on('error', (error) => {
      disown();
      socket.destroy();
      reject(
        netError(error, {
          stage: scope.stage,
          transport: 'tcp',
          elapsedMs: performance.now() - startedAt,
          immediate: saidByTheCallItself(error),
        }),
      );
    });
    socket.once('connect', () => {
      disown();
      socket.pause();
      resolve(socket);
    });
    socket.connect({
      host: address,
      port,
      family: isIPv6(address) ? 6 : 4,
      autoSelectFamily: false,
      ...(options.sourceAddress !== undefined && { localAddress: options.sourceAddress }),
    });
  });
}

/** Node names the local end only when connect(2) itself failed, before anything was sent (we never choose a local port). */
export const saidByTheCallItself = (error: Error): boolean => error.message.includes(' - Local (');

/**
 * What a late connection says of the SYNs before it. They go out at 0, 1, 2, 3, 4 s and then ever more slowly; kernels before
 * 6.5 send at 0, 1, 3, 7 s.
 */
export function lateConnect(connectMs: number): string | undefined {
  const seconds = Math.floor(connectMs / 1000 + 0.01);
  if (seconds < 1) return undefined;
  const lost = isLinear() ? Math.min(seconds, 5) : Math.floor(Math.log2(seconds + 1));
  return `answered after ${(connectMs / 1000).toFixed(1)} s and ${lost} SYN ${lost === 1 ? 'retransmit' : 'retransmits'}`;
}

function isLinear(): boolean {
  try {
    return Number(readFileSync('/proc/sys/net/ipv4/tcp_syn_linear_timeouts', 'utf8')) > 0;
  } catch {
    return false;
  }
}
