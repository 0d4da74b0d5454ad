/**
 * One page that stands alone: no script, nothing fetched, light and dark, readable on a phone and on paper. The policy in
 * its head forbids the browser everything but the inline style, should a hostile text ever get past the escaping.
 */
import type { Cause, Report, ReportCheck, Reporter, ReportRow } from '../model/report.ts';
import type { RowVerdict } from '../model/verdict.ts';
import { json, markup as escape } from './escape.ts';
import * as say from './phrases.ts';

const culpritsShown = 20;

const style = `
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #59636e; --paper: #fff; --card: #f6f8fa; --line: #d1d9e0;
  --pass: #1a7f37; --warn: #7d4e00; --fail: #c4181f; --unverified: #6f3fc4; --skipped: #59636e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9aa4af; --paper: #0d1117; --card: #161b22;
  --line: #30363d; --pass: #4ac26b; --warn: #e3b341; --fail: #ff7b72; --unverified: #b392f0; --skipped: #9aa4af; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 70rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 0; }
p { margin: .35rem 0; }
.soft { color: var(--soft); font-weight: 400; }
.pass { --tone: var(--pass); } .warn { --tone: var(--warn); } .fail { --tone: var(--fail); }
.unverified { --tone: var(--unverified); } .skipped, .plan { --tone: var(--skipped); }
.word { color: var(--tone); font-weight: 700; font-size: .85em; letter-spacing: .02em; white-space: nowrap; }
.counts { display: flex; flex-wrap: wrap; gap: .5rem; margin: 1rem 0; padding: 0; list-style: none; }
.counts li { border: 1px solid var(--line); border-top: 3px solid var(--tone); border-radius: 6px; padding: .3rem .8rem; background: var(--card); }
.counts b { font-size: 1.25rem; margin-right: .35rem; }
article { border: 1px solid var(--line); border-left: 4px solid var(--tone); border-radius: 6px; background: var(--card);
  padding: .7rem 1rem; margin: .7rem 0; break-inside: avoid; }
table { width: 100%; border-collapse: collapse; font-size: .92rem; table-layout: fixed; }
th:nth-child(1) { width: 8rem; } th:nth-child(2) { width: 11rem; }
.rows th:nth-child(3) { width: 12rem; } .rows th:nth-child(4) { width: 7rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .6rem .4rem 0; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; }
code { font: .88em/1.45 ui-monospace, monospace; }
ul { margin: .35rem 0; padding-left: 1.2rem; }
summary { cursor: pointer; color: var(--soft); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 .8rem; margin: .2rem 0 .6rem; font-size: .88rem; }
dt { color: var(--soft); } dd { margin: 0; }
@media (max-width: 42rem) {
  thead { position: absolute; left: -999rem; }
  tr { display: block; padding: .5rem 0; border-bottom: 1px solid var(--line); }
  td { display: block; border: 0; padding: 0; }
  dl { display: block; } dd { margin: 0 0 .2rem 1rem; }
}
@media print {
  :root { color-scheme: light; --ink: #000; --soft: #444; --paper: #fff; --card: #fff; --line: #bbb; --pass: #1a7f37;
    --warn: #7d4e00; --fail: #c4181f; --unverified: #6f3fc4; --skipped: #444; }
  body { max-width: none; padding: 0; font-size: 10pt; } tr { break-inside: avoid; } .checks { display: none; }
}
`;

export const html: Reporter = {
  about: 'one self-contained page to read, send and print',
  render(report, options) {
    const checksOf = say.indexChecks(report);
    const judged = report.rows.filter((row) => !say.isSkipped(row));
    const title = `xenreach ${report.site.name}: ${headline(report)}`;
    return [
      '<!DOCTYPE html>',
      '<html lang="en">',
      '<head>',
      '<meta charset="utf-8"/>',
      '<meta name="viewport" content="width=device-width, initial-scale=1"/>',
      '<meta name="color-scheme" content="light dark"/>',
      `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/>`,
      `<title>${escape(title)}</title>`,
      `<style>${style}</style>`,
      '</head>',
      '<body>',
      ...header(report),
      ...byCause('Failing', report, 'fail', checksOf),
      ...(options.quiet
        ? []
        : [
            ...byCause('Unverified', report, 'unverified', checksOf),
            ...explained('Warnings', judged, 'warn', checksOf),
            ...say.bySection(report, judged).flatMap((section) => table(section, checksOf, options.verbose)),
            ...skips(report),
          ]),
      ...footer(report),
      '</body>',
      '</html>',
      '',
    ].join('\n');
  },
};

