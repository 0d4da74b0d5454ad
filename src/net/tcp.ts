/** A TCP connection to a literal address: no lookup, no happy eyeballs, one address a socket. */
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
