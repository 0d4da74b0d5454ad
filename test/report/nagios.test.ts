/** The plugin's state: what alarms, and what only is told. */
import { expect, test } from 'vitest';
import type { Report, Summary } from '../../src/model/report.ts';
import { nagios, nagiosExitCode } from '../../src/report/nagios.ts';
import { asked, mixed, planned } from './sample.ts';

const none = { pass: 0, warn: 0, fail: 0, unverified: 0, skipped: 0, checks: 9 };

function run(summary: Partial<Summary>, exitCode: number, complete = true): Report {
  return { ...mixed, rows: [], complete, exitCode, summary: { ...none, verdict: 'pass', ...summary } };
}

test.for([
  ['every row passes', run({ pass: 3 }, 0), 0],
  ['an unverified row alone does not alarm', run({ pass: 3, unverified: 1 }, 0), 0],
  ['unless --fail-on says so', run({ pass: 3, unverified: 1 }, 1), 1],
  ['a warning warns, whatever --fail-on', run({ pass: 3, warn: 1 }, 0), 1],
  ['a warning with --fail-on warn is no worse', run({ pass: 3, warn: 1 }, 1), 1],
  ['a failure is critical', run({ pass: 3, fail: 1 }, 1), 2],
  ['also when the run is incomplete', run({ pass: 3, fail: 1 }, 1, false), 2],
  ['an incomplete run knows too little', run({ pass: 3 }, 3, false), 3],
  ['even with warnings', run({ pass: 3, warn: 1 }, 3, false), 3],
  ['nothing was checked', run({ verdict: null }, 2), 3],
  ['a plan', planned, 3],
] as const)('%s', ([, report, code]) => {
  expect(nagiosExitCode(report)).toBe(code);
});

test('unverified rows are mentioned though all is well', () => {
  const rows = mixed.rows.filter(({ verdict }) => verdict === 'pass' || verdict === 'unverified');
  const report = { ...run({ pass: 3, unverified: 2 }, 0), rows };
  expect(nagios.render(report, asked).split('|')[0]).toBe(
    'XENREACH OK - 3 of 5 rows pass; 2 unverified: syslog, ad-kerberos ',
  );
});
