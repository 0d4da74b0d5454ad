/** xenreach agent: at a vantage of a fleet: checks what its site's newest revision says, and sends what it finds to the bus. */
import { join } from 'node:path';
import * as v from 'valibot';
import { prepare } from '../check/prepare.ts';
import { probes } from '../check/registry.ts';
import { selectionOf } from '../check/select.ts';
import { settingsFor } from '../check/settings.ts';
import { throwIfAny } from '../load/faults.ts';
import { thisMachine } from '../load/machine.ts';
import { pointerTo } from '../load/report.ts';
import { shapeFaults } from '../load/shape.ts';
import { WatchFile } from '../watch/config.ts';
import type { AgentConfig } from '../fleet/agent-file.ts';
import type { MakeSubject } from '../fleet/agent.ts';
import { refuseWords } from './check.ts';
import type { Command } from './command.ts';
import { deliverNothing } from './deliver.ts';
import { endingSignals } from './ending.ts';
import { takeLock } from './lock.ts';
import { openLog } from './log.ts';
import type { Arguments } from './options.ts';
import { load } from './site.ts';
import { choiceFrom, wishesFrom } from './wishes.ts';

export const agent: Command = {
  about: 'at a vantage of a fleet: checks by the newest signed revision of its site, and sends what it finds',
  usage: '',
  options: ['config', 'quiet', 'log-level', 'help'],
  ownWords: {
    config: { value: 'FILE', about: 'as xenreach fleet add made it (default: /etc/xenreach/agent.yaml)' },
  },

  async run({ values, positionals }) {
    refuseWords(positionals, 'agent');
    const { defaultAgentFile, readAgentFile } = await import('../fleet/agent-file.ts');
    const { Agent } = await import('../fleet/agent.ts');
    const { keepLinked } = await import('../fleet/agent-link.ts');
    const config = await readAgentFile(values.config ?? defaultAgentFile);
    const log = await openLog(values);
    const say = (text: string): void => log.warn(text);
    const ending = endingSignals();
    const parts = { config, makeSubject: subjectFor(config), say, stop: ending.signal };
    const single = new Agent(parts);
    const lock = takeLock(join(config.state, 'lock'), 'state:');
    if (typeof lock === 'string') return deliverNothing(`not started: ${lock}`, values.format);
    try {
      await single.begin();
      say(`agent ${config.agent} of ${config.site}, revision ${single.revision}; state in ${config.state}`);
      await keepLinked({ config, agent: single, say, stop: ending.signal });
      await single.ended();
      return 0;
    } finally {
      ending.forget();
      lock.release();
    }
  },
};

/** As `check` would take that site file, with the agent's own bounds. */
function subjectFor(config: AgentConfig): MakeSubject {
  const bound = (value: number | undefined): string | undefined => (value === undefined ? undefined : String(value));
  return async (site, revision) => {
    const caps = {
      concurrency: bound(config.concurrency),
      'per-host': bound(config.perHost),
      rate: bound(config.rate),
    };
    const given = Object.fromEntries(Object.entries(caps).filter(([, value]) => value !== undefined));
    const values: Arguments = { ...given, site, as: config.as, 'allow-files': [...config.allowFiles] };
    throwIfAny(shapeFaults(WatchFile, revision.watch), { file: 'watch', positionOf: pointerTo });
    const file = v.parse(WatchFile, revision.watch);
    const loaded = await load(values, true);
    const { spec } = loaded;
    const settings = settingsFor(wishesFrom(values), loaded.site, thisMachine(), probes);
    const selection = selectionOf(choiceFrom(values), spec, loaded.site);
    return {
      config: {
        path: null,
        file,
        site,
        historyFile: join(config.state, 'history.db'),
        notifiers: [],
        auth: null,
        tls: null,
        inbox: null,
      },
      spec,
      site: loaded.site,
      vantage: thisMachine(),
      settings,
      prepare: (signal) =>
        prepare({ spec, site: loaded.site, vantage: thisMachine(), selection }, settings.run, signal),
    };
  };
}
