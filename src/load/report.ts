/**
 * Reads a saved report, as `json` wrote it. It may come from another machine and a newer xenreach: keys that are not known
 * are passed over, whatever is wrong with the others is told with its place, and nothing is taken for granted.
 */
import * as v from 'valibot';
import { UsageError } from '../model/errors.ts';
import { ReportShape, reportSchema, type Report, type ReportCheck } from '../model/report.ts';
import { show, throwIfAny, type Path } from './faults.ts';
import { readFile } from './read-file.ts';
import { shapeFaults } from './shape.ts';

/** A report of 100,000 checks has some 60 MiB. */
export const maxReportBytes = 256 * 1024 * 1024;

/** `file`: a path, as the command line names it. Throws a UsageError that names everything that is wrong with it. */
export const readReport = (file: string): Report => parseReport(readFile(file, maxReportBytes), file);

export const parseReport = (source: string | Uint8Array, file: string): Report =>
  reportFrom(parseJson(source, file), file);

/** Of JSON that is parsed already. */
export function reportFrom(value: unknown, file: string): Report {
  refuseOtherSchema(value, file);
  // To look for faults as a person tells them takes three times as long: many reports have none.
  const parsed = v.safeParse(ReportShape, value, { abortEarly: true });
  if (!parsed.success) throwIfAny(shapeFaults(ReportShape, value), { file, positionOf: pointerTo });
  // Held against the schema, which fills in what an older report does not have.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const report = parsed.output as Report;
  return { ...report, checks: report.checks.map(inOneLiteral) };
}

/** Written key by key, as the schema does it, an object of more than twenty keys is a hash table of twice the size. */
function inOneLiteral(check: ReportCheck): ReportCheck {
  const { id, rows, probe, transport, host, address, port, isName, outcome, stage, hint, code, detail, remedy } = check;
  const { verdict, advisory, attempts, startedAt, durationMs, evidence, warnings, notes, viaProxy } = check;
  const known = { id, rows, probe, transport, host, address, port, isName, outcome, stage, hint, code, detail, remedy };
  const also = { verdict, advisory, attempts, startedAt, durationMs, evidence, warnings, notes };
  return viaProxy === undefined ? { ...known, ...also } : { ...known, ...also, viaProxy };
}

export function parseJson(source: string | Uint8Array, file: string): unknown {
  const text = typeof source === 'string' ? source : new TextDecoder().decode(source);
  try {
    return JSON.parse(text);
  } catch (cause) {
    const isCut = text.trimStart().startsWith('{') && !text.trimEnd().endsWith('}');
    const what = isCut ? 'is cut short: the end of the JSON is missing' : 'is not JSON; give a report of --format json';
    throw new UsageError(`${file}: ${what}`, { cause });
  }
}

/** What another program or a later schema wrote is named before anything in it is complained of. */
function refuseOtherSchema(value: unknown, file: string): void {
  const schema: unknown = typeof value === 'object' && value !== null && 'schema' in value ? value.schema : undefined;
  if (schema === reportSchema) return;
  const isNewer = typeof schema === 'string' && schema.startsWith('xenreach.report/');
  throw new UsageError(
    isNewer
      ? `${file}: has the schema ${show(schema)}, which this xenreach does not know; it reads ${reportSchema}`
      : `${file}: is no report of xenreach: its "schema" is ${show(schema)}, not ${show(reportSchema)}`,
  );
}

/** "/rows/3/verdict", by RFC 6901: a report is one line as often as not, so a line number says little. */
export const pointerTo = (path: Path): string =>
  `/${path.map((key) => String(key).replaceAll('~', '~0').replaceAll('/', '~1')).join('/')}:`;
