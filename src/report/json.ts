/** The contract with scripts: `xenreach.report/1`, keys always in the same order, nothing in it but what is promised. */
import type { Report, ReportHead, Reporter, ReportRow, ReportTail } from '../model/report.ts';
import { json as stringify } from './escape.ts';

export function orderHead({ schema, tool, spec, site, vantage, mode, startedAt }: ReportHead): ReportHead {
  return {
    schema,
    tool: { name: tool.name, version: tool.version },
    spec: { id: spec.id, revision: spec.revision, sha256: spec.sha256, rows: spec.rows },
    site: { name: site.name, origin: site.origin },
    vantage: { roles: vantage.roles, hostname: vantage.hostname, addresses: vantage.addresses },
    mode,
    startedAt,
  };
}

export function orderRow(row: ReportRow): ReportRow {
  return {
    id: row.id,
    section: row.section,
    from: row.from,
    to: row.to,
    transports: row.transports,
    ports: row.ports,
    purpose: row.purpose,
    verdict: row.verdict,
    because: row.because,
    remedy: row.remedy,
    skip: row.skip,
    notes: row.notes,
    checks: row.checks,
  };
}

export function orderTail({ durationMs, complete, exitCode, summary, stats }: ReportTail): ReportTail {
  const { verdict, pass, warn, fail, unverified, skipped, checks } = summary;
  const { maxInFlight, connects, datagrams, peakRssMiB } = stats;
  return {
    durationMs,
    complete,
    exitCode,
    summary: { verdict, pass, warn, fail, unverified, skipped, checks },
    stats: { maxInFlight, connects, datagrams, peakRssMiB },
  };
}

function orderReport(report: Report): Report {
  const { stats, ...outcome } = orderTail(report);
  return {
    ...orderHead(report),
    ...outcome,
    sections: report.sections,
    causes: report.causes,
    rows: report.rows.map(orderRow),
    checks: report.checks,
    stats,
    ...(report.inputs && { inputs: report.inputs }),
  };
}

export const json: Reporter = {
  about: 'the whole report as one JSON object, schema xenreach.report/1',
  render: (report) => `${stringify(orderReport(report), 2)}\n`,
};