function header(report: Report): string[] {
  const { summary, spec, startedAt, durationMs } = report;
  const tone = summary.verdict ?? 'plan';
  const took = durationMs === null ? '' : `, ${say.took(durationMs)}`;
  const tiles = (['fail', 'unverified', 'warn', 'pass', 'skipped'] as const).map(
    (verdict) =>
      `<li class="${verdict}"><b>${summary[verdict]}</b><span class="word">${say.words[verdict]}</span></li>`,
  );
  return [
    '<header>',
    `<h1 class="${tone}"><span class="word">${escape(headline(report))}</span> ${escape(report.site.name)}</h1>`,
    `<p>${escape(say.subject(report))}</p>`,
    `<p class="soft">${escape(`${startedAt}${took}, ${say.plural(summary.checks, 'check')} for ${say.plural(spec.rows, 'row')}`)}</p>`,
    ...paragraph(say.incompleteness(report), 'fail'),
    ...paragraph(say.sinceThen(report)),
    ...(say.isPlan(report) ? [] : ['<ul class="counts">', ...tiles, '</ul>']),
    '</header>',
  ];
}

/** Causes before symptoms: what several rows have in common is one card. */
function byCause(title: string, report: Report, verdict: 'fail' | 'unverified', checksOf: say.ChecksOf): string[] {
  const { shared, single } = say.byCause(report, verdict, checksOf);
  if (shared.length + single.length === 0) return [];
  return [
    `<h2>${title}</h2>`,
    ...shared.flatMap((cause) => causeCard(cause, verdict)),
    ...single.flatMap((row) => article(row, verdict, checksOf)),
  ];
}

function causeCard({ text, remedy, rows }: Cause, verdict: RowVerdict): string[] {
  return [
    `<article class="${verdict}">`,
    `<h3><span class="word">${say.words[verdict]}</span> ${escape(`${say.plural(rows.length, 'row')}: ${text}`)}</h3>`,
    ...(remedy === null ? [] : [`<p><b>Do:</b> ${escape(remedy)}</p>`]),
    ...paragraph(`Rows: ${rows.join(', ')}`, 'soft'),
    '</article>',
  ];
}

function explained(title: string, rows: readonly ReportRow[], verdict: RowVerdict, checksOf: say.ChecksOf): string[] {
  const mine = rows.filter((row) => row.verdict === verdict);
  if (mine.length === 0) return [];
  return [`<h2>${title}</h2>`, ...mine.flatMap((row) => article(row, verdict, checksOf))];
}

function article(row: ReportRow, verdict: RowVerdict, checksOf: say.ChecksOf): string[] {
  return [
    `<article class="${verdict}">`,
    `<h3>${word(row)} ${escape(row.id)} <span class="soft">${escape(`${row.from} → ${row.to}, ${say.service(row)}`)}</span></h3>`,
    ...paragraph(row.because ?? ''),
    ...(row.remedy === null ? [] : [`<p><b>Do:</b> ${escape(row.remedy)}</p>`]),
    ...(row.purpose === '' ? [] : paragraph(`Needed for: ${row.purpose}`, 'soft')),
    ...row.notes.flatMap((note) => paragraph(`Note: ${note}`, 'soft')),
    ...(verdict === 'fail' ? list(say.culprits(row, checksOf(row))) : []),
    '</article>',
  ];
}

