/**
 * From a site as it is written to one that can be checked: what is to be tried, with the controllers that DNS knows. What
 * can be known without a packet is checked first: a site without work for us asks nobody anything.
 */
import { findControllers, unfoundControllers } from '../load/controllers.ts';
import type { Plan } from '../model/plan.ts';
import type { RoleHosts, Site, Vantage } from '../model/site.ts';
import type { LoadedSpec } from '../model/spec.ts';
import { NameResolver } from '../net/resolver.ts';
import { makePlan, type PlanInput, type Selection } from '../plan/plan.ts';
import type { RunSettings } from '../run/run.ts';
import type { Prepared } from './check.ts';
import { introductionsOf } from './introductions.ts';
import { requireChecks, requireLinks } from './select.ts';
import { plannedProxy } from './settings.ts';

export interface PrepareInput {
  readonly spec: LoadedSpec;
  readonly site: Site;
  readonly vantage: Vantage;
  readonly selection: Selection;
}

/** Sends DNS queries, and pings the controllers that they name, when a row that is to be checked needs them. */
export async function prepare(input: PrepareInput, settings: RunSettings, signal?: AbortSignal): Promise<Prepared> {
  const { spec, vantage, selection } = input;
  const asked: Site = { ...input.site, proxy: plannedProxy(settings.proxy, input.site) };
  const tellsGranted = asked.origin === 'discovered';
  const planInput: PlanInput = { spec, site: asked, vantage, selection, probes: settings.probes, tellsGranted };
  const outline = outlineOf(planInput);
  const subject = { spec, vantage, as: selection.as };
  if (!wantsControllers(outline, asked, spec)) return { ...subject, site: asked, plan: outline };
  const site = await withControllers(asked, settings, wantsCatalogs(outline), signal);
  return { ...subject, site, plan: makePlan({ ...planInput, site }) };
}

/** The same with nothing sent: controllers are told as what DNS will name. */
export function prepareOffline(input: PrepareInput, settings: RunSettings): Prepared {
  const { spec, vantage, selection } = input;
  const site = unfoundControllers({ ...input.site, proxy: plannedProxy(settings.proxy, input.site) });
  const plan = outlineOf({ spec, site, vantage, selection, probes: settings.probes, tellsGranted: true });
  return { spec, site, vantage, as: selection.as, plan };
}

/** A plan in which a domain stands for its controllers. Throws a UsageError where there is nothing to check. */
function outlineOf(input: PlanInput): Plan {
  const plan = makePlan({ ...input, site: unfoundControllers(input.site) });
  requireChecks(plan);
  requireLinks(plan, input.vantage);
  return plan;
}

/** Does a row that is to be checked go to a role whose hosts DNS knows? Nobody is asked for the others' sake. */
function wantsControllers({ rows }: Plan, site: Site, spec: LoadedSpec): boolean {
  const isSearched = ({ domain, hosts }: RoleHosts): boolean => domain !== undefined && hosts.length === 0;
  const searched = Object.keys(site.roles).filter((name) => isSearched(site.roles[name]!));
  return rows.some(({ skip, requirement: { to } }) => {
    if (skip !== null) return false;
    return searched.includes(to) || (searched.length > 0 && spec.roles[to]?.discovery === 'site-names');
  });
}

const wantsCatalogs = ({ rows }: Plan): boolean =>
  rows.some(
    ({ skip, requirement: { needs } }) => !skip && needs.some(({ options }) => options['globalCatalog'] === true),
  );

/** Whatever ends the run ends this too: a resolver that waits would keep the process. */
async function withControllers(
  site: Site,
  settings: RunSettings,
  asksForCatalogs: boolean,
  signal: AbortSignal | undefined,
): Promise<Site> {
  const timeoutMs = Math.floor(settings.timeoutMs / 2);
  const resolver = new NameResolver({ family: settings.family, timeoutMs, tries: 2 });
  const cancel = (): void => resolver.cancel();
  if (signal?.aborted === true) cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    return await findControllers(site, {
      services: (name) => resolver.services(name),
      passedOverFor: (name) => resolver.passedOverFor(name),
      ...(asksForCatalogs && { introductions: (names, domain) => introductionsOf(names, domain, settings, signal) }),
    });
  } finally {
    signal?.removeEventListener('abort', cancel);
    resolver.cancel();
  }
}
