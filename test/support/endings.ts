/** How a probe may end, as a test sees it: an answer, a NetError or a DecodeError. Anything else is a defect and thrown. */
import { NetError } from '../../src/model/errors.ts';
import type { Answer } from '../../src/model/outcome.ts';
import { DecodeError } from '../../src/wire/reader.ts';

export interface Ending {
  readonly outcome: string;
  readonly detail: string;
}

export function ending(run: Promise<Answer>): Promise<Ending> {
  return run.catch((error: unknown) => {
    if (error instanceof NetError) return { outcome: error.failure.outcome, detail: error.message };
    if (error instanceof DecodeError) return { outcome: 'garbled', detail: error.message };
    throw error;
  });
}

/** A decoder's way of saying no; anything else it throws is a defect. */
export async function decodes(decode: () => unknown): Promise<boolean> {
  try {
    await decode();
    return true;
  } catch (error) {
    if (error instanceof DecodeError) return false;
    throw error;
  }
}
