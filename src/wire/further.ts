/** A question more, when the proof is already in hand: what it brings is told, and nothing that it brings undoes the proof. */
import { NetError } from '../model/errors.ts';
import type { ProbeIo } from '../model/probe.ts';
import { DecodeError } from './reader.ts';

type Trouble = NetError | DecodeError;

/**
 * In this share of the time that is left, which is nearly all of it where nothing comes after. Resolves with what went wrong
 * instead of rejecting with it.
 */
export async function further<T>(io: ProbeIo, ask: () => Promise<T>, share = 0.9): Promise<T | Trouble> {
  try {
    return await io.within(share, ask);
  } catch (error) {
    if (error instanceof NetError || error instanceof DecodeError) return error;
    throw error;
  }
}

export const isTrouble = (found: unknown): found is Trouble =>
  found instanceof NetError || found instanceof DecodeError;
