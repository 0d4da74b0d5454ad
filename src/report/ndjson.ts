/** One JSON object a line, as it happens: the start, each check and each row when it is known, the end. */
import { headKeys, tailKeys, type LineReporter, type Report, type Reporter } from '../model/report.ts';
import { json as stringify } from './escape.ts';

const lines: LineReporter = {
  start: (head) => line('start', head),
  check: (check) => line('check', check),
  row: (row) => line('row', row),
  end: (tail) => line('end', tail),
};

export const ndjson: Reporter = {
  about: 'one JSON object a line, as it happens: start, check, row, end',
  stream: lines,
  render: (report) =>
    [
      line('start', picked(report, headKeys)),
      ...report.checks.map((check) => line('check', check)),
      ...report.rows.map((row) => line('row', row)),
      line('end', picked(report, tailKeys)),
    ].join(''),
};

const picked = (report: Report, keys: readonly (keyof Report)[]): object =>
  Object.fromEntries(keys.map((key) => [key, report[key]]));

function line(type: 'start' | 'check' | 'row' | 'end', value: object): string {
  // Its type in front of the text: a copy of each object for it would cost as much as writing it.
  return `{"type":"${type}",${stringify(value).slice(1)}\n`;
}
