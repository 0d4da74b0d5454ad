/**
 * One check of a site, as it grows: the plan is carried out, each observation is judged when it can be, each row is told
 * when it is known, and the whole is a report. The command line, the library and everything that checks again are callers.
 */
import { HostSigns, isSilence } from '../judge/host-signs.ts';
import { judgeRow } from '../judge/judge.ts';
import { isAdvisory, plannedCheck, reportCheck, summarize } from '../judge/report.ts';
import { OpenRows } from '../judge/open-rows.ts';
import type { Observation } from '../model/outcome.ts';
import type { Check, Plan } from '../model/plan.ts';
import type { Progress, Report, ReportCheck, ReportHead, ReportRow, ReportTail } from '../model/report.ts';
import type { Mode } from '../model/verdict.ts';
import type { ObservedCheck } from '../run/finished-checks.ts';
import { run } from '../run/run.ts';
import { headOf, makeReport, noStats, tailOf, type Subject } from './report.ts';
import type { CheckSettings } from './settings.ts';

/** A site that is ready to be checked: its hosts are found, and what will be tried is decided. */
export interface Prepared extends Subject {
  readonly plan: Plan;
}

/** What a check says while it goes on. Everything is optional; nothing may throw. */
export interface CheckEvents {
  onStart?(head: ReportHead): void;
  /** A check has ended at one address. What met silence is told last, when the rest of the run has said what that means. */
  onCheck?(check: ReportCheck): void;
  /** A row is judged: as soon as its last check has ended. */
  onRow?(row: ReportRow): void;
  onEnd?(tail: ReportTail): void;
  /** One of the plan's checks is over, at all its addresses. */
  onProgress?(progress: Progress): void;
  /** A defect of xenreach itself; the check says so too. */
  onDefect?(check: Check, error: unknown): void;
}

export interface CheckOptions {
  /** Ends the run: what is open becomes `aborted`, with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** False: `checks` of the report stay empty, for runs of millions that are told as they happen. */
  readonly keepsChecks?: boolean;
}

/** Carries the plan out and resolves with the report. Rejects only for defects of our own. */
export async function checkPrepared(
  prepared: Prepared,
  settings: CheckSettings,
  events: CheckEvents = {},
  { signal, keepsChecks = true }: CheckOptions = {},
): Promise<Report> {
  const { plan, spec } = prepared;
  const began = performance.now();
  const head = headOf({ ...prepared, roots: settings.roots }, settings.mode);
  events.onStart?.(head);
  const judging = new Judging(prepared, settings, events, keepsChecks);
  const control = run(plan.checks, settings.run, {
    onObservation: (observed) => judging.observe(observed, control.inFlight()),
    onSelf: ({ index }) => judging.finish(index, false, control.inFlight()),
    onBug: (check, error) => events.onDefect?.(check, error),
  });
  const stop = (): void => control.stop(reasonOf(signal));
  if (signal?.aborted === true) stop();
  signal?.addEventListener('abort', stop, { once: true });
  const stats = await control.done;
  signal?.removeEventListener('abort', stop);

  judging.settle(control.hostsDown());
  const { rows, checks, checkCount, complete } = judging.result();
  const durationMs = Math.round(performance.now() - began);
  const summary = summarize(rows, checkCount);
  const tail = tailOf({ rows, failOn: settings.failOn, complete, durationMs, summary, stats });
  events.onEnd?.(tail);
  return makeReport({ head, tail, spec, rows, checks: inOrderOf(plan, checks), baseline: settings.baseline });
}

const reasonOf = (signal: AbortSignal | undefined): string =>
  typeof signal?.reason === 'string' ? signal.reason : 'the run was aborted';

/** Observations as they come in, and what is known of checks and rows by then. */
class Judging {
  readonly #plan: Plan;
  readonly #mode: Mode;
  readonly #events: CheckEvents;
  readonly #rows: OpenRows;
  readonly #alerts: NonNullable<Prepared['site']['alerts']>;
  /** Verdicts of the baseline, by row. Undefined: there is no baseline. */
  readonly #was: ReadonlyMap<string, ReportRow['verdict']> | undefined;
  /** Undefined: they are told and forgotten. */
  readonly #checks: ReportCheck[] | undefined;
  #checkCount = 0;
  #done = 0;
  #failing = 0;

