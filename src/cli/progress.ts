/** A line on standard error while the run goes on, on a terminal only. */
import type { Progress } from '../model/report.ts';
import { progressLine } from '../report/progress.ts';
import type { Arguments } from './options.ts';

const everyMs = 100;

export class ProgressLine {
  readonly #isShown: boolean;
  readonly #began = performance.now();
  #shownAt = 0;

  constructor(values: Arguments) {
    this.#isShown = process.stderr.isTTY && !(values['no-progress'] ?? false) && !(values.quiet ?? false);
  }

  show(progress: Progress): void {
    if (!this.#isShown) return;
    const now = performance.now();
    if (now - this.#shownAt < everyMs) return;
    this.#shownAt = now;
    const width = lineWidth();
    process.stderr.write(`\r${progressLine(progress, now - this.#began, width).padEnd(width)}`);
  }

  end(): void {
    if (this.#isShown && this.#shownAt > 0) process.stderr.write(`\r${' '.repeat(lineWidth())}\r`);
  }
}

const lineWidth = (): number => (process.stderr.columns || 80) - 1;
