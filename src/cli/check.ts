/** xenreach check: probe every requirement this machine is a source for. */
import { existsSync } from 'node:fs';
import { findControllers } from '../load/controllers.ts';
import { thisMachine } from '../load/machine.ts';
import { whyNotOurs } from '../load/ownership.ts';
import { readFile } from '../load/read-file.ts';
import { isPath, readSite, siteOf } from '../load/site.ts';
import { loadNamedSpec, loadSpec } from '../load/spec.ts';
import { UsageError } from '../model/errors.ts';
import type { Plan } from '../model/plan.ts';
import type { RoleHosts, Site } from '../model/site.ts';
import type { LoadedSpec } from '../model/spec.ts';
import { NameResolver } from '../net/resolver.ts';
import { introductionsOf } from '../run/introductions.ts';
import type { RunSettings } from '../run/run.ts';
import { makePlan } from '../plan/plan.ts';
import { probeOptions, reportOptions, selectOptions, type Command } from './command.ts';
import { conduct } from './conduct.ts';
import type { Loaded } from './inputs.ts';
import { Interruption } from './interruption.ts';
import { openLog } from './log.ts';
import type { Arguments } from './options.ts';
import { discardSinks, openSinks } from './outputs.ts';
import { probes } from './registry.ts';
import { requireChecks, requireLinks, selectionFrom } from './select.ts';
import { namedFiles, plannedProxy, settingsFrom } from './settings.ts';

export const check: Command = {
  about: 'probe every requirement this machine is a source for; report; exit code',
  usage: '',
  options: ['site', 'allow-files', ...selectOptions, ...probeOptions, ...reportOptions, 'help'],

  async run({ values, positionals }) {
    refuseWords(positionals, 'check');
    const { spec, site: written } = await load(values);
    return checkSite(values, spec, written);
  },
};

/** The main job, on a site that is loaded already: `check` and `demo` are this. */
export async function checkSite(values: Arguments, spec: LoadedSpec, written: Site): Promise<number> {
  const vantage = thisMachine();
  const settings = settingsFrom(values, written, vantage);
  const selection = selectionFrom(values, spec, written);
  const log = await openLog(values);
  const asked: Site = { ...written, proxy: plannedProxy(settings.run.proxy, written) };
  const interruption = new Interruption(settings.deadlineMs);
  try {
    const sinks = openSinks(values);
    // What can be known without a packet is checked first: a site without work for us asks nobody anything.
    const outline = makePlan({ spec, site: withPlaceholders(asked), vantage, selection, probes });
    requireChecks(outline);
    requireLinks(outline, vantage);
    const isOpen = wantsControllers(outline, asked, spec);
    const site = isOpen ? await withControllers(asked, settings.run, interruption, wantsCatalogs(outline)) : asked;
    const plan = isOpen ? makePlan({ spec, site, vantage, selection, probes }) : outline;
    return await conduct({ spec, site, vantage, as: selection.as, plan }, settings, sinks, values, log, interruption);
  } catch (error) {
    discardSinks();
    throw error;
  } finally {
    interruption.release();
  }
}

const withPlaceholders = (site: Site): Site => ({
  ...site,
  roles: Object.fromEntries(
    Object.entries(site.roles).map(([name, role]) => [
      name,
      role.domain !== undefined && role.hosts.length === 0
        ? { ...role, hosts: [{ host: role.domain, ports: {} }] }
        : role,
    ]),
  ),
});

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
  interruption: Interruption,
  asksForCatalogs: boolean,
): Promise<Site> {
  const timeoutMs = Math.floor(settings.timeoutMs / 2);
  const resolver = new NameResolver({ family: settings.family, timeoutMs, tries: 2 });
  let isOver = false;
  let endPing = (_why: string): void => undefined;
  interruption.ends((why) => {
    isOver = true;
    resolver.cancel();
    endPing(why);
  });
  const onStart = (stop: (why: string) => void): void => {
    endPing = stop;
    if (isOver) stop('the run ended first');
  };
  try {
    return await findControllers(site, {
      services: (name) => resolver.services(name),
      passedOverFor: (name) => resolver.passedOverFor(name),
      ...(asksForCatalogs && {
        introductions: (names, domain) => introductionsOf(names, domain, settings, onStart),
      }),
    });
  } finally {
    resolver.cancel();
  }
}

const usualSites = ['site.yaml', '/etc/xenreach/site.yaml'];

/** The site file that was named or stands in its usual place, and the spec it wants. */
export async function load(values: Arguments): Promise<Loaded & { readonly spec: LoadedSpec }> {
  const file = values.site ?? usualSite();
  const name = file === '-' ? '<stdin>' : file;
  // Once: it may be a pipe.
  const source = file === '-' ? await standardInput() : readFile(file);
  const document = await readSite(source, name);
  const isFile = values.spec === undefined && document.spec !== null && isPath(document.spec);
  const wanted = values.spec ?? document.spec ?? 'xenserver-8';
  const spec = isFile
    ? await loadNamedSpec(wanted, probes, namedFiles(values, document))
    : await loadSpec(wanted, probes);
  return { spec, site: siteOf(document, spec), siteFile: file, specFile: isPath(wanted) ? wanted : null };
}

function usualSite(): string {
  const found = usualSites.find((file) => existsSync(file));
  if (found !== undefined) {
    const why = whyNotOurs(found);
    if (why === null) return found;
    throw new UsageError(
      `${found} is not taken by itself: ${why}, and a site says what is sent, and to whom. Read it, then name it: --site ${found}`,
    );
  }
  throw new UsageError(
    `no site file: neither ${usualSites.join(' nor ')} is there. Name one with --site FILE (the README shows one), or try xenreach demo`,
  );
}

async function standardInput(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of process.stdin) {
    // Without an encoding a stream gives buffers; its type says `any`.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const bytes = chunk as Buffer;
    length += bytes.length;
    if (length > 4 * 1024 * 1024) throw new UsageError('<stdin>: a site file of more than 4 MiB');
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

export function refuseWords(words: readonly string[], command: string): void {
  if (words.length > 0)
    throw new UsageError(`${command} takes no argument "${words[0]}"; see xenreach ${command} --help`);
}
