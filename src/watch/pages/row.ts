/** One row: how it stands, since when, what was seen first and last, how long answers take, and the rule to ask for. */
import { spell } from '../../model/duration.ts';
import type { Report, ReportRow } from '../../model/report.ts';
import { reporters } from '../../report/index.ts';
import { service, words } from '../../report/phrases.ts';
import { uptimeOf, type Gap, type Hour, type Span } from '../history/ask.ts';
import type { RowState } from '../incidents.ts';
import { chart } from './chart.ts';
import { evidenceOf } from './evidence.ts';
import { wordOf } from './layout.ts';
import { html, lines, moment, nothing, type Html } from './markup.ts';
import { strip, windowOf, type Window } from './strip.ts';
import { uptimeText } from './uptime.ts';

export interface RowView {
  readonly now: number;
  readonly row: ReportRow;
  readonly report: Report;
  readonly state: RowState | undefined;
  readonly everyMs: number;
  /** Of the last 30 days. */
  readonly spans: readonly Span[];
  readonly gaps: readonly Gap[];
  /** The run in which what is failing was seen first, and the last one before it. */
  readonly firstBad: Report | null;
  readonly lastGood: Report | null;
  /** By endpoint. */
  readonly hours: readonly (readonly [string, readonly Hour[]])[];
  readonly query: string;
}

const dayMs = 86_400_000;
const spansShown = 40;
const monthMs = 30 * dayMs;

export function rowPage(view: RowView): Html {
  const { row, state, now, spans, everyMs, firstBad, lastGood, report } = view;
  const verdict = state?.believed ?? row.verdict ?? 'skipped';
  const [day, month] = [windowOf(spans, now, dayMs), windowOf(spans, now, monthMs)];
  return html`<h1>${wordOf(verdict)} ${row.id} <span class="soft">${row.from} → ${row.to}, ${service(row)}</span></h1>
    <p>${row.purpose}</p>
    ${state && state.since > 0 ? html`<p class="soft">${words[verdict]} since ${moment(state.since)}, looked at every ${spell(everyMs)}${state.isFlapping ? '; it comes and goes' : nothing}.</p>` : nothing}
    ${
      row.because === null || verdict === 'pass'
        ? nothing
        : html`<article class="card ${verdict}">
            <p>${row.because}</p>
            ${row.remedy === null ? nothing : html`<p><b>Do:</b> ${row.remedy}</p>`}
          </article>`
    }
    ${ruleToAskFor(report, row)} ${timeStrip(spans, day)} ${month.from === day.from ? nothing : timeStrip(spans, month)}
    ${
      firstBad === null
        ? nothing
        : html`<h2>${verdict === 'pass' ? 'When it failed last' : 'What changed'}</h2>
            <div class="pair">
              ${lastGood === null ? nothing : evidenceOf(lastGood, row.id, 'The last run before')}
              ${evidenceOf(firstBad, row.id, 'The first run that saw it')}
            </div>`
    }
    <h2>What the last run found</h2>
    ${evidenceOf(report, row.id, 'Now')} ${latencies(view, month)} ${spanTable(view)}`;
}

function timeStrip(spans: readonly Span[], window: Window): Html {
  const { from, to } = window;
  return html`<h2>The last ${spell(to - from)}</h2>
    ${strip(spans, window, 'strip tall')}
    <p class="legend">
      <span>${moment(from)}</span><span>${uptimeText(uptimeOf(spans, from, to))}</span><span>now</span>
    </p>`;
}

function ruleToAskFor(report: Report, row: ReportRow): Html {
  const rules = rulesOf(report, [row]);
  return rules === nothing
    ? nothing
    : html`<h2>The rule to ask for</h2>
        ${rules}`;
}

/** As whoever opens ports wants them, a line each; nothing where none is missing. */
export function rulesOf(report: Report, rows: readonly ReportRow[]): Html {
  const [header = '', ...rules] = reporters.firewall
    .render({ ...report, rows }, plain)
    .trimEnd()
    .split('\n');
  if (rules.length === 0) return nothing;
  return html`<pre>${lines([header, ...rules])}</pre>`;
}

const plain = { color: false, width: 80, verbose: false, quiet: false } as const;

function latencies({ hours }: RowView, window: Window): Html {
  // A point is no line.
  const known = hours.filter(([, its]) => its.length > 1);
  if (known.length === 0) return nothing;
  return html`<h2>How long answers take</h2>
    ${known.map(
      ([name, its]) =>
        html`<h3><code>${name}</code></h3>
          ${chart(its, window)}`,
    )}`;
}

function spanTable({ spans, gaps }: RowView): Html {
  const past = [
    ...spans.map((span) => ({ since: span.since, until: span.until, verdict: span.verdict, text: span.because ?? '' })),
    ...gaps.map((gap) => ({ since: gap.since, until: gap.until, verdict: null, text: `not watched: ${gap.why}` })),
  ].toSorted((a, b) => b.since - a.since);
  if (past.length === 0) return nothing;
  const shown = past.slice(0, spansShown);
  return html`<h2>Timeline</h2>
    <table class="wide stack">
      <thead>
        <tr>
          <th>Since</th>
          <th>For</th>
          <th>Seen</th>
          <th>Because</th>
        </tr>
      </thead>
      <tbody>
        ${shown.map(
          ({ since, until, verdict, text }) =>
            html`<tr>
              <td>${moment(since)}</td>
              <td>${spell(until - since)}</td>
              <td>${verdict === null ? '' : wordOf(verdict)}</td>
              <td>${text}</td>
            </tr> `,
        )}
      </tbody>
    </table>
    ${past.length > shown.length ? html`<p class="soft">and ${past.length - shown.length} before; xenreach history --row has them</p>` : nothing}`;
}
