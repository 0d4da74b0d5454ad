/** Observations → the verdict of a row. Pure: old observations can be judged again under new rules. */
import type { Observation } from '../model/outcome.ts';
import type { Check, PlannedRow, Use } from '../model/plan.ts';
import type { ReportRow } from '../model/report.ts';
import type { CheckVerdict, Mode, RowVerdict } from '../model/verdict.ts';
import { layerOf, remedyFor } from './explain.ts';
import { best, verdictOf, worst } from './table.ts';

/** A check of the plan with what became of it: one observation for each address, none when the host is this machine. */
export interface Checked {
  readonly check: Check;
  readonly observations: readonly Observation[];
}

interface JudgedCheck extends Checked {
  readonly use: Use;
  readonly verdicts: readonly CheckVerdict[];
  /** Over all addresses: one that works is enough. */
  readonly verdict: CheckVerdict;
}

/** What other checks learned about an address, for rows that can prove nothing themselves. */
export type HostNews = (address: string) => string | undefined;

export function judgeRow(row: PlannedRow, checked: readonly Checked[], mode: Mode, news: HostNews): ReportRow {
  const { requirement, skip } = row;
  const base = {
    id: requirement.id,
    section: requirement.section,
    from: requirement.from,
    to: requirement.to,
    transports: row.transports,
    ports: row.ports,
    purpose: requirement.purpose,
  };
  if (skip) {
    return {
      ...base,
      verdict: 'skipped',
      because: skip.because,
      remedy: skip.remedy,
      skip: skip.reason,
      notes: row.notes,
      checks: [],
    };
  }
  const judged = checked
    .filter(({ observations }) => observations.length > 0)
    .map((entry) => judgeCheck(entry, requirement.id, mode));
  const ids: string[] = [];
  for (const { check, observations } of judged)
    for (const observation of observations) ids.push(reportId(check, observation));
  const selves = checked.filter(({ observations }) => observations.length === 0).map(({ check }) => check.host);
  const notes = [
    ...row.notes,
    ...[...new Set(selves)].map((host) => `${host} is this machine itself and was left out`),
  ];
  if (judged.length === 0) {
    const because = 'every host of it is this machine itself';
    return {
      ...base,
      verdict: 'skipped',
      because,
      remedy: `run xenreach on another ${requirement.from}`,
      skip: 'not-applicable',
      notes,
      checks: [],
    };
  }
  const required = judged.filter(({ use }) => use.level === 'required');
  for (const entry of judged) for (const note of notesOf(entry)) notes.push(note);
  const verdict = required.length === 0 ? 'pass' : verdictOfRow(row, required);
  if (verdict === 'pass' || verdict === 'warn') notes.push(...required.flatMap(forgiven));
  const { because, remedy } = explain(required.length === 0 ? judged : required, verdict, row, mode, news);
  const said = new Set(notes.filter((note) => !because.startsWith(note)));
  return { ...base, verdict, because, remedy, skip: null, notes: [...said], checks: ids };
}

/** One endpoint may be in several reports lines: once for each address of a name. */
export function reportId(check: Check, { address }: Observation): string {
  return address === null || address === check.address || check.viaProxy ? check.id : `${check.id}@${address}`;
}

function judgeCheck(entry: Checked, row: string, mode: Mode): JudgedCheck {
  const { check, observations } = entry;
  const use = check.uses.find((each) => each.row === row);
  if (!use) throw new RangeError(`${check.id} is not a check of ${row}`);
  const verdicts = observations.map((observation) => verdictOf(observation, check.transport, mode, use.expect));
  return { ...entry, use, verdicts, verdict: overAddresses(verdicts, use) };
}

/** A named host passes when one of its addresses does; its dead ones turn that to a warning. A shut port must be shut on all. */
function overAddresses(verdicts: readonly CheckVerdict[], use: Use): CheckVerdict {
  if (use.expect === 'shut') return worst(verdicts);
  const found = best(verdicts);
  const isGood = found === 'pass' || found === 'warn';
  return isGood && verdicts.some((verdict) => verdict !== 'pass') ? 'warn' : found;
}

function verdictOfRow(row: PlannedRow, required: readonly JudgedCheck[]): CheckVerdict {
  if (row.require === 'all') return worst(required.map(({ verdict }) => verdict));
  const hosts = Map.groupBy(required, ({ check }) => check.host);
  return best([...hosts.values()].map((checks) => worst(checks.map(({ verdict }) => verdict))));
}

