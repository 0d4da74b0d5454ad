/**
 * The watch: rounds by the schedule, each handed to the intake. Whatever fails on the way (the disk, a mail server, a peer, the
 * clock) is told, and the next round comes.
 */
import type { Report } from '../model/report.ts';
import { JumpWatch, type Clock } from './clock.ts';
import { Composite } from './composite.ts';
import type { Keeper } from './keeper.ts';
import { inDoubt, without } from './incidents.ts';
import { Intake, type IntakeParts } from './intake.ts';
import type { QuietRows } from './maintenance.ts';
import type { Outbox } from './notify/outbox.ts';
import { beatsOf, Schedule } from './schedule.ts';
import type { Ingested, Presence, Subject, Viewpoint } from './viewpoint.ts';

const prepareAgainMs = 3_600_000;
const longestWaitMs = 5000;

export class Watch {
  readonly #parts: IntakeParts;
  readonly #intake: Intake;
  readonly #jumps: JumpWatch;
  readonly #startedMs: number;
  #subject: Subject;
  #schedule: Schedule | null = null;
  #composite: Composite | null = null;
  #preparedAt = -Infinity;
  #lastRoundMs: number | null = null;
  /** How often a row was looked at again since its last turn. */
  readonly #rechecks = new Map<string, number>();
  /** Spans begin anew: somebody set the clock, or the machine slept. */
  #isBroken = false;
  #gapMs = 0;
  #skippedBefore = 0;
  #rejected = 0;
  #isRunning = false;
  #reloadTrouble: string | null = null;
  #roundTrouble: string | null = null;
  /** What keeps reports from coming in. */
  #wayInTrouble: string | null = null;
  #wake = new AbortController();

