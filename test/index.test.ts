/** The surface for programs: a plan and observations of any age make a whole report. */
import { expect, test } from 'vitest';
import * as xenreach from '../src/index.ts';
import type { Observation } from '../src/index.ts';

const { judge, loadSpec, makePlan, parseSite, probes, reporters } = xenreach;

const vantage = { hostname: 'here', addresses: ['192.0.2.9'] };
const as = ['xenserver-host'];

test('what is exported is a promise: a name more is a decision, a name less breaks somebody', () => {
  expect(Object.keys(xenreach).toSorted()).toEqual([
    'UsageError',
    'check',
    'checkEvents',
    'defaultSettings',
    'defineProbe',
    'judge',
    'loadSite',
    'loadSpec',
    'makePlan',
    'mergeReports',
    'parseReport',
    'parseSite',
    'probes',
    'readReport',
    'render',
    'reporters',
    'runPlan',
    'thisMachine',
  ]);
});

test('observations become a report that every reporter takes', async () => {
  const spec = await loadSpec();
  const site = await parseSite('roles: { ntp-server: 192.0.2.5 }', 'site.yaml', spec);
  const selection = { as, rows: ['ntp'], sections: [], roles: [] };
  const plan = makePlan({ spec, site, vantage, selection, probes });
  const observations = plan.checks.map(({ id, probe }) =>
    probe === 'ntp'
      ? seen(id, 'answered', '2026-11-23T10:00:00.000Z')
      : seen(id, 'refused', '2026-11-23T10:00:01.000Z'),
  );
  const report = judge({ spec, site, vantage, as, plan, observations });
  expect(report).toMatchObject({
    schema: 'xenreach.report/1',
    site: { name: site.name, origin: 'file' },
    vantage: { roles: as, hostname: 'here' },
    startedAt: '2026-11-23T10:00:00.000Z',
    durationMs: 1002,
    complete: true,
    exitCode: 0,
    summary: { verdict: 'pass', pass: 1, fail: 0, skipped: 47, checks: 2 },
  });
  expect(report.rows.find(({ id }) => id === 'ntp')).toMatchObject({ verdict: 'pass', because: 'ntp answered' });
  const rendering = { color: false, width: 80, verbose: false, quiet: false };
  for (const reporter of Object.values(reporters)) expect(reporter.render(report, rendering)).not.toBe('');
});

test('an aborted check makes the run incomplete', async () => {
  const spec = await loadSpec();
  const site = await parseSite('roles: { ntp-server: 192.0.2.5 }', 'site.yaml', spec);
  const selection = { as, rows: ['ntp'], sections: [], roles: [] };
  const plan = makePlan({ spec, site, vantage, selection, probes });
  const [first] = plan.checks;
  const observations = [seen(first?.id ?? '', 'aborted', '2026-11-23T10:00:00.000Z')];
  expect(judge({ spec, site, vantage, as, plan, observations })).toMatchObject({ complete: false, exitCode: 3 });
});

function seen(check: string, outcome: Observation['outcome'], startedAt: string): Observation {
  return {
    check,
    address: '192.0.2.5',
    outcome,
    stage: null,
    hint: null,
    code: null,
    detail: `${check.split('/')[0]} ${outcome}`,
    remedy: null,
    warnings: [],
    notes: [],
    attempts: 1,
    startedAt,
    durationMs: 2,
    evidence: {},
  };
}
