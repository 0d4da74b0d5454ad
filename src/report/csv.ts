/** For a spreadsheet: a line for each check of each row, one for a row without checks. RFC 4180 but for the line ends. */
import type { ReportCheck, Reporter, ReportRow } from '../model/report.ts';
import { field } from './escape.ts';
import { checkedBy, type CheckedBy } from './vantages.ts';
import * as say from './phrases.ts';

const columns = [
  'row',
  'verdict',
  'from',
  'to',
  'because',
  'probe',
  'transport',
  'host',
  'address',
  'port',
  'check verdict',
  'advisory',
  'outcome',
  'stage',
  'hint',
  'code',
  'detail',
  'duration ms',
  'vantage',
  'spec',
  'basis',
] as const;

export const csv: Reporter = {
  about: 'for a spreadsheet: a line for each check of each row',
  render(report) {
    const checksOf = say.indexChecks(report);
    const by = report.merged ? checkedBy(report) : () => report.vantage.hostname;
    return csvText([columns, ...report.rows.flatMap((row) => linesOf(row, report.spec.id, checksOf(row), by))]);
  },
};

function linesOf(row: ReportRow, spec: string, checks: readonly ReportCheck[], by: CheckedBy): Cell[][] {
  const head = [row.id, row.verdict ?? row.skip ?? 'planned', row.from, row.to, row.because];
  const tail = [row.catalogue ?? spec, say.basisOf(row)];
  if (checks.length === 0) return [[...head, ...noCells, ...tail]];
  return checks.map((check) => [...head, ...cellsOf(check), by(check), ...tail]);
}

const cellsOf = (check: ReportCheck): Cell[] => [
  check.probe,
  check.transport,
  check.host,
  check.address,
  check.port,
  check.verdict,
  check.advisory ? 'yes' : 'no',
  check.outcome,
  check.stage,
  check.hint,
  check.code,
  check.detail,
  check.durationMs,
];

/** Of a row without checks. */
const noCells: readonly Cell[] = Array.from({ length: columns.length - 5 - 2 }, () => null);

export type Cell = string | number | null;

/** Lines of as many fields as the first, each ended by a line feed, as the tools of a shell want it. */
export function csvText(lines: readonly (readonly Cell[])[]): string {
  const width = lines[0]?.length ?? 0;
  const whole = lines.map((cells) => Array.from({ length: width }, (_, i) => field(cells[i] ?? null)).join(','));
  return whole.map((line) => `${line}\n`).join('');
}
