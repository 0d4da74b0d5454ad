/** Observations → the verdict of a row. Pure: old observations can be judged again under new rules. */
import type { Observation } from '../model/outcome.ts';
import type { Check, PlannedRow, Use } from '../model/plan.ts';
import type { ReportRow } from '../model/report.ts';
import type { CheckVerdict, Mode, RowVerdict } from '../model/verdict.ts';
import { layerOf, remedyFor, type Seen } from './explain.ts';
import type { HostSigns } from './host-signs.ts';
import { best, verdictOf, worst } from './table.ts';

/** A check of the plan with what became of it: one observation for each address, none when the host is this machine. */
export interface CheckResult {
  readonly check: Check;
  readonly observations: readonly Observation[];
}

interface JudgedCheck extends CheckResult {
  readonly use: Use;
  readonly verdicts: readonly CheckVerdict[];
  /** Over all addresses: one that works is enough. */
  readonly verdict: CheckVerdict;
}

/** What a row is judged by, beside its own checks. */
interface Context {
  readonly mode: Mode;
  /** What other checks learned about an address, for rows that can prove nothing themselves. */
  readonly signs: HostSigns;
}

interface Explanation {
  readonly because: string;
  readonly remedy: string | null;
}

export function judgeRow(row: PlannedRow, checked: readonly CheckResult[], mode: Mode, signs: HostSigns): ReportRow {
  const { requirement, skip } = row;
  const base = {
    id: requirement.id,
    section: requirement.section,
    from: requirement.from,
    to: requirement.to,
    transports: row.transports,
    ports: row.ports,
    purpose: requirement.purpose,
    ...(row.require === 'any' && { require: row.require }),
    ...provenanceOf(row),
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
  if (requirement.unprovable !== undefined) {
    const because = `no probe can try ${requirement.unprovable}`;
    const remedy = 'Ask whoever runs the firewall for the rule, and have it shown: nothing here can prove it.';
    const notes = [...row.notes, ...basisNotes(row)];
    return { ...base, verdict: 'unverified', because, remedy, skip: null, notes, checks: [] };
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
  const wanted = judged.filter(({ use }) => use.level === 'required');
  const spared = sparedOf(wanted);
  const required = wanted.filter((entry) => !spared.has(entry));
  for (const entry of judged) for (const note of notesOf(entry)) notes.push(note);
  const verdict = required.length === 0 ? 'pass' : verdictOfRow(row, required);
  notes.push(...[...spared].flatMap(notesOnFailures));
  if (verdict === 'pass' || verdict === 'warn') notes.push(...required.flatMap(notesOnFailures));
  const { because, remedy } = explain(required.length === 0 ? judged : required, verdict, row, { mode, signs });
  if (verdict !== 'pass') notes.push(...basisNotes(row));
  const said = new Set(notes.filter((note) => !because.startsWith(note)));
  const told: ReportRow = { ...base, verdict, because, remedy, skip: null, notes: [...said], checks: ids };
  return spared.size === 0 ? told : { ...told, spared: [...spared].flatMap(idsOf) };
}

const idsOf = ({ check, observations }: JudgedCheck): string[] =>
  observations.map((observation) => reportId(check, observation));

/** What a reader has to know of a row that is not a vendor's own word, or one of several tables'. */
const provenanceOf = ({
  requirement: { confidence, basis },
  catalogue,
}: PlannedRow): Pick<ReportRow, 'catalogue' | 'confidence' | 'basis'> => ({
  ...(catalogue !== undefined && { catalogue }),
  ...((confidence !== 'high' || basis !== 'page') && { confidence, basis }),
});

const basisWords = { page: 'a page of the vendor', code: 'the code', inferred: 'a conclusion' } as const;

/** Nobody opens a port for a row that is not the vendor's own word without knowing it. */
function basisNotes({ requirement: { confidence, basis }, catalogue }: PlannedRow): string[] {
  const isSure = confidence === 'high' && basis === 'page';
  if (isSure && catalogue === undefined) return [];
  const of = catalogue === undefined ? '' : ` of ${catalogue}`;
  return [`this row${of} rests on ${basisWords[basis]}, with ${confidence} confidence`];
}

/** Where one of several needs is enough, host by host, what belongs to the others than the best: it counts for nothing. */
function sparedOf(wanted: readonly JudgedCheck[]): ReadonlySet<JudgedCheck> {
  const spared = new Set<JudgedCheck>();
  const groups = Map.groupBy(wanted, ({ use, check }) => use.choice && JSON.stringify([use.choice.of, check.host]));
  for (const [group, entries] of groups) {
    if (group === undefined) continue;
    const choices = [...Map.groupBy(entries, ({ use }) => use.choice?.index).values()].map((members) => ({
      members,
      verdict: worst(members.map(({ verdict }) => verdict)),
    }));
    const wins = best(choices.map(({ verdict }) => verdict));
    const winner = choices.find(({ verdict }) => verdict === wins);
    for (const choice of choices) if (choice !== winner) for (const entry of choice.members) spared.add(entry);
  }
  return spared;
}

/** One endpoint may be in several reports lines: once for each address of a name. */
export function reportId(check: Check, { address }: Observation): string {
  return address === null || address === check.address || check.viaProxy ? check.id : `${check.id}@${address}`;
}

function judgeCheck(entry: CheckResult, row: string, mode: Mode): JudgedCheck {
  const { check, observations } = entry;
  const use = check.uses.find((each) => each.row === row);
  if (!use) throw new RangeError(`${check.id} is not a check of ${row}`);
  const verdicts = observations.map((observation) => verdictOf(observation, check.transport, mode, use));
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

function explain(judged: readonly JudgedCheck[], verdict: RowVerdict, row: PlannedRow, context: Context): Explanation {
  if (verdict === 'pass') return { because: passText(judged, row, context.mode), remedy: null };
  const culprits = judged.flatMap(({ check, use, observations, verdicts }) =>
    observations.flatMap((observation, i) =>
      verdicts[i] === 'pass' ? [] : [{ check, use, observation, verdict: verdicts[i]! }],
    ),
  );
  const first = culprits.find((culprit) => culprit.verdict === verdict) ?? culprits[0];
  if (!first) return { because: passText(judged, row, context.mode), remedy: null };
  const alike = culprits.filter((culprit) => culprit.verdict === first.verdict).length - 1;
  const more = alike > 0 ? ` (and ${alike} more of ${judged.length})` : '';
  return { because: reasonFor(first, verdict, context.signs) + more, remedy: whatToDo(first, verdict) };
}

interface Culprit extends Seen {
  readonly verdict: CheckVerdict;
}

function reasonFor({ check, use, observation, verdict }: Culprit, ofRow: RowVerdict, signs: HostSigns): string {
  const endpoint = endpointOf(check, observation);
  // A name that has no address says so itself, whatever port it was wanted for.
  const told = observation.outcome === 'unresolved' ? observation.detail : `${endpoint}: ${observation.detail}`;
  if (use.expect === 'shut' && ofRow === 'fail')
    return `service: ${endpoint} is open and should be shut: ${observation.detail}`;
  if (ofRow === 'warn')
    return verdict === 'warn'
      ? `${endpoint}: ${observation.warnings[0] ?? observation.detail}`
      : `${layerOf(observation)}: ${endpoint} does not work while another does: ${observation.detail}`;
  if (ofRow === 'unverified' && observation.outcome === 'timeout') {
    const remark = signs.remark(observation.address ?? check.host);
    return `silence on UDP proves nothing: ${told}${remark === undefined ? '' : `; ${remark}`}`;
  }
  return `${layerOf(observation)}: ${told}${silenceText(observation)}`;
}

/** What the rest of the run says of silence. */
function silenceText({ outcome, hint }: Observation): string {
  if (outcome !== 'timeout') return '';
  if (hint === 'answer-due')
    return ', where one is due: the host answers otherwise, so it is dropped on the way or not served';
  if (hint === 'host-silent') return '; nothing came from this host on any port: it is switched off, or all is dropped';
  return hint === 'host-down' ? '; no host answers at this address' : '';
}

function whatToDo(culprit: Culprit, ofRow: RowVerdict): string | null {
  const { check, use, observation } = culprit;
  return use.expect === 'shut' && ofRow === 'fail'
    ? `Close ${check.transport.toUpperCase()} ${check.port} on ${observation.address ?? check.host}.`
    : remedyFor(culprit);
}

/** "both checks": how many, and the first one's own words. */
function passText(judged: readonly JudgedCheck[], row: PlannedRow, mode: Mode): string {
  const first = judged.find(({ verdicts }) => verdicts.includes('pass'));
  if (!first) return 'nothing speaks against it';
  const { check, use } = first;
  const observation = first.observations[first.verdicts.indexOf('pass')]!;
  const count = judged.reduce((sum, { observations }) => sum + observations.length, 0);
  const shut = use.expect === 'shut';
  const isSaid = observation.outcome === 'answered' || observation.hint === 'arrived';
  const isThrough = !isSaid && !shut && (mode === 'path' || use.expect === 'path');
  const words = isThrough
    ? `the way is open (${observation.outcome})`
    : shut
      ? `shut, as it should be (${observation.outcome})`
      : observation.detail;
  const way = check.viaProxy ? ', through the proxy' : '';
  const rest = count > 1 ? ` (${count} checks${row.require === 'any' ? ', one good host is enough' : ''})` : '';
  return `${words}${way}${rest}`;
}

/** Where one good host is enough, what became of the others; the dead address of a name is the reason for a warning. */
function notesOnFailures({ check, observations, verdicts, verdict }: JudgedCheck): string[] {
  if (verdict === 'pass' || verdict === 'warn') return [];
  return observations.flatMap((observation, i) =>
    verdicts[i] === 'pass' || verdicts[i] === 'warn'
      ? []
      : [`${endpointOf(check, observation)}: ${layerOf(observation)}: ${observation.detail}`],
  );
}

function notesOf({ check, use, observations, verdicts }: JudgedCheck): string[] {
  const told = observations.flatMap((observation) =>
    [...observation.notes, ...observation.warnings].map((text) => `${endpointOf(check, observation)}: ${text}`),
  );
  if (use.level === 'required') return told;
  const { transport, port } = check;
  const bad = observations.find((_, i) => verdicts[i] !== 'pass');
  // Said of the port, once for all its hosts: healthy servers are so.
  const advice = bad
    ? `${transport.toUpperCase()} ${port} is advisory and may be ignored (${bad.detail})${use.note === null ? '' : `: ${use.note}`}`
    : `${transport.toUpperCase()} ${port}, which is advisory, answers`;
  return [advice, ...told];
}

function endpointOf(check: Check, { address }: Observation): string {
  if (check.isName) return check.host;
  const host = address !== null && address !== check.host ? `${check.host} (${address})` : check.host;
  const shown = host.includes(':') && !host.includes(' ') ? `[${host}]` : host;
  return `${shown}:${check.port}/${check.transport}`;
}
