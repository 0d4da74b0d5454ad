/**
 * One datagram out, the first accepted reply back, on a connected socket: only a connected one is told of ICMP errors,
 * and the kernel drops what other addresses send. Resends belong to the attempt's own deadline.
 */
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { NetError } from '../model/errors.ts';
import type { Reply } from '../model/probe.ts';
import { hostPort, netError } from './failure.ts';
import type { Pacer } from './pacer.ts';
import type { Scope } from './scope.ts';

/** A longer reply is cut here by the socket layer below us anyway; what a probe reads is bounded by it. */
const maxReplyBytes = 65_507;

export interface UdpOptions {
  readonly sourceAddress?: string | undefined;
  /** How often the datagram is sent at the most. */
  readonly sends: number;
  /** The pause before each resend. */
  readonly resendAfterMs: number;
  readonly pacer: Pacer;
  readonly onSend: () => void;
}

export function exchange(
  scope: Scope,
  address: string,
  port: number,
  datagram: Uint8Array,
  accepts: (reply: Uint8Array) => boolean,
  options: UdpOptions,
): Promise<Reply> {
  scope.stage = 'exchange';
  return scope.wait((resolve, reject) => {
    const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4', lookup: literal });
    let sends = 0;
    let sentAtMs = 0;
    let opening = true;
    let cancelTurn = (): void => undefined;
    let cancelResend = (): void => undefined;
    const close = closer(socket);
    const disown = scope.own(() => {
      cancelTurn();
      close();
    });
    const finish = (): void => {
      cancelTurn();
      cancelResend();
      disown();
      close();
    };
    const fail = (error: Error): void => {
      const failure = netError(error, {
        stage: 'exchange',
        transport: 'udp',
        address,
        port,
        elapsedMs: scope.elapsedMs,
        immediate: opening,
      });
      if (failure.failure.outcome !== 'local') options.pacer.rejected(address);
      finish();
      reject(failure);
    };
    socket.on('error', fail);
    socket.on('message', (message) => {
      const receivedAtMs = performance.timeOrigin + performance.now();
      scope.heard = true;
      if (message.length > maxReplyBytes || !accepts(message)) return;
      options.pacer.answered(address);
      finish();
      resolve({ bytes: new Uint8Array(message), sentAtMs, receivedAtMs });
    });
    const send = (): void => {
      sends += 1;
      options.onSend();
      sentAtMs = performance.timeOrigin + performance.now();
      socket.send(datagram, (error) => {
        if (error) fail(error);
      });
      if (sends < options.sends) {
        cancelResend = scope.after(options.resendAfterMs, () => {
          cancelTurn = options.pacer.turn(scope, address, send);
        });
      }
    };
    const connect = (): void => {
      // Bound first so that "no route" is the callback's error and not a throw of the next send.
      socket.connect(port, address, (error?: Error) => {
        if (error) return fail(error);
        opening = false;
        // The wait for our own turn is not the peer's silence.
        const resume = scope.pause();
        cancelTurn = options.pacer.turn(scope, address, () => {
          resume();
          send();
        });
      });
    };
    try {
      if (options.sourceAddress === undefined) connect();
      else socket.bind(0, options.sourceAddress, connect);
    } catch (error) {
      fail(error instanceof Error ? error : new Error(String(error)));
    }
  });
}

/** What silence on UDP is: thrown when the attempt ends, worded for the count of datagrams. */
export function silence(address: string, port: number, sends: number, ms: number): NetError {
  const what = sends === 1 ? 'one datagram' : `${sends} datagrams`;
  const detail = `${hostPort(address, port)}: no answer to ${what} in ${ms / 1000} s`;
  return new NetError({ outcome: 'timeout', stage: 'exchange', detail });
}

/** Only literals come here; Node would ask its resolver even about those. */
function literal(address: string, _: unknown, found: (error: null, address: string, family: number) => void): void {
  found(null, address, isIPv6(address) ? 6 : 4);
}

function closer(socket: Socket): () => void {
  let open = true;
  return () => {
    if (!open) return;
    open = false;
    // An ICMP error for a datagram still on its way must not become the process's.
    socket.removeAllListeners('error').on('error', () => undefined);
    socket.close();
  };
}
