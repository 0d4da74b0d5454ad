/**
 * xenreach for programs: what the command line is made of, without argv, standard output and signals.
 *
 * @example
 * const spec = await loadSpec();
 * const site = await findControllers(await loadSite('site.yaml', spec));
 * const vantage = thisMachine();
 * const as = ['xenserver-host'];
 * const plan = makePlan({ spec, site, vantage, probes, selection: { as, rows: [], sections: [], roles: [] } });
 * const { observations, stats } = await runPlan(plan, defaultSettings(site, vantage));
 * const report = judge({ spec, site, vantage, as, plan, observations, stats });
 * process.stdout.write(reporters.junit.render(report, { color: false, width: 80, verbose: false, quiet: false }));
 */
import { headOf } from './cli/conduct.ts';
import { probes } from './cli/registry.ts';
import { settingsFrom } from './cli/settings.ts';
import { causesOf } from './judge/causes.ts';
import { HostSigns } from './judge/host-signs.ts';
import { judgeRow, type Checked } from './judge/judge.ts';
import { exitCodeOf, isComplete, reportCheck, summarize, type FailOn } from './judge/report.ts';
import { findControllers as controllersFor } from './load/controllers.ts';
import { thisMachine } from './load/machine.ts';
import { loadSpec as loadSpecFor } from './load/spec.ts';
import type { Observation } from './model/outcome.ts';
import type { Check, Plan } from './model/plan.ts';
import type { Report, Stats } from './model/report.ts';
import type { Site, Vantage } from './model/site.ts';
import type { LoadedSpec } from './model/spec.ts';
import type { Mode } from './model/verdict.ts';
import { NameResolver } from './net/resolver.ts';
import { introductionsOf } from './run/introductions.ts';
import { run, type RunSettings } from './run/run.ts';

export { probes };
export { loadSite, parseSite } from './load/site.ts';
export { thisMachine };
export { UsageError } from './model/errors.ts';
export { makePlan, type PlanInput, type Selection } from './plan/plan.ts';
export { reporters } from './report/index.ts';
export type { Observation } from './model/outcome.ts';
export type { Check, Plan } from './model/plan.ts';
export type { Probe } from './model/probe.ts';
export type { RenderOptions, Report, Reporter } from './model/report.ts';
export type { Site, Vantage } from './model/site.ts';
export type { LoadedSpec } from './model/spec.ts';
export type { RunSettings };

const nothing: Stats = { maxInFlight: 0, connects: 0, datagrams: 0, peakRssMiB: 0 };

/** A requirement table: a bundled one by its name, or a file by its path. Rejects with a UsageError. */
export function loadSpec(nameOrFile = 'xenserver-8'): Promise<LoadedSpec> {
  return loadSpecFor(nameOrFile, probes);
}

/**
 * The site with the domain controllers that DNS names for every role that gives a domain, and the global catalogs of their
 * forest. Sends DNS queries, and an LDAP ping to each controller.
 */
export async function findControllers(site: Site, timeoutMs = 2500): Promise<Site> {
  const settings = { ...defaultSettings({ ...site, proxy: null, trust: [] }, thisMachine()), timeoutMs: timeoutMs * 2 };
  const resolver = new NameResolver({ family: 'any', timeoutMs, tries: 2 });
  try {
    return await controllersFor(site, {
      services: (name) => resolver.services(name),
      passedOverFor: (name) => resolver.passedOverFor(name),
      introductions: (names, domain) => introductionsOf(names, domain, settings),
    });
  } finally {
    resolver.cancel();
  }
}

/** How a run goes when nobody says otherwise. Reads the proxy's password and the trusted roots that the site names. */
export function defaultSettings(site: Site, vantage: Vantage): RunSettings {
  return settingsFrom({}, site, vantage).run;
}

/** Carries a plan out. Every check ends in an observation for each of its addresses; an abort makes the rest `aborted`. */
export async function runPlan(
  plan: Plan,
  settings: RunSettings,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<{ readonly observations: readonly Observation[]; readonly stats: Stats }> {
  const observations: Observation[] = [];
  const control = run(plan, settings, {
    onObservation: (_check, observation) => void observations.push(observation),
    onSelf: () => undefined,
    // The observation says so too: its outcome is `local`.
    onBug: () => undefined,
  });
  const stop = (): void => control.stop('the run was aborted');
  if (signal?.aborted) stop();
  signal?.addEventListener('abort', stop, { once: true });
  const stats = await control.done;
  signal?.removeEventListener('abort', stop);
  return { observations, stats };
}

export interface Judgeable {
  readonly spec: LoadedSpec;
  readonly site: Site;
  readonly vantage: Vantage;
  /** The source roles spoken for. */
  readonly as: readonly string[];
  readonly plan: Plan;
  readonly observations: readonly Observation[];
  readonly stats?: Stats;
  readonly mode?: Mode;
  readonly failOn?: FailOn;
}

/** What the observations mean, as a report. They may be old: the same ones give the same verdicts. */
export function judge(input: Judgeable): Report {
  const { plan, spec, observations, stats = nothing, mode = 'service', failOn = 'fail' } = input;
  const results = new Map<string, { check: Check; observations: Observation[] }>(
    plan.checks.map((check) => [check.id, { check, observations: [] }]),
  );
  const signs = new HostSigns();
  for (const observation of observations) {
    const result = results.get(observation.check);
    if (!result) continue;
    result.observations.push(observation);
    signs.add(result.check, observation);
  }
  for (const result of results.values())
    result.observations = result.observations.map((one) => signs.settled(result.check, one));
  const checked: Checked[] = [...results.values()];
  const rows = plan.rows.map((row) =>
    judgeRow(
      row,
      row.checks.flatMap((id) => results.get(id) ?? []),
      mode,
      signs,
    ),
  );
  const checks = checked.flatMap((each) => each.observations.map((one) => reportCheck(each.check, one, mode)));
  const complete = isComplete(checked);
  const starts = observations.map(({ startedAt }) => Date.parse(startedAt));
  const ends = observations.map(({ startedAt, durationMs }) => Date.parse(startedAt) + durationMs);
  const began = starts.reduce((a, b) => Math.min(a, b), Infinity);
  return {
    ...headOf(input, mode),
    ...(observations.length > 0 && { startedAt: new Date(began).toISOString() }),
    durationMs: observations.length === 0 ? 0 : Math.round(ends.reduce((a, b) => Math.max(a, b)) - began),
    complete,
    exitCode: exitCodeOf(rows, failOn, complete),
    summary: summarize(rows, checks.length),
    stats,
    sections: spec.sections,
    causes: causesOf(rows, checks),
    rows,
    checks,
  };
}
