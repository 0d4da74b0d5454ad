/**
 * What ends a run before its time: a signal or the deadline. The first one ends it with a complete partial report, also
 * when it comes before the first check; a second signal ends the process at once.
 */
import { EarlySignals, endBy, endingSignals } from './early-signals.ts';

export class Interruption {
  #signals = 0;
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(deadlineMs?: number) {
    const early = EarlySignals.take();
    for (const signal of endingSignals) process.on(signal, this.#onSignal);
    if (early !== undefined) this.#onSignal(early);
    if (deadlineMs !== undefined) {
      this.#timer = setTimeout(() => this.#end(`the run's deadline of ${deadlineMs / 1000} s passed`), deadlineMs);
    }
  }

  /** Aborted with the reason as text. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Signals do again what they do without us. */
  release(): void {
    clearTimeout(this.#timer);
    for (const signal of endingSignals) process.off(signal, this.#onSignal);
  }

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    this.#signals += 1;
    if (this.#signals > 1) endBy(signal);
    this.#end(`the run was interrupted (${signal})`);
  };

  #end(why: string): void {
    if (!this.signal.aborted) this.#controller.abort(why);
  }
}
