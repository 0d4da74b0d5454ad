/**
 * One coarse clock for every deadline of a run, instead of a timer a socket: a list a duration, in the order of expiry,
 * and one interval that looks at the heads. Adding and cancelling cost a few pointers (10,000 waits: no timers at all).
 *
 * When the loop itself was late, answers may lie unread in the kernel: expiry then waits until after the poll phase. A
 * stall (a stopped process, a snapshot of the machine) is given back to every deadline that it fell into: an exchange of
 * several steps needs its time for those that are left. So our own trouble never turns a healthy endpoint into a timeout.
 */

/** How precise a deadline is, where the loop is not busy: a wake-up that finds nothing due takes microseconds. */
const tickMs = 10;

/** Less than that is a busy loop, which every peer waits for alike. */
const stallMs = 250;

class Entry {
  readonly expiresAt: number;
  readonly list: List;
  readonly what: unknown;
  expire: ((what: unknown) => void) | undefined;
  previous: Entry | undefined;
  next: Entry | undefined = undefined;

  constructor(expiresAt: number, list: List, expire: (what: unknown) => void, what: unknown) {
    this.expiresAt = expiresAt;
    this.list = list;
    this.expire = expire;
    this.what = what;
    this.previous = list.last;
  }
}

interface List {
  first: Entry | undefined;
  last: Entry | undefined;
}

export type Deadline = Entry;

export class Deadlines {
  readonly #lists = new Map<number, List>();
  #count = 0;
  #timer: NodeJS.Timeout | undefined;
  #dueAt = 0;
  #stalledMs = 0;
  /** Found between two ticks: the next one is the late one. */
  #wasLate = false;

  /** Milliseconds of a clock that stands still while this process does: whoever asks, or adds, may come before the tick. */
  now(): number {
    const now = performance.now();
    if (this.#timer && now - this.#dueAt > stallMs) this.#giveBack(now);
    return now - this.#stalledMs;
  }

  /** Calls `expire(what)` once, `afterMs` from now at the earliest, unless cancelled before. */
  add(afterMs: number, expire: () => void): Deadline;
  add<T>(afterMs: number, expire: (what: T) => void, what: T): Deadline;
  add(afterMs: number, expire: (what: unknown) => void, what?: unknown): Deadline {
    const duration = Math.max(1, Math.ceil(afterMs));
    let list = this.#lists.get(duration);
    if (!list) this.#lists.set(duration, (list = { first: undefined, last: undefined }));
    const entry = new Entry(this.now() + duration, list, expire, what);
    if (list.last) list.last.next = entry;
    else list.first = entry;
    list.last = entry;
    this.#count += 1;
    if (!this.#timer) {
      this.#dueAt = performance.now() + tickMs;
      this.#timer = setInterval(() => this.#tick(), tickMs);
    }
    return entry;
  }

  cancel(entry: Deadline): void {
    if (!entry.expire) return;
    entry.expire = undefined;
    if (entry.previous) entry.previous.next = entry.next;
    else entry.list.first = entry.next;
    if (entry.next) entry.next.previous = entry.previous;
    else entry.list.last = entry.previous;
    // An entry that grew old must not keep its younger neighbours, and their sockets, from the young generation's collector.
    entry.previous = undefined;
    entry.next = undefined;
    this.#count -= 1;
  }

  /** Cancels everything: the run is over. */
  clear(): void {
    for (const list of this.#lists.values()) for (let entry = list.first; entry; entry = list.first) this.cancel(entry);
    this.#rest();
  }

  /** How many are waiting: 0 at the end of a run. */
  get size(): number {
    return this.#count;
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tick(): void {
    // Not when the last one is cancelled: a busy run has none for a moment many times a second.
    if (this.#count === 0) return this.#rest();
    const now = performance.now();
    const lateMs = now - this.#dueAt;
    if (lateMs > stallMs) this.#giveBack(now);
    const isLate = this.#wasLate || lateMs > tickMs;
    this.#wasLate = false;
    this.#dueAt = now + tickMs;
    if (isLate) setImmediate(() => this.#expireDue(this.now()));
    else this.#expireDue(now - this.#stalledMs);
  }

  #giveBack(now: number): void {
    this.#stalledMs += now - this.#dueAt;
    this.#dueAt = now;
    this.#wasLate = true;
  }

  #expireDue(now: number): void {
    for (const [duration, list] of this.#lists) {
      for (let entry = list.first; entry && entry.expiresAt <= now; entry = list.first) {
        const { expire, what } = entry;
        this.cancel(entry);
        expire?.(what);
      }
      // A run knows a handful of durations; pacing and remainders make more, which must not pile up.
      if (!list.first && this.#lists.size > 64) this.#lists.delete(duration);
    }
  }
}
