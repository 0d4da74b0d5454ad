/** A clock that stands still until a test moves it, and the turns of an event loop that a test goes through. */
import type { PoolClock } from '../../src/run/pool.ts';

interface Timer {
  readonly atMs: number;
  readonly fire: () => void;
}

/** More turns than that at one moment are a loop that never rests. */
const mostTurns = 100_000;

export class HandClock implements PoolClock {
  #nowMs = 1000;
  #turns: (() => void)[] = [];
  #timers: Timer[] = [];

  now(): number {
    return this.#nowMs;
  }

  after(ms: number, fire: () => void): void {
    this.#timers.push({ atMs: this.#nowMs + ms, fire });
    this.#timers.sort((a, b) => a.atMs - b.atMs);
  }

  nextTurn(then: () => void): void {
    this.#turns.push(then);
  }

  /** Goes through turns until nobody wants another. */
  settle(): void {
    for (let count = 0; this.#turns.length > 0; count += 1) {
      if (count > mostTurns) throw new Error('the loop never rests');
      for (const then of this.#turns.splice(0)) then();
    }
  }

  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    this.settle();
    for (let next = this.#timers[0]; next && next.atMs <= untilMs; next = this.#timers[0]) this.#fire();
    this.#nowMs = untilMs;
  }

  /** Moves on until no timer is left. */
  exhaust(): void {
    this.settle();
    while (this.#timers.length > 0) this.#fire();
  }

  #fire(): void {
    const timer = this.#timers.shift()!;
    this.#nowMs = timer.atMs;
    timer.fire();
    this.settle();
  }
}
