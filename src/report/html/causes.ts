/**
 * What fails, by its cause, and below it what is not proven and what has a warning: each told once, what to do beside it,
 * the evidence folded. The first few are open, so that the list is short and the worst is readable at once.
 */
import type { Cause, Report, ReportCheck, ReportRow } from '../../model/report.ts';
import type { RowVerdict } from '../../model/verdict.ts';
import * as say from '../phrases.ts';
import { checkedBy, sourcesText, type CheckedBy } from '../vantages.ts';
import { escape, evidence, paragraph, remedyLine, rowAnchor, rowLink } from './pieces.ts';

/** Of a list so long all are open; of a longer one as many as fill a screen. */
const allOpen = 4;
const firstOpen = 3;

interface Page {
  readonly report: Report;
  readonly checksOf: say.ChecksOf;
  readonly by: CheckedBy;
  readonly verbose: boolean;
  /** Of the rows in the table below. */
  readonly ids: ReadonlySet<string>;
}

interface Card {
  readonly verdict: RowVerdict;
  /** Markup. */
  readonly title: string;
  readonly body: readonly string[];
  readonly anchor: string | null;
}

interface List {
  readonly id: string;
  readonly title: string;
  readonly cards: readonly Card[];
}

/** Empty lists are left out. */
export function lists(
  report: Report,
  checksOf: say.ChecksOf,
  { verbose, quiet }: { verbose: boolean; quiet: boolean },
): List[] {
  const ids = new Set(quiet ? [] : report.rows.map(({ id }) => id));
  const page: Page = { report, checksOf, by: checkedBy(report), verbose, ids };
  const warned = report.rows.filter(({ verdict }) => verdict === 'warn').map((row) => rowCard(page, row, 'warn'));
  const all: List[] = [
    { id: 'failing', title: 'What to mend', cards: byCause(page, 'fail') },
    ...(quiet
      ? []
      : [
          { id: 'unproven', title: 'Not proven', cards: byCause(page, 'unverified') },
          { id: 'warnings', title: 'Warnings', cards: warned },
        ]),
  ];
  return all.filter(({ cards }) => cards.length > 0);
}

/** Where a failing row is told: in the table below it is not told again. */
const cardAnchor = ({ id }: ReportRow): string | null => {
  const anchor = rowAnchor(id);
  return anchor === null ? null : `about-${anchor}`;
};

/** The rows that the lists tell of, and where. */
export function toldAbove(report: Report, checksOf: say.ChecksOf): Map<string, string | null> {
  const told = new Map<string, string | null>();
  for (const row of report.rows) if (row.verdict === 'warn') told.set(row.id, cardAnchor(row));
  for (const verdict of ['unverified', 'fail'] as const) {
    const { shared, single } = say.byCause(report, verdict, checksOf);
    for (const row of single) told.set(row.id, cardAnchor(row));
    for (const cause of shared) for (const id of cause.rows) told.set(id, causeAnchor(report, cause));
  }
  return told;
}

const causeAnchor = ({ causes }: Report, cause: Cause): string => `cause-${causes.indexOf(cause) + 1}`;

export function section({ id, title, cards }: List): string[] {
  const open = cards.length > allOpen ? firstOpen : allOpen;
  return [
    `<section id="${id}" aria-labelledby="${id}-title">`,
    `<h2 id="${id}-title">${escape(title)} <span class="soft">${cards.length}</span></h2>`,
    ...cards.flatMap((card, at) => cardMarkup(card, id === 'failing' ? at < open : cards.length === 1)),
    '</section>',
  ];
}

function cardMarkup({ verdict, title, body, anchor }: Card, open: boolean): string[] {
  const id = anchor === null ? '' : ` id="${anchor}"`;
  return [
    `<details class="card told ${verdict}"${id}${open ? ' open="open"' : ''}>`,
    `<summary><h3>${title}</h3></summary>`,
    ...body,
    '</details>',
  ];
}

function byCause(page: Page, verdict: 'fail' | 'unverified'): Card[] {
  const { shared, single } = say.byCause(page.report, verdict, page.checksOf);
  return [
    ...shared.map((cause) => causeCard(page, cause, verdict)),
    ...single.map((row) => rowCard(page, row, verdict)),
  ];
}

function causeCard({ report, checksOf, by, verbose, ids: known }: Page, cause: Cause, verdict: RowVerdict): Card {
  const ids = new Set(cause.checks);
  const rows = report.rows.filter(({ id }) => cause.rows.includes(id));
  const checks = [...new Map(rows.flatMap((row) => checksOf(row).map((check) => [check.id, check] as const))).values()];
  return {
    verdict,
    anchor: causeAnchor(report, cause),
    title: `<b>${escape(cause.text)}</b> <span class="soft">${escape(say.plural(cause.rows.length, 'row'))}</span>`,
    body: [
      ...remedyLine(cause.remedy),
      `<p class="soft">Rows: ${cause.rows.map((id) => rowLink(id, known)).join(', ')}</p>`,
      ...evidenceOf(
        checks.filter(({ id }) => ids.has(id)),
        by,
        verbose,
        cause.text,
      ),
    ],
  };
}

function rowCard({ checksOf, by, verbose, ids }: Page, row: ReportRow, verdict: RowVerdict): Card {
  const because = row.because ?? '';
  const seen = sourcesText(row);
  const checks = verdict === 'warn' ? checksOf(row) : say.culprits(row, checksOf(row));
  return {
    verdict,
    anchor: cardAnchor(row),
    title: `<b>${escape(row.id)}</b> ${escape(because)}`,
    body: [
      ...remedyLine(row.remedy),
      ...paragraph(seen === '' ? '' : `Seen: ${seen}`),
      `<p class="soft">Row ${rowLink(row.id, ids)}: ${escape(`${row.from} → ${row.to}, ${say.service(row)}`)}</p>`,
      ...paragraph(row.purpose === '' ? '' : `Needed for: ${row.purpose}`, 'soft'),
      ...row.notes.flatMap((note) => paragraph(`Note: ${note}`, 'soft')),
      ...evidenceOf(checks, by, verbose, because),
    ],
  };
}

const evidenceOf = (checks: readonly ReportCheck[], by: CheckedBy, open: boolean, told: string): string[] =>
  evidence({ title: `Evidence: ${say.plural(checks.length, 'check')}`, checks, by, open, told });
