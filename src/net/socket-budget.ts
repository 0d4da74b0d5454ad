/**
 * How many sockets may be open at once, and how many are in use: an attempt has one at a time. What is left may be held by
 * spare datagram sockets.
 */
export class SocketBudget {
  inUse = 0;
  mostInUse = 0;
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  /** Negative while more are in use, because silence let the pool grow. */
  get room(): number {
    return this.#most - this.inUse;
  }

  take(): void {
    this.inUse += 1;
    if (this.inUse > this.mostInUse) this.mostInUse = this.inUse;
  }

  giveBack(): void {
    this.inUse -= 1;
  }
}
