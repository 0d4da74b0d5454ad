/** The report as section "JSON report" of the contract with the outside has it: strict, so that a change is seen. */
import * as v from 'valibot';
import { causeKinds } from '../../src/model/report.ts';
import { hints, outcomes, stages } from '../../src/model/outcome.ts';

const text = v.pipe(v.string(), v.nonEmpty());
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const ms = v.pipe(v.number(), v.finite(), v.minValue(0));
const isoTime = v.pipe(v.string(), v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/));
const checkVerdict = v.picklist(['pass', 'warn', 'fail', 'unverified']);
const transport = v.picklist(['tcp', 'udp']);

const head = {
  schema: v.literal('xenreach.report/1'),
  tool: v.strictObject({ name: v.literal('xenreach'), version: v.pipe(v.string(), v.regex(/^\d+\.\d+\.\d+/)) }),
  spec: v.strictObject({
    id: text,
    revision: text,
    sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
    rows: count,
  }),
  site: v.strictObject({ name: text, origin: v.picklist(['file', 'discovered', 'embedded']) }),
  vantage: v.strictObject({ roles: v.array(text), hostname: text, addresses: v.array(text) }),
  mode: v.picklist(['service', 'path']),
  startedAt: isoTime,
};

const summary = v.strictObject({
  verdict: v.nullable(checkVerdict),
  pass: count,
  warn: count,
  fail: count,
  unverified: count,
  skipped: count,
  checks: count,
});

const tail = {
  durationMs: v.nullable(ms),
  complete: v.boolean(),
  exitCode: v.nullable(v.picklist([0, 1, 3])),
  summary,
  stats: v.strictObject({ maxInFlight: count, connects: count, datagrams: count, peakRssMiB: count }),
};

const row = v.strictObject({
  id: text,
  section: text,
  from: text,
  to: text,
  transports: v.array(transport),
  ports: v.string(),
  purpose: text,
  verdict: v.nullable(v.picklist(['pass', 'warn', 'fail', 'unverified', 'skipped'])),
  because: v.nullable(text),
  remedy: v.nullable(text),
  skip: v.nullable(v.picklist(['other-vantage', 'role-is-empty', 'not-applicable', 'not-selected'])),
  notes: v.array(text),
  checks: v.array(text),
});

const check = v.strictObject({
  id: text,
  rows: v.array(text),
  probe: text,
  transport,
  host: text,
  address: v.nullable(text),
  port: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)),
  isName: v.boolean(),
  outcome: v.nullable(v.picklist(outcomes)),
  stage: v.nullable(v.picklist(stages)),
  hint: v.nullable(v.picklist(hints)),
  code: v.nullable(text),
  detail: v.nullable(text),
  remedy: v.nullable(text),
  verdict: v.nullable(checkVerdict),
  advisory: v.boolean(),
  attempts: count,
  startedAt: v.nullable(isoTime),
  durationMs: v.nullable(ms),
  evidence: v.record(v.string(), v.unknown()),
  warnings: v.array(text),
  notes: v.array(text),
});

const cause = v.strictObject({
  kind: v.picklist(causeKinds),
  text,
  rows: v.array(text),
  checks: v.array(text),
  remedy: v.nullable(text),
});

export const ReportSchema = v.strictObject({
  ...head,
  ...tail,
  sections: v.record(text, text),
  causes: v.array(cause),
  rows: v.array(row),
  checks: v.array(check),
  inputs: v.optional(
    v.strictObject({
      files: v.array(v.strictObject({ as: text, path: text, note: v.nullable(text) })),
      proxy: v.nullable(v.strictObject({ host: text, port: count, username: v.nullable(text) })),
    }),
  ),
});
export type ReportJson = v.InferOutput<typeof ReportSchema>;

export const CheckSchema = check;

export const LineSchema = v.variant('type', [
  v.strictObject({ type: v.literal('start'), ...head }),
  v.strictObject({ type: v.literal('check'), ...check.entries }),
  v.strictObject({ type: v.literal('row'), ...row.entries }),
  v.strictObject({ type: v.literal('end'), ...tail }),
]);
export type Line = v.InferOutput<typeof LineSchema>;

/** Which stages an outcome can carry, by the contract; null is always among those of an outcome that may have none. */
const stagesOf: Readonly<Record<string, readonly (string | null)[]>> = {
  answered: [null],
  declined: ['proxy', 'exchange'],
  untrusted: ['tls'],
  'tls-failed': ['tls'],
  garbled: ['exchange', 'proxy'],
  closed: ['proxy', 'tls', 'exchange'],
  refused: ['connect'],
  unreachable: ['connect', 'exchange'],
  timeout: ['proxy', 'connect', 'tls', 'exchange'],
  unresolved: ['resolve'],
};

/** Parses a report, and holds its parts against each other: what is counted, what names what, who passes and who fails. */
export function parseReport(json: string): ReportJson {
  const report = v.parse(ReportSchema, JSON.parse(json));
  const faults = faultsOf(report);
  if (faults.length > 0) throw new Error(faults.join('\n'));
  return report;
}

export const parseLines = (ndjson: string): Line[] =>
  ndjson
    .trimEnd()
    .split('\n')
    .map((line) => v.parse(LineSchema, JSON.parse(line)));

function faultsOf({ rows, checks, summary: counts, spec, exitCode, complete }: ReportJson): string[] {
  const faults: string[] = [];
  const hold = (holds: boolean, fault: string): void => void (holds || faults.push(fault));
  const rowIds = new Set(rows.map(({ id }) => id));
  const checkIds = new Set(checks.map(({ id }) => id));
  hold(rowIds.size === rows.length, 'a row is there twice');
  hold(checkIds.size === checks.length, 'a check is there twice');
  hold(spec.rows === rows.length, 'not every row of the spec is there');
  hold(counts.checks === checks.length, `summary.checks is ${counts.checks} of ${checks.length}`);
  for (const verdict of ['pass', 'warn', 'fail', 'unverified', 'skipped'] as const) {
    const found = rows.filter((each) => each.verdict === verdict).length;
    hold(counts[verdict] === found, `summary.${verdict} is ${counts[verdict]} of ${found}`);
  }
  for (const { id, skip, verdict, checks: named, remedy, because } of rows) {
    hold((skip === null) === named.length > 0, `${id}: ${named.length} checks, skip ${skip}`);
    hold(verdict === null || (verdict === 'skipped') === (skip !== null), `${id}: ${verdict}, skip ${skip}`);
    for (const name of named) hold(checkIds.has(name), `${id} names a check that is not there: ${name}`);
    hold(verdict === null || because !== null, `${id} has no because`);
    hold((verdict !== 'fail' && verdict !== 'unverified') || remedy !== null, `${id}: ${verdict} without a remedy`);
  }
  for (const { id, rows: named, outcome, stage } of checks) {
    hold(named.length > 0 && named.every((name) => rowIds.has(name)), `${id} is of no row`);
    for (const name of named)
      hold(rows.find((each) => each.id === name)?.checks.includes(id) === true, `${name} does not name ${id}`);
    const allowed = outcome === null ? [null] : stagesOf[outcome];
    hold(allowed === undefined || allowed.includes(stage), `${id}: ${outcome} at ${stage}`);
  }
  const isOpen = checks.some(({ outcome }) => outcome === 'local' || outcome === 'aborted');
  if (exitCode !== null) hold(complete === !isOpen, `complete is ${complete}`);
  return faults;
}
