/** Reports for the tests: one that the judge makes of saved observations, its plan, and any report at all. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { judge } from '../../src/check/report.ts';
import { mergeReports } from '../../src/merge/merge.ts';
import { hints, outcomes, stages, type Json, type Observation } from '../../src/model/outcome.ts';
import type { Plan } from '../../src/model/plan.ts';
import {
  causeKinds,
  type Cause,
  type MergedRun,
  type RenderOptions,
  type Report,
  type ReportCheck,
  type ReportRow,
  type RowSource,
} from '../../src/model/report.ts';
import type { Vantage } from '../../src/model/site.ts';
import type { LoadedSpec } from '../../src/model/spec.ts';
import { modes, rowVerdicts, type CheckVerdict } from '../../src/model/verdict.ts';

export const asked: RenderOptions = { color: false, width: 80, verbose: false, quiet: false };

/** A site with something of everything: a plan and what was observed, hostile texts among it. */
interface Observed extends Plan {
  readonly tool: Report['tool'];
  readonly spec: LoadedSpec;
  readonly site: Report['site'];
  readonly vantage: Vantage & { readonly roles: readonly string[] };
  readonly stats: Report['stats'];
  readonly observations: readonly Observation[];
}

export const mixed = reportOf(JSON.parse(readFileSync('fixtures/reports/observed.json', 'utf8')) as Observed);

function reportOf({ tool, spec, site, vantage, stats, rows, checks, observations }: Observed): Report {
  const report = judge({ spec, site, vantage, as: vantage.roles, plan: { rows, checks }, observations, stats });
  return { ...report, tool, spec: { ...report.spec, rows: rows.length } };
}

/** Three vantages: a host, one like it whose firewall is shut and whose sentences are hostile, and one that is too old. */
export const mergedSample = mergeReports(
  [
    { file: 'a.json', sha256: 'a'.repeat(64), report: mixed },
    { file: 'b.json', sha256: 'b'.repeat(64), report: from('xs-lon-02', '10.20.30.12', mixed.startedAt) },
    { file: 'c.json', sha256: 'c'.repeat(64), report: from('<i>|old', '10.20.30.13', '2026-08-01T00:00:00.000Z') },
  ],
  { now: Date.parse(mixed.startedAt), maxAgeMs: 86_400_000 },
);

function from(hostname: string, address: string, startedAt: string): Report {
  const fails = new Set(mixed.rows.filter(({ verdict }) => verdict === 'pass').map(({ id }) => id));
  const bad = {
    verdict: 'fail',
    because: 'firewall: all is dropped',
    remedy: 'Ask the firewall team for this machine.',
  } as const;
  const silent = { outcome: 'timeout', stage: 'connect', verdict: 'fail', detail: 'nothing came back' } as const;
  return {
    ...mixed,
    startedAt,
    vantage: { ...mixed.vantage, hostname, addresses: ['127.0.0.1', address] },
    rows: mixed.rows.map((row) => (fails.has(row.id) ? Object.assign({}, row, bad) : row)),
    checks: mixed.checks.map((check) =>
      check.rows.some((id) => fails.has(id)) && check.transport === 'tcp' ? Object.assign({}, check, silent) : check,
    ),
  };
}

const unknownRow = { verdict: null, because: null, remedy: null };
const unknownCheck = {
  outcome: null,
  stage: null,
  hint: null,
  code: null,
  detail: null,
  verdict: null,
  attempts: 0,
  startedAt: null,
  durationMs: null,
  evidence: {},
  warnings: [],
  notes: [],
};

export const planned: Report = {
  ...mixed,
  durationMs: null,
  complete: true,
  exitCode: null,
  summary: { ...mixed.summary, verdict: null, pass: 0, warn: 0, fail: 0, unverified: 0 },
  rows: mixed.rows.map((row) => (row.skip === null ? Object.assign({}, row, unknownRow) : row)),
  checks: mixed.checks.map((check) => Object.assign({}, check, unknownCheck)),
};

const verdicts = ['pass', 'warn', 'fail', 'unverified'] as const satisfies readonly CheckVerdict[];

const hostile = fc.constantFrom(
  '\u001b[2J\u001b]0;owned\u0007',
  '\u009b31m',
  ']]><script>alert(1)</script><!--',
  '"|\\|`*_{}\n# TYPE a gauge\n',
  '\u202e\u2028\ufeff\u{e0041}',
  '\ud800 \udfff \uffff',
  '東京 e\u0301 👩‍👩‍👧',
  '',
  'constructor',
  '__proto__',
);
const text = fc.oneof(fc.string(), fc.string({ unit: 'binary', maxLength: 40 }), hostile);
const texts = fc.array(text, { maxLength: 3 });
const count = fc.nat({ max: 100_000 });
const ms = fc.oneof(fc.constant(null), fc.double({ min: 0, max: 1e9, noNaN: true }));
const orNull = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary, { nil: null });
const evidence = fc.dictionary(
  fc.oneof(text, fc.constantFrom('certificate.notAfter', 'certificate', 'offsetMs')),
  fc.oneof(
    text,
    fc.double(),
    fc.jsonValue().map((value) => value as Json),
    fc.record({ notAfter: text }),
  ),
  { maxKeys: 4 },
);

const anyVantage = fc.oneof(text, fc.constantFrom('xs1', 'xs2'));

const anySource: fc.Arbitrary<RowSource> = fc.record({
  vantage: anyVantage,
  verdict: fc.constantFrom(...rowVerdicts),
  because: orNull(text),
  remedy: orNull(text),
  skip: fc.constant(null),
  notes: texts,
});

