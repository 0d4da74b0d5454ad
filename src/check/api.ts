/** One call for one wish: a site in, a report out, or everything in between as it happens. */
import { thisMachine } from '../load/machine.ts';
import { loadSpec } from '../load/spec.ts';
import type { Probe } from '../model/probe.ts';
import type { Report, ReportCheck, ReportHead, ReportRow, ReportTail } from '../model/report.ts';
import type { Site, Vantage } from '../model/site.ts';
import type { LoadedSpec } from '../model/spec.ts';
import { checkPrepared, type CheckEvents } from './check.ts';
import { prepare } from './prepare.ts';
import { probes as bundledProbes } from './registry.ts';
import { selectionOf, type Choice } from './select.ts';
import { namedFiles, settingsFor, type CheckSettings, type Wishes } from './settings.ts';

export interface CheckSiteOptions extends Wishes, Choice, CheckEvents {
  /** The requirements to check against. @default the spec that the site names, else `xenserver-8` */
  readonly spec?: LoadedSpec;
  /** By name; `{ ...probes, mine }` adds one. @default the bundled probes */
  readonly probes?: Readonly<Record<string, Probe>>;
  /** The machine that checks. @default this one, as the system describes it */
  readonly vantage?: Vantage;
  /** Ends the check early: what is open becomes `aborted`, and the report is made of what was learned. */
  readonly signal?: AbortSignal;
  /** Pair files of responders at the other ends, beside the site's own. */
  readonly pairs?: readonly string[];
  /** False leaves `checks` of the report empty, for runs of millions that `onCheck` hears of. @default true */
  readonly keepsChecks?: boolean;
}

/**
 * Checks a site from this machine. Sends what the rows of the selected roles imply, and DNS queries for controllers.
 * Rejects with a UsageError when nothing can be checked; whatever happens on the network is in the report.
 */
export async function check(site: Site, options: CheckSiteOptions = {}): Promise<Report> {
  const { probes = bundledProbes, vantage = thisMachine(), signal } = options;
  const spec = options.spec ?? (await loadSpec(site.specs, probes));
  const settings = settingsFor(options, site, vantage, probes);
  const selection = selectionOf(options, spec, site);
  const prepared = await prepare({ spec, site, vantage, selection }, settings.run, signal);
  const { keepsChecks = true } = options;
  return checkPrepared(prepared, await withPairs(settings, options, site), options, { signal, keepsChecks });
}

/** Nothing of it is loaded where there are no pairs. */
async function withPairs(settings: CheckSettings, options: CheckSiteOptions, site: Site): Promise<CheckSettings> {
  const [files, named] = [options.pairs ?? [], site.pairs ?? []];
  if (files.length + named.length === 0) return settings;
  const { openPairs } = await import('../pair/open.ts');
  const given = { files, named, folders: namedFiles(options, site), content: '', own: [] };
  return { ...settings, run: { ...settings.run, paired: openPairs(given, settings.run).prober } };
}

/** The lines of the ndjson stream, as values. */
export type CheckEvent =
  | ({ readonly type: 'start' } & ReportHead)
  | ({ readonly type: 'check' } & ReportCheck)
  | ({ readonly type: 'row' } & ReportRow)
  | ({ readonly type: 'end' } & ReportTail);

/** The same check, told as it goes on; the generator returns the report. Leaving the loop early ends the check. */
export async function* checkEvents(
  site: Site,
  options: Omit<CheckSiteOptions, keyof CheckEvents> = {},
): AsyncGenerator<CheckEvent, Report> {
  const left = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, left.signal]) : left.signal;
  const queue = { events: [] as CheckEvent[], isOver: false, wake: (): void => undefined };
  const tell = (event: CheckEvent): void => {
    queue.events.push(event);
    queue.wake();
  };
  const done = check(site, {
    ...options,
    signal,
    onStart: (head) => tell({ type: 'start', ...head }),
    onCheck: (each) => tell({ type: 'check', ...each }),
    onRow: (row) => tell({ type: 'row', ...row }),
    onEnd: (tail) => tell({ type: 'end', ...tail }),
  }).finally(() => {
    queue.isOver = true;
    queue.wake();
  });
  try {
    while (!queue.isOver || queue.events.length > 0) {
      yield* queue.events.splice(0);
      if (!queue.isOver && queue.events.length === 0) await new Promise<void>((resolve) => (queue.wake = resolve));
    }
    return await done;
  } finally {
    left.abort('whoever listened left');
    // A check that nobody waits for any more still ends, and its trouble is nobody's.
    await done.catch(() => undefined);
  }
}
