/** Checks, observations and rows for the tests of what is judged: each with the ordinary values, but for what is said. */
import type { Observation } from '../../src/model/outcome.ts';
import type { Check, PlannedRow, Use } from '../../src/model/plan.ts';
import type { Requirement } from '../../src/model/spec.ts';
import type { CheckResult } from '../../src/judge/judge.ts';

export const usual: Use = {
  row: 'ntp',
  expect: 'open',
  level: 'required',
  oneWay: false,
  service: 'its time service',
  unless: null,
  note: null,
  isVendors: false,
};

export function checkOf(parts: Partial<Check> = {}): Check {
  const { probe = 'tcp', host = '192.0.2.5', port = 123, transport = 'tcp' } = parts;
  const isLiteral = /^[\d.]+$|:/.test(host);
  return {
    id: `${probe}/${host}:${port}/${transport}`,
    probe,
    transport,
    host,
    address: isLiteral ? host : null,
    port,
    options: {},
    viaProxy: false,
    isName: false,
    isAnswerDue: false,
    mayBeSelf: false,
    uses: [usual],
    ...parts,
  };
}

export function seen(parts: Partial<Observation> = {}): Observation {
  return {
    check: 'tcp/192.0.2.5:123/tcp',
    address: '192.0.2.5',
    outcome: 'answered',
    stage: null,
    hint: null,
    code: null,
    detail: 'what was seen',
    remedy: null,
    warnings: [],
    notes: [],
    attempts: 1,
    startedAt: '2026-08-30T02:11:09.214Z',
    durationMs: 1.5,
    evidence: {},
    ...parts,
  };
}

export const requirementOf = (parts: Partial<Requirement> = {}): Requirement => ({
  id: 'ntp',
  section: 'ports',
  source: { table: 'a table', row: 1, title: 'a page' },
  confidence: 'high',
  basis: 'page',
  catalogue: 'a-spec',
  from: 'xenserver-host',
  sourceRoles: ['xenserver-host'],
  to: 'ntp-server',
  purpose: 'The hosts keep their clocks right.',
  where: {},
  when: {},
  needs: [{ probe: 'tcp', ports: [123], level: 'required', expect: 'open', oneWay: false, when: {}, options: {} }],
  ...parts,
});

export function rowOf(checks: readonly Check[], parts: Partial<PlannedRow> = {}): PlannedRow {
  return {
    requirement: requirementOf(),
    transports: ['tcp'],
    ports: '123',
    skip: null,
    checks: checks.map(({ id }) => id),
    require: 'all',
    notes: [],
    ...parts,
  };
}

export const checkedOf = (check: Check, ...observations: readonly Observation[]): CheckResult => ({
  check,
  observations: observations.map((observation) => Object.assign({}, observation, { check: check.id })),
});
