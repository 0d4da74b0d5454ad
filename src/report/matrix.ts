/** Source role × destination role, each with the worst verdict of the rows between them: a site at one look. */
import type { ReportRow } from '../model/report.ts';
import type { RowVerdict } from '../model/verdict.ts';

/** A row of a plan has no verdict yet. */
export type CellVerdict = RowVerdict | 'plan';

export interface MatrixCell {
  readonly verdict: CellVerdict;
  readonly rows: readonly ReportRow[];
}

export interface Matrix {
  /** Source roles, in the order of the rows. */
  readonly from: readonly string[];
  /** Destination roles, likewise. */
  readonly to: readonly string[];
  /** Undefined: no row goes there. */
  readonly cell: (from: string, to: string) => MatrixCell | undefined;
}

/** Worst first; what was left out says least. */
const severity: readonly CellVerdict[] = ['fail', 'unverified', 'warn', 'pass', 'plan', 'skipped'];

export function matrixOf(rows: readonly ReportRow[]): Matrix {
  const groups = Map.groupBy(rows, (row) => keyOf(row.from, row.to));
  const cells = new Map([...groups].map(([key, members]) => [key, cellOf(members)]));
  return {
    from: [...new Set(rows.map(({ from }) => from))],
    to: [...new Set(rows.map(({ to }) => to))],
    cell: (from, to) => cells.get(keyOf(from, to)),
  };
}

function cellOf(rows: readonly ReportRow[]): MatrixCell {
  const verdicts = new Set(rows.map(verdictOf));
  return { verdict: severity.find((verdict) => verdicts.has(verdict)) ?? 'plan', rows };
}

const verdictOf = ({ verdict, skip }: ReportRow): CellVerdict => verdict ?? (skip === null ? 'plan' : 'skipped');

const keyOf = (from: string, to: string): string => JSON.stringify([from, to]);
