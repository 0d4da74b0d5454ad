/** xenreach check: probe every requirement this machine is a source for. */
import { checkPrepared } from '../check/check.ts';
import { prepare } from '../check/prepare.ts';
import { probes } from '../check/registry.ts';
import { selectionOf } from '../check/select.ts';
import { settingsFor, type CheckSettings } from '../check/settings.ts';
import { hasProc, thisMachine } from '../load/machine.ts';
import { UsageError } from '../model/errors.ts';
import type { Pair } from '../model/pair.ts';
import type { Site } from '../model/site.ts';
import type { LoadedSpec } from '../model/spec.ts';
import { probeOptions, reportOptions, selectOptions, type Command } from './command.ts';
import { deliver, deliverNothing } from './deliver.ts';
import { Interruption } from './interruption.ts';
import { listenersFor } from './listeners.ts';
import { takeLock } from './lock.ts';
import { openLog } from './log.ts';
import type { Arguments } from './options.ts';
import type { PairsInUse } from './pairs.ts';
import { discardSinks, openSinks } from './outputs.ts';
import { load } from './site.ts';
import { choiceFrom, deadlineFrom, renderingFrom, splayFrom, wishesFrom } from './wishes.ts';

/** What it costs: src/net/own-links.ts, src/net/syn-retransmits.ts, src/load/machine.ts. */
const noProc =
  '/proc is not mounted: a host that is down looks like one behind a firewall on UDP and late on TCP, lost SYNs are not counted, and no more than 512 sockets are open at a time';

export const check: Command = {
  about: 'probe every requirement this machine is a source for; report; exit code',
  usage: '',
  options: [
    ...(['site', 'allow-files', ...selectOptions, ...probeOptions, 'pair', 'both', ...reportOptions] as const),
    ...(['lock', 'splay', 'help'] as const),
  ],

  async run({ values, positionals }) {
    refuseWords(positionals, 'check');
    const lock = values.lock === undefined ? undefined : takeLock(values.lock);
    if (typeof lock === 'string') return deliverNothing(`not started: ${lock}`, values.format);
    try {
      const { spec, site } = await load(values, true);
      return await checkSite(values, spec, site);
    } finally {
      lock?.release();
    }
  },
};

/** The main job, on a site that is loaded already: `check` and `demo` are this. */
export async function checkSite(
  values: Arguments,
  spec: LoadedSpec,
  site: Site,
  own: readonly Pair[] = [],
): Promise<number> {
  const vantage = thisMachine();
  const settings = settingsFor(wishesFrom(values), site, vantage, probes);
  const paired = await pairsOf(values, site, settings, own);
  const selection = selectionOf(choiceFrom(values), spec, site);
  if (values.both && !paired)
    throw new UsageError('--both has the other end probe back: name its pair with --pair FILE');
  const log = await openLog(values);
  if (!hasProc()) log.warn(noProc);
  const interruption = new Interruption(deadlineFrom(values));
  const { signal } = interruption;
  try {
    const sinks = openSinks(values);
    await splay(splayFrom(values), signal);
    const ready = await prepare({ spec, site, vantage, selection }, settings.run, signal);
    const prepared = paired && values.both ? { ...ready, plan: await paired.listen(ready, values) } : ready;
    const { events, keepsChecks, end } = listenersFor(sinks, log, values);
    const report = await checkPrepared(prepared, withPairs(settings, paired), events, { signal, keepsChecks });
    end();
    // Whoever reads a report of our own demonstration in another format wants it alone.
    if (own.length === 0 || values.format === undefined) paired?.told().forEach((line) => log.warn(line));
    return await deliver(report, sinks, renderingFrom(values));
  } catch (error) {
    discardSinks();
    throw error;
  } finally {
    await paired?.close();
    interruption.release();
  }
}

/** The other ends, where any are given: nothing of it is loaded otherwise. */
async function pairsOf(
  values: Arguments,
  site: Site,
  settings: CheckSettings,
  own: readonly Pair[],
): Promise<PairsInUse | undefined> {
  const { XENREACH_PAIR: content = '' } = process.env;
  if (!values.pair && !site.pairs && content === '' && own.length === 0) return undefined;
  const { usePairs } = await import('./pairs.ts');
  return usePairs(values, site, settings, { content, own });
}

const withPairs = (settings: CheckSettings, paired: PairsInUse | undefined): CheckSettings =>
  paired ? { ...settings, run: { ...settings.run, paired: paired.prober } } : settings;

/** A thousand machines that start by the same clock do not ask at the same moment. */
async function splay(mostMs: number, signal: AbortSignal): Promise<void> {
  if (mostMs === 0) return;
  const { setTimeout } = process.getBuiltinModule('node:timers/promises');
  await setTimeout(Math.random() * mostMs, undefined, { signal }).catch(() => undefined);
}

export function refuseWords(words: readonly string[], command: string): void {
  if (words.length > 0)
    throw new UsageError(`${command} takes no argument "${words[0]}"; see xenreach ${command} --help`);
}
