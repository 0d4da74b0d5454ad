/**
 * How many checks may be in flight. The limit doubles while silence holds every place, is halved when this machine runs out
 * of resources, and comes back slowly. Pure: whoever asks brings the time and the count.
 */

/** Exhaustion halves the limit at most once in this time: what comes together is one piece of news. */
const sameExhaustionMs = 100;

/** After exhaustion the limit grows by one in this time. */
const recoverEveryMs = 1000;

/**
 * How often a full pool asks what it waits for. Places that are taken again less than once a second hold silence: no network
 * takes that long to answer, so more places make the run faster. Where endpoints answer they do not.
 */
export const silenceMs = 250;

export class Limit {
  readonly #wanted: number;
  #ceiling: number;
  #current: number;
  #changedAtMs = -Infinity;

  /** `growTo`: how far silence may raise it above what is wanted. */
  constructor(wanted: number, growTo = wanted) {
    this.#wanted = wanted;
    this.#ceiling = Math.max(wanted, growTo);
    this.#current = wanted;
  }

  get current(): number {
    return this.#current;
  }

  get mayGrow(): boolean {
    return this.#current < this.#ceiling;
  }

  /** Every place was taken for `silenceMs`, in which so many attempts ended: doubles the limit where that is silence. */
  wasFull(ended: number): void {
    const perSecond = ended * (1000 / silenceMs);
    if (perSecond < this.#current) this.#current = Math.min(this.#ceiling, this.#current * 2);
  }

  /** This machine was out of resources: half of what is in flight, and no more than was wanted from now on. */
  halve(inFlight: number, nowMs: number): void {
    if (nowMs - this.#changedAtMs < sameExhaustionMs) return;
    this.#changedAtMs = nowMs;
    this.#ceiling = this.#wanted;
    this.#current = Math.max(1, Math.min(this.#current, inFlight) >> 1);
  }

  recover(nowMs: number): void {
    if (this.#current >= this.#wanted || nowMs - this.#changedAtMs < recoverEveryMs) return;
    this.#current += 1;
    this.#changedAtMs = nowMs;
  }
}
