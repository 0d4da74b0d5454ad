/** First in, first out. Taking moves a head along the array; now and then the part before the head is cut off. */

/** A cut copies what is left, which is never more than was taken since the last one. */
const leastCut = 64;

export class Fifo<T> {
  #items: T[] = [];
  #head = 0;

  get isEmpty(): boolean {
    return this.#head === this.#items.length;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** Undefined when it is empty. */
  take(): T | undefined {
    const item = this.#items[this.#head];
    if (this.#head < this.#items.length) this.#head += 1;
    if (this.#head > leastCut && this.#head * 2 > this.#items.length) this.#cut();
    return item;
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
  }

  #cut(): void {
    this.#items = this.#items.slice(this.#head);
    this.#head = 0;
  }
}
