/** One JSON object a line, as it happens: the start, each check and each row when it is known, the end. */
import type { ReportCheck, ReportHead, Reporter, ReportRow, ReportTail } from '../model/report.ts';
import { json as stringify } from './escape.ts';
import { orderHead, orderRow, orderTail } from './json.ts';

/** Each line ends in its line feed. */
export const startLine = (head: ReportHead): string => line('start', orderHead(head));
export const checkLine = (check: ReportCheck): string => line('check', check);
export const rowLine = (row: ReportRow): string => line('row', orderRow(row));
export const endLine = (tail: ReportTail): string => line('end', orderTail(tail));

export const ndjson: Reporter = {
  about: 'one JSON object a line, as it happens: start, check, row, end',
  render: (report) =>
    [startLine(report), ...report.checks.map(checkLine), ...report.rows.map(rowLine), endLine(report)].join(''),
};

function line(type: 'start' | 'check' | 'row' | 'end', value: object): string {
  // Its type in front of the text: a copy of each object for it would cost as much as writing it.
  return `{"type":"${type}",${stringify(value).slice(1)}\n`;
}
