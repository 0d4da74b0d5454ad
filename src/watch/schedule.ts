/**
 * When which rows are checked. Rows of one interval are one round, so that what silence means is judged beside the other
 * checks of its host. Rounds come at a fixed rate by the monotonic clock; their phase is a hash of site, vantage and row, so
 * that neither a restart nor a fleet makes a herd. Never two rounds at once: what falls due meanwhile waits for its end, and
 * what is late by its whole interval is skipped and counted. Pure: the time comes in.
 */

/** Rows that are checked together. */
export interface Beat {
  readonly rows: readonly string[];
  readonly everyMs: number;
  readonly phaseMs: number;
}

/** FNV-1a: all that is wanted is that names spread. */
export function phaseOf(name: string, everyMs: number): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash % everyMs;
}

/** `everyOf` in milliseconds. The row that stands first gives its group the phase. */
export function beatsOf(rows: readonly string[], everyOf: (row: string) => number, subject: string): Beat[] {
  return [...Map.groupBy(rows, everyOf)].map(([everyMs, members]) => ({
    rows: members,
    everyMs,
    phaseMs: phaseOf(`${subject}\n${members[0]}`, everyMs),
  }));
}

/** The first moment at or after `fromMs` of the wall clock at which a beat is due. */
export const firstAt = ({ everyMs, phaseMs }: Omit<Beat, 'rows'>, fromMs: number): number =>
  fromMs + ((((phaseMs - fromMs) % everyMs) + everyMs) % everyMs);

/** So near to each other that two rounds are one. */
const togetherMs = 1000;

export interface Round {
  readonly rows: readonly string[];
  /** These are looked at again because the last runs did not agree. */
  readonly isRecheck: boolean;
}

export class Schedule {
  readonly #beats: readonly Beat[];
  /** By the monotonic clock, for each beat. */
  readonly #due: number[];
  readonly #isInPhase: boolean[];
  readonly #again = new Map<string, number>();
  #skipped = 0;

  /** `isFresh`: what was known before the start is young enough, and the beat waits for its turn. */
  constructor(beats: readonly Beat[], wallMs: number, nowMs: number, isFresh: (beat: Beat) => boolean) {
    this.#beats = beats;
    this.#isInPhase = beats.map(isFresh);
    this.#due = beats.map((beat, i) => (this.#isInPhase[i] === true ? nowMs + firstAt(beat, wallMs) - wallMs : nowMs));
  }

  /** Rounds that did not take place because another was still going on. */
  get skipped(): number {
    return this.#skipped;
  }

  /** When something is due next; undefined when nothing ever is. */
  nextMs(): number | undefined {
    const times = [...this.#due, ...this.#again.values()];
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** What is due now, and no more waits for it. Null: nothing yet. */
  take(wallMs: number, nowMs: number): Round | null {
    const rows = new Set<string>();
    const isDue = this.#due.some((at) => at <= nowMs);
    for (const [i, beat] of this.#beats.entries()) {
      if (!isDue || this.#due[i]! > nowMs + Math.min(togetherMs, beat.everyMs / 2)) continue;
      for (const row of beat.rows) rows.add(row);
      this.#advance(i, beat, wallMs, nowMs);
    }
    const again = [...this.#again].filter(([, at]) => at <= nowMs + (rows.size > 0 ? togetherMs : 0));
    for (const [row] of again) {
      rows.add(row);
      this.#again.delete(row);
    }
    return rows.size === 0 ? null : { rows: [...rows], isRecheck: !isDue };
  }

  /** These are looked at before their turn. */
  again(rows: Iterable<string>, atMs: number): void {
    for (const row of rows) this.#again.set(row, Math.min(atMs, this.#again.get(row) ?? Infinity));
  }

  #advance(i: number, beat: Beat, wallMs: number, nowMs: number): void {
    const due = this.#due[i]!;
    const missed = Math.max(0, Math.floor((nowMs - due) / beat.everyMs));
    this.#skipped += missed;
    if (this.#isInPhase[i] === true) this.#due[i] = due + (missed + 1) * beat.everyMs;
    else {
      // The first one came at once, at the start; from here on it keeps to its phase.
      const aheadMs = firstAt(beat, wallMs) - wallMs;
      this.#due[i] = nowMs + (aheadMs < beat.everyMs / 2 ? aheadMs + beat.everyMs : aheadMs);
      this.#isInPhase[i] = true;
    }
  }
}
