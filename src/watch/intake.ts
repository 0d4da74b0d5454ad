/**
 * One way in for every report, whether this process made it or it came from elsewhere: it becomes what is believed, what is
 * believed becomes incidents, and those become notices; all of it is recorded in one transaction.
 */
import type { CheckSettings } from '../check/settings.ts';
import type { Clock } from './clock.ts';
import { eventOf, staleEvent, titleOf, ulid, type EventContext } from './event.ts';
import { hush } from './hush.ts';
import { observe } from './incidents.ts';
import type { Keeper } from './keeper.ts';
import { isQuiet, maintenanceOf, type QuietRows } from './maintenance.ts';
import type { Told } from './notify/alertmanager.ts';
import { Outbox } from './notify/outbox.ts';
import { seenOf, type Mildest } from './seen.ts';
import type { Ingested, Presence, Subject, Viewpoint } from './viewpoint.ts';

export interface IntakeParts {
  readonly clock: Clock;
  readonly keeper: Keeper;
  /** A line for whoever reads the log. */
  readonly say: (text: string) => void;
  /** After each report that became part of what is known. */
  readonly onTaken?: (viewpoint: Viewpoint, taken: Ingested) => void;
}

/** An Alertmanager hears for so long that something is over. */
const closedToldMs = 15 * 60_000;
/** So many machines send to one process; more are a mistake, or mean harm. */
const mostViewpoints = 2000;

export class Intake {
  readonly outbox: Outbox;
  own: Viewpoint;
  readonly #parts: IntakeParts;
  readonly #others = new Map<string, Viewpoint>();
  readonly #closed: (Told & { readonly at: number })[] = [];
  readonly #listeners = new Set<() => void>();
  #subject: Subject;
  #quietAt: (at: number) => readonly QuietRows[] = () => [];

  constructor(subject: Subject, parts: IntakeParts) {
    const { clock, keeper, say } = parts;
    this.#subject = subject;
    this.#parts = parts;
    this.own = this.#ownOf(subject);
    for (const other of keeper.others(this.own)) this.#others.set(keyOf(other.site, other.vantage), other);
    this.outbox = new Outbox({
      history: () => keeper.history,
      wall: () => clock.wall(),
      told: () => this.#told(),
      onTrouble: say,
    });
  }

  /** Who is told and when, by the files as they are now. */
  async use(subject: Subject): Promise<void> {
    // Another site is another history.
    if (subject.site.name !== this.own.site) this.own = this.#ownOf(subject);
    this.#subject = subject;
    this.outbox.use(subject.config.notifiers);
    this.#quietAt = await maintenanceOf(subject.config.file.maintenance);
  }

