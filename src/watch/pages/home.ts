/** The first page: the verdict, what is open, who reaches whom, and every row with its last day. */
import { spell } from '../../model/duration.ts';
import type { Report, ReportRow } from '../../model/report.ts';
import { rowVerdicts, type RowVerdict } from '../../model/verdict.ts';
import { plural, service, words } from '../../report/phrases.ts';
import type { Gap, PastIncident, Span } from '../history/ask.ts';
import type { Incident, RowState } from '../incidents.ts';
import { wordOf } from './layout.ts';
import { html, moment, nothing, type Html } from './markup.ts';
import { matrix } from './matrix.ts';
import { strip, windowOf } from './strip.ts';

export interface HomeView {
  readonly now: number;
  readonly report: Report | null;
  readonly rows: Readonly<Record<string, RowState>>;
  readonly open: readonly Incident[];
  readonly untold: readonly string[];
  readonly past: readonly PastIncident[];
  readonly spans: readonly Span[];
  readonly gaps: readonly Gap[];
  readonly lastRoundAgoMs: number | null;
  readonly nextRoundInMs: number;
  readonly isRunning: boolean;
  readonly isQuiet: (row: string) => boolean;
  /** Null where nobody may. */
  readonly runToken: string | null;
  /** Null where this process itself looks. */
  readonly elsewhere: Heard | null;
  readonly others: readonly Other[];
  readonly wholes: readonly Whole[];
  readonly query: string;
}

/** One whose reports come from elsewhere. */
export interface Heard {
  readonly isStale: boolean;
  readonly last: number;
  /** What is odd about it, in words. */
  readonly remark: string | null;
}

/** Another vantage, with how it stands. */
export interface Other extends Heard {
  readonly name: string;
  readonly href: string;
  readonly verdict: RowVerdict | null;
}

/** A site that several vantages look at, as one report of them all. */
export interface Whole {
  readonly site: string;
  readonly href: string;
}

const dayMs = 86_400_000;

/** What is believed, and until something is, what was seen. */
const believedOf = (rows: HomeView['rows'], row: ReportRow): RowVerdict | null => rows[row.id]?.believed ?? row.verdict;

export function home(view: HomeView): Html {
  const { report } = view;
  if (!report)
    return html`<h1>Nothing is known yet</h1>
      <p>${view.isRunning ? 'The first round is under way.' : 'The first round is about to begin.'}</p>`;
  return html`${headline(view, report)} ${incidentsList(view)} ${matrix(report, (row) => believedOf(view.rows, row))}
  ${rowsList(view, report)} ${otherVantages(view)} ${pastList(view)}`;
}

export function worstOf(report: Report, rows: HomeView['rows']): RowVerdict | null {
  const verdicts = new Set(report.rows.map((row) => believedOf(rows, row)));
  return (['fail', 'unverified', 'warn', 'pass'] as const).find((verdict) => verdicts.has(verdict)) ?? null;
}

const heardOf = ({ last, isStale, remark }: Heard): Html =>
  html`last heard of ${moment(last)}${isStale ? ': stale' : nothing}${remark === null ? nothing : `; ${remark}`}`;

function headline(view: HomeView, report: Report): Html {
  const { open, rows, lastRoundAgoMs, nextRoundInMs, isRunning, runToken } = view;
  const worst = worstOf(report, rows);
  const count = (verdict: RowVerdict): number => report.rows.filter((row) => believedOf(rows, row) === verdict).length;
  const tiles = rowVerdicts
    .toSorted((a, b) => order.indexOf(a) - order.indexOf(b))
    .map(
      (verdict) =>
        html`<li class="${verdict}"><b>${count(verdict)}</b><span class="word">${words[verdict]}</span></li>`,
    );
  const headlineText = open.length === 0 ? 'no incident is open' : `${plural(open.length, 'incident')} open`;
  const doubt = Object.entries(rows)
    .filter(([, row]) => row.count > 0)
    .map(([id]) => id);
  return html`<h1>${worst === null ? 'NOTHING CHECKED' : wordOf(worst)} ${headlineText}</h1>
    <ul class="counts">
      ${tiles}
    </ul>
    <p class="soft">
      ${view.elsewhere ? html`It was ${heardOf(view.elsewhere)}` : `${lastRoundAgoMs === null ? 'No round yet since the start' : `Looked at ${spell(lastRoundAgoMs)} ago`}${isRunning ? ', looking again now' : nextRoundInMs < 1000 ? ', again now' : `, again in ${spell(nextRoundInMs)}`}`}.
      ${
        doubt.length === 0
          ? nothing
          : `The last run saw otherwise for ${doubt.slice(0, 6).join(', ')}${doubt.length > 6 ? ` and ${doubt.length - 6} more` : ''}: they are looked at again before it is believed. `
      }${runToken === null ? nothing : html`<form method="post" action="/run"><input type="hidden" name="token" value="${runToken}" /><button>Run now</button></form>`}
    </p>`;
}

const order: readonly RowVerdict[] = ['fail', 'unverified', 'warn', 'pass', 'skipped'];

/** One or two are told at once; of many the first, some others by their heads, and how many there are besides. */
const [unfolded, headsShown] = [2, 8];

