/**
 * The watch: rounds by the schedule, and one way in for every report, whether this process made it or it came from elsewhere.
 * A report becomes what is believed, what is believed becomes incidents, and those become notices; all of it is recorded in
 * one transaction. Whatever fails on the way (the disk, a mail server, a peer) is told, and the next round comes.
 */
import type { Prepared } from '../check/check.ts';
import type { CheckSettings } from '../check/settings.ts';
import type { Report, ReportCheck } from '../model/report.ts';
import type { Site, Vantage } from '../model/site.ts';
import type { LoadedSpec } from '../model/spec.ts';
import { JumpWatch, type Clock } from './clock.ts';
import { Composite } from './composite.ts';
import { eventOf, staleEvent, titleOf, ulid, type Event, type EventContext } from './event.ts';
import type { Keeper } from './keeper.ts';
import { hush } from './hush.ts';
import { inDoubt, observe, without, type State } from './incidents.ts';
import type { WatchConfig } from './load-config.ts';
import { isQuiet, maintenanceOf, type QuietRows } from './maintenance.ts';
import { Outbox } from './notify/outbox.ts';
import type { Told } from './notify/alertmanager.ts';
import { beatsOf, Schedule } from './schedule.ts';
import { seenOf } from './seen.ts';

/** What is watched: made anew when the files are read again. */
export interface Subject {
  readonly config: WatchConfig;
  readonly spec: LoadedSpec;
  readonly site: Site;
  readonly vantage: Vantage;
  readonly settings: CheckSettings;
  /** Its hosts are found; asked again now and then, since what DNS says may change. */
  readonly prepare: (signal: AbortSignal) => Promise<Prepared>;
}

export interface WatchParts {
  readonly clock: Clock;
  readonly keeper: Keeper;
  /** A line for whoever reads the log. */
  readonly say: (text: string) => void;
}

/** One who looks at a site: this process, or somewhere whose reports come in. */
export interface Viewpoint {
  readonly site: string;
  readonly vantage: string;
  readonly isOwn: boolean;
  /** Its number in the history; 0 where there is none. */
  id: number;
  last: number;
  state: State;
  untold: readonly string[];
  report: Report | null;
  isStale: boolean;
}

export interface Ingested {
  readonly report: Report;
  readonly rows: ReadonlySet<string>;
  readonly checks: readonly ReportCheck[];
  readonly at: number;
  readonly digest: string | null;
  readonly patienceMs: (row: string) => number;
}

const prepareAgainMs = 3_600_000;
const longestWaitMs = 5000;
const closedToldMs = 15 * 60_000;

export class Watch {
  readonly outbox: Outbox;
  readonly #parts: WatchParts;
  #subject: Subject;
  #schedule: Schedule | null = null;
  #composite: Composite | null = null;
  #preparedAt = -Infinity;
  #quietAt: (at: number) => readonly QuietRows[] = () => [];
  #own: Viewpoint;
  readonly #others = new Map<string, Viewpoint>();
  readonly #closed: (Told & { readonly at: number })[] = [];
  readonly #listeners = new Set<() => void>();
  readonly #jumps: JumpWatch;
  readonly #startedMs: number;
  #lastRoundMs: number | null = null;
  #rechecks = new Map<string, number>();
  /** Spans begin anew: somebody set the clock, or the machine slept. */
  #isBroken = false;
  #gapMs = 0;
  #skippedBefore = 0;
  #isRunning = false;
  #reloadTrouble: string | null = null;
  #roundTrouble: string | null = null;
  #wake: AbortController = new AbortController();