  constructor({ plan, site }: Prepared, { mode, baseline }: CheckSettings, events: CheckEvents, keepsChecks: boolean) {
    this.#plan = plan;
    this.#alerts = site.alerts ?? [];
    this.#mode = mode;
    this.#was = baseline && new Map(baseline.rows.map(({ id, verdict }) => [id, verdict]));
    this.#events = events;
    this.#rows = new OpenRows(plan, mode);
    this.#checks = keepsChecks ? [] : undefined;
  }

  observe({ index, check, observation, isLast }: ObservedCheck, inFlight: number): void {
    this.#rows.observe(index, observation);
    // What silence means is known when the other checks of its host are.
    const reported = isSilence(check, observation) ? undefined : this.#report(check, observation);
    if (!isLast) return;
    const isFailing = reported === undefined ? check.transport === 'tcp' : reported.verdict === 'fail';
    this.finish(index, isFailing && !isAdvisory(check), inFlight);
  }

  finish(index: number, isFailing: boolean, inFlight: number): void {
    this.#done += 1;
    if (isFailing) this.#failing += 1;
    const events = this.#events;
    events.onProgress?.({ done: this.#done, total: this.#plan.checks.length, failing: this.#failing, inFlight });
    for (const row of this.#rows.finish(index)) this.#tell(row);
  }

  /** The run is over. `down`: nobody has these addresses. */
  settle(down: Iterable<string>): void {
    for (const { check, observations } of this.#rows.settle(down))
      for (const observation of observations) this.#report(check, observation);
    for (const row of this.#rows.finishAll()) this.#tell(row);
  }

  result(): { rows: readonly ReportRow[]; checks: readonly ReportCheck[]; checkCount: number; complete: boolean } {
    const { complete } = this.#rows;
    const rows = this.#rows.rows().map((row) => this.#beside(row));
    return { rows, checks: this.#checks ?? [], checkCount: this.#checkCount, complete };
  }

  #tell(row: ReportRow): void {
    this.#events.onRow?.(this.#beside(row));
  }

  /** The row beside what it was in the baseline, and a failed one beside what the pool says of it. */
  #beside(row: ReportRow): ReportRow {
    const alerts = row.verdict === 'fail' ? this.#alerts.filter(({ rows }) => rows.includes(row.id)) : [];
    const told = alerts.length > 0 ? { ...row, notes: [...row.notes, ...alerts.map(({ text }) => text)] } : row;
    return this.#was ? { ...told, was: this.#was.get(row.id) ?? null } : told;
  }

  #report(check: Check, observation: Observation): ReportCheck {
    const reported = reportCheck(check, observation, this.#mode);
    this.#checkCount += 1;
    this.#checks?.push(reported);
    this.#events.onCheck?.(reported);
    return reported;
  }
}

/** The report of what would be done: nothing was sent, so there is nothing to judge. */
export function plannedReport(prepared: Prepared, mode: Mode): Report {
  const { plan, spec } = prepared;
  const rows = plan.rows.map((row): ReportRow => {
    const judged = judgeRow({ ...row, checks: [] }, [], mode, new HostSigns());
    if (row.skip !== null) return judged;
    return { ...judged, verdict: null, because: null, remedy: null, skip: null, checks: row.checks };
  });
  const checks = plan.checks.map(plannedCheck);
  const summary = { ...summarize(rows, checks.length), verdict: null };
  const tail = { durationMs: null, complete: false, exitCode: null, summary, stats: noStats };
  return makeReport({ head: headOf(prepared, mode), tail, spec, rows, checks });
}

function inOrderOf(plan: Plan, checks: readonly ReportCheck[]): readonly ReportCheck[] {
  if (checks.length === 0) return checks;
  const order = new Map(plan.checks.map((check, i) => [check.id, i]));
  return checks.toSorted((a, b) => indexOf(order, a.id) - indexOf(order, b.id));
}

/** A name's addresses stand together, where the plan has the name. */
function indexOf(order: ReadonlyMap<string, number>, id: string): number {
  return order.get(id) ?? order.get(id.slice(0, id.lastIndexOf('@'))) ?? order.size;
}
