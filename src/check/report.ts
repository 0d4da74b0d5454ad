/** The one maker of reports: whoever has rows and checks, of a run, of a plan or of old observations, comes here. */
import { causesOf } from '../judge/causes.ts';
import { changesBetween } from '../judge/changes.ts';
import { HostSigns } from '../judge/host-signs.ts';
import { judgeRow, type CheckResult } from '../judge/judge.ts';
import { exitCodeOf, isComplete, reportCheck, summarize, type FailOn } from '../judge/report.ts';
import { version } from '../load/version.ts';
import type { Observation } from '../model/outcome.ts';
import type { Check, Plan } from '../model/plan.ts';
import {
  reportSchema,
  type Report,
  type ReportCheck,
  type ReportHead,
  type ReportRow,
  type ReportTail,
  type Stats,
  type Summary,
} from '../model/report.ts';
import type { Site, Vantage } from '../model/site.ts';
import type { LoadedSpec } from '../model/spec.ts';
import type { Mode } from '../model/verdict.ts';

/** What is checked, from where, against what. */
export interface Subject {
  readonly spec: LoadedSpec;
  readonly site: Pick<Site, 'name' | 'origin' | 'alerts'>;
  readonly vantage: Vantage;
  /** The source roles spoken for. */
  readonly as: readonly string[];
  /** Whose certificates are believed. */
  readonly roots?: readonly string[];
}

export const noStats: Stats = { maxInFlight: 0, connects: 0, datagrams: 0, peakRssMiB: 0 };

export function headOf({ spec, site, vantage, as, roots }: Subject, mode: Mode, startedAt = new Date()): ReportHead {
  return {
    schema: reportSchema,
    tool: { name: 'xenreach', version: version() },
    spec: {
      id: spec.id,
      revision: spec.revision,
      // Eight milliseconds of loading the cryptography, which a report in text never needs.
      get sha256() {
        return spec.sha256;
      },
      rows: spec.rows.length,
      ...(spec.catalogues.length > 0 && { catalogues: spec.catalogues }),
    },
    site: { name: site.name, origin: site.origin },
    vantage: { roles: as, hostname: vantage.hostname, addresses: vantage.addresses, ...(roots && { roots }) },
    mode,
    startedAt: startedAt.toISOString(),
  };
}

interface TailParts {
  readonly rows: readonly ReportRow[];
  readonly failOn: FailOn;
  readonly complete: boolean;
  readonly durationMs: number;
  readonly summary: Summary;
  readonly stats: Stats;
}

export const tailOf = ({ rows, failOn, complete, durationMs, summary, stats }: TailParts): ReportTail => ({
  durationMs,
  complete,
  exitCode: exitCodeOf(rows, failOn, complete),
  summary,
  stats,
});

interface ReportParts {
  readonly head: ReportHead;
  readonly tail: ReportTail;
  readonly spec: Pick<LoadedSpec, 'sections'>;
  readonly rows: readonly ReportRow[];
  readonly checks: readonly ReportCheck[];
  /** An older report that this one is held against. */
  readonly baseline?: Report | undefined;
}

/** Its keys stand in the order of the contract. */
export const makeReport = ({ head, tail, spec, rows, checks, baseline }: ReportParts): Report => ({
  ...head,
  ...tail,
  sections: spec.sections,
  causes: causesOf(rows, checks),
  rows,
  checks,
  ...(baseline && { changes: changesBetween(baseline, { rows, checks }) }),
});

export interface JudgeInput extends Subject {
  readonly plan: Plan;
  readonly observations: readonly Observation[];
  /** @default all zero */
  readonly stats?: Stats;
  /** @default 'service' */
  readonly mode?: Mode;
  /** @default 'fail' */
  readonly failOn?: FailOn;
}

/** What observations mean, as a report. They may be old: the same ones give the same verdicts. */
export function judge(input: JudgeInput): Report {
  const { plan, spec, observations, stats = noStats, mode = 'service', failOn = 'fail' } = input;
  const results = resultsOf(plan, observations);
  const signs = new HostSigns();
  for (const { check, observations: seen } of results.values()) for (const one of seen) signs.add(check, one);
  const settled = new Map(
    [...results].map(([id, { check, observations: seen }]): [string, CheckResult] => [
      id,
      { check, observations: seen.map((one) => signs.settled(check, one)) },
    ]),
  );
  const checked = [...settled.values()];
  const rows = plan.rows.map((row) =>
    judgeRow(
      row,
      row.checks.flatMap((id) => settled.get(id) ?? []),
      mode,
      signs,
    ),
  );
  const checks = checked.flatMap(({ check, observations: seen }) => seen.map((one) => reportCheck(check, one, mode)));
  const { startedAt, durationMs } = spanOf(observations);
  const complete = isComplete(checked);
  const tail = tailOf({ rows, failOn, complete, durationMs, summary: summarize(rows, checks.length), stats });
  return makeReport({ head: headOf(input, mode, startedAt), tail, spec, rows, checks });
}

function resultsOf(plan: Plan, observations: readonly Observation[]): Map<string, CheckResult> {
  const results = new Map<string, { check: Check; observations: Observation[] }>(
    plan.checks.map((check) => [check.id, { check, observations: [] }]),
  );
  for (const observation of observations) results.get(observation.check)?.observations.push(observation);
  return results;
}

/** From the first beginning to the last end. */
function spanOf(observations: readonly Observation[]): { startedAt: Date; durationMs: number } {
  if (observations.length === 0) return { startedAt: new Date(), durationMs: 0 };
  let [first, last] = [Infinity, -Infinity];
  for (const { startedAt, durationMs } of observations) {
    const at = Date.parse(startedAt);
    first = Math.min(first, at);
    last = Math.max(last, at + durationMs);
  }
  return { startedAt: new Date(first), durationMs: Math.round(last - first) };
}
