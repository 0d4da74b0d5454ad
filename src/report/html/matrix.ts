/** Source role × destination role as a table: each cell leads to its rows. */
import type { ReportRow } from '../../model/report.ts';
import { matrixOf, type MatrixCell } from '../matrix.ts';
import { badge, escape, rowAnchor } from './pieces.ts';

/** Where a cell leads; null: nowhere. Not escaped. */
export type CellHref = (cell: MatrixCell, from: string, to: string) => string | null;

/** To its first row on the same page. */
const toFirstRow: CellHref = ({ rows }) => {
  const anchor = rowAnchor(rows.find(({ verdict }) => verdict !== 'skipped')?.id ?? rows[0]!.id);
  return anchor === null ? null : `#${anchor}`;
};

export function matrixTable(rows: readonly ReportRow[], hrefOf: CellHref = toFirstRow): string[] {
  const { from, to, cell } = matrixOf(rows);
  if (rows.length === 0) return [];
  const heads = from.map((role) => `<th scope="col">${escape(role)}</th>`);
  return [
    '<div class="scroll" tabindex="0" role="region" aria-labelledby="matrix-title">',
    '<table class="matrix">',
    '<caption class="aside">The worst verdict of the rows from each role to each other</caption>',
    `<thead><tr><th scope="col">to \\ from</th>${heads.join('')}</tr></thead>`,
    '<tbody>',
    ...to.map((destination) => {
      const cells = from.map((source) => {
        const found = cell(source, destination);
        return `<td>${found ? cellText(found, source, destination, hrefOf) : ''}</td>`;
      });
      return `<tr><th scope="row">${escape(destination)}</th>${cells.join('')}</tr>`;
    }),
    '</tbody>',
    '</table>',
    '</div>',
  ];
}

/** "FAIL 2 of 3": how many of its rows have that verdict. */
function cellText(cell: MatrixCell, from: string, to: string, hrefOf: CellHref): string {
  const { verdict, rows } = cell;
  const alike = rows.filter((row) => (row.verdict ?? (row.skip === null ? 'plan' : 'skipped')) === verdict).length;
  const count = alike === rows.length ? `${rows.length}` : `${alike} of ${rows.length}`;
  const shown = `${badge(verdict)} <span class="soft">${count}</span>`;
  const href = hrefOf(cell, from, to);
  if (href === null) return shown;
  const where = `<span class="aside">${escape(`${from} to ${to}: `)}</span>`;
  return `<a href="${escape(href)}" data-from="${escape(from)}" data-to="${escape(to)}">${where}${shown}</a>`;
}