function incidentsList(view: HomeView): Html {
  const cards = view.open.map((incident, i) => openCard(incident, i, view));
  const rest = cards.length > headsShown + 2 ? cards.splice(headsShown) : [];
  if (rest.length === 0) return html`${cards}`;
  return html`${cards}
    <details id="more">
      <summary>and ${rest.length} more incidents</summary>
      ${rest}
    </details>`;
}

function openCard(incident: Incident, i: number, view: HomeView): Html {
  const { now, rows, open, isQuiet, query } = view;
  const { id, remedy, since } = incident;
  const isHushed = incident.rows.every(isQuiet);
  const isOpen = i === 0 || open.length <= unfolded;
  return html`<details class="card fail" id="incident-${id}" ${isOpen ? html` open=""` : nothing}>
    <summary>
      <h2>${headOf(incident)}</h2>
      <span class="soft"
        >${plural(incident.rows.length, 'row')}, for
        ${spell(now - since)}${incident.isFlapping ? ', comes and goes' : nothing}${isHushed ? ', under maintenance' : nothing}</span
      >
    </summary>
    ${remedy === null ? nothing : html`<p><b>Do:</b> ${remedy}</p>`}
    <p>
      ${incident.rows.length === 1 ? 'Row' : 'Rows'}:
      ${incident.rows.map((row, at) => html`${at > 0 ? ', ' : nothing}<a href="/row/${row}${query}">${row}</a>${rows[row]?.seen === 'pass' ? ' (passes now)' : nothing}`)}
    </p>
    <p class="soft">
      Since ${moment(since)}.
      ${incident.isFlapping ? 'Nobody is told of its coming and going until an hour has passed without a change. ' : nothing}<a
        href="/incident/${id}${query}"
        >What the run that opened it saw, and the rules to ask for</a
      >
    </p>
  </details> `;
}

/** What stands nearer to us than a host is named; a host is in the text itself. */
export const headOf = ({ kind, text, rows }: Pick<Incident, 'kind' | 'text' | 'rows'>): string =>
  ({
    vantage: `This vantage: ${text}`,
    resolver: `Name resolution: ${text}`,
    proxy: `The proxy: ${text}`,
    host: text,
    row: rows.length === 1 ? `${rows[0]}: ${text}` : text,
  })[kind];

function rowsList(view: HomeView, report: Report): Html {
  const window = windowOf(view.spans, view.now, dayMs);
  const byRow = Map.groupBy(view.spans, ({ row }) => row);
  const isShown = (row: ReportRow): boolean => row.verdict !== 'skipped' && row.verdict !== null;
  const shown = report.rows.filter(isShown);
  const rest = report.rows.filter((row) => !isShown(row));
  const items = shown.map((row) => {
    const state = view.rows[row.id];
    const verdict = believedOf(view.rows, row) ?? 'skipped';
    const isDoubted = state !== undefined && state.count > 0;
    return html`<li id="row-${row.id}">
      ${wordOf(verdict)}<a href="/row/${row.id}${view.query}">${row.id}</a>
      <span class="about"
        >${row.from} → ${row.to},
        ${service(row)}${state?.isFlapping === true ? ', flapping' : nothing}${isDoubted ? `, last seen ${words[state.seen]}` : nothing}</span
      >
      ${strip(byRow.get(row.id) ?? [], window)}
    </li> `;
  });
  const gaps = view.gaps.map(
    ({ since, until, why }) => html`<li>${moment(since)}, ${spell(until - since)}: ${why}</li>`,
  );
  return html`<h2>Rows, and their last ${window.to - window.from < dayMs ? spell(window.to - window.from) : 'day'}</h2>
    <ul class="rows">
      ${items}
    </ul>
    ${
      gaps.length === 0
        ? nothing
        : html`<p class="soft">Not watched:</p>
            <ul class="soft">
              ${gaps}
            </ul>`
    }
    ${
      rest.length === 0
        ? nothing
        : html`<details id="skipped">
            <summary>${plural(rest.length, 'row')} not checked from here</summary>
            <ul>
              ${rest.map((row) => html`<li><a href="/row/${row.id}${view.query}">${row.id}</a>: ${row.because ?? row.skip ?? ''}</li>`)}
            </ul>
          </details>`
    }`;
}

function otherVantages({ others, wholes }: HomeView): Html {
  if (others.length === 0) return nothing;
  return html`<h2>Other vantages</h2>
    <ul>
      ${wholes.map(({ site, href }) => html`<li><a href="${href}">${site}, as all its vantages see it</a></li>`)}
      ${others.map(
        ({ name, href, verdict, ...heard }) =>
          html`<li>
            ${verdict === null ? nothing : wordOf(verdict)} <a href="${href}">${name}</a>, ${heardOf(heard)}
          </li>`,
      )}
    </ul>`;
}

function pastList({ past, query }: HomeView): Html {
  const closed = past.filter(({ until }) => until !== null);
  if (closed.length === 0) return nothing;
  return html`<h2>What was</h2>
    <ul>
      ${closed.map(
        ({ id, text, since, until, rows }) =>
          html`<li>
            ${moment(since)}, ${spell((until ?? since) - since)}: <a href="/incident/${id}${query}">${text}</a>
            <span class="soft">${plural(rows.length, 'row')}</span>
          </li>`,
      )}
    </ul>`;
}