function explain(
  judged: readonly JudgedCheck[],
  verdict: RowVerdict,
  row: PlannedRow,
  mode: Mode,
  news: HostNews,
): { because: string; remedy: string | null } {
  if (verdict === 'pass') return { because: passText(judged, row, mode), remedy: null };
  const culprits = judged.flatMap(({ check, use, observations, verdicts }) =>
    observations.flatMap((observation, i) =>
      verdicts[i] === 'pass' ? [] : [{ check, use, observation, verdict: verdicts[i]! }],
    ),
  );
  const first = culprits.find((culprit) => culprit.verdict === verdict) ?? culprits[0];
  if (!first) return { because: passText(judged, row, mode), remedy: null };
  const { check, observation } = first;
  const endpoint = endpointOf(check, observation);
  const alike = culprits.filter((culprit) => culprit.verdict === first.verdict).length - 1;
  const more = alike > 0 ? ` (and ${alike} more of ${judged.length})` : '';
  if (first.use.expect === 'shut' && verdict === 'fail') {
    const because = `service: ${endpoint} is open and should be shut: ${observation.detail}${more}`;
    return {
      because,
      remedy: `Close ${check.transport.toUpperCase()} ${check.port} on ${observation.address ?? check.host}.`,
    };
  }
  if (verdict === 'warn') {
    const isDead = first.verdict !== 'warn';
    const text = isDead
      ? `${endpoint} does not work while another does: ${observation.detail}`
      : observation.warnings[0];
    const remedy = remedyFor(check, observation);
    return {
      because: `${isDead ? `${layerOf(observation)}: ` : ''}${isDead ? '' : `${endpoint}: `}${text}${more}`,
      remedy,
    };
  }
  if (verdict === 'unverified' && observation.outcome === 'timeout') {
    const other = news(observation.address ?? check.host);
    const because = `silence on UDP proves nothing: ${observation.detail}${more}${other === undefined ? '' : `; ${other}`}`;
    return { because, remedy: remedyFor(check, observation) };
  }
  return {
    because: `${layerOf(observation)}: ${endpoint}: ${observation.detail}${more}`,
    remedy: remedyFor(check, observation),
  };
}

/** "both checks": how many, and the first one's own words. */
function passText(judged: readonly JudgedCheck[], row: PlannedRow, mode: Mode): string {
  const first = judged.find(({ verdicts }) => verdicts.includes('pass'));
  if (!first) return 'nothing speaks against it';
  const { use } = first;
  const observation = first.observations[first.verdicts.indexOf('pass')]!;
  const count = judged.reduce((sum, { observations }) => sum + observations.length, 0);
  const shut = use.expect === 'shut';
  const isThrough = observation.outcome !== 'answered' && !shut && (mode === 'path' || use.expect === 'path');
  const words = isThrough
    ? `the way is open (${observation.outcome})`
    : shut
      ? `shut, as it should be (${observation.outcome})`
      : observation.detail;
  const rest = count > 1 ? ` (${count} checks${row.require === 'any' ? ', one good host is enough' : ''})` : '';
  return `${words}${rest}`;
}

/** Where one good host is enough, what became of the others; the dead address of a name is the reason for a warning. */
function forgiven({ check, observations, verdicts, verdict }: JudgedCheck): string[] {
  if (verdict === 'pass' || verdict === 'warn') return [];
  return observations.flatMap((observation, i) =>
    verdicts[i] === 'pass' || verdicts[i] === 'warn'
      ? []
      : [`${endpointOf(check, observation)}: ${layerOf(observation)}: ${observation.detail}`],
  );
}

function notesOf({ check, use, observations, verdicts }: JudgedCheck): string[] {
  if (use.level === 'required' && observations.every(({ notes, warnings }) => notes.length + warnings.length === 0))
    return [];
  return observations.flatMap((observation, i) => {
    const endpoint = endpointOf(check, observation);
    const told = [...observation.notes, ...observation.warnings].map((text) => `${endpoint}: ${text}`);
    if (use.level === 'required') return told;
    const found = observation.detail;
    return [`${endpoint} (advisory, ${check.probe}): ${verdicts[i] === 'pass' ? 'ok, ' : ''}${found}`, ...told];
  });
}

function endpointOf(check: Check, { address }: Observation): string {
  const host = address !== null && address !== check.host ? `${check.host} (${address})` : check.host;
  const shown = host.includes(':') && !host.includes(' ') ? `[${host}]` : host;
  return `${shown}:${check.port}/${check.transport}`;
}
