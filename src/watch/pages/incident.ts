/** One incident: its cause, its rows, and what the run that opened it saw. */
import { spell } from '../../model/duration.ts';
import type { Report } from '../../model/report.ts';
import { plural } from '../../report/phrases.ts';
import type { PastIncident } from '../history/ask.ts';
import { evidenceOf } from './evidence.ts';
import { headOf } from './home.ts';
import { html, moment, nothing, type Html } from './markup.ts';
import { rulesOf } from './row.ts';

const evidenceShown = 3;

export interface IncidentView {
  readonly now: number;
  readonly incident: PastIncident;
  /** Rows that are still in it. */
  readonly rows: readonly string[];
  readonly report: Report | null;
  readonly query: string;
}

export function incidentPage({ now, incident, rows, report, query }: IncidentView): Html {
  const { remedy, since, until } = incident;
  const isOpen = until === null;
  const rules = report
    ? rulesOf(
        report,
        report.rows.filter(({ id }) => incident.rows.includes(id)),
      )
    : nothing;
  return html`<h1>
      <span class="${isOpen ? 'fail' : 'pass'}"><span class="word">${isOpen ? 'OPEN' : 'OVER'}</span></span>
      ${headOf(incident)}
    </h1>
    <p>
      Since ${moment(since)},
      ${isOpen ? `for ${spell(now - since)} now` : html`until ${moment(until)}, ${spell(until - since)} in all`}.
    </p>
    ${
      remedy === null || !isOpen
        ? nothing
        : html`<article class="card fail">
            <p><b>Do:</b> ${remedy}</p>
          </article>`
    }
    <h2>${plural(incident.rows.length, 'row')}</h2>
    <ul>
      ${incident.rows.map((row) => html`<li><a href="/row/${row}${query}">${row}</a>${isOpen && !rows.includes(row) ? ': good again' : nothing}</li>`)}
    </ul>
    ${
      rules === nothing
        ? nothing
        : html`<h2>Rules to ask for</h2>
            ${rules}`
    }
    ${
      report
        ? html`<h2>What the run that opened it saw</h2>
            ${incident.rows.slice(0, evidenceShown).map((row) => evidenceOf(report, row, row))}`
        : nothing
    }`;
}
