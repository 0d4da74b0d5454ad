/** What a run found for a row: each check in a line, and what the peer said behind it. */
import type { Report, ReportCheck } from '../../model/report.ts';
import { json } from '../../report/escape.ts';
import { checkLine, hostLines, took, words } from '../../report/phrases.ts';
import { html, moment, nothing, type Html } from './markup.ts';

const mostChecks = 30;

export function evidenceOf(report: Report | null, row: string, title: string): Html {
  const found = report?.rows.find(({ id }) => id === row);
  if (!report || !found)
    return html`<section>
      <h3>${title}</h3>
      <p class="soft">Not kept.</p>
    </section>`;
  const ids = new Set(found.checks);
  const checks = report.checks.filter(({ id }) => ids.has(id));
  const shown = checks.slice(0, mostChecks);
  return html`<section>
    <h3>${title}</h3>
    <p>
      ${found.verdict === null ? nothing : html`<span class="${found.verdict}"><span class="word">${words[found.verdict]}</span></span> `}${moment(Date.parse(report.startedAt))}
    </p>
    <p>${found.because ?? ''}</p>
    ${shown.map(checkBlock)}
    ${checks.length > shown.length ? html`<p class="soft">and more: ${hostLines(checks.slice(mostChecks)).slice(0, 10).join('; ')}</p>` : nothing}
  </section>`;
}

function checkBlock(check: ReportCheck): Html {
  const facts = [
    ...check.warnings.map((text) => ['warning', text] as const),
    ...check.notes.map((text) => ['note', text] as const),
    ...(check.code === null ? [] : [['code', check.code] as const]),
    ...(check.durationMs === null ? [] : [['took', took(check.durationMs)] as const]),
    ...Object.entries(check.evidence).map(
      ([key, value]) => [key, typeof value === 'string' ? value : json(value)] as const,
    ),
  ];
  return html`<p>
      ${check.verdict === null ? nothing : html`<span class="${check.verdict}"><span class="word">${words[check.verdict]}</span></span> `}<code
        >${checkLine(check)}</code
      >
    </p>
    <dl>
      ${facts.map(
        ([key, value]) =>
          html`<dt>${key}</dt>
            <dd><code>${value}</code></dd>`,
      )}
    </dl>`;
}
