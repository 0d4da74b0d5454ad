/** A plan carried out: observations judged as they come, rows told when they are known, signals and deadline obeyed. */
import { stripVTControlCharacters } from 'node:util';
import { hostNews, exitCodeOf, isComplete, reportCheck, summarize, plannedCheck } from '../judge/report.ts';
import { judgeRow, type Checked } from '../judge/judge.ts';
import type { Site, Vantage } from '../model/site.ts';
import type { LoadedSpec } from '../model/spec.ts';
import type { Observation } from '../model/outcome.ts';
import type { Check, Plan, PlannedRow } from '../model/plan.ts';
import type { Report, ReportCheck, ReportHead, ReportRow, ReportTail, Stats } from '../model/report.ts';
import type { Mode } from '../model/verdict.ts';
import { checkLine, endLine, rowLine, startLine } from '../report/ndjson.ts';
import { nagiosExitCode } from '../report/nagios.ts';
import { reporters } from '../report/index.ts';
import { run } from '../run/run.ts';
import type { Arguments } from './options.ts';
import type { Interruption } from './interruption.ts';
import type { Log } from './log.ts';
import type { Sink } from './outputs.ts';
import { Progress } from './progress.ts';
import type { Settings } from './settings.ts';
import { version } from './version.ts';

export interface Conducted {
  readonly spec: LoadedSpec;
  readonly site: Site;
  readonly vantage: Vantage;
  /** The source roles spoken for. */
  readonly as: readonly string[];
  readonly plan: Plan;
}

export function headOf({ spec, site, vantage, as }: Conducted, mode: Mode): ReportHead {
  return {
    schema: 'xenreach.report/1',
    tool: { name: 'xenreach', version: version() },
    spec: { id: spec.id, revision: spec.revision, sha256: spec.sha256, rows: spec.rows.length },
    site: { name: site.name, origin: site.origin },
    vantage: { roles: as, hostname: vantage.hostname, addresses: vantage.addresses },
    mode,
    startedAt: new Date().toISOString(),
  };
}

/** Runs the plan, writes every report, and returns the exit code. */
export async function conduct(
  input: Conducted,
  settings: Settings,
  sinks: readonly Sink[],
  values: Arguments,
  log: Log,
  interruption: Interruption,
): Promise<number> {
  const { plan, spec } = input;
  const began = performance.now();
  const head = headOf(input, settings.mode);
  const streams = sinks.filter(({ format }) => format === 'ndjson');
  const keepsChecks = streams.length < sinks.length;
  const tell = (line: string): void => {
    for (const sink of streams) sink.write(line);
  };
  tell(startLine(head));

  const results = new Map<string, { check: Check; observations: Observation[] }>(
    plan.checks.map((check) => [check.id, { check, observations: [] }]),
  );
  const rows = new RowBook(plan, results, settings.mode);
  const checks: ReportCheck[] = [];
  const progress = new Progress(plan.checks.length, values);
  let checkCount = 0;

  const control = run(plan, settings.run, {
    onObservation: (check, observation, last) => {
      results.get(check.id)?.observations.push(observation);
      const told = reportCheck(check, observation, settings.mode);
      checkCount += 1;
      if (keepsChecks) checks.push(told);
      if (streams.length > 0) tell(checkLine(told));
      log.debug({ check: told.id, outcome: told.outcome, stage: told.stage, ms: told.durationMs }, told.detail ?? '');
      if (!last) return;
      progress.step(told.verdict === 'fail' && !told.advisory, control.inFlight());
      for (const row of rows.finished(check)) tell(rowLine(row));
    },
    onSelf: (check) => {
      progress.step(false, control.inFlight());
      for (const row of rows.finished(check)) tell(rowLine(row));
    },
    onBug: (check, error) => {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      log.error({ check: check.id }, `a defect of xenreach: ${stripVTControlCharacters(text)}`);
    },
  });
  interruption.ends(control.stop);
  const stats = await control.done;
  progress.end();

  for (const row of rows.remaining()) tell(rowLine(row));
  const reportRows = rows.all();
  const complete = isComplete(results.values());
  const exitCode = exitCodeOf(reportRows, settings.failOn, complete);
  const tail: ReportTail = {
    durationMs: Math.round(performance.now() - began),
    complete,
    exitCode,
    summary: summarize(reportRows, checkCount),
    stats,
  };
  tell(endLine(tail));
  const order = new Map(plan.checks.map((check, i) => [check.id, i]));
  const inOrder = checks.toSorted((a, b) => place(order, a.id) - place(order, b.id));
  const report: Report = { ...head, ...tail, sections: spec.sections, rows: reportRows, checks: inOrder };
  for (const sink of sinks) render(report, sink, values);
  return sinks[0]?.format === 'nagios' ? nagiosExitCode(report) : exitCode;
}

