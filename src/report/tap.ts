/** Test Anything Protocol, version 14: a test for each row. What is not proven is a TODO, what is left out a SKIP. */
import type { Report, Reporter, ReportRow } from '../model/report.ts';
import { json, plain } from './escape.ts';
import * as say from './phrases.ts';
import { sourcesText } from './vantages.ts';

export const tap: Reporter = {
  about: 'TAP version 14: a test for each row',
  render: (report: Report) =>
    `${['TAP version 14', `1..${report.rows.length}`, ...report.rows.flatMap((row, i) => test(row, i + 1))].join('\n')}\n`,
};

function test(row: ReportRow, number: number): string[] {
  const isOk = row.verdict !== 'fail' && row.verdict !== 'unverified';
  const head = `${isOk ? 'ok' : 'not ok'} ${number} - ${description(say.route(row))}${directive(row)}`;
  if (row.verdict === 'pass' || say.isSkipped(row) || row.verdict === null) return [head];
  const seen = sourcesText(row);
  // A YAML block whose values are JSON: no text can end it or mean anything in it.
  return [
    head,
    '  ---',
    `  verdict: ${json(row.verdict)}`,
    `  message: ${json(row.because ?? '')}`,
    ...(row.remedy === null ? [] : [`  remedy: ${json(row.remedy)}`]),
    ...(seen === '' ? [] : [`  seen: ${json(seen)}`]),
    '  ...',
  ];
}

/** A `#` begins a directive. */
const description = (text: string): string => plain(text).replaceAll(/[\\#]/g, String.raw`\$&`);

function directive(row: ReportRow): string {
  if (row.verdict === 'unverified') return ` # TODO ${description(row.because ?? 'unverified')}`;
  if (row.verdict === null) return row.skip === null ? ' # SKIP planned, nothing was sent' : ` # SKIP ${row.skip}`;
  return say.isSkipped(row) ? ` # SKIP ${description(`${row.skip}: ${row.because}`)}` : '';
}
