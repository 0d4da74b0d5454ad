/**
 * One page that stands alone: verdict and causes first, evidence folded, readable without a script, on a phone and on paper.
 * Its script only searches, filters and copies. The policy in its head lets the browser run that one script and fetch
 * nothing, should a hostile text ever get past the escaping.
 */
import type { RenderOptions, Report, Reporter } from '../model/report.ts';
import { lists, section } from './html/causes.ts';
import { matrixTable } from './html/matrix.ts';
import { badge, escape, paragraph } from './html/pieces.ts';
import { policyOf } from './html/policy.ts';
import { rowsSection } from './html/rows.ts';
import { script } from './html/script.ts';
import { rulesSection, vantagesSection } from './html/sides.ts';
import { elements, matrix, pieces, tones } from './html/style.ts';
import * as say from './phrases.ts';

const own = `
header .counts { margin-bottom: .5rem; }
nav ul { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; margin: 1rem 0 0; padding: .5rem 0; list-style: none; border-bottom: 1px solid var(--line); }
.tools { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem .7rem; margin: 0 0 .8rem; }
.tools input { min-width: 12rem; flex: 1 1 12rem; max-width: 24rem; }
.tools [role=group] { display: flex; flex-wrap: wrap; gap: .35rem; }
.tools output { color: var(--soft); }
.rows { table-layout: fixed; } .rows td:first-child, .rows thead th:first-child { width: 7.5rem; }
.rows thead th:nth-child(2) { width: 14.5rem; } .rows thead th:nth-child(3) { width: 20rem; } .rows td:nth-child(3) { font-size: .93em; }
.rows .head th { padding-top: 1.3rem; font-weight: 600; border-bottom: 2px solid var(--line); }
.rows td p:first-child { margin-top: 0; }
.left-out { margin-top: 1.5rem; } .left-out > summary { font-weight: 600; }
.left-out tbody th { font-weight: 400; width: 22rem; padding-left: 1.2rem; } .left-out .head th { width: auto; padding: 1rem .75rem .4rem 0; }
.left-out .head .soft { display: block; } .left-out thead { position: absolute; left: -999rem; }
tr:target > *, .card:target { background: color-mix(in srgb, var(--link) 10%, var(--paper)); }
.vantages td, .vantages tbody th { white-space: nowrap; } .vantages td { font-variant-numeric: tabular-nums; }
footer { margin-top: 2.5rem; padding-top: .8rem; border-top: 1px solid var(--line); font-size: .92rem; }
@media print { .rows thead th:nth-child(1) { width: 6.5rem; } .rows thead th:nth-child(2) { width: 12rem; } .rows thead th:nth-child(3) { width: 14rem; } }
@media screen and (max-width: 46rem) {
  body { padding: 1rem; }
  .stack thead { position: absolute; left: -999rem; }
  .stack tr { display: block; padding: .6rem 0; border-bottom: 1px solid var(--line); }
  .stack td, .stack th, .rows td:first-child, .rows tbody th, .rows td:nth-child(3), .left-out tbody th { display: block; border: 0; padding: 0; width: auto; }
  .rows td:first-child { float: right; }
}
`;

const style = tones + elements + pieces + matrix + own;

export const html: Reporter = {
  about: 'one self-contained page to read, filter, send and print',
  render: (report, options) =>
    [
      '<!DOCTYPE html>',
      '<html lang="en">',
      '<head>',
      '<meta charset="utf-8"/>',
      '<meta name="viewport" content="width=device-width, initial-scale=1"/>',
      '<meta name="color-scheme" content="light dark"/>',
      `<meta http-equiv="Content-Security-Policy" content="${escape(policyOf({ style, script }))}"/>`,
      `<title>${escape(`xenreach ${report.site.name}: ${headline(report)}`)}</title>`,
      `<style>${style}</style>`,
      '</head>',
      '<body>',
      ...body(report, options),
      `<script>${script}</script>`,
      '</body>',
      '</html>',
      '',
    ].join('\n'),
};

function body(report: Report, options: RenderOptions): string[] {
  const checksOf = say.indexChecks(report);
  const told = lists(report, checksOf, options);
  const vantages = vantagesSection(report);
  const rules = rulesSection(report, options);
  const map = options.quiet ? [] : matrixSection(report);
  const rows = options.quiet ? [] : rowsSection(report, checksOf, options.verbose);
  const places: (readonly [id: string, text: string])[] = [
    ...told.map(({ id, title, cards }) => [id, `${title} ${cards.length}`] as const),
    ...(rules.length > 0 ? [['rules', 'Rules to ask for'] as const] : []),
    ...(vantages.length > 0 ? [['vantages', 'Who was heard'] as const] : []),
    ...(map.length > 0 ? [['matrix', 'From role to role'] as const] : []),
    ...(rows.length > 0 ? [['rows', `Every row ${report.rows.length}`] as const] : []),
  ];
  return [
    '<a class="skip-link" href="#main">To what was found</a>',
    ...header(report),
    '<nav aria-label="On this page"><ul>',
    ...places.map(([id, text]) => `<li><a href="#${id}">${escape(text)}</a></li>`),
    '</ul></nav>',
    '<main id="main">',
    ...told.flatMap(section),
    ...rules,
    ...vantages,
    ...map,
    ...rows,
    '</main>',
    ...footer(report),
  ];
}

function header(report: Report): string[] {
  const { summary, spec } = report;
  const tone = summary.verdict ?? 'plan';
  const tiles = (['fail', 'unverified', 'warn', 'pass', 'skipped'] as const).map(
    (verdict) =>
      `<li class="${verdict}${summary[verdict] === 0 ? ' none' : ''}"><b>${summary[verdict]}</b>${badge(verdict)}</li>`,
  );
  return [
    '<header>',
    `<h1><span class="${tone} word">${escape(headline(report))}</span> ${escape(report.site.name)}</h1>`,
    ...paragraph(say.subject(report)),
    ...paragraph(
      `${say.when(report)}, ${say.plural(summary.checks, 'check')} for ${say.plural(spec.rows, 'row')}`,
      'soft',
    ),
    ...paragraph(say.roots(report), 'soft'),
    ...paragraph(say.incompleteness(report), 'alert fail'),
    ...paragraph(say.sinceThen(report)),
    ...(say.isPlan(report) ? [] : ['<ul class="counts">', ...tiles, '</ul>']),
    '</header>',
  ];
}

function matrixSection(report: Report): string[] {
  const table = matrixTable(report.rows);
  if (table.length === 0) return [];
  return [
    '<section id="matrix" aria-labelledby="matrix-title">',
    '<h2 id="matrix-title">From role to role</h2>',
    ...table,
    '</section>',
  ];
}

function footer(report: Report): string[] {
  const { tool, spec } = report;
  const counts = say.isPlan(report) ? 'Nothing was sent.' : `${say.counts(report)}.`;
  const sentences = [counts, say.elsewhere(report), say.exitMeaning(report)].filter((each) => each !== '');
  return [
    '<footer>',
    ...paragraph(sentences.join(' ')),
    ...paragraph(`${tool.name} ${tool.version}, spec ${spec.id} ${spec.revision}, SHA-256 ${spec.sha256}`, 'soft'),
    '</footer>',
  ];
}

function headline(report: Report): string {
  if (say.isPlan(report)) return report.checks.length === 0 ? 'NOTHING CHECKED' : 'PLAN';
  const { verdict } = report.summary;
  return verdict === null ? 'NOTHING CHECKED' : say.words[verdict];
}
