/** Who must reach whom: source roles across, destination roles down, the worst of the rows in each cell. */
import type { Report, ReportRow } from '../../model/report.ts';
import type { RowVerdict } from '../../model/verdict.ts';
import { words } from '../../report/phrases.ts';
import { html, nothing, type Html } from './markup.ts';

const worstFirst: readonly RowVerdict[] = ['fail', 'unverified', 'warn', 'pass', 'skipped'];

/** Cells of rows that are checked; what is skipped altogether would make it unreadable. */
export function matrix(report: Report, believed: (row: ReportRow) => RowVerdict | null): Html {
  const rows = report.rows.filter(({ verdict }) => verdict !== null && verdict !== 'skipped');
  if (rows.length === 0) return nothing;
  const sources = [...new Set(rows.map(({ from }) => from))];
  const destinations = [...new Set(rows.map(({ to }) => to))];
  const cell = (from: string, to: string): Html => {
    const members = rows.filter((row) => row.from === from && row.to === to);
    if (members.length === 0) return html`<td></td>`;
    const verdicts = members.map(believed);
    const worst = worstFirst.find((verdict) => verdicts.includes(verdict)) ?? 'skipped';
    const first = members.find((row) => believed(row) === worst) ?? members[0]!;
    const bad = verdicts.filter((verdict) => verdict === worst).length;
    const count = bad === members.length ? String(bad) : `${bad} of ${members.length}`;
    return html`<td class="${worst}">
      <a href="#row-${first.id}">
        <span class="aside">${from} to ${to}: </span><span class="word">${words[worst]}</span>
        <span class="soft">${count}</span>
      </a>
    </td>`;
  };
  return html`<h2 id="matrix">Who reaches whom</h2>
    <div class="scroll" tabindex="0" role="region" aria-labelledby="matrix">
      <table class="matrix">
        <thead>
          <tr>
            <th scope="col">to, from</th>
            ${sources.map((from) => html`<th scope="col">${from}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${destinations.map(
            (to) =>
              html`<tr>
                <th scope="row">${to}</th>
                ${sources.map((from) => cell(from, to))}
              </tr> `,
          )}
        </tbody>
      </table>
    </div>
    <p class="soft">
      Each cell has the worst verdict from a role to another, and how many of the rows between them have it.
    </p>`;
}
