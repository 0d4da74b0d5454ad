/** A line on standard error while the run goes on, on a terminal only. */
import { progressLine } from '../report/progress.ts';
import type { Arguments } from './options.ts';

const everyMs = 100;

export class Progress {
  readonly #total: number;
  readonly #isShown: boolean;
  readonly #began = performance.now();
  #done = 0;
  #failed = 0;
  #shownAt = 0;

  constructor(total: number, values: Arguments) {
    this.#total = total;
    this.#isShown = process.stderr.isTTY && !(values['no-progress'] ?? false) && !(values.quiet ?? false);
  }

  step(isFailure: boolean, inFlight: number): void {
    this.#done += 1;
    if (isFailure) this.#failed += 1;
    const now = performance.now();
    if (!this.#isShown || now - this.#shownAt < everyMs) return;
    this.#shownAt = now;
    const width = (process.stderr.columns || 80) - 1;
    process.stderr.write(
      `\r${progressLine(this.#done, this.#total, this.#failed, inFlight, now - this.#began, width).padEnd(width)}`,
    );
  }

  end(): void {
    if (this.#isShown && this.#shownAt > 0)
      process.stderr.write(`\r${' '.repeat((process.stderr.columns || 80) - 1)}\r`);
  }
}
