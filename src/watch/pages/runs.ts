/** The runs, newest first. */
import { took, words } from '../../report/phrases.ts';
import type { Run } from '../history/ask.ts';
import { verdictOfLetter } from '../history/record.ts';
import { html, moment, nothing, type Html } from './markup.ts';

export const runsShown = 100;

export function runsPage(runs: readonly Run[], query: string): Html {
  const last = runs.at(-1);
  const separator = query === '' ? '?' : '&';
  return html`<h1>Runs</h1>
    <table class="wide stack">
      <thead>
        <tr>
          <th>When</th>
          <th>Took</th>
          <th>Rows</th>
          <th></th>
        </tr>
      </thead>
      <tbody>
        ${runs.map(
          ({ at, ms, verdicts, complete }) =>
            html`<tr>
              <td>${moment(at)}</td>
              <td>${took(ms)}</td>
              <td>${countsOf(verdicts)}</td>
              <td>${complete ? nothing : 'incomplete'}</td>
            </tr> `,
        )}
      </tbody>
    </table>
    ${runs.length === runsShown && last ? html`<p><a href="/runs${query}${separator}before=${last.id}">Older ones</a></p>` : nothing}`;
}

function countsOf(verdicts: string): Html[] {
  const letters = verdicts.split('');
  return [...verdictOfLetter].flatMap(([letter, verdict]) => {
    const count = letters.filter((each) => each === letter).length;
    return count === 0
      ? []
      : [html`<span class="${verdict}">${count} <span class="word">${words[verdict]}</span></span> `];
  });
}
