/** Reports and lines as we write them, held strictly against the schema, and their parts against each other. */
import * as v from 'valibot';
import { LineShape, ReportShape } from '../../src/model/report.ts';

export type ReportJson = v.InferOutput<typeof ReportShape>;
export type Line = v.InferOutput<typeof LineShape>;

/** The schema passes unknown keys over; what we write has none, leaves none out, and has no empty text where one matters. */
function strictly<Shape extends v.GenericSchema>(shape: Shape, value: unknown): v.InferOutput<Shape> {
  const parsed = v.parse(shape, value);
  if (JSON.stringify(parsed) !== JSON.stringify(value)) {
    throw new Error(
      `not what the schema has, or in another order:\n${JSON.stringify(value)}\n${JSON.stringify(parsed)}`,
    );
  }
  return parsed;
}

export const parseCheck = (value: unknown): ReportJson['checks'][number] =>
  strictly(ReportShape.entries.checks.item, value);

/** The stages that each outcome can have; null where it may have none. */
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
  const report = strictly(ReportShape, JSON.parse(json));
  const faults = faultsOf(report);
  if (faults.length > 0) throw new Error(faults.join('\n'));
  return report;
}

export const parseLines = (ndjson: string): Line[] =>
  ndjson
    .trimEnd()
    .split('\n')
    .map((line) => strictly(LineShape, JSON.parse(line)));

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
