/** A plan carried out: observations judged as they come, rows told when they are known, signals and deadline obeyed. */
import { exitCodeOf, isAdvisory, reportCheck, summarize, plannedCheck } from '../judge/report.ts';
import { judgeRow } from '../judge/judge.ts';
import { causesOf } from '../judge/causes.ts';
import { HostSigns, isSilence } from '../judge/host-signs.ts';
import { RowBook } from '../judge/row-book.ts';
import type { Site, Vantage } from '../model/site.ts';
import type { LoadedSpec } from '../model/spec.ts';
import type { Observation } from '../model/outcome.ts';
import type { Check, Plan } from '../model/plan.ts';
import type { Report, ReportCheck, ReportHead, ReportRow, ReportTail, Stats } from '../model/report.ts';
import type { Mode } from '../model/verdict.ts';
import { checkLine, endLine, rowLine, startLine } from '../report/ndjson.ts';
import { run } from '../run/run.ts';
import { deliver } from './deliver.ts';
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
    spec: {
      id: spec.id,
      revision: spec.revision,
      get sha256() {
        return spec.sha256;
      },
      rows: spec.rows.length,
    },
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
  const lines = new LineStream(streams);
  const tell = (line: () => string): void => lines.tell(line);
  tell(() => startLine(head));

  const rows = new RowBook(plan, settings.mode);
  const checks: ReportCheck[] = [];
  const progress = new Progress(plan.checks.length, values);
  let checkCount = 0;

  const report = (check: Check, observation: Observation): ReportCheck => {
    const reported = reportCheck(check, observation, settings.mode);
    checkCount += 1;
    if (keepsChecks) checks.push(reported);
    tell(() => checkLine(reported));
    log.debug(() => {
      const { id, outcome, stage, durationMs, detail } = reported;
      return [{ check: id, outcome, stage, ms: durationMs }, detail ?? ''];
    });
    return reported;
  };

  const control = run(plan, settings.run, {
    onObservation: (check, observation, last, at) => {
      rows.observe(at, observation);
      // What silence means is known when the other checks of its host are.
      const reported = isSilence(check, observation) ? undefined : report(check, observation);
      if (!last) return;
      const isFailing = reported === undefined ? check.transport === 'tcp' : reported.verdict === 'fail';
      progress.step(isFailing && !isAdvisory(check), control.inFlight());
      for (const row of rows.finish(at)) tell(() => rowLine(row));
    },
    onSelf: (_, at) => {
      progress.step(false, control.inFlight());
      for (const row of rows.finish(at)) tell(() => rowLine(row));
    },
    onBug: (check, error) => {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      log.error({ check: check.id }, `a defect of xenreach: ${text}`);
    },
  });
  interruption.ends(control.stop);
  const stats = await control.done;
  progress.end();

  for (const { check, observations } of rows.settle(control.hostsDown()))
    for (const observation of observations) report(check, observation);
  for (const row of rows.finishAll()) tell(() => rowLine(row));
  const reportRows = rows.rows();
  const { complete } = rows;
  const exitCode = exitCodeOf(reportRows, settings.failOn, complete);
  const tail: ReportTail = {
    durationMs: Math.round(performance.now() - began),
    complete,
    exitCode,
    summary: summarize(reportRows, checkCount),
    stats,
  };
  tell(() => endLine(tail));
  lines.flush();
  const inOrder = keepsChecks ? inOrderOf(plan, checks) : checks;
  const causes = causesOf(reportRows, inOrder);
  const whole: Report = { ...head, ...tail, sections: spec.sections, causes, rows: reportRows, checks: inOrder };
  return deliver(whole, sinks, values);
}

/** The report of what would be done: nothing was sent, so there is nothing to judge. */
export function plannedReport(input: Conducted, mode: Mode): Report {
  const { plan, spec } = input;
  const rows = plan.rows.map((row): ReportRow => {
    const judged = judgeRow({ ...row, checks: [] }, [], mode, new HostSigns());
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
    causes: [],
    rows,
    checks,
  };
}

function inOrderOf(plan: Plan, checks: readonly ReportCheck[]): ReportCheck[] {
  const order = new Map(plan.checks.map((check, i) => [check.id, i]));
  return checks.toSorted((a, b) => place(order, a.id) - place(order, b.id));
}

/** A name's addresses stand together, where the plan has the name. */
function place(order: ReadonlyMap<string, number>, id: string): number {
  return order.get(id) ?? order.get(id.slice(0, id.lastIndexOf('@'))) ?? order.size;
}

/** A line as it happens, where a turn of the event loop is one moment: a write each would cost as much as the check. */
class LineStream {
  readonly #sinks: readonly Sink[];
  #lines: string[] = [];

  constructor(sinks: readonly Sink[]) {
    this.#sinks = sinks;
  }

  tell(line: () => string): void {
    if (this.#sinks.length === 0) return;
    if (this.#lines.push(line()) === 1) setImmediate(() => this.flush());
  }

  flush(): void {
    if (this.#lines.length === 0) return;
    const text = this.#lines.join('');
    this.#lines = [];
    for (const sink of this.#sinks) sink.write(text);
  }
}
