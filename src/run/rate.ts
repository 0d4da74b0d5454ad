/** How many checks may start now: a bucket that fills at the rate and holds what comes in a fiftieth of a second. */

const bucketsASecond = 50;

export class Rate {
  readonly #perSecond: number;
  #tokens: number;
  #filledAtMs: number;

  /** `atOnce`: how many may start at the beginning. */
  constructor(perSecond: number, atOnce: number, nowMs: number) {
    this.#perSecond = perSecond;
    this.#tokens = Math.min(perSecond, atOnce);
    this.#filledAtMs = nowMs;
  }

  /** Fills the bucket, and tells how many may start. */
  allowed(nowMs: number): number {
    const size = Math.max(1, this.#perSecond / bucketsASecond);
    const grown = ((nowMs - this.#filledAtMs) / 1000) * this.#perSecond;
    this.#tokens = Math.min(size, this.#tokens + grown);
    this.#filledAtMs = nowMs;
    return Math.floor(this.#tokens);
  }

  spend(): void {
    this.#tokens -= 1;
  }

  /** Nothing may start before the bucket is filled again. */
  get isSpent(): boolean {
    return this.#tokens < 1;
  }

  /** How long one token takes. */
  get everyMs(): number {
    return 1000 / this.#perSecond;
  }
}