/** The report of what would be done: nothing was sent, so there is nothing to judge. */
export function plannedReport(input: Conducted, mode: Mode): Report {
  const { plan, spec } = input;
  const rows = plan.rows.map((row): ReportRow => {
    const judged = judgeRow({ ...row, checks: [] }, [], mode, () => undefined);
    const isSkipped = row.skip !== null;
    return {
      ...judged,
      ...(!isSkipped && { verdict: null, because: null, remedy: null, skip: null }),
      checks: row.checks,
    };
  });
  const stats: Stats = { maxInFlight: 0, connects: 0, datagrams: 0, peakRssMiB: 0 };
  const checks = plan.checks.map(plannedCheck);
  const summary = { ...summarize(rows, checks.length), verdict: null };
  return {
    ...headOf(input, mode),
    durationMs: null,
    complete: false,
    exitCode: null,
    summary,
    stats,
    sections: spec.sections,
    rows,
    checks,
  };
}

export function render(report: Report, sink: Sink, values: Arguments): void {
  const isStreamed = sink.format === 'ndjson' && report.exitCode !== null;
  if (!isStreamed) {
    sink.write(
      reporters[sink.format].render(report, {
        color: sink.isTerminal && !(values['no-color'] ?? false) && !process.env['NO_COLOR'],
        width: sink.isTerminal ? Math.max(60, Math.min(process.stdout.columns || 80, 100)) : 80,
        verbose: values.verbose ?? false,
        quiet: values.quiet ?? false,
      }),
    );
  }
  sink.commit();
}

/** A name's addresses stand together, where the plan has the name. */
function place(order: ReadonlyMap<string, number>, id: string): number {
  return order.get(id) ?? order.get(id.slice(0, id.lastIndexOf('@'))) ?? order.size;
}

/** Which rows still wait for checks; a row that met silence waits for the end, when other checks of the host may say more. */
class RowBook {
  readonly #rows: readonly PlannedRow[];
  readonly #results: ReadonlyMap<string, Checked>;
  readonly #mode: Mode;
  readonly #open = new Map<string, number>();
  readonly #rowOf = new Map<string, PlannedRow>();
  readonly #told = new Map<string, ReportRow>();

  constructor(plan: Plan, results: ReadonlyMap<string, Checked>, mode: Mode) {
    this.#rows = plan.rows;
    this.#results = results;
    this.#mode = mode;
    for (const row of plan.rows) {
      this.#open.set(row.requirement.id, row.checks.length);
      this.#rowOf.set(row.requirement.id, row);
    }
  }

  finished(check: Check): ReportRow[] {
    const told: ReportRow[] = [];
    for (const id of new Set(check.uses.map(({ row }) => row))) {
      const left = (this.#open.get(id) ?? 0) - 1;
      this.#open.set(id, left);
      const row = this.#rowOf.get(id);
      if (left > 0 || !row || this.#metSilence(row)) continue;
      told.push(this.#judge(row, () => undefined));
    }
    return told;
  }

  remaining(): ReportRow[] {
    const news = hostNews(this.#results.values());
    return this.#rows.filter((row) => !this.#told.has(row.requirement.id)).map((row) => this.#judge(row, news));
  }

  all(): ReportRow[] {
    return this.#rows.flatMap((row) => this.#told.get(row.requirement.id) ?? []);
  }

  #judge(row: PlannedRow, news: (address: string) => string | undefined): ReportRow {
    const judged = judgeRow(row, this.#checked(row), this.#mode, news);
    this.#told.set(row.requirement.id, judged);
    return judged;
  }

  #checked(row: PlannedRow): Checked[] {
    return row.checks.flatMap((id) => this.#results.get(id) ?? []);
  }

  #metSilence(row: PlannedRow): boolean {
    return this.#checked(row).some(
      ({ check, observations }) =>
        check.transport === 'udp' && observations.some(({ outcome }) => outcome === 'timeout'),
    );
  }
}
