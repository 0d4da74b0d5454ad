/** How much a responder says, and remembers: what bounds it whoever asks. Time comes in as an argument. */

/** A map that forgets its oldest entry when it is full. */
export class BoundedMap<K, V> {
  readonly #map = new Map<K, V>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#map.size;
  }

  get(key: K): V | undefined {
    return this.#map.get(key);
  }

  set(key: K, value: V): void {
    if (!this.#map.has(key) && this.#map.size >= this.#most) {
      const oldest = this.#map.keys().next();
      if (oldest.done === false) this.#map.delete(oldest.value);
    }
    this.#map.set(key, value);
  }

  delete(key: K): void {
    this.#map.delete(key);
  }

  values(): IterableIterator<V> {
    return this.#map.values();
  }
}

interface Bucket {
  tokens: number;
  filledAtMs: number;
}

/** So many a second; who was quiet for two seconds may say so much at once. */
export class RateLimit {
  readonly #perSecond: number;
  readonly #bucket: Bucket;

  constructor(perSecond: number, nowMs: number) {
    this.#perSecond = perSecond;
    this.#bucket = { tokens: perSecond * 2, filledAtMs: nowMs };
  }

  take(nowMs: number): boolean {
    const bucket = this.#bucket;
    const grown = ((nowMs - bucket.filledAtMs) / 1000) * this.#perSecond;
    bucket.tokens = Math.min(this.#perSecond * 2, bucket.tokens + grown);
    bucket.filledAtMs = nowMs;
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }
}
