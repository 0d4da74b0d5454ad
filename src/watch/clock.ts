/** The two clocks of a watch: one that only goes on, for waiting, and one that people read, which may be set or stand still. */

export interface Clock {
  /** Milliseconds since 1970. */
  wall(): number;
  /** Milliseconds that only grow. It stands still while the machine is suspended. */
  now(): number;
  /** Resolves after so long, or earlier when the signal says so. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

/** A wall clock that runs away from the other by more than this was set, or the machine slept. */
const mostDriftMs = 30_000;

export interface Jump {
  readonly fromMs: number;
  readonly toMs: number;
  readonly why: string;
}

/** Compares the clocks each time it is asked. */
export class JumpWatch {
  #wall: number;
  #now: number;

  constructor(wallMs: number, nowMs: number) {
    this.#wall = wallMs;
    this.#now = nowMs;
  }

  /** What happened since the last time, or null. */
  look(wallMs: number, nowMs: number): Jump | null {
    const expected = this.#wall + (nowMs - this.#now);
    const fromMs = this.#wall;
    this.#wall = wallMs;
    this.#now = nowMs;
    const drift = wallMs - expected;
    if (Math.abs(drift) <= mostDriftMs) return null;
    const seconds = Math.round(Math.abs(drift) / 1000);
    const why =
      drift > 0
        ? `the machine was suspended, or its clock was set ahead by ${seconds} s`
        : `the clock was set back by ${seconds} s`;
    return { fromMs, toMs: wallMs, why };
  }
}

export const systemClock: Clock = {
  wall: () => Date.now(),
  now: () => performance.now(),
  wait: (ms, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      // Longer than that no timer of Node waits.
      const timer = setTimeout(done, Math.min(ms, 2 ** 31 - 1));
      signal.addEventListener('abort', done, { once: true });
    }),
};
