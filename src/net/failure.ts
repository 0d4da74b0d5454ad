/**
 * The one place where an error of the system becomes an outcome. Measured on Linux for every way a firewall, a router or a
 * host can say no (test/live/firewall.test.ts); Node's own codes on the left.
 */
import { NetError, type NetFailure } from '../model/errors.ts';
import type { Hint, Outcome, Stage } from '../model/outcome.ts';
import type { Transport } from '../model/probe.ts';

export interface FailureContext {
  readonly stage: Stage;
  readonly transport: Transport;
  /** Since the attempt to connect began. */
  readonly elapsedMs: number;
  /** The system call itself said no, before any packet could have come back. */
  readonly immediate: boolean;
}

/** Neighbour discovery gives up after three tries, one a second: a "no" before that came from somebody. */
const neighbourFailureMs = 2000;

interface Cause {
  readonly outcome: Outcome;
  readonly stage?: Stage;
  readonly hint?: Hint;
  readonly text: string;
}

type Row = Cause | ((context: FailureContext) => Cause);

const noRoute: Cause = { outcome: 'unreachable', hint: 'no-route', text: 'this machine has no route to it' };
const reject: Cause = { outcome: 'unreachable', hint: 'icmp-reject', text: 'a firewall or router rejects it (ICMP)' };
/** Nobody answered for the address on its own link. */
export const hostDown: Cause = {
  outcome: 'unreachable',
  hint: 'host-down',
  text: 'no host answers at this address',
};
const ownFirewall: Cause = { outcome: 'local', text: 'this machine does not let it out (its own firewall or policy)' };
const closed: Cause = { outcome: 'closed', text: 'the peer reset the connection' };

const local = (text: string): Cause => ({ outcome: 'local', text });

const causes: Readonly<Record<string, Row>> = {
  ECONNREFUSED: { outcome: 'refused', stage: 'connect', text: 'nothing listens there (refused)' },
  ECONNRESET: closed,
  EPIPE: closed,
  ECONNABORTED: closed,
  ENETUNREACH: ({ immediate }) => (immediate ? noRoute : reject),
  EHOSTUNREACH: ({ immediate, elapsedMs, transport }) => {
    if (immediate) return noRoute;
    return transport === 'tcp' && elapsedMs >= neighbourFailureMs ? hostDown : reject;
  },
  // IPv6 "administratively prohibited" and "policy failed"; at once it is a prohibit route or broadcast of this machine.
  EACCES: ({ immediate }) => (immediate ? ownFirewall : reject),
  EPERM: ownFirewall,
  ENOPROTOOPT: reject,
  EPROTO: reject,
  EHOSTDOWN: hostDown,
  ENONET: noRoute,
  ETIMEDOUT: { outcome: 'timeout', text: 'nothing came back' },
  EMFILE: local('this process has no file descriptor left (raise `ulimit -n`)'),
  ENFILE: local('this machine has no file descriptor left'),
  EADDRNOTAVAIL: local('no local port or address is free for it'),
  EADDRINUSE: local('the local port is taken'),
  ENOBUFS: local('this machine has no network buffers left'),
  ENOMEM: local('this machine has no memory left'),
  EAGAIN: local('this machine has no resources for it now'),
  EINVAL: local('this machine cannot send there (a blackhole route or a wrong source address)'),
  EAFNOSUPPORT: local('this machine does not speak that address family'),
  EMSGSIZE: local('the datagram is larger than this machine may send'),
};

/** What is worth another try when other sockets have been closed: never the target's fault. */
const exhaustion = new Set(['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS', 'ENOMEM', 'EAGAIN']);

export const isExhaustion = (failure: NetFailure): boolean =>
  failure.outcome === 'local' && failure.code !== undefined && exhaustion.has(failure.code);

export function netError(error: unknown, context: FailureContext): NetError {
  return error instanceof NetError ? error : new NetError(netFailure(error, context), { cause: error });
}

/** The same without an Error made of it. */
export function netFailure(error: unknown, context: FailureContext): NetFailure {
  const code = codeOf(error);
  const row = code === undefined ? undefined : causes[code];
  const cause = typeof row === 'function' ? row(context) : row;
  if (code === undefined || !cause) return unknownFailure(error, code, context);
  const { outcome, hint, text } = cause;
  // A reset can overtake the news that the connection was accepted: it is the peer's doing all the same.
  const stage = outcome === 'closed' && context.stage === 'connect' ? 'exchange' : (cause.stage ?? context.stage);
  // No spread: refusals come by the ten thousand a second.
  return hint ? { outcome, stage, detail: text, code, hint } : { outcome, stage, detail: text, code };
}

/** Only a system call can say that it was this machine: what else goes wrong with a connection came in on it. */
function unknownFailure(error: unknown, code: string | undefined, { stage }: FailureContext): NetFailure {
  const isOwn = stage === 'connect' || (typeof error === 'object' && error !== null && 'syscall' in error);
  const word = code ?? (error instanceof Error ? error.name : 'unknown');
  const detail = isOwn ? `this machine says ${word}` : `the connection broke off (${word})`;
  return { outcome: isOwn ? 'local' : 'closed', stage, detail, ...(code !== undefined && { code }) };
}

export function codeOf(error: unknown): string | undefined {
  const code: unknown = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}
