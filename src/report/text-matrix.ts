/** The matrix for a terminal: a line for each destination role, a narrow column for each source role, named below. */
import { plain } from './escape.ts';
import { columns, pad, wrap } from './layout.ts';
import { matrixOf, type CellVerdict } from './matrix.ts';
import type { ReportRow } from '../model/report.ts';

/** In a column of so many. */
const words: Readonly<Record<CellVerdict, string>> = {
  fail: 'FAIL',
  unverified: 'UNVER',
  warn: 'WARN',
  pass: 'PASS',
  plan: 'PLAN',
  skipped: 'skip',
};
const cellWidth = 5;
const gap = '  ';

export function* matrixLines(
  rows: readonly ReportRow[],
  width: number,
  paint: (verdict: CellVerdict, shown: string) => string,
): Iterable<string> {
  const { from, to, cell } = matrixOf(rows);
  const room = width - gap.length - from.length * (cellWidth + gap.length);
  const nameWidth = Math.min(room, Math.max(4, ...to.map((role) => columns(plain(role)))));
  // Too many roles for the line: the pairs, one after the other.
  if (nameWidth < 8) return yield* pairLines(rows, width, paint);
  const head = from.map((_, at) => pad(String(at + 1), cellWidth));
  yield `${gap}${pad('to', nameWidth)}${gap}${head.join(gap)}`.trimEnd();
  for (const destination of to) {
    const cells = from.map((source) => {
      const found = cell(source, destination);
      const word = found ? words[found.verdict] : '.';
      return (found ? paint(found.verdict, word) : word) + ' '.repeat(cellWidth - word.length);
    });
    yield `${gap}${pad(destination, nameWidth)}${gap}${cells.join(gap)}`.trimEnd();
  }
  yield* wrap(from.map((role, at) => `${at + 1} ${role}`).join(', '), width, `${gap}from `);
}

function* pairLines(
  rows: readonly ReportRow[],
  width: number,
  paint: (verdict: CellVerdict, shown: string) => string,
): Iterable<string> {
  const { from, to, cell } = matrixOf(rows);
  for (const source of from) {
    for (const destination of to) {
      const found = cell(source, destination);
      if (!found) continue;
      const word = words[found.verdict];
      const [first = '', ...others] = wrap(`${source} -> ${destination}`, width, `${gap}${pad(word, cellWidth)}${gap}`);
      yield gap + paint(found.verdict, word) + first.slice(gap.length + word.length);
      yield* others;
    }
  }
}
