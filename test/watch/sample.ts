/** Reports of a small site, as a watch gets them: what is not said is well. */
import type { Report, ReportCheck, ReportRow } from '../../src/model/report.ts';

export interface SampleRow {
  readonly id: string;
  readonly verdict?: ReportRow['verdict'];
  readonly host?: string;
  readonly outcome?: ReportCheck['outcome'];
  readonly durationMs?: number;
}

export function sampleReport(rows: readonly SampleRow[], startedAt: string, site = 'sample'): Report {
  const checks = rows.map(checkOf);
  const count = (verdict: string): number => rows.filter((row) => (row.verdict ?? 'pass') === verdict).length;
  return {
    schema: 'xenreach.report/1',
    tool: { name: 'xenreach', version: '0' },
    spec: { id: 'xenserver-8', revision: '1', sha256: '0', rows: rows.length },
    site: { name: site, origin: 'file' },
    vantage: { roles: ['xenserver-host'], hostname: 'here', addresses: ['192.0.2.1'] },
    mode: 'service',
    startedAt,
    durationMs: 100,
    complete: true,
    exitCode: count('fail') > 0 ? 1 : 0,
    summary: {
      verdict: count('fail') > 0 ? 'fail' : 'pass',
      pass: count('pass'),
      warn: 0,
      fail: count('fail'),
      unverified: count('unverified'),
      skipped: count('skipped'),
      checks: checks.length,
    },
    stats: { maxInFlight: 0, connects: 0, datagrams: 0, peakRssMiB: 0 },
    sections: { ports: 'Ports' },
    causes: [],
    rows: rows.map(({ id, verdict = 'pass' }) => ({
      id,
      section: 'ports',
      from: 'xenserver-host',
      to: `${id}-server`,
      transports: ['tcp'],
      ports: '1',
      purpose: `what ${id} is for`,
      verdict,
      because: verdict === 'pass' ? null : `${id} is ${verdict}`,
      remedy: verdict === 'pass' ? null : `mend ${id}`,
      skip: verdict === 'skipped' ? 'role-is-empty' : null,
      notes: [],
      checks: [`tcp/${id}`],
    })),
    checks,
  };
}

const checkOf = ({ id, verdict = 'pass', host = '192.0.2.5', outcome, durationMs = 2 }: SampleRow): ReportCheck => ({
  id: `tcp/${id}`,
  rows: [id],
  probe: 'tcp',
  transport: 'tcp',
  host,
  address: host,
  port: 1,
  isName: false,
  outcome: outcome ?? (verdict === 'pass' ? 'answered' : verdict === 'unverified' ? 'local' : 'timeout'),
  stage: verdict === 'fail' ? 'connect' : null,
  hint: null,
  code: null,
  detail: 'what was seen',
  remedy: null,
  verdict: verdict === 'skipped' || verdict === null ? null : verdict,
  advisory: false,
  attempts: 1,
  startedAt: '2026-11-01T00:00:00.000Z',
  durationMs,
  evidence: {},
  warnings: [],
  notes: [],
});
