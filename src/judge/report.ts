/** Everything judged, as the report: counts, the summary's verdict and the exit code, each derived once and here. */
import type { Observation } from '../model/outcome.ts';
import type { Check } from '../model/plan.ts';
import type { ReportCheck, ReportRow, Summary } from '../model/report.ts';
import type { CheckVerdict, Mode } from '../model/verdict.ts';
import { reportId, type CheckResult } from './judge.ts';
import { verdictOf, worst } from './table.ts';

/** The mildest row verdict that makes the exit code 1; `new`: a failure that the baseline did not have. */
export const failOnChoices = ['fail', 'unverified', 'warn', 'new'] as const;
export type FailOn = (typeof failOnChoices)[number];

/** Its keys stand in the order of the report: nobody copies a hundred thousand of them for that. */
export function reportCheck(check: Check, observation: Observation, mode: Mode): ReportCheck {
  const reported: ReportCheck = {
    id: reportId(check, observation),
    rows: rowIdsOf(check),
    probe: check.probe,
    transport: check.transport,
    host: check.host,
    address: observation.address,
    port: check.port,
    isName: check.isName,
    outcome: observation.outcome,
    stage: observation.stage,
    hint: observation.hint,
    code: observation.code,
    detail: observation.detail,
    remedy: observation.remedy,
    verdict: worstVerdict(check, observation, mode),
    advisory: isAdvisory(check),
    attempts: observation.attempts,
    startedAt: observation.startedAt,
    durationMs: observation.durationMs,
    evidence: observation.evidence,
    warnings: observation.warnings,
    notes: observation.notes,
  };
  return check.viaProxy ? { ...reported, viaProxy: true } : reported;
}

function worstVerdict({ uses, transport }: Check, observation: Observation, mode: Mode): CheckVerdict {
  const [first] = uses;
  if (first && uses.length === 1) return verdictOf(observation, transport, mode, first);
  return worst(uses.map((use) => verdictOf(observation, transport, mode, use)));
}

export const isAdvisory = ({ uses }: Check): boolean => uses.every(({ level }) => level === 'advisory');

/** A row may want a check twice, with different expectations. The checks of one need share their uses, and so the list. */
export function rowIdsOf({ uses }: Check): readonly string[] {
  let ids = rowIds.get(uses);
  if (!ids) rowIds.set(uses, (ids = [...new Set(uses.map(({ row }) => row))]));
  return ids;
}

const rowIds = new WeakMap<Check['uses'], readonly string[]>();

/** A check before it is run: everything that only a run can know is null. */
export function plannedCheck(check: Check): ReportCheck {
  return {
    id: check.id,
    rows: rowIdsOf(check),
    probe: check.probe,
    transport: check.transport,
    host: check.host,
    address: check.address,
    port: check.port,
    isName: check.isName,
    outcome: null,
    stage: null,
    hint: null,
    code: null,
    detail: null,
    remedy: null,
    verdict: null,
    advisory: isAdvisory(check),
    attempts: 0,
    startedAt: null,
    durationMs: null,
    evidence: {},
    warnings: [],
    notes: [],
    ...(check.viaProxy && { viaProxy: true }),
  };
}

export function summarize(rows: readonly ReportRow[], checks: number): Summary {
  const count = (verdict: ReportRow['verdict']): number => rows.filter((row) => row.verdict === verdict).length;
  const verdicts = rows.flatMap(({ verdict }): CheckVerdict[] =>
    verdict === null || verdict === 'skipped' ? [] : [verdict],
  );
  return {
    verdict: verdicts.length === 0 ? null : worst(verdicts),
    pass: count('pass'),
    warn: count('warn'),
    fail: count('fail'),
    unverified: count('unverified'),
    skipped: count('skipped'),
    checks,
  };
}

/** 1 when a row is at or above `failOn`, else 3 when the run is incomplete, else 0. */
export function exitCodeOf(
  rows: readonly Pick<ReportRow, 'verdict' | 'was'>[],
  failOn: FailOn,
  complete: boolean,
): 0 | 1 | 3 {
  if (rows.some((row) => counts[failOn](row))) return 1;
  return complete ? 0 : 3;
}

const counts: Readonly<Record<FailOn, (row: Pick<ReportRow, 'verdict' | 'was'>) => boolean>> = {
  fail: ({ verdict }) => verdict === 'fail',
  unverified: ({ verdict }) => verdict === 'fail' || verdict === 'unverified',
  warn: ({ verdict }) => verdict === 'fail' || verdict === 'unverified' || verdict === 'warn',
  new: ({ verdict, was }) => verdict === 'fail' && was !== 'fail',
};

/** `local` and `aborted` teach nothing about the site: the run is then incomplete. */
export const isInconclusive = ({ outcome }: Observation): boolean => outcome === 'local' || outcome === 'aborted';

export function isComplete(checked: Iterable<CheckResult>): boolean {
  for (const { observations } of checked) if (observations.some(isInconclusive)) return false;
  return true;
}
