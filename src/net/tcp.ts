/** A TCP connection to a literal address: no lookup, no happy eyeballs, one address a socket. */
import { Socket } from 'node:net';
import { familyOfAddress } from '../model/address.ts';
import { NetError } from '../model/errors.ts';
import { StreamConn } from './conn.ts';
import { netError } from './failure.ts';
import { connectExpiry, type Scope } from './scope.ts';

export interface TcpOptions {
  readonly sourceAddress?: string | undefined;
  /** Silence for so long ends this connection and not the attempt: there is another address. */
  readonly timeoutMs?: number | undefined;
}

/** The attempt owns the socket before, and the connection after: there is no moment between the two. */
export function openTcp(scope: Scope, address: string, port: number, options: TcpOptions = {}): Promise<StreamConn> {
  const startedAt = performance.now();
  return scope.wait((resolve, reject) => {
    const socket = new Socket();
    const { timeoutMs } = options;
    const cancel = timeoutMs === undefined ? nothing : scope.after(timeoutMs, () => socket.destroy(silence(timeoutMs)));
    const forget = scope.onClose(() => socket.destroy());
    socket.on('error', (error) => {
      cancel();
      forget();
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
      cancel();
      socket.pause();
      const conn = new StreamConn(scope, socket);
      forget();
      resolve(conn);
    });
    socket.connect({
      host: address,
      port,
      family: familyOfAddress(address),
      autoSelectFamily: false,
      ...(options.sourceAddress !== undefined && { localAddress: options.sourceAddress }),
    });
  });
}

const nothing = (): void => undefined;

const silence = (timeoutMs: number): NetError =>
  new NetError({ outcome: 'timeout', stage: 'connect', detail: connectExpiry(timeoutMs) });

/** Node names the local end only when connect(2) itself failed, before anything was sent (we never choose a local port). */
export const saidByTheCallItself = (error: Error): boolean => error.message.includes(' - Local (');
