/** One JSON object a line, as it happens: the start, each check and each row when it is known, the end. */
import {
  headKeys,
  tailKeys,
  type Report,
  type ReportCheck,
  type ReportHead,
  type Reporter,
  type ReportRow,
  type ReportTail,
} from '../model/report.ts';
import { json as stringify } from './escape.ts';

/** Each line ends in its line feed. */
export const startLine = (head: ReportHead): string => line('start', head);
export const checkLine = (check: ReportCheck): string => line('check', check);
export const rowLine = (row: ReportRow): string => line('row', row);
export const endLine = (tail: ReportTail): string => line('end', tail);

export const ndjson: Reporter = {
  about: 'one JSON object a line, as it happens: start, check, row, end',
  render: (report) =>
    [
      line('start', picked(report, headKeys)),
      ...report.checks.map(checkLine),
      ...report.rows.map(rowLine),
      line('end', picked(report, tailKeys)),
    ].join(''),
};

const picked = (report: Report, keys: readonly (keyof Report)[]): object =>
  Object.fromEntries(keys.map((key) => [key, report[key]]));

function line(type: 'start' | 'check' | 'row' | 'end', value: object): string {
  // Its type in front of the text: a copy of each object for it would cost as much as writing it.
  return `{"type":"${type}",${stringify(value).slice(1)}\n`;
}
