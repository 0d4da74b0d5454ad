/** Reports of vantages of one small site, by what each row is to be; and any set of them at all. */
import fc from 'fast-check';
import { exitCodeOf, summarize } from '../../src/judge/report.ts';
import type { MergeInput } from '../../src/merge/part.ts';
import { mergeReports } from '../../src/merge/merge.ts';
import type { Report, ReportCheck, ReportRow } from '../../src/model/report.ts';
import type { RowVerdict } from '../../src/model/verdict.ts';

export const now = Date.parse('2026-11-25T12:00:00.000Z');
export const dayMs = 86_400_000;

/** Row id, from, to. */
const table = [
  ['ntp', 'xenserver-host', 'ntp-server'],
  ['pool-management', 'xenserver-host', 'xenserver-host'],
  ['xencenter-ssh', 'xencenter', 'xenserver-host'],
  ['wlb-metrics', 'wlb-appliance', 'xenserver-host'],
] as const;
export type RowId = (typeof table)[number][0];

export type Skip = NonNullable<ReportRow['skip']>;

export interface RowParts {
  readonly verdict?: Exclude<RowVerdict, 'skipped'>;
  readonly skip?: Skip;
  readonly because?: string;
  readonly remedy?: string | null;
  readonly notes?: readonly string[];
  /** Hosts that were checked. */
  readonly hosts?: readonly string[];
  readonly outcome?: ReportCheck['outcome'];
}

export interface ReportParts {
  readonly hostname?: string;
  readonly addresses?: readonly string[];
  readonly roles?: readonly string[];
  readonly startedAt?: string;
  /** What is not said is checked where the roles say so, and passes. */
  readonly rows?: Readonly<Partial<Record<RowId, RowParts>>>;
}

const unit = { ntp: '10.0.0.5', other: '10.0.0.1' };

export function reportOf({
  hostname = 'xs1',
  addresses = ['127.0.0.1', '10.0.0.1'],
  roles = ['xenserver-host'],
  startedAt = '2026-11-25T11:00:00.000Z',
  rows: parts = {},
}: ReportParts = {}): Report {
  const made = table.map(([id, from, to]) => {
    const host = to === 'ntp-server' ? unit.ntp : unit.other;
    const usual: RowParts = roles.includes(from) ? {} : { skip: 'other-vantage' };
    return rowOf({ id, from, to }, { hosts: [host], ...(parts[id] ?? usual) }, startedAt);
  });
  const rows = made.map(({ row }) => row);
  const checks = [...new Map(made.flatMap((each) => each.checks).map((check) => [check.id, check])).values()];
  const complete = checks.every(({ outcome }) => outcome !== 'local');
  return {
    schema: 'xenreach.report/1',
    tool: { name: 'xenreach', version: '0.2.0' },
    spec: { id: 'small', revision: '1', sha256: 'a'.repeat(64), rows: table.length },
    site: { name: 'lon', origin: 'file' },
    vantage: { roles, hostname, addresses },
    mode: 'service',
    startedAt,
    durationMs: 1500,
    complete,
    exitCode: exitCodeOf(rows, 'fail', complete),
    summary: summarize(rows, checks.length),
    stats: { maxInFlight: 3, connects: 4, datagrams: 5, peakRssMiB: 60 },
    sections: { ports: 'Ports' },
    causes: [],
    rows,
    checks,
  };
}

function rowOf(
  { id, from, to }: { readonly id: string; readonly from: string; readonly to: string },
  { verdict = 'pass', skip, because, remedy = null, notes = [], hosts = [], outcome }: RowParts,
  startedAt: string,
): { row: ReportRow; checks: ReportCheck[] } {
  const fixed = { id, section: 'ports', from, to, transports: ['tcp'] as const, ports: '22', purpose: 'It is needed.' };
  if (skip !== undefined) {
    const row = {
      ...fixed,
      verdict: 'skipped' as const,
      because: because ?? skip,
      remedy,
      skip,
      notes: [],
      checks: [],
    };
    return { row, checks: [] };
  }
  const checks = hosts.map((host) => checkOf(id, host, verdict, outcome, startedAt));
  return {
    row: {
      ...fixed,
      verdict,
      because: because ?? `it is ${verdict}`,
      remedy: remedy ?? (verdict === 'fail' ? `Mend ${id} on this machine.` : null),
      skip: null,
      notes,
      checks: checks.map((check) => check.id),
    },
    checks,
  };
}

