/** What stands beside the rows: who was heard, and the rules to ask for. */
import type { RenderOptions, Report } from '../../model/report.ts';
import { lines } from '../escape.ts';
import { firewall } from '../firewall.ts';
import * as say from '../phrases.ts';
import { unheard, vantageSummaries } from '../vantages.ts';
import { badge, escape, paragraph } from './pieces.ts';

const worstFirst = ['fail', 'unverified', 'warn', 'pass', 'skipped'] as const;

/** Of a report of several vantages; nothing else has them. */
export function vantagesSection(report: Report): string[] {
  const all = vantageSummaries(report);
  if (all.length === 0) return [];
  const present = worstFirst.filter((verdict) => all.some(({ counts }) => counts[verdict] > 0));
  return [
    '<section id="vantages" aria-labelledby="vantages-title">',
    `<h2 id="vantages-title">Who was heard <span class="soft">${all.length}</span></h2>`,
    ...unheard(report).flatMap((each) => paragraph(each, 'alert unverified')),
    '<div class="scroll" tabindex="0" role="region" aria-labelledby="vantages-title">',
    '<table class="vantages">',
    `<thead><tr><th scope="col">Vantage</th><th scope="col">Roles</th><th scope="col">Began</th>${present.map((verdict) => `<th scope="col">${badge(verdict)}</th>`).join('')}</tr></thead>`,
    '<tbody>',
    ...all.map(({ run, counts, trouble }) => {
      const note = trouble === '' ? '' : ` <span class="warn word">${escape(trouble)}</span>`;
      const cells = present.map((verdict) => `<td>${counts[verdict]}</td>`).join('');
      const when = `<time datetime="${escape(run.startedAt)}">${escape(run.startedAt)}</time>`;
      return `<tr><th scope="row">${escape(run.vantage)}${note}</th><td>${escape(run.roles.join(', '))}</td><td>${when}</td>${cells}</tr>`;
    }),
    '</tbody>',
    '</table>',
    '</div>',
    '</section>',
  ];
}

/** The list for whoever opens ports, to copy as it is; nothing where no rule is missing. */
export function rulesSection(report: Report, options: RenderOptions): string[] {
  const list = firewall.render(report, options);
  const count = list.trimEnd().split('\n').length - 1;
  if (count === 0) return [];
  return [
    '<section id="rules" aria-labelledby="rules-title">',
    `<h2 id="rules-title">Rules to ask for <span class="soft">${count}</span></h2>`,
    ...paragraph(
      `CSV, for whoever opens ports: ${say.plural(count, 'endpoint')} whose packets do not get through or do not come back.`,
    ),
    '<p data-script="" hidden="hidden"><button type="button" data-copy="rules-list">Copy the list</button> <span id="rules-list-told" role="status"></span></p>',
    `<pre id="rules-list" tabindex="0" role="region" aria-labelledby="rules-title">${markupLines(list)}</pre>`,
    '</section>',
  ];
}

/** Its line ends stay. */
const markupLines = (text: string): string => lines(text).split('\n').map(escape).join('\n');
