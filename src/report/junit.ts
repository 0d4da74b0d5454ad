/**
 * For continuous integration: a suite for each section, a case for each row. A failing row is a `failure` whose type is
 * the outcome that made it fail; unverified and skipped rows are `skipped` and say why, since nothing is known to be broken.
 */
import type { Report, ReportCheck, Reporter, ReportRow } from '../model/report.ts';
import { markup } from './escape.ts';
import * as say from './phrases.ts';
import { checkedBy, type CheckedBy } from './vantages.ts';

export const junit: Reporter = {
  about: 'JUnit XML: a suite for each section, a case for each row',
  render(report) {
    const checksOf = say.indexChecks(report);
    const totals = numbers(report.rows, report.durationMs ?? 0);
    return [
      '<?xml version="1.0" encoding="UTF-8"?>',
      `<testsuites${attributes({ name: `xenreach ${report.site.name}` })}${totals}>`,
      ...[...Map.groupBy(report.rows, (row) => row.section)].flatMap(([section, rows]) =>
        suite(report, section, rows, checksOf),
      ),
      '</testsuites>',
      '',
    ].join('\n');
  },
};

function suite(report: Report, section: string, rows: readonly ReportRow[], checksOf: say.ChecksOf): string[] {
  const durationMs = rows.reduce((most, row) => Math.max(most, longest(checksOf(row))), 0);
  const name = attributes({
    name: section,
    timestamp: report.startedAt,
    hostname: report.merged ? 'several' : report.vantage.hostname,
  });
  const properties = {
    spec: `${report.spec.id} ${report.spec.revision}`,
    specSha256: report.spec.sha256,
    mode: report.mode,
    vantage: report.vantage.roles.join(' '),
    ...(report.merged && { vantages: report.merged.map((run) => run.vantage).join(' ') }),
    complete: String(report.complete),
    version: report.tool.version,
  };
  return [
    `  <testsuite${name}${numbers(rows, durationMs)}>`,
    '    <properties>',
    ...Object.entries(properties).map(([key, value]) => `      <property${attributes({ name: key, value })}/>`),
    '    </properties>',
    ...rows.flatMap((row) => testcase(report, row, checksOf(row))),
    '  </testsuite>',
  ];
}

function testcase(report: Report, row: ReportRow, checks: readonly ReportCheck[]): string[] {
  const head = attributes({
    classname: `${row.catalogue ?? report.spec.id}.${row.section}`,
    name: row.id,
    time: (longest(checks) / 1000).toFixed(3),
  });
  const message = row.because ?? say.rowWord(row);
  const told = [
    `${row.from} -> ${row.to} ${say.service(row)}`,
    ...(row.remedy === null ? [] : [`Do: ${row.remedy}`]),
    ...row.notes.map((note) => `Note: ${note}`),
    ...(row.sources ?? []).map(({ vantage, verdict, because }) => `${vantage}: ${verdict}, ${because ?? ''}`),
    ...(report.merged ? mergedLines(checks, checkedBy(report)) : checks.map(checkText)),
  ];
  const body = told.map(markup).join('\n');
  return [
    `    <testcase${head}>`,
    ...(row.verdict === 'fail'
      ? [`      <failure${attributes({ message, type: cause(row, checks) })}>${body}</failure>`]
      : row.verdict === 'pass' || row.verdict === 'warn'
        ? []
        : [`      <skipped${attributes({ message: `${kind(row)}: ${message}` })}/>`]),
    ...(row.verdict === 'fail' ? [] : [`      <system-out>${body}</system-out>`]),
    '    </testcase>',
  ];
}

const checkText = (check: ReportCheck): string => `${check.verdict ?? 'open'} ${say.checkLine(check)}`;

/** Each endpoint once for all who met the same there. */
function mergedLines(checks: readonly ReportCheck[], by: CheckedBy): string[] {
  const groups = Map.groupBy(checks, ({ verdict }) => verdict ?? 'open');
  return [...groups].flatMap(([verdict, members]) => say.hostLines(members, by).map((each) => `${verdict} ${each}`));
}

/** The outcome of the first check that failed; a row can fail without any, when its hosts were not found. */
function cause(row: ReportRow, checks: readonly ReportCheck[]): string {
  return say.culprits(row, checks)[0]?.outcome ?? 'fail';
}

function kind(row: ReportRow): string {
  return row.skip ?? (row.verdict === 'unverified' ? 'unverified' : 'planned, nothing was sent');
}

const longest = (checks: readonly ReportCheck[]): number =>
  checks.reduce((most, check) => Math.max(most, check.durationMs ?? 0), 0);

function numbers(rows: readonly ReportRow[], durationMs: number): string {
  const failures = rows.filter((row) => row.verdict === 'fail').length;
  const done = rows.filter((row) => row.verdict === 'pass' || row.verdict === 'warn').length;
  return attributes({
    tests: `${rows.length}`,
    failures: `${failures}`,
    errors: '0',
    skipped: `${rows.length - failures - done}`,
    time: (durationMs / 1000).toFixed(3),
  });
}

function attributes(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${markup(value)}"`)
    .join('');
}
