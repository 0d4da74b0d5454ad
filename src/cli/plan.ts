/** xenreach plan: every check that `check` would run and every skip, with nothing sent. */
import { unfoundControllers } from '../load/controllers.ts';
import { thisMachine } from '../load/machine.ts';
import { makePlan } from '../plan/plan.ts';
import { check, load, refuseWords } from './check.ts';
import type { Command } from './command.ts';
import { plannedReport } from './conduct.ts';
import { deliver } from './deliver.ts';
import { inputsOf } from './inputs.ts';
import { Interruption } from './interruption.ts';
import { openSinks } from './outputs.ts';
import { probes } from './registry.ts';
import { requireChecks, requireLinks, selectionFrom } from './select.ts';
import { plannedProxy, settingsFrom } from './settings.ts';

export const plan: Command = {
  about: 'the same, without sending anything: every check that would run, and every skip',
  usage: '',
  options: check.options,

  async run({ values, positionals }) {
    refuseWords(positionals, 'plan');
    const loaded = await load(values);
    const { spec, site: written } = loaded;
    const vantage = thisMachine();
    const settings = settingsFrom(values, written, vantage, { secrets: false });
    const selection = selectionFrom(values, spec, written);
    const site = unfoundControllers({ ...written, proxy: plannedProxy(settings.run.proxy, written) });
    const made = makePlan({ spec, site, vantage, selection, probes });
    requireChecks(made);
    requireLinks(made, vantage);
    const planned = plannedReport({ spec, site, vantage, as: selection.as, plan: made }, settings.mode);
    const report = { ...planned, inputs: inputsOf(values, loaded, settings) };
    // A signal must not leave half a file behind.
    const interruption = new Interruption();
    interruption.ends(() => process.exit(3));
    try {
      return await deliver(report, openSinks(values), values);
    } finally {
      interruption.release();
    }
  },
};
