/**
 * A saved report as what it was made of: the plan, found again in the spec, and its observations. Judged again they give a
 * report by today's rules; in another mode, what the other question would have been answered with.
 */
import { UsageError } from '../model/errors.ts';
import type { Observation } from '../model/outcome.ts';
import type { Check, Plan, PlannedRow, Use } from '../model/plan.ts';
import type { Probe } from '../model/probe.ts';
import type { Report, ReportCheck, ReportRow } from '../model/report.ts';
import type { LoadedSpec, Need, Requirement } from '../model/spec.ts';
import { isAddress } from '../model/address.ts';
import type { Mode } from '../model/verdict.ts';
import type { FailOn } from '../judge/report.ts';
import { useOf } from '../plan/checks.ts';
import { expandPorts } from '../plan/ports.ts';
import { judge } from './report.ts';

interface Again {
  readonly spec: LoadedSpec;
  readonly probes: Readonly<Record<string, Probe>>;
  /** @default the report's */
  readonly mode?: Mode | undefined;
  readonly failOn?: FailOn | undefined;
}

/** Throws a UsageError where the report and the spec do not belong together, or nothing was observed. */
export function judgeAgain(report: Report, { spec, probes, mode = report.mode, failOn = 'fail' }: Again): Report {
  if (report.merged)
    throw new UsageError('it is a merged report: judge those that it was made of, and merge what comes of them');
  const plan = planOf(report, spec, probes);
  const observations = report.checks.flatMap(observationOf);
  if (observations.length === 0) throw new UsageError('nothing was observed: it is the report of a plan');
  const { site, vantage, stats } = report;
  const { roles: as, hostname, addresses, roots } = vantage;
  const subject = { spec, site, vantage: { hostname, addresses }, as, ...(roots && { roots }) };
  const judged = judge({ ...subject, plan, observations, stats, mode, failOn });
  return report.complete || judged.exitCode === 1 ? judged : { ...judged, complete: false, exitCode: 3 };
}

function planOf(report: Report, spec: LoadedSpec, probes: Again['probes']): Plan {
  const requirements = new Map(spec.rows.map((row) => [row.id, row]));
  const strange = report.rows.find(({ id }) => !requirements.has(id));
  if (strange) {
    throw new UsageError(
      `the report has a row "${strange.id}" that ${spec.id} has not; name the spec it was made with: --spec NAME|FILE`,
    );
  }
  const checks = new Map<string, Check>();
  const baseIds = new Map(report.checks.map((check) => [check.id, baseId(check)]));
  for (const check of report.checks) {
    const id = baseId(check);
    if (!checks.has(id)) checks.set(id, checkOf(id, check, requirements, probes));
  }
  const rows = report.rows.map((row) => plannedRow(row, requirements.get(row.id)!, baseIds));
  return { rows, checks: [...checks.values()] };
}

/** Without the address that a name had. */
export const baseId = ({ id, host, address }: ReportCheck): string =>
  address !== null && !isAddress(host) && id.endsWith(`@${address}`) ? id.slice(0, -address.length - 1) : id;

function checkOf(
  id: string,
  reported: ReportCheck,
  requirements: ReadonlyMap<string, Requirement>,
  probes: Again['probes'],
): Check {
  const { probe: name, transport, host, port, isName, rows } = reported;
  const probe = probes[name];
  if (!probe) throw new UsageError(`the report has a probe "${name}" that this xenreach has not`);
  return {
    id,
    probe: name,
    transport,
    host,
    address: isAddress(host) ? reported.address : null,
    port,
    options: {},
    viaProxy: reported.viaProxy ?? false,
    isName,
    isAnswerDue: transport === 'udp' && !probe.onSilence,
    mayBeSelf: false,
    uses: rows.flatMap((row) => useFor(requirements.get(row), reported, probe)),
  };
}

/** The need of the row that the check was made for; the site may have given it another port. */
function useFor(row: Requirement | undefined, check: ReportCheck, probe: Probe): Use[] {
  if (!row) return [];
  const transportOf = (need: Need): string =>
    need.transport ?? (probe.transport === 'either' ? 'tcp' : probe.transport);
  const alike = row.needs.filter((need) => need.probe === check.probe && transportOf(need) === check.transport);
  const need =
    alike.find(({ ports = [probe.port] }) => expandPorts(ports, probe.port).includes(check.port)) ??
    alike.find(({ level }) => (level === 'advisory') === check.advisory) ??
    alike[0];
  if (!need) throw new UsageError(`row ${row.id} has no need for ${check.probe}; it changed since the report was made`);
  return [useOf(row, need, probe)];
}

/** Its checks in its own order, as the report names them: one for each address of a name. */
function plannedRow(row: ReportRow, requirement: Requirement, baseIds: ReadonlyMap<string, string>): PlannedRow {
  const { skip, because, remedy, transports, ports } = row;
  return {
    requirement,
    transports,
    ports,
    skip: skip === null ? null : { reason: skip, because: because ?? '', remedy },
    checks: [...new Set(row.checks.flatMap((id) => baseIds.get(id) ?? []))],
    require: row.require ?? 'all',
    catalogue: row.catalogue,
    notes: row.notes.filter((note) => !isOfCheck(note)),
  };
}

/** Such a note comes again from what was observed. */
const isOfCheck = (note: string): boolean =>
  /^\S.*:\d+\/(?:tcp|udp): /.test(note) || /^(?:TCP|UDP) \d+(?:,| is) (?:which is )?advisory/.test(note);

/** Nothing of a check that never began. */
export function observationOf(check: ReportCheck): Observation[] {
  const { outcome, address, stage, hint, code, detail, remedy, warnings, notes, attempts, durationMs, evidence } =
    check;
  if (outcome === null) return [];
  return [
    {
      check: baseId(check),
      address,
      outcome,
      stage,
      hint,
      code,
      detail: detail ?? '',
      remedy,
      warnings,
      notes,
      attempts,
      startedAt: check.startedAt ?? new Date(0).toISOString(),
      durationMs: durationMs ?? 0,
      evidence,
    },
  ];
}
