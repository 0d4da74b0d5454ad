/** Who must reach whom, as the report shows it, by what is believed. */
import type { Report, ReportRow } from '../../model/report.ts';
import type { RowVerdict } from '../../model/verdict.ts';
import { matrixTable } from '../../report/html/matrix.ts';
import { html, Html, nothing } from './markup.ts';

/** Cells of rows that are checked; what is skipped altogether would make it unreadable. */
export function matrix(report: Report, believed: (row: ReportRow) => RowVerdict | null): Html {
  const rows = report.rows
    .filter(({ verdict }) => verdict !== null && verdict !== 'skipped')
    .map((row) => Object.assign({}, row, { verdict: believed(row) ?? row.verdict }));
  if (rows.length === 0) return nothing;
  const toFirstOfWorst = matrixTable(rows, ({ verdict, rows: members }) => {
    const first = members.find((row) => row.verdict === verdict) ?? members[0]!;
    return `#row-${first.id}`;
  });
  return html`<h2 id="matrix-title">Who reaches whom</h2>
    ${new Html(toFirstOfWorst.join('\n'))}
    <p class="soft">
      Each cell has the worst verdict from a role to another, and how many of the rows between them have it.
    </p>`;
}
