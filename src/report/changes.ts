/** What changed between two reports, for a person, a ticket or a program. Rows first; checks only for programs. */
import type { Change, Changes, Report } from '../model/report.ts';
import { cell, json, plain } from './escape.ts';
import * as say from './phrases.ts';

export const changesFormats = ['text', 'json', 'markdown'] as const;
export type ChangesFormat = (typeof changesFormats)[number];

interface Compared {
  readonly was: Report;
  readonly now: Report;
}

export function renderChanges(changes: Changes, { was, now }: Compared, format: ChangesFormat): string {
  if (format === 'json') return `${json({ ...changes, until: now.startedAt }, 2)}\n`;
  const rows = changes.rows.map((change) => ({ change, because: becauseOf(change, now) }));
  const title = `${was.site.name}, ${was.startedAt} -> ${now.site.name}, ${now.startedAt}`;
  if (format === 'markdown') {
    const lines = rows.map(({ change, because }) =>
      [change.kind, change.id, change.was ?? '', change.now ?? '', because]
        .map((each) => cell(each) || ' ')
        .join(' | '),
    );
    const table = [
      '| Change | Row | Was | Now | Because |',
      '|---|---|---|---|---|',
      ...lines.map((line) => `| ${line} |`),
    ];
    return [`## xenreach: ${cell(title)}`, '', ...(rows.length === 0 ? ['No row changed.'] : table), ''].join('\n');
  }
  const lines = rows.map(({ change, because }) => {
    const text = because === '' ? '' : `: ${because}`;
    return `${say.changeWords[change.kind].padEnd(13)} ${plain(change.id)} (${change.was ?? 'not there'} -> ${change.now ?? 'not there'})${plain(text)}`;
  });
  return [plain(title), ...(lines.length === 0 ? ['No row changed.'] : lines), ''].join('\n');
}

const becauseOf = ({ id, now }: Change, report: Report): string =>
  now === null ? '' : (report.rows.find((row) => row.id === id)?.because ?? '');
