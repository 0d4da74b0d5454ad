/**
 * xenreach for programs: one call checks a site; the steps beneath it are there for whoever wants them one by one.
 *
 * @example
 * const site = await loadSite('site.yaml');
 * const report = await check(site, { rows: ['ntp', 'dns'] });
 * console.log(render(report, 'junit'));
 */
import { probes as bundledProbes } from './check/registry.ts';
import { settingsFor } from './check/settings.ts';
import { readSiteFile } from './load/site.ts';
import { defaultSpec } from './load/default-spec.ts';
import { loadSpec as loadSpecFor } from './load/spec.ts';
import type { Observation } from './model/outcome.ts';
import type { Plan } from './model/plan.ts';
import type { Probe } from './model/probe.ts';
import type { RenderOptions, Report, Stats } from './model/report.ts';
import type { Site, Vantage } from './model/site.ts';
import type { LoadedSpec } from './model/spec.ts';
import { reporters, type Format } from './report/index.ts';
import { run, type RunSettings } from './run/run.ts';

export { check, checkEvents, type CheckEvent, type CheckSiteOptions } from './check/api.ts';
export type { CheckEvents } from './check/check.ts';
export { judge, type JudgeInput, type Subject } from './check/report.ts';
export type { Choice } from './check/select.ts';
export type { Wishes } from './check/settings.ts';
export type { FailOn } from './judge/report.ts';
export { thisMachine } from './load/machine.ts';
export { readReport, parseReport } from './load/report.ts';
export { parseSite } from './load/site.ts';
export { UsageError } from './model/errors.ts';
export type { Answer, Evidence, Hint, Json, Observation, Outcome, Stage } from './model/outcome.ts';
export type { Check, Plan, PlannedRow, Skip, SkipReason, Use } from './model/plan.ts';
export {
  defineProbe,
  type Conn,
  type ExchangeOptions,
  type Probe,
  type ProbeIo,
  type Reply,
  type SecureOptions,
  type Target,
  type Transport,
  type Trust,
} from './model/probe.ts';
export type {
  Cause,
  Convention,
  Coverage,
  LineReporter,
  MergedRun,
  Progress,
  RenderOptions,
  Report,
  ReportCheck,
  Reporter,
  ReportHead,
  ReportRow,
  ReportTail,
  RowSource,
  Stats,
  Summary,
} from './model/report.ts';
export { mergeReports, type MergeSettings } from './merge/merge.ts';
export type { MergeInput } from './merge/part.ts';
export type { Host, Link, RoleHosts, Site, SiteProxy, Vantage } from './model/site.ts';
export type { Expect, Level, LoadedSpec, Need, Requirement } from './model/spec.ts';
export type { CheckVerdict, Mode, RowVerdict } from './model/verdict.ts';
export { makePlan, type PlanInput, type Selection } from './plan/plan.ts';
export { reporters };
export type { Format, RunSettings };

/** The bundled probes, by the names that specs use. */
export const probes = bundledProbes;

type Probes = Readonly<Record<string, Probe>>;

/** A requirement table: a bundled one by its name, a file by its path, or several as one. Rejects with a UsageError. */
export function loadSpec(
  nameOrFile: string | readonly string[] = defaultSpec,
  options: { readonly probes?: Probes } = {},
): Promise<LoadedSpec> {
  return loadSpecFor(nameOrFile, options.probes ?? bundledProbes);
}

/** A site file, held against the spec that it names (or the one that is given). Rejects with a UsageError. */
export async function loadSite(
  file: string,
  options: { readonly spec?: LoadedSpec; readonly probes?: Probes } = {},
): Promise<Site> {
  const { probes: known = bundledProbes, spec } = options;
  return readSiteFile(file, async (names) => spec ?? loadSpecFor(names, known));
}

/** A report as text. `render(report, 'json')` is what `--format json` prints. */
export function render(report: Report, format: Format, options: Partial<RenderOptions> = {}): string {
  return reporters[format].render(report, { color: false, width: 80, verbose: false, quiet: false, ...options });
}

/** How a run goes when nobody says otherwise. Reads the proxy's password and the trusted roots that the site names. */
export function defaultSettings(site: Site, vantage: Vantage): RunSettings {
  return settingsFor({}, site, vantage, bundledProbes).run;
}

/** Carries a plan out. Every check ends in an observation for each of its addresses; an abort makes the rest `aborted`. */
export async function runPlan(
  plan: Plan,
  settings: RunSettings,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<{ readonly observations: readonly Observation[]; readonly stats: Stats }> {
  const observations: Observation[] = [];
  const control = run(plan.checks, settings, {
    onObservation: ({ observation }) => void observations.push(observation),
    onSelf: () => undefined,
    // The observation says so too: its outcome is `local`.
    onBug: () => undefined,
  });
  const stop = (): void => control.stop('the run was aborted');
  if (signal?.aborted === true) stop();
  signal?.addEventListener('abort', stop, { once: true });
  const stats = await control.done;
  signal?.removeEventListener('abort', stop);
  return { observations, stats };
}