function table({ title, rows }: say.Section, checksOf: say.ChecksOf, open: boolean): string[] {
  return [
    `<h2>${escape(title)}</h2>`,
    '<table class="rows">',
    '<thead><tr><th>Verdict</th><th>Row</th><th>From → to</th><th>Ports</th><th>Because</th></tr></thead>',
    '<tbody>',
    ...rows.flatMap((row) => [
      `<tr><td>${word(row)}</td><td><b>${escape(row.id)}</b></td><td>${escape(`${row.from} → ${row.to}`)}</td>`,
      `<td>${escape(say.service(row))}</td><td>${escape(row.because ?? '')}`,
      ...row.notes.flatMap((note) => paragraph(`Note: ${note}`, 'soft')),
      ...details(checksOf(row), open),
      '</td></tr>',
    ]),
    '</tbody>',
    '</table>',
  ];
}

function details(checks: readonly ReportCheck[], open: boolean): string[] {
  if (checks.length === 0) return [];
  return [
    `<details class="checks"${open ? ' open="open"' : ''}><summary>${say.plural(checks.length, 'check')}</summary>`,
    ...checks.flatMap((check) => [
      ...paragraph(`${check.verdict === null ? '' : `${say.words[check.verdict]} `}${say.checkLine(check)}`),
      ...definitions(check),
    ]),
    '</details>',
  ];
}

function definitions(check: ReportCheck): string[] {
  const entries = [
    ...check.warnings.map((warning) => ['warning', warning] as const),
    ...check.notes.map((note) => ['note', note] as const),
    ...(check.code === null ? [] : [['code', check.code] as const]),
    ...(check.durationMs === null
      ? []
      : [['took', `${say.took(check.durationMs)}, ${say.plural(check.attempts, 'attempt')}`] as const]),
    ...Object.entries(check.evidence).map(
      ([key, value]) => [key, typeof value === 'string' ? value : json(value)] as const,
    ),
  ];
  if (entries.length === 0) return [];
  return [
    '<dl>',
    ...entries.map(([key, value]) => `<dt>${escape(key)}</dt><dd><code>${escape(value)}</code></dd>`),
    '</dl>',
  ];
}

function skips(report: Report): string[] {
  const groups = say.skipGroups(report);
  if (groups.length === 0) return [];
  return [
    '<h2>Skipped</h2>',
    '<table>',
    '<thead><tr><th>Reason</th><th>Rows</th><th>Because</th><th>To do</th></tr></thead>',
    '<tbody>',
    ...groups.map(({ reason, rows, because, remedy }) => {
      const cells = [rows.map((row) => row.id).join(', '), because, remedy ?? ''];
      const first = `<td class="skipped"><span class="word">${escape(reason)}</span></td>`;
      return `<tr>${first}${cells.map((each) => `<td>${escape(each)}</td>`).join('')}</tr>`;
    }),
    '</tbody>',
    '</table>',
  ];
}

function footer(report: Report): string[] {
  const { tool, spec } = report;
  const counts = say.isPlan(report) ? 'Nothing was sent.' : `${say.counts(report)}.`;
  const sentences = [counts, say.elsewhere(report), say.exitMeaning(report)].filter((each) => each !== '');
  return [
    '<footer>',
    `<p>${escape(sentences.join(' '))}</p>`,
    ...paragraph(`${tool.name} ${tool.version}, spec ${spec.id} ${spec.revision}, SHA-256 ${spec.sha256}`, 'soft'),
    '</footer>',
  ];
}

function list(checks: readonly ReportCheck[]): string[] {
  if (checks.length === 0) return [];
  const shown = checks.slice(0, culpritsShown);
  const hidden = checks.length - shown.length;
  return [
    '<ul>',
    ...shown.map((check) => `<li><code>${escape(say.checkLine(check))}</code></li>`),
    ...(hidden > 0 ? [`<li>and ${hidden} more, in the table below</li>`] : []),
    '</ul>',
  ];
}

function headline(report: Report): string {
  if (say.isPlan(report)) return report.checks.length === 0 ? 'NOTHING CHECKED' : 'PLAN';
  const { verdict } = report.summary;
  return verdict === null ? 'NOTHING CHECKED' : say.words[verdict];
}

function word(row: ReportRow): string {
  return `<span class="${row.verdict ?? 'plan'}"><span class="word">${say.rowWord(row)}</span></span>`;
}

function paragraph(text: string, className = ''): string[] {
  if (text === '') return [];
  return [`<p${className === '' ? '' : ` class="${className}"`}>${escape(text)}</p>`];
}