function checkOf(
  row: string,
  host: string,
  verdict: Exclude<RowVerdict, 'skipped'>,
  outcome: ReportCheck['outcome'] = verdict === 'fail' ? 'timeout' : 'answered',
  startedAt: string,
): ReportCheck {
  return {
    id: `tcp/${host}:22/${row}`,
    rows: [row],
    probe: 'tcp',
    transport: 'tcp',
    host,
    address: /^[\d.]+$/.test(host) ? host : null,
    port: 22,
    isName: false,
    outcome,
    stage: outcome === 'timeout' ? 'connect' : null,
    hint: null,
    code: null,
    detail: outcome === 'timeout' ? 'nothing came back' : 'handshake completed',
    remedy: null,
    verdict,
    advisory: false,
    attempts: 1,
    startedAt,
    durationMs: 12,
    evidence: {},
    warnings: [],
    notes: [],
  };
}

let files = 0;
/** Its hash tells reports apart, as that of a file does. */
export const inputOf = (report: Report, sha256 = hashOf(report)): MergeInput => ({
  file: `${report.vantage.hostname || 'merged'}-${files++}.json`,
  sha256,
  report,
});

/** Short and good enough to be another for another report. */
function hashOf(report: Report): string {
  let hash = 0n;
  for (const char of JSON.stringify(report)) hash = (hash * 1_000_003n + BigInt(char.codePointAt(0)!)) % (1n << 255n);
  return hash.toString(16).padStart(64, '0');
}

export const merged = (reports: readonly Report[], maxAgeMs = dayMs): Report =>
  mergeReports(
    reports.map((report) => inputOf(report)),
    { now, maxAgeMs },
  );

const verdicts = ['pass', 'warn', 'fail', 'unverified'] as const;
const anyRow: fc.Arbitrary<RowParts> = fc.oneof(
  fc.record({ skip: fc.constantFrom('other-vantage', 'role-is-empty', 'not-applicable', 'not-selected') }),
  fc.record({
    verdict: fc.constantFrom(...verdicts),
    because: fc.constantFrom('this machine waits', 'nothing came back', '<b>'),
    notes: fc.subarray(['a note', 'another note', 'xs1 is this machine itself and was left out']),
    hosts: fc.subarray(['10.0.0.1', '10.0.0.2', 'xs3', '127.0.0.9'], { minLength: 1 }),
    outcome: fc.constantFrom('answered', 'timeout', 'local', 'refused'),
  }),
);

/** Machines of one name, of no name, of names with signs of ours in them; runs at one time; rows that were not asked for. */
export const anyParts: fc.Arbitrary<ReportParts> = fc.record({
  hostname: fc.constantFrom('xs1', 'xs2', 'localhost', '', 'a>b', 'a', 'xs1 (10.0.0.2)'),
  addresses: fc.constantFrom(['10.0.0.1'], ['127.0.0.1', '10.0.0.2'], ['fd00::3', 'fe80::1'], []),
  roles: fc.subarray(['xenserver-host', 'xencenter', 'wlb-appliance']),
  startedAt: fc.constantFrom(
    '2026-11-25T11:00:00.000Z',
    '2026-11-25T12:00:00.000+01:00',
    '2026-11-25T11:59:00.000Z',
    '2026-11-01T11:00:00.000Z',
  ),
  rows: fc.record({
    ntp: anyRow,
    'pool-management': anyRow,
    'xencenter-ssh': anyRow,
    'wlb-metrics': anyRow,
  }),
});
