/** What a ThreadedConnector and its threads say to each other: arrays of numbers and short texts cross faster than objects. */
import type { NetFailure } from '../model/errors.ts';
import { expired, refused } from './connector.ts';

/** What a thread is made with. */
export interface ThreadOptions {
  readonly timeoutMs: number;
  readonly sourceAddress: string | undefined;
  /** Connections to one destination are spread over so many, each of which counts its own. */
  readonly share: number;
}

/** Connections to begin; all arrays are of one length. */
export interface ConnectBatch {
  readonly slots: number[];
  readonly addresses: string[];
  readonly ports: number[];
}

/** Connections that ended; all arrays are of one length. */
export interface ResultBatch {
  /** How many connections were begun since the last message, answered or not. */
  launched: number;
  readonly slots: number[];
  readonly ms: number[];
  readonly results: ConnectResult[];
}

/** The three common results by number; a rare one may cost a copy. */
export type ConnectResult = (typeof commonResults)[keyof typeof commonResults] | NetFailure;
const commonResults = { connected: 0, expired: 1, refused: 2 } as const;

export const emptyConnectBatch = (): ConnectBatch => ({ slots: [], addresses: [], ports: [] });
export const emptyResultBatch = (): ResultBatch => ({ launched: 0, slots: [], ms: [], results: [] });

export function resultOf(failure: NetFailure | undefined): ConnectResult {
  if (!failure) return commonResults.connected;
  if (failure.outcome === 'timeout' && failure.code === undefined) return commonResults.expired;
  return failure.outcome === 'refused' ? commonResults.refused : failure;
}

export function failureOf(result: ConnectResult, timeoutMs: number): NetFailure | undefined {
  if (result === commonResults.connected) return undefined;
  if (result === commonResults.refused) return refused;
  return result === commonResults.expired ? expired(timeoutMs) : result;
}