  constructor(subject: Subject, parts: IntakeParts) {
    const { clock } = parts;
    this.#subject = subject;
    this.#parts = parts;
    this.#startedMs = clock.now();
    this.#jumps = new JumpWatch(clock.wall(), clock.now());
    this.#intake = new Intake(subject, parts);
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

  get outbox(): Outbox {
    return this.#intake.outbox;
  }

  say(text: string): void {
    this.#parts.say(text);
  }

  get own(): Viewpoint {
    return this.#intake.own;
  }

  /** This process's own first, where it looks at anything itself. Never none. */
  viewpoints(): readonly Viewpoint[] {
    const others = this.#intake.others();
    if (this.#subject.prepare !== null || others.length === 0) return [this.#intake.own, ...others];
    const nameOf = ({ report, site, vantage }: Viewpoint): string => `${report ? 0 : 1} ${site} ${vantage}`;
    return others.toSorted((a, b) => nameOf(a).localeCompare(nameOf(b), 'en', { numeric: true }));
  }

  /** Calls back after every change, until the returned function is called. */
  onChange(listener: () => void): () => void {
    return this.#intake.onChange(listener);
  }

  status(): WatchStatus {
    const { clock, keeper } = this.#parts;
    const sinceMs = clock.now() - (this.#lastRoundMs ?? this.#startedMs);
    const everyMs = Math.min(...this.#rowsToCheck().map(this.everyOf), 7 * 86_400_000);
    return {
      isHealthy: this.#wayInTrouble === null && sinceMs <= Math.max(3 * everyMs, 30_000),
      lastRoundAgoMs: this.#lastRoundMs === null ? null : sinceMs,
      nextRoundInMs: Math.max(0, (this.#schedule?.nextMs() ?? clock.now()) - clock.now()),
      isRunning: this.#isRunning,
      skipped: this.#skippedBefore + (this.#schedule?.skipped ?? 0),
      gapMs: this.#gapMs,
      rejected: this.#rejected,
      troubles: [
        ...(this.#reloadTrouble === null ? [] : [this.#reloadTrouble]),
        ...(this.#roundTrouble === null ? [] : [this.#roundTrouble]),
        ...(this.#wayInTrouble === null ? [] : [this.#wayInTrouble]),
        ...(keeper.trouble === null ? [] : [keeper.trouble]),
        ...this.outbox.troubles().map(({ name, trouble }) => `${name} cannot be told: ${trouble}`),
      ],
      quiet: this.#intake.quiet(),
    };
  }

  readonly everyOf = (row: string): number => {
    const { config, spec } = this.#subject;
    const section = spec.rows.find(({ id }) => id === row)?.section ?? '';
    return config.file.rows[row] ?? config.file.sections[section] ?? config.file.every;
  };

  /** Finds the hosts and sets the schedule up. Throws a UsageError where there is nothing to check. */
  async begin(stop: AbortSignal): Promise<void> {
    await this.#intake.use(this.#subject);
    await this.#prepare(stop);
    this.#newSchedule();
  }

  /** What was read anew takes the place of what was; the history goes on. */
  async reload(subject: Subject, stop: AbortSignal): Promise<void> {
    const before = this.#subject;
    this.#subject = subject;
    try {
      await this.begin(stop);
    } catch (error) {
      this.#subject = before;
      await this.begin(stop);
      throw error;
    }
    const { own } = this.#intake;
    own.state = without(own.state, (row) => subject.spec.rows.some(({ id }) => id === row));
    this.#reloadTrouble = null;
    this.#wakeUp();
  }

  reloadFailed(text: string): void {
    this.#reloadTrouble = `the files were read again and are not taken, so all goes on as before: ${text}`;
    this.#intake.tellListeners();
  }

  /** All rows, or these of them, as soon as may be. */
  runNow(rows: readonly string[] = this.#rowsToCheck()): void {
    const known = new Set(this.#rowsToCheck());
    this.#schedule?.again(
      rows.filter((row) => known.has(row)),
      this.#parts.clock.now(),
    );
    this.#wakeUp();
  }

  /** Of elsewhere: a sign of life. */
  heard(site: string, vantage: string, presence: Presence): boolean {
    return this.#intake.heard(site, vantage, presence);
  }

  /** Something came in that is no good, and was put aside. */
  reject(): void {
    this.#rejected += 1;
  }

  /** Why reports from elsewhere do not come in, or null. */
  wayIn(trouble: string | null): void {
    if (trouble === this.#wayInTrouble) return;
    this.#wayInTrouble = trouble;
    this.#intake.tellListeners();
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
    return stop.aborted ? null : this.#intake.own.report;
  }

  /** Of elsewhere. Each report counts once, and in the order in which they were made. */
  ingest(site: string, ingested: Ingested): ReturnType<Intake['ingest']> {
    return this.#intake.ingest(site, ingested);
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
      const at = Math.max(clock.wall(), this.#intake.own.last + 1);
      this.#intake.take(this.#intake.own, { ...result, at, digest: null, patienceMs: this.#patienceMs });
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
    const doubts = inDoubt(this.#intake.own.state);
    const keys = new Set([...doubts.values()].flat());
    const hosts = new Set([...keys].flatMap((key) => (key.startsWith('host:') ? [key.slice('host:'.length)] : [])));
    const members = this.#intake.own.state.incidents.flatMap((open) => (keys.has(open.key) ? open.rows : []));
    const suspects = new Set([...doubts.keys(), ...(this.#composite?.rowsAt(hosts) ?? []), ...members]);
    const mostOften = runs + 4;
    const again = [...suspects].filter((row) => (this.#rechecks.get(row) ?? 0) < mostOften);
    for (const row of again) this.#rechecks.set(row, (this.#rechecks.get(row) ?? 0) + 1);
    this.#schedule?.again(again, clock.now() + recheck);
  }

  #lookAtClocks(): void {
    const { clock, keeper, say } = this.#parts;
    const jump = this.#jumps.look(clock.wall(), clock.now());
    if (!jump) return;
    this.#isBroken = true;
    const [since, until] = [Math.min(jump.fromMs, jump.toMs), Math.max(jump.fromMs, jump.toMs)];
    if (jump.toMs > jump.fromMs) this.#gapMs += until - since;
    say(jump.why);
    keeper.gap(this.#intake.own, since, until, jump.why);
  }

  /** Nobody looked while this did not run. */
  #tellDowntime(): void {
    const { clock, keeper } = this.#parts;
    const at = clock.wall();
    const { last } = this.#intake.own;
    if (this.#subject.prepare === null) return;
    const shortest = Math.min(...this.#subject.spec.rows.map(({ id }) => this.everyOf(id)));
    if (last === 0 || at - last <= shortest) return;
    this.#isBroken = true;
    this.#gapMs += at - last;
    keeper.gap(this.#intake.own, last, at, 'xenreach did not run');
  }

  async #housekeeping(stop: AbortSignal): Promise<void> {
    const { clock, keeper, say } = this.#parts;
    keeper.tend(clock.wall(), this.#subject.config.file.history.keep);
    this.#intake.tellStale();
    if (clock.now() - this.#preparedAt < prepareAgainMs) return;
    try {
      await this.#prepare(stop);
    } catch (error) {
      this.#preparedAt = clock.now();
      if (!stop.aborted) say(`the hosts could not be looked up again: ${error instanceof Error ? error.message : ''}`);
    }
  }

  async #prepare(stop: AbortSignal): Promise<void> {
    const { settings, prepare } = this.#subject;
    this.#preparedAt = this.#parts.clock.now();
    if (prepare === null) return;
    const prepared = await prepare(stop);
    const composite = new Composite(prepared, settings, this.everyOf);
    const known = this.#intake.own.report;
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
}

export interface WatchStatus {
  readonly isHealthy: boolean;
  readonly lastRoundAgoMs: number | null;
  readonly nextRoundInMs: number;
  readonly isRunning: boolean;
  readonly skipped: number;
  readonly gapMs: number;
  /** What came in and was no good, since the start. */
  readonly rejected: number;
  /** What is wrong with this process itself, in sentences. */
  readonly troubles: readonly string[];
  readonly quiet: readonly QuietRows[];
}