  constructor(subject: Subject, parts: WatchParts) {
    const { clock, keeper } = parts;
    this.#subject = subject;
    this.#parts = parts;
    this.#startedMs = clock.now();
    this.#jumps = new JumpWatch(clock.wall(), clock.now());
    this.outbox = new Outbox({
      history: () => keeper.history,
      wall: () => clock.wall(),
      told: () => this.#told(),
      onTrouble: parts.say,
    });
    this.#own = keeper.viewpoint(subject.site.name, subject.vantage.hostname, true);
    for (const other of keeper.others(this.#own)) this.#others.set(keyOf(other.site, other.vantage), other);
    this.#tellDowntime();
  }

  get subject(): Subject {
    return this.#subject;
  }

  get keeper(): Keeper {
    return this.#parts.keeper;
  }

  get clock(): Clock {
    return this.#parts.clock;
  }

  say(text: string): void {
    this.#parts.say(text);
  }

  /** This process's own first. */
  viewpoints(): readonly Viewpoint[] {
    return [this.#own, ...this.#others.values()];
  }

  /** Calls back after every change, until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  status(): WatchStatus {
    const { clock, keeper } = this.#parts;
    const sinceMs = clock.now() - (this.#lastRoundMs ?? this.#startedMs);
    const everyMs = Math.min(...this.#rowsToCheck().map(this.everyOf), 7 * 86_400_000);
    return {
      isHealthy: sinceMs <= Math.max(3 * everyMs, 30_000),
      lastRoundAgoMs: this.#lastRoundMs === null ? null : sinceMs,
      nextRoundInMs: Math.max(0, (this.#schedule?.nextMs() ?? clock.now()) - clock.now()),
      isRunning: this.#isRunning,
      skipped: this.#skippedBefore + (this.#schedule?.skipped ?? 0),
      gapMs: this.#gapMs,
      troubles: [
        ...(this.#reloadTrouble === null ? [] : [this.#reloadTrouble]),
        ...(this.#roundTrouble === null ? [] : [this.#roundTrouble]),
        ...(keeper.trouble === null ? [] : [keeper.trouble]),
        ...this.outbox.troubles().map(({ name, trouble }) => `${name} cannot be told: ${trouble}`),
      ],
      quiet: this.#quietAt(clock.wall()),
    };
  }

  readonly everyOf = (row: string): number => {
    const { config, spec } = this.#subject;
    const section = spec.rows.find(({ id }) => id === row)?.section ?? '';
    return config.file.rows[row] ?? config.file.sections[section] ?? config.file.every;
  };

  /** Finds the hosts and sets the schedule up. Throws a UsageError where there is nothing to check. */
  async begin(stop: AbortSignal): Promise<void> {
    this.outbox.use(this.#subject.config.notifiers);
    this.#quietAt = await maintenanceOf(this.#subject.config.file.maintenance);
    await this.#prepare(stop);
    this.#newSchedule();
  }

  /** What was read anew takes the place of what was; the history goes on. */
  async reload(subject: Subject, stop: AbortSignal): Promise<void> {
    const [before, own] = [this.#subject, this.#own];
    this.#subject = subject;
    const { name } = subject.site;
    // Another site is another history.
    if (name !== own.site) this.#own = this.#parts.keeper.viewpoint(name, subject.vantage.hostname, true);
    try {
      await this.begin(stop);
      this.#reloadTrouble = null;
      this.#own.state = without(this.#own.state, (row) => subject.spec.rows.some(({ id }) => id === row));
    } catch (error) {
      [this.#subject, this.#own] = [before, own];
      await this.begin(stop);
      throw error;
    }
    this.#wakeUp();
  }

  reloadFailed(text: string): void {
    this.#reloadTrouble = `the files were read again and are not taken, so all goes on as before: ${text}`;
    this.#tellListeners();
  }

  /** All rows, as soon as may be. */
  runNow(): void {
    this.#schedule?.all(this.#parts.clock.now());
    this.#wakeUp();
  }

  /** Rounds, until it is stopped. Never rejects. */
  async run(stop: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    stop.addEventListener('abort', () => this.#wakeUp(), { once: true });
    while (!stop.aborted) {
      this.#lookAtClocks();
      await this.#housekeeping(stop);
      const round = this.#schedule?.take(clock.wall(), clock.now()) ?? null;
      if (round) await this.#round(new Set(round.rows), round.isRecheck, stop);
      this.outbox.turn();
      if (stop.aborted) break;
      const next = this.#schedule?.nextMs() ?? clock.now() + longestWaitMs;
      const ms = Math.min(longestWaitMs, Math.max(0, next - clock.now()));
      if (ms > 0) await clock.wait(ms, this.#wake.signal);
      if (this.#wake.signal.aborted) this.#wake = new AbortController();
    }
  }

  /** One round of everything. Null: it was stopped. */
  async once(stop: AbortSignal): Promise<Report | null> {
    await this.#round(new Set(this.#rowsToCheck()), false, stop);
    return stop.aborted ? null : this.#own.report;
  }

  /** Of elsewhere. Each report counts once, and in the order in which they were made. */
  ingest(site: string, ingested: Ingested): 'taken' | 'known' | 'older' {
    const key = keyOf(site, ingested.report.vantage.hostname);
    let viewpoint = this.#others.get(key);
    if (!viewpoint) {
      viewpoint = this.#parts.keeper.viewpoint(site, ingested.report.vantage.hostname, false);
      this.#others.set(key, viewpoint);
    }
    if (ingested.digest !== null && this.#parts.keeper.has(ingested.digest)) return 'known';
    if (ingested.at <= viewpoint.last) return 'older';
    viewpoint.isStale = false;
    this.#take(viewpoint, ingested);
    return 'taken';
  }

  #rowsToCheck(): string[] {
    return this.#composite?.rows() ?? [];
  }

  async #round(rows: ReadonlySet<string>, isRecheck: boolean, stop: AbortSignal): Promise<void> {
    const { clock, say } = this.#parts;
    const composite = this.#composite;
    if (!composite) return;
    this.#isRunning = true;
    try {
      const result = await composite.round(rows, isRecheck, clock.wall(), stop);
      if (!result) return;
      this.#lookAtClocks();
      this.#lastRoundMs = clock.now();
      const at = Math.max(clock.wall(), this.#own.last + 1);
      this.#take(this.#own, { ...result, at, digest: null, patienceMs: this.#patienceMs });
      this.#isBroken = false;
      this.#lookAgain(isRecheck, rows);
      this.#roundTrouble = null;
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      if (this.#roundTrouble === null) say(`a round failed: ${text}`);
      this.#roundTrouble = `the last round failed: ${text}`;
    } finally {
      this.#isRunning = false;
    }
  }

  readonly #patienceMs = (row: string): number => (this.#isBroken ? -1 : 2 * this.everyOf(row) + 60_000);

  /** Rows in doubt, and those of the same host, which are probably next: soon again, but not for ever. */
  #lookAgain(isRecheck: boolean, rows: ReadonlySet<string>): void {
    const { clock } = this.#parts;
    const { runs, recheck } = this.#subject.config.file.confirm;
    if (!isRecheck) for (const row of rows) this.#rechecks.delete(row);
    const doubts = inDoubt(this.#own.state);
    const keys = new Set([...doubts.values()].flat());
    const hosts = new Set([...keys].flatMap((key) => (key.startsWith('host:') ? [key.slice('host:'.length)] : [])));
    const members = this.#own.state.incidents.flatMap((open) => (keys.has(open.key) ? open.rows : []));
    const suspects = new Set([...doubts.keys(), ...(this.#composite?.rowsAt(hosts) ?? []), ...members]);
    const mostOften = runs + 4;
    const again = [...suspects].filter((row) => (this.#rechecks.get(row) ?? 0) < mostOften);
    for (const row of again) this.#rechecks.set(row, (this.#rechecks.get(row) ?? 0) + 1);
    this.#schedule?.again(again, clock.now() + recheck);
  }

  #take(viewpoint: Viewpoint, ingested: Ingested): void {
    const { keeper, say } = this.#parts;
    const { config } = this.#subject;
    const { report, at, rows } = ingested;
    const seen = seenOf(report, at, mildestOf(this.#subject.settings), rows);
    const before = viewpoint.state;
    const observed = observe(before, seen, { runs: config.file.confirm.runs, newId: () => ulid(at) });
    const windows = this.#quietAt(at);
    const { untold, told } = hush(viewpoint.untold, observed, (row) => isQuiet(row, windows));
    const events = told.map((news) => eventOf(news, this.#contextOf(viewpoint, at)));
    const isChanged = (id: string): boolean => observed.news.some(({ incident }) => incident.id === id);
    const open = observed.state.incidents;
    const incidents = [
      ...open.filter(({ id }) => isChanged(id)).map((incident) => ({ incident, isOpen: true })),
      ...observed.news.flatMap(({ type, incident }) => (type === 'closed' ? [{ incident, isOpen: false }] : [])),
    ];
    keeper.record(viewpoint, { ...ingested, state: observed.state, untold, events, incidents }, this.outbox);
    Object.assign(viewpoint, { state: observed.state, untold, last: at, report });
    for (const { type, incident } of told)
      if (type === 'closed') this.#closed.push({ ...this.#toldOf(viewpoint, incident), until: at, at });
    for (const event of events) say(titleOf(event));
    if (events.length > 0) this.outbox.hurry();
    this.#tellListeners();
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

  #told(): readonly Told[] {
    const recent = this.#parts.clock.wall() - closedToldMs;
    while (this.#closed[0] && this.#closed[0].at < recent) this.#closed.shift();
    const open = this.viewpoints().flatMap((viewpoint) =>
      viewpoint.state.incidents
        .filter(({ id }) => !viewpoint.untold.includes(id))
        .map((incident) => this.#toldOf(viewpoint, incident)),
    );
    return [...open, ...this.#closed];
  }

  #lookAtClocks(): void {
    const { clock, keeper, say } = this.#parts;
    const jump = this.#jumps.look(clock.wall(), clock.now());
    if (!jump) return;
    this.#isBroken = true;
    const [since, until] = [Math.min(jump.fromMs, jump.toMs), Math.max(jump.fromMs, jump.toMs)];
    if (jump.toMs > jump.fromMs) this.#gapMs += until - since;
    say(jump.why);
    keeper.gap(this.#own, since, until, jump.why);
  }

  /** Nobody looked while this did not run. */
  #tellDowntime(): void {
    const { clock, keeper } = this.#parts;
    const at = clock.wall();
    const { last } = this.#own;
    const shortest = Math.min(...this.#subject.spec.rows.map(({ id }) => this.everyOf(id)));
    if (last === 0 || at - last <= shortest) return;
    this.#isBroken = true;
    this.#gapMs += at - last;
    keeper.gap(this.#own, last, at, 'xenreach did not run');
  }

  async #housekeeping(stop: AbortSignal): Promise<void> {
    const { clock, keeper, say } = this.#parts;
    keeper.tend(clock.wall(), this.#subject.config.file.history.keep);
    this.#tellStale();
    if (clock.now() - this.#preparedAt < prepareAgainMs) return;
    try {
      await this.#prepare(stop);
    } catch (error) {
      this.#preparedAt = clock.now();
      if (!stop.aborted) say(`the hosts could not be looked up again: ${error instanceof Error ? error.message : ''}`);
    }
  }

  #tellStale(): void {
    const { clock, keeper, say } = this.#parts;
    const staleMs = this.#subject.config.inbox?.staleMs;
    if (staleMs === undefined) return;
    for (const other of this.#others.values()) {
      if (other.isStale || clock.wall() - other.last < staleMs) continue;
      other.isStale = true;
      const event: Event = staleEvent(other.last, this.#contextOf(other, clock.wall()));
      keeper.tell([event], this.outbox, clock.wall());
      say(titleOf(event));
      this.outbox.hurry();
      this.#tellListeners();
    }
  }

  async #prepare(stop: AbortSignal): Promise<void> {
    const { settings, prepare } = this.#subject;
    const prepared = await prepare(stop);
    const composite = new Composite(prepared, settings, this.everyOf);
    const known = this.#own.report;
    if (known) composite.restore(known);
    this.#composite = composite;
    this.#preparedAt = this.#parts.clock.now();
  }

  #newSchedule(): void {
    const { clock } = this.#parts;
    const composite = this.#composite;
    const { site, vantage } = this.#subject;
    const beats = beatsOf(this.#rowsToCheck(), this.everyOf, `${site.name}\n${vantage.hostname}`);
    this.#skippedBefore += this.#schedule?.skipped ?? 0;
    this.#schedule = new Schedule(
      beats,
      clock.wall(),
      clock.now(),
      ({ rows, everyMs }) => composite?.isFresh(rows, everyMs, clock.wall()) ?? false,
    );
  }

  #wakeUp(): void {
    this.#wake.abort();
  }

  #tellListeners(): void {
    for (const listener of this.#listeners) listener();
  }
}

export interface WatchStatus {
  readonly isHealthy: boolean;
  readonly lastRoundAgoMs: number | null;
  readonly nextRoundInMs: number;
  readonly isRunning: boolean;
  readonly skipped: number;
  readonly gapMs: number;
  /** What is wrong with this process itself, in sentences. */
  readonly troubles: readonly string[];
  readonly quiet: readonly QuietRows[];
}

const keyOf = (site: string, vantage: string): string => JSON.stringify([site, vantage]);

const mildestOf = ({ failOn }: CheckSettings): 'fail' | 'unverified' | 'warn' => (failOn === 'new' ? 'fail' : failOn);
