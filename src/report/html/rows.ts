/** Every row in one table, by section, with what can be searched and filtered; then those that were left out, and why. */
import type { Report, ReportRow } from '../../model/report.ts';
import * as say from '../phrases.ts';
import { checkedBy, type CheckedBy } from '../vantages.ts';
import { toldAbove } from './causes.ts';
import { badge, escape, evidence, paragraph, rowAnchor } from './pieces.ts';

interface Page {
  readonly checksOf: say.ChecksOf;
  readonly by: CheckedBy;
  readonly verbose: boolean;
  /** Rows that a list above tells of. */
  readonly told: ReadonlyMap<string, string | null>;
}

export function rowsSection(report: Report, checksOf: say.ChecksOf, verbose: boolean): string[] {
  const told = toldAbove(report, checksOf);
  const page: Page = { checksOf, by: checkedBy(report), verbose, told };
  const judged = report.rows.filter((row) => !say.isSkipped(row));
  const skipped = say.skipGroups(report);
  return [
    '<section id="rows" aria-labelledby="rows-title">',
    `<h2 id="rows-title">Every row <span class="soft">${report.rows.length}</span></h2>`,
    ...toolbar(report),
    ...(judged.length === 0
      ? []
      : [
          '<table class="rows stack">',
          '<caption class="aside">Every row that was judged, by section</caption>',
          '<thead><tr><th scope="col">Verdict</th><th scope="col">Row</th><th scope="col">From → to</th><th scope="col">What was found</th></tr></thead>',
          ...say.bySection(report, judged).flatMap((each) => sectionBody(each, page)),
          '</table>',
        ]),
    ...(skipped.length === 0 ? [] : skippedRows(skipped)),
    '</section>',
  ];
}

const sectionBody = ({ title, rows }: say.Section, page: Page): string[] => [
  '<tbody data-section="">',
  `<tr class="head"><th scope="rowgroup" colspan="4">${escape(title)}</th></tr>`,
  ...rows.flatMap((row) => rowLines(row, page)),
  '</tbody>',
];

/** Without a script it could do nothing, and is hidden. */
function toolbar({ rows }: Report): string[] {
  const counts = Map.groupBy(rows, verdictOf);
  const buttons = worstFirst.flatMap((verdict) => {
    const count = counts.get(verdict)?.length ?? 0;
    const state = 'aria-pressed="false"';
    return count === 0
      ? []
      : `<button type="button" data-filter="${verdict}" ${state}>${say.words[verdict]} ${count}</button>`;
  });
  return [
    '<form id="filter" role="search" class="tools" data-script="" hidden="hidden">',
    '<label for="search">Search</label> <input type="search" id="search" autocomplete="off" spellcheck="false"/>',
    `<span role="group" aria-label="Only these verdicts">${buttons.join(' ')}</span>`,
    '<button type="button" id="route" hidden="hidden"></button>',
    '<button type="button" id="unfold" aria-pressed="false">Unfold all</button>',
    '<output id="shown" aria-live="polite"></output>',
    '</form>',
  ];
}

const worstFirst = ['fail', 'unverified', 'warn', 'pass', 'skipped'] as const;

const verdictOf = ({ verdict, skip }: ReportRow): string => verdict ?? (skip === null ? 'plan' : 'skipped');

function attributes(row: ReportRow): string {
  const anchor = rowAnchor(row.id);
  const id = anchor === null ? '' : ` id="${anchor}"`;
  return `${id} data-verdict="${verdictOf(row)}" data-from="${escape(row.from)}" data-to="${escape(row.to)}"`;
}

function rowLines(row: ReportRow, { checksOf, by, verbose, told }: Page): string[] {
  const checks = checksOf(row);
  const isTold = told.has(row.id);
  const culprits = new Set(isTold ? (row.verdict === 'warn' ? checks : say.culprits(row, checks)) : []);
  const others = checks.filter((check) => !culprits.has(check));
  const count = say.plural(others.length, 'check');
  return [
    `<tr${attributes(row)}>`,
    `<td>${badge(row.verdict ?? 'plan')}</td>`,
    `<th scope="row">${escape(row.id)}</th>`,
    `<td class="soft">${escape(`${row.from} → ${row.to}, ${say.service(row)}`)}</td>`,
    '<td>',
    ...(isTold ? [above(told.get(row.id) ?? null)] : paragraph(row.because ?? '')),
    ...(isTold ? [] : row.notes.flatMap((note) => paragraph(`Note: ${note}`, 'soft'))),
    ...evidence({
      title: culprits.size === 0 ? count : `Its other ${count}`,
      checks: others,
      by,
      open: verbose,
      told: row.because ?? '',
    }),
    '</td></tr>',
  ];
}

const above = (anchor: string | null): string =>
  anchor === null ? '<p class="soft">Told above</p>' : `<p><a href="#${anchor}">Told above</a></p>`;

function skippedRows(groups: readonly say.SkipGroup[]): string[] {
  const count = groups.reduce((sum, { rows }) => sum + rows.length, 0);
  return [
    '<details class="told left-out" data-section="">',
    `<summary>${escape(say.plural(count, 'row'))} left out, and why</summary>`,
    '<table class="stack">',
    '<caption class="aside">Rows that were left out, by reason</caption>',
    '<thead><tr><th scope="col">Row</th><th scope="col">From → to</th></tr></thead>',
    ...groups.flatMap(skippedGroup),
    '</table>',
    '</details>',
  ];
}

const skippedGroup = ({ reason, rows, because, remedy }: say.SkipGroup): string[] => [
  '<tbody data-section="">',
  `<tr class="head"><th scope="rowgroup" colspan="2"><span class="skipped word">${escape(reason)}</span> ${escape(because)}`,
  ...(remedy === null ? [] : [`<span class="soft">${escape(`To do: ${remedy}`)}</span>`]),
  '</th></tr>',
  ...rows.map(
    (row) =>
      `<tr${attributes(row)}><th scope="row">${escape(row.id)}</th><td class="soft">${escape(`${row.from} → ${row.to}, ${say.service(row)}`)}</td></tr>`,
  ),
  '</tbody>',
];
