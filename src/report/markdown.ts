/** For a ticket: what fails with reason and remedy, then every row in one table. */
import type { Cause, Report, Reporter, ReportRow } from '../model/report.ts';
import { cell } from './escape.ts';
import * as say from './phrases.ts';

const culpritsShown = 8;

export const markdown: Reporter = {
  about: 'a table for a ticket or a wiki',
  render(report, options) {
    const checksOf = say.indexChecks(report);
    const { verdict } = report.summary;
    const title = say.isPlan(report) ? 'plan' : verdict === null ? 'nothing checked' : say.words[verdict];
    const judged = report.rows.filter((row) => !say.isSkipped(row));
    const unwell = judged.filter((row) => row.verdict === 'fail');
    const shown = options.quiet ? unwell : judged;
    const skipped = options.quiet ? [] : say.skipGroups(report);
    const lines = [
      `## xenreach: ${title}`,
      '',
      cell(say.subject(report)),
      '',
      cell(closing(report)),
      '',
      ...say.byCause(report, 'fail', checksOf).shared.flatMap(cause),
      ...say.byCause(report, 'fail', checksOf).single.flatMap((row) => failure(row, checksOf)),
      ...(shown.length === 0 ? [] : ['| Verdict | Row | From → to | Ports | Because |', '|---|---|---|---|---|']),
      ...shown.map((row) =>
        line([
          say.rowWord(row),
          row.id,
          `${row.from} → ${row.to}`,
          say.service(row),
          [row.because ?? '', ...row.notes.map((note) => `Note: ${note}`)].join('. '),
        ]),
      ),
      ...(shown.length === 0 ? [] : ['']),
      ...(skipped.length === 0 ? [] : ['| Skipped | Rows | Because | To do |', '|---|---|---|---|']),
      ...skipped.map(({ reason, rows, because, remedy }) =>
        line([reason, rows.map((row) => row.id).join(', '), because, remedy ?? '']),
      ),
    ];
    return `${lines.join('\n').trimEnd()}\n`;
  },
};

function cause({ text, remedy, rows }: Cause): string[] {
  return [
    `### FAIL, ${say.plural(rows.length, 'row')}: ${cell(text)}`,
    '',
    ...(remedy === null ? [] : [`**Do:** ${cell(remedy)}`, '']),
    `Rows: ${cell(rows.join(', '))}`,
    '',
  ];
}

function failure(row: ReportRow, checksOf: say.ChecksOf): string[] {
  const failed = say.culprits(row, checksOf(row));
  const hidden = failed.length - culpritsShown;
  return [
    `### FAIL ${cell(row.id)}`,
    '',
    cell(`${row.from} → ${row.to}, ${say.service(row)}: ${row.because ?? ''}`),
    '',
    ...(row.remedy === null ? [] : [`**Do:** ${cell(row.remedy)}`, '']),
    ...failed.slice(0, culpritsShown).map((check) => `* ${cell(say.checkLine(check))}`),
    ...(hidden > 0 ? [`* and ${hidden} more`] : []),
    ...(failed.length > 0 ? [''] : []),
  ];
}

function closing(report: Report): string {
  const took = report.durationMs === null ? '' : ` in ${say.took(report.durationMs)}`;
  const checked = `${say.plural(report.summary.checks, 'check')}${took}, ${report.startedAt}.`;
  const sentences = [
    say.isPlan(report) ? 'Nothing was sent.' : `${say.counts(report)}.`,
    checked,
    say.elsewhere(report),
    say.sinceThen(report),
    say.incompleteness(report),
    say.exitMeaning(report),
  ];
  return sentences.filter((sentence) => sentence !== '').join(' ');
}

const line = (cells: readonly string[]): string => `| ${cells.map((each) => cell(each) || ' ').join(' | ')} |`;