  others(): readonly Viewpoint[] {
    return [...this.#others.values()];
  }

  /** Rows that nobody is told of now. */
  quiet(): readonly QuietRows[] {
    return this.#quietAt(this.#parts.clock.wall());
  }

  /** Calls back after every change, until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tellListeners(): void {
    for (const listener of this.#listeners) listener();
  }

  /** Of elsewhere. Each report counts once, and in the order in which they were made. */
  ingest(site: string, ingested: Ingested): 'taken' | 'known' | 'older' | 'full' | 'not kept' {
    const viewpoint = this.#other(site, ingested.report.vantage.hostname);
    if (!viewpoint) return 'full';
    if (ingested.digest !== null && this.#parts.keeper.has(ingested.digest)) return 'known';
    if (ingested.at <= viewpoint.last) return 'older';
    // Who tells of itself is stale or not by what it tells: an old report may come late.
    if (!viewpoint.presence) viewpoint.isStale = false;
    return this.take(viewpoint, ingested) ? 'taken' : 'not kept';
  }

  /** Of elsewhere: it is there. False where there is no more room. */
  heard(site: string, vantage: string, presence: Presence): boolean {
    const viewpoint = this.#other(site, vantage);
    if (!viewpoint) return false;
    viewpoint.presence = presence;
    viewpoint.isStale &&= this.#isSilent(viewpoint);
    this.tellListeners();
    return true;
  }

  /** False where it had to be kept, and was not. */
  take(viewpoint: Viewpoint, ingested: Ingested): boolean {
    const { keeper, say } = this.#parts;
    const { config, settings } = this.#subject;
    const { report, at, rows } = ingested;
    const seen = seenOf(report, at, mildestOf(settings), rows);
    const observed = observe(viewpoint.state, seen, { runs: config.file.confirm.runs, newId: () => ulid(at) });
    const { state, news } = observed;
    const windows = this.#quietAt(at);
    const { untold, told } = hush(viewpoint.untold, observed, (row) => isQuiet(row, windows));
    const events = told.map((each) => eventOf(each, this.#contextOf(viewpoint, at)));
    const changed = new Set(news.map(({ incident }) => incident.id));
    const incidents = [
      ...state.incidents.filter(({ id }) => changed.has(id)).map((incident) => ({ incident, isOpen: true })),
      ...news.flatMap(({ type, incident }) => (type === 'closed' ? [{ incident, isOpen: false }] : [])),
    ];
    const isKept = keeper.record(viewpoint, { ...ingested, state, untold, events, incidents }, this.outbox);
    if (!isKept && ingested.mustBeKept === true) return false;
    Object.assign(viewpoint, { state, untold, last: at, report });
    for (const { type, incident } of told)
      if (type === 'closed') this.#closed.push({ ...this.#toldOf(viewpoint, incident), until: at, at });
    for (const event of events) say(titleOf(event));
    if (events.length > 0) this.outbox.hurry();
    this.#parts.onTaken?.(viewpoint, ingested);
    this.tellListeners();
    return true;
  }

  /** A vantage that has not been heard of for too long is news once. */
  tellStale(): void {
    const { clock, keeper, say } = this.#parts;
    const at = clock.wall();
    for (const other of this.#others.values()) {
      if (other.isStale || !this.#isSilent(other)) continue;
      other.isStale = true;
      const event = staleEvent(other.presence?.at ?? other.last, this.#contextOf(other, at));
      keeper.tell([event], this.outbox, at);
      say(titleOf(event));
      this.outbox.hurry();
      this.tellListeners();
    }
  }

  /** Twice the time in which it wanted to be heard of, or as long as the config says. */
  #isSilent({ presence, last }: Viewpoint): boolean {
    const at = this.#parts.clock.wall();
    if (presence) return at - presence.at > 2 * presence.nextMs;
    const staleMs = this.#subject.config.inbox?.staleMs;
    return staleMs !== undefined && at - last >= staleMs;
  }

  #other(site: string, vantage: string): Viewpoint | null {
    const key = keyOf(site, vantage);
    let viewpoint = this.#others.get(key);
    if (!viewpoint) {
      if (this.#others.size >= mostViewpoints) return null;
      viewpoint = this.#parts.keeper.viewpoint(site, vantage, false);
      this.#others.set(key, viewpoint);
    }
    return viewpoint;
  }

  #ownOf({ site, vantage }: Subject): Viewpoint {
    return this.#parts.keeper.viewpoint(site.name, vantage.hostname, true);
  }

  #contextOf({ site, vantage }: Viewpoint, at: number): EventContext {
    return { site, vantage, at, link: (id) => this.#linkTo(id) };
  }

  #linkTo(incident: string): string | null {
    const { url } = this.#subject.config.file;
    return url === undefined ? null : `${url.replace(/\/$/, '')}/incident/${incident}`;
  }

  #toldOf({ site, vantage }: Viewpoint, incident: Told['incident']): Told {
    return { site, vantage, incident, until: null, link: this.#linkTo(incident.id) };
  }

  /** Incidents that are open, or were until a moment ago. */
  #told(): readonly Told[] {
    const recent = this.#parts.clock.wall() - closedToldMs;
    while (this.#closed[0] && this.#closed[0].at < recent) this.#closed.shift();
    const open = [this.own, ...this.#others.values()].flatMap((viewpoint) =>
      viewpoint.state.incidents
        .filter(({ id }) => !viewpoint.untold.includes(id))
        .map((incident) => this.#toldOf(viewpoint, incident)),
    );
    return [...open, ...this.#closed];
  }
}

const keyOf = (site: string, vantage: string): string => JSON.stringify([site, vantage]);

const mildestOf = ({ failOn }: CheckSettings): Mildest => (failOn === 'new' ? 'fail' : failOn);
