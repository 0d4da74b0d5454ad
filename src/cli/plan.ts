/** xenreach plan: every check that `check` would run and every skip, with nothing sent. */
import { plannedReport } from '../check/check.ts';
import { prepareOffline } from '../check/prepare.ts';
import { probes } from '../check/registry.ts';
import { selectionOf } from '../check/select.ts';
import { settingsFor, type CheckSettings, type Wishes } from '../check/settings.ts';
import { thisMachine } from '../load/machine.ts';
import { scriptOf, type ScriptOptions } from '../report/script.ts';
import { check, refuseWords } from './check.ts';
import type { Command } from './command.ts';
import { deliver } from './deliver.ts';
import { inputsOf } from './inputs.ts';
import { Interruption } from './interruption.ts';
import type { Arguments } from './options.ts';
import { openSinks } from './outputs.ts';
import { load } from './site.ts';
import { writeOut } from './streams.ts';
import { choiceFrom, deadlineFrom, renderingFrom, wishesFrom } from './wishes.ts';

export const plan: Command = {
  about: 'the same, without sending anything: every check that would run, and every skip',
  usage: '',
  options: check.options.filter((name) => !['lock', 'splay', 'baseline'].includes(name)),

  async run({ values, positionals }) {
    refuseWords(positionals, 'plan');
    const loaded = await load(values, false);
    const { spec, site } = loaded;
    const vantage = thisMachine();
    const wishes = wishesFrom(values);
    const settings = settingsFor({ ...wishes, needsSecrets: false }, site, vantage, probes);
    const selection = selectionOf(choiceFrom(values), spec, site);
    const prepared = prepareOffline({ spec, site, vantage, selection }, settings.run);
    const report = {
      ...plannedReport(prepared, settings.mode),
      inputs: inputsOf(wishes, loaded, settings, values.pair),
    };
    if (values.format === 'sh') {
      writeOut(scriptOf(prepared.plan, report, scriptOptions(wishes, settings, values)));
      return 0;
    }
    // A signal must not leave half a file behind.
    const interruption = new Interruption();
    interruption.signal.addEventListener('abort', () => process.exit(3));
    try {
      return await deliver(report, openSinks(values), renderingFrom(values));
    } finally {
      interruption.release();
    }
  },
};

/** One process of bash for each connection: sixteen at a time are no burden for anybody. */
const scriptConcurrency = 16;
const scriptDeadlineMs = 600_000;

function scriptOptions(wishes: Wishes, { run }: CheckSettings, values: Arguments): ScriptOptions {
  return {
    timeoutMs: run.timeoutMs,
    concurrency: Math.min(wishes.concurrency ?? scriptConcurrency, 256),
    deadlineMs: deadlineFrom(values) ?? scriptDeadlineMs,
    proxy: run.proxy,
  };
}
