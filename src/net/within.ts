/** A share of the time that an attempt has left, for one of its questions: when that is over, the others still have theirs. */
import { NetError } from '../model/errors.ts';
import type { Stage } from '../model/outcome.ts';
import type { Scope } from './scope.ts';

/** Rejects with a timeout of its own when what is asked takes longer than its share, 0 to 1. */
export async function within<T>(scope: Scope, share: number, ask: () => Promise<T>): Promise<T> {
  const ms = Math.max(0, scope.leftMs * share);
  const asked = ask();
  // Nobody waits for what it still brings when its time is over.
  asked.catch(nothing);
  let cancel = nothing;
  const late = scope.wait<never>((_resolve, reject) => {
    let pausedMs = scope.pausedMs;
    // While we wait for our own turn the peer's time stands still.
    const look = (): void => {
      const waitedMs = scope.pausedMs - pausedMs;
      pausedMs += waitedMs;
      if (waitedMs > 0) cancel = scope.after(waitedMs, look);
      else reject(lateBy(ms, scope.stage));
    };
    cancel = scope.after(ms, look);
  });
  late.catch(nothing);
  try {
    return await Promise.race([asked, late]);
  } finally {
    cancel();
  }
}

function lateBy(ms: number, stage: Stage): NetError {
  return new NetError({ outcome: 'timeout', stage, detail: `no answer in ${Math.round(ms) / 1000} s` });
}

const nothing = (): void => undefined;
