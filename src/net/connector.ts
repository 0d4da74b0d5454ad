/** What opens bare connections, for checks that ask nothing but whether the handshake completes. */
import type { NetFailure } from '../model/errors.ts';
import { netFailure } from './failure.ts';
import { connectExpiry } from './scope.ts';

export interface Connector<T> {
  /** How many may be started in this turn of the event loop. */
  room(): number;
  start(job: T, address: string, port: number): void;
  /** Closes what is open: each ends as an attempt that was given up. */
  stop(why: string): void;
  /** Resolves when nothing of it is left. Called when nothing is open. */
  close(): Promise<void>;
}

export interface ConnectorOptions<T> {
  readonly timeoutMs: number;
  readonly sourceAddress: string | undefined;
  readonly counters: { connects: number };
  /** Called once for each, when its socket is closed again; `elapsedMs` is the time until the answer, of either kind. */
  onResult(job: T, failure: NetFailure | undefined, elapsedMs: number): void;
}

export const expired = (timeoutMs: number): NetFailure => ({
  outcome: 'timeout',
  stage: 'connect',
  detail: connectExpiry(timeoutMs),
});

/** One object for all of them: refusals come by the ten thousand a second. */
export const refused: NetFailure = netFailure(
  { code: 'ECONNREFUSED' },
  { stage: 'connect', transport: 'tcp', elapsedMs: 0, immediate: false },
);

export const abandoned = (why: string): NetFailure => ({ outcome: 'aborted', stage: 'connect', detail: why });
