/**
 * Between the watch and its history: whatever the disk does, the watch goes on. What cannot be written is told on the page,
 * tried again with the next run, and held in memory where somebody must still hear of it.
 */
import type { Report } from '../model/report.ts';
import type { Event } from './event.ts';
import type { Incident, State } from './incidents.ts';
import { latest } from './history/ask.ts';
import { History } from './history/history.ts';
import type { Source } from './history/record.ts';
import { noState } from './incidents.ts';
import type { Outbox } from './notify/outbox.ts';
import type { Ingested, Viewpoint } from './viewpoint.ts';

export interface Outcome extends Ingested {
  readonly state: State;
  readonly untold: readonly string[];
  readonly events: readonly Event[];
  readonly incidents: readonly { readonly incident: Incident; readonly isOpen: boolean }[];
}

const tendEveryMs = 3_600_000;
/** As many gaps are remembered while the disk does not take them. */
const mostGaps = 100;

interface Gap {
  readonly source: number;
  readonly since: number;
  readonly until: number;
  readonly why: string;
}

export class Keeper {
  #history: History | null;
  readonly #file: string;
  readonly #say: (text: string) => void;
  #told: string | null;
  #trouble: string | null = null;
  #tendedAt = -Infinity;
  #gaps: Gap[] = [];
  readonly #viewpoints: Viewpoint[] = [];

  constructor(file: string, history: History | null, say: (text: string) => void) {
    this.#file = file;
    this.#history = history;
    this.#say = say;
    this.#told = history
      ? history.told
      : 'this Node has no SQLite: what happened before is not remembered, and ends with the process';
    if (this.#told !== null) say(this.#told);
  }

  get history(): History | null {
    return this.#history;
  }

  /** For the page. */
  get trouble(): string | null {
    return this.#trouble ?? this.#told;
  }

  viewpoint(site: string, vantage: string, isOwn: boolean): Viewpoint {
    const source = this.#attempt((history) => history.source(site, vantage, isOwn));
    return this.#known(source ? this.#viewpointOf(source) : emptyViewpoint(site, vantage, isOwn));
  }

  others(own: Viewpoint): Viewpoint[] {
    const sources = this.#attempt((history) => history.sources()) ?? [];
    return sources
      .filter(({ id, isOwn }) => !isOwn && id !== own.id)
      .map((source) => this.#known(this.#viewpointOf(source)));
  }

  has(digest: string): boolean {
    const found = this.#attempt((history) => history.db.sql('SELECT 1 FROM run WHERE digest = ?').get(digest));
    return found !== null && found !== undefined;
  }

  /** Undefined where there is no history, or it does not answer. */
  ask<T>(question: (history: History) => T): T | undefined {
    return this.#attempt(question);
  }

  /** False where the history did not take it. */
  record(viewpoint: Viewpoint, outcome: Outcome, outbox: Outbox): boolean {
    const { report, at, rows, checks, digest, patienceMs, events, incidents } = outcome;
    const state: State & { untold: readonly string[] } = { ...outcome.state, untold: outcome.untold };
    const run = this.#attempt((history) => {
      if (viewpoint.id === 0) viewpoint.id = history.source(viewpoint.site, viewpoint.vantage, viewpoint.isOwn).id;
      const source: Source = { ...viewpoint, state };
      const recorded = { source, at, report, rows, checks, patienceMs, state, events, incidents, digest };
      const id = history.recorder.record({ ...recorded, notifiersOf: (type) => outbox.names(type) });
      for (const gap of this.#gaps.splice(0)) history.gap(gap.source || viewpoint.id, gap.since, gap.until, gap.why);
      return id;
    });
    if (run === undefined) {
      if (outcome.mustBeKept !== true) outbox.keepUnsaved(events, at);
      return false;
    }
    if (this.#trouble !== null) {
      this.#say('the history can be written again');
      this.#trouble = null;
    }
    return true;
  }

  tell(events: readonly Event[], outbox: Outbox, at: number): void {
    const isKept = this.#attempt((history) => {
      history.db.atomically(() => {
        history.recorder.putEvents(events, (type) => outbox.names(type), at);
      });
      return true;
    });
    if (isKept !== true) outbox.keepUnsaved(events, at);
  }

  gap({ id }: Viewpoint, since: number, until: number, why: string): void {
    const isKept = this.#attempt((history) => {
      history.gap(id, since, until, why);
      return true;
    });
    if (isKept !== true) this.#gaps = [...this.#gaps, { source: id, since, until, why }].slice(-mostGaps);
  }

  /** Forgets what is too old, a little at a time. */
  tend(at: number, keepMs: number): void {
    if (Math.abs(at - this.#tendedAt) < tendEveryMs) return;
    const hasMore = this.#attempt((history) => history.prune(at - keepMs));
    if (hasMore !== true) this.#tendedAt = at;
  }

  close(): void {
    try {
      this.#history?.close();
    } catch {
      // It is the end: what could be written is.
    }
  }

  #known(viewpoint: Viewpoint): Viewpoint {
    this.#viewpoints.push(viewpoint);
    return viewpoint;
  }

  #viewpointOf(source: Source): Viewpoint {
    const { id, site, vantage, isOwn, last } = source;
    const report: Report | null = this.#attempt((history) => latest(history.db, id)) ?? null;
    // As record() wrote it.
    const { untold = [], ...state } = (source.state ?? noState) as State & { readonly untold?: readonly string[] };
    return { id, site, vantage, isOwn, last, state, untold, report, isStale: false, presence: null };
  }

  /** Undefined where there is no history, or it failed. */
  #attempt<T>(act: (history: History) => T): T | undefined {
    if (!this.#history) return undefined;
    try {
      const result = act(this.#history);
      return result;
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      if (this.#trouble === null) this.#say(`the history ${this.#file} fails: ${text}`);
      this.#trouble = `the history cannot be written (${text}): checks and notices go on, and what happens now is not remembered`;
      this.#beginAnewWhereDamaged(error);
      return undefined;
    }
  }

  #beginAnewWhereDamaged(error: unknown): void {
    const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0;
    if (code !== 11 && code !== 26) return;
    try {
      this.#history?.close();
      this.#history = History.open(this.#file, { isDamaged: true });
      this.#told = this.#history?.told ?? null;
      this.#trouble = null;
      // The new one does not know them.
      for (const viewpoint of this.#viewpoints) viewpoint.id = 0;
      if (this.#told !== null) this.#say(this.#told);
    } catch (again) {
      this.#trouble = `the history is damaged, and no new one can be begun: ${again instanceof Error ? again.message : ''}`;
    }
  }
}

const emptyViewpoint = (site: string, vantage: string, isOwn: boolean): Viewpoint => ({
  id: 0,
  site,
  vantage,
  isOwn,
  last: 0,
  state: noState,
  untold: [],
  report: null,
  isStale: false,
  presence: null,
});
