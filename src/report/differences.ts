/** What two tables require differently, for a person, a ticket, a spreadsheet or a program. */
import type { LoadedSpec } from '../model/spec.ts';
import type { Difference, DifferenceKind } from '../plan/differences.ts';
import { csvText } from './csv.ts';
import { cell, json, plain } from './escape.ts';
import { wrap } from './layout.ts';

export const differencesFormats = ['text', 'json', 'markdown', 'csv'] as const;
export type DifferencesFormat = (typeof differencesFormats)[number];

const order: readonly DifferenceKind[] = ['new', 'gone', 'changed'];
const columns = ['change', 'row', 'source', 'destination', 'protocol', 'port', 'before', 'after', 'purpose'] as const;

interface Compared {
  readonly first: Pick<LoadedSpec, 'id' | 'title'>;
  readonly second: Pick<LoadedSpec, 'id' | 'title'>;
}

export function renderDifferences(
  differences: readonly Difference[],
  compared: Compared,
  format: DifferencesFormat,
): string {
  const sorted = order.flatMap((kind) => differences.filter((each) => each.kind === kind));
  if (format === 'json') {
    const { first, second } = compared;
    return `${json({ first: first.id, second: second.id, differences: sorted }, 2)}\n`;
  }
  if (format === 'csv') return csvText([columns, ...sorted.map(cellsOf)]);
  return format === 'markdown' ? markdown(sorted, compared) : text(sorted, compared);
}

const cellsOf = ({ kind, row, from, to, transport, ports, was, now, purpose }: Difference): string[] => [
  kind,
  row,
  from,
  to,
  transport,
  ports,
  was ?? '',
  now ?? '',
  purpose,
];

function markdown(differences: readonly Difference[], { first, second }: Compared): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rows = differences.map((each) => line(cellsOf(each).map((value) => cell(value) || ' ')));
  const table = [line(columns), line(columns.map(() => '---')), ...rows];
  const title = `## xenreach: ${cell(first.id)} -> ${cell(second.id)}`;
  return [title, '', ...(rows.length === 0 ? ['They require the same.'] : table), ''].join('\n');
}

const titles: Readonly<Record<DifferenceKind, string>> = {
  new: 'To be opened: required by the second alone',
  gone: 'No longer required: of the first alone',
  changed: 'Required by both, under other conditions',
};

function text(differences: readonly Difference[], { first, second }: Compared): string {
  const lines = [`${plain(first.title)} (${plain(first.id)})`, `-> ${plain(second.title)} (${plain(second.id)})`];
  if (differences.length === 0) lines.push('', 'They require the same.');
  for (const kind of order) {
    const members = differences.filter((each) => each.kind === kind);
    if (members.length > 0) lines.push('', titles[kind], ...members.flatMap(blockOf));
  }
  return `${lines.join('\n')}\n`;
}

function blockOf({ row, from, to, transport, ports, was, now, purpose }: Difference): string[] {
  const conditions = was !== null && now !== null ? `was ${was}; now ${now}` : (now ?? was ?? '');
  return [
    `  ${plain(row)}: ${plain(from)} -> ${plain(to)}, ${transport} ${plain(ports)}`,
    ...wrap(plain(conditions), 72).map((line) => `      ${line}`),
    ...wrap(plain(purpose), 72).map((line) => `      ${line}`),
  ];
}