const anyRun: fc.Arbitrary<MergedRun> = fc.record({
  vantage: anyVantage,
  roles: texts,
  startedAt: fc.constantFrom('2026-08-30T02:11:09.214Z', '2026-08-29T02:11:09.214Z'),
  ageMs: count,
  complete: fc.boolean(),
  sha256: text,
  stale: fc.boolean(),
  hostname: text,
  addresses: texts,
  durationMs: orNull(count),
  version: text,
  stats: fc.record({ maxInFlight: count, connects: count, datagrams: count, peakRssMiB: count }),
});

const always = <T extends object>(
  record: { [K in keyof T]: fc.Arbitrary<T[K]> },
  ...sometimes: (keyof T)[]
): fc.Arbitrary<T> =>
  fc.record(record, {
    requiredKeys: (Object.keys(record) as (keyof T)[]).filter((key) => !sometimes.includes(key)),
  }) as fc.Arbitrary<T>;

const anyRow: fc.Arbitrary<ReportRow> = always(
  {
    id: text,
    section: text,
    from: text,
    to: text,
    transports: fc.subarray(['tcp', 'udp'] as const),
    ports: text,
    purpose: text,
    verdict: orNull(fc.constantFrom(...rowVerdicts)),
    because: orNull(text),
    remedy: orNull(text),
    skip: orNull(fc.constantFrom('other-vantage', 'role-is-empty', 'not-applicable', 'not-selected')),
    notes: texts,
    checks: fc.array(fc.oneof(text, fc.constantFrom('a', 'b', 'c', 'xs1>a', 'xs2>b')), { maxLength: 4 }),
    sources: fc.array(anySource, { maxLength: 3 }),
    coverage: fc.record({ have: count, of: count, missing: texts }),
  },
  'sources',
  'coverage',
);

const anyCheck: fc.Arbitrary<ReportCheck> = fc.record({
  id: fc.oneof(text, fc.constantFrom('a', 'b', 'c', 'xs1>a', 'xs2>b')),
  rows: texts,
  probe: fc.oneof(text, fc.constant('ntp')),
  transport: fc.constantFrom('tcp', 'udp'),
  host: text,
  address: orNull(text),
  port: fc.nat({ max: 65_535 }),
  isName: fc.boolean(),
  outcome: orNull(fc.constantFrom(...outcomes)),
  stage: orNull(fc.constantFrom(...stages)),
  hint: orNull(fc.constantFrom(...hints)),
  code: orNull(text),
  detail: orNull(text),
  remedy: orNull(text),
  verdict: orNull(fc.constantFrom(...verdicts)),
  advisory: fc.boolean(),
  attempts: fc.nat({ max: 9 }),
  startedAt: orNull(text),
  durationMs: ms,
  evidence,
  warnings: texts,
  notes: texts,
});

const anyCause: fc.Arbitrary<Cause> = fc.record({
  kind: fc.constantFrom(...causeKinds),
  text,
  rows: fc.array(fc.oneof(text, fc.constantFrom('ntp', 'dns')), { maxLength: 4 }),
  checks: fc.array(fc.oneof(text, fc.constantFrom('a', 'b', 'c')), { maxLength: 4 }),
  remedy: orNull(text),
});

export const anyReport: fc.Arbitrary<Report> = always(
  {
    schema: fc.constant('xenreach.report/1' as const),
    tool: fc.record({ name: fc.constant('xenreach' as const), version: text }),
    spec: fc.record({ id: text, revision: text, sha256: text, rows: count }),
    site: fc.record({ name: text, origin: fc.constantFrom('file', 'discovered', 'embedded') }),
    vantage: fc.record({ roles: texts, hostname: text, addresses: texts }),
    mode: fc.constantFrom(...modes),
    startedAt: fc.oneof(text, fc.constant('2026-08-30T02:11:09.214Z')),
    durationMs: ms,
    complete: fc.boolean(),
    exitCode: orNull(fc.constantFrom(0, 1, 2, 3)),
    summary: fc.record({
      verdict: orNull(fc.constantFrom(...verdicts)),
      pass: count,
      warn: count,
      fail: count,
      unverified: count,
      skipped: count,
      checks: count,
    }),
    causes: fc.array(anyCause, { maxLength: 3 }),
    sections: fc.dictionary(text, text, { maxKeys: 3 }),
    rows: fc.array(anyRow, { maxLength: 6 }),
    checks: fc.array(anyCheck, { maxLength: 6 }),
    stats: fc.record({ maxInFlight: count, connects: count, datagrams: count, peakRssMiB: count }),
    merged: fc.array(anyRun, { maxLength: 3 }),
  },
  'merged',
);

export const anyOptions: fc.Arbitrary<RenderOptions> = fc.record({
  color: fc.constant(false),
  width: fc.integer({ min: 0, max: 300 }),
  verbose: fc.boolean(),
  quiet: fc.boolean(),
});

/** One row with so many checks, for measuring. */
export function largeReport(checks: number): Report {
  const pattern = mixed.checks[4];
  const row = mixed.rows.find(({ id }) => id === 'ntp');
  if (!pattern || !row) throw new Error('the hand-made report has no ntp');
  const many = Array.from({ length: checks }, (_, at) => ({ ...pattern, id: `check ${at}`, rows: [`row ${at >> 6}`] }));
  const groups = Map.groupBy(many, (check) => check.rows[0] ?? '');
  const rows = Array.from(groups, ([id, members]) => ({ ...row, id, checks: members.map((check) => check.id) }));
  return { ...mixed, rows, checks: many, summary: { ...mixed.summary, fail: rows.length, checks } };
}
