/** The small pieces of our pages. Whatever text goes in is escaped here. */
import type { Json } from '../../model/outcome.ts';
import type { ReportCheck } from '../../model/report.ts';
import { json, markup as escape } from '../escape.ts';
import type { CellVerdict } from '../matrix.ts';
import * as say from '../phrases.ts';
import type { CheckedBy } from '../vantages.ts';

export { escape };

/** A verdict's word in its tone: `<span class="fail word">FAIL</span>`. */
export const badge = (verdict: CellVerdict): string => `<span class="${verdict} word">${wordOf(verdict)}</span>`;

const wordOf = (verdict: CellVerdict): string => (verdict === 'plan' ? 'PLAN' : say.words[verdict]);

export function paragraph(text: string, className = ''): string[] {
  if (text === '') return [];
  return [`<p${className === '' ? '' : ` class="${className}"`}>${escape(text)}</p>`];
}

export const remedyLine = (remedy: string | null): string[] =>
  remedy === null ? [] : [`<p><b>Do:</b> ${escape(remedy)}</p>`];

/** Row ids are words joined by hyphens; one that is not cannot be led to. */
export const rowAnchor = (id: string): string | null => (/^[a-z0-9-]{1,64}$/.test(id) ? `row-${id}` : null);

/** `ids`: of the rows that the page has a place for. */
export function rowLink(id: string, ids: ReadonlySet<string>): string {
  const anchor = ids.has(id) ? rowAnchor(id) : null;
  return anchor === null ? escape(id) : `<a href="#${anchor}">${escape(id)}</a>`;
}

/** More are in the JSON report. */
const checksShown = 50;

export interface Evidence {
  readonly title: string;
  readonly checks: readonly ReportCheck[];
  readonly by: CheckedBy;
  readonly open: boolean;
  /** A sentence that the reader has just had. */
  readonly told?: string;
}

/** What was seen, folded: a line for each check, and its evidence. */
export function evidence({ title, checks, by, open, told = '' }: Evidence): string[] {
  if (checks.length === 0) return [];
  const hidden = checks.length - checksShown;
  return [
    `<details class="checks"${open ? ' open="open"' : ''}><summary>${escape(title)}</summary>`,
    '<ul>',
    ...checks.slice(0, checksShown).map((check) => {
      const isTold = check.detail !== null && check.detail !== '' && told.includes(check.detail);
      const line = say.checkLine(isTold ? { ...check, detail: null } : check, by);
      return `<li>${badge(check.verdict ?? 'plan')} ${escape(line)}${definitions(check)}</li>`;
    }),
    ...(hidden > 0 ? [`<li>and ${hidden} more, in the JSON report</li>`] : []),
    '</ul>',
    '</details>',
  ];
}

function definitions(check: ReportCheck): string {
  const entries: (readonly [string, Json])[] = [
    ...check.warnings.map((warning) => ['warning', warning] as const),
    ...check.notes.map((note) => ['note', note] as const),
    ...(check.code === null ? [] : [['code', check.code] as const]),
    ...(check.durationMs === null
      ? []
      : [['took', `${say.took(check.durationMs)}, ${say.plural(check.attempts, 'attempt')}`] as const]),
    ...Object.entries(check.evidence),
  ];
  if (entries.length === 0) return '';
  const told = entries.map(
    ([key, value]) =>
      `<dt>${escape(key)}</dt><dd><code>${escape(typeof value === 'string' ? value : json(value))}</code></dd>`,
  );
  return `<dl>${told.join('')}</dl>`;
}
