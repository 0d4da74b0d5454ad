/** xenreach hub: a watch whose reports come from the agents of a fleet. It starts the server of the bus, unless it is told of one. */
import { dirname, join } from 'node:path';
import { probes } from '../check/registry.ts';
import { settingsFor } from '../check/settings.ts';
import { defaultSpec } from '../load/default-spec.ts';
import { thisMachine } from '../load/machine.ts';
import { parseSite } from '../load/site.ts';
import { loadSpec } from '../load/spec.ts';
import { UsageError } from '../model/errors.ts';
import { startWatch } from '../watch/index.ts';
import { readConfig } from '../watch/load-config.ts';
import type { Subject } from '../watch/viewpoint.ts';
import { refuseWords } from './check.ts';
import type { Command } from './command.ts';
import { deliverNothing } from './deliver.ts';
import { endingSignals } from './ending.ts';
import { takeLock } from './lock.ts';
import { openLog } from './log.ts';
import type { Arguments } from './options.ts';
import { wishesFrom } from './wishes.ts';

export const hub: Command = {
  about: 'collects what the agents of a fleet find: history, pages, metrics and notices over all sites',
  usage: '',
  options: ['fleet', 'config', 'nats', 'fail-on', 'quiet', 'log-level', 'help'],
  ownWords: {
    fleet: { value: 'DIR', about: 'the folder "hub" of the fleet (default: this one, else /etc/xenreach/hub)' },
    config: { value: 'FILE', about: 'of watch: listen, notify, history (default: /etc/xenreach/watch.yaml)' },
  },

  async run({ values, positionals }) {
    refuseWords(positionals, 'hub');
    const { hubLogin } = await import('../fleet/hub-login.ts');
    const { collect } = await import('../fleet/hub.ts');
    const { superviseServer } = await import('../fleet/server.ts');
    const { folder, login, name } = await hubLogin(values.fleet, values.nats);
    const { historyFile } = await readConfig(values.config);
    const { makeFolder } = await import('../watch/history/open.ts');
    makeFolder(historyFile);
    const lock = takeLock(`${historyFile}.lock`, 'history: file:');
    if (typeof lock === 'string') return deliverNothing(`not started: ${lock}`, values.format);
    const log = await openLog(values);
    const say = (text: string): void => log.warn(text);
    const ending = endingSignals();
    const { signal: stop } = ending;
    const hangUp = new EventTarget();
    const onHangUp = (): void => void hangUp.dispatchEvent(new Event('reload'));
    process.on('SIGHUP', onHangUp);
    let server = Promise.resolve();
    try {
      if (values.nats === undefined) server = superviseServer({ folder, say, stop });
      const running = await startWatch({ load: () => subjectOf(values), say, stop });
      if (!running.watch.keeper.history)
        throw new UsageError('this Node has no SQLite, and a hub keeps what it acknowledges: use Node 22.19, 24 or 26');
      hangUp.addEventListener('reload', () => void running.reload());
      say(`hub of ${login.url}; pages at ${running.url()}; history in ${historyFile}`);
      await Promise.all([
        collect({ watch: running.watch, login, name, say, stop, rejected: join(dirname(historyFile), 'rejected') }),
        running.done,
        server,
      ]);
      return 0;
    } finally {
      process.off('SIGHUP', onHangUp);
      // Whatever went wrong, the server that was started does not stay behind.
      ending.end();
      await server;
      ending.forget();
      lock.release();
    }
  },
};

/** It looks at nothing itself: a site in its name, and the usual table for the words of rows. */
async function subjectOf(values: Arguments): Promise<Subject> {
  const config = await readConfig(values.config);
  if (config.site !== null)
    throw new UsageError(
      `${config.path}: site: is for watch; a hub looks at nothing itself, so run an agent beside it, and leave that key out`,
    );
  const spec = await loadSpec(defaultSpec, probes);
  const site = await parseSite('name: hub\n', 'hub', spec);
  const vantage = thisMachine();
  return {
    config,
    spec,
    site,
    vantage,
    settings: settingsFor(wishesFrom(values), site, vantage, probes),
    prepare: null,
  };
}
