/** xenreach watch: the same check on a schedule, with history, pages, metrics and notices. */
import { prepare } from '../check/prepare.ts';
import { probes } from '../check/registry.ts';
import { selectionOf } from '../check/select.ts';
import { settingsFor } from '../check/settings.ts';
import { thisMachine } from '../load/machine.ts';
import { UsageError } from '../model/errors.ts';
import type { Subject } from '../watch/viewpoint.ts';
import { openKeeper, startWatch } from '../watch/index.ts';
import { holdAgainst, readConfig } from '../watch/load-config.ts';
import { refuseWords } from './check.ts';
import { probeOptions, selectOptions, type Command } from './command.ts';
import { deliver, deliverNothing } from './deliver.ts';
import { EarlySignals, endBy } from './early-signals.ts';
import { takeLock, type Lock } from './lock.ts';
import { openLog } from './log.ts';
import { durationMs, type Arguments } from './options.ts';
import { openSinks } from './outputs.ts';
import { load } from './site.ts';
import { complain, say } from './streams.ts';
import { choiceFrom, renderingFrom, wishesFrom } from './wishes.ts';

export const watch: Command = {
  about: 'the same check on a schedule, with history, pages, metrics and notices',
  usage: '',
  options: [
    'config',
    'check-config',
    'schedule',
    'once',
    'site',
    'allow-files',
    ...selectOptions,
    ...probeOptions.filter((name) => name !== 'deadline'),
    'fail-on',
    'format',
    'output',
    'quiet',
    'no-color',
    'log-level',
    'help',
  ],
  ownWords: {
    site: { value: 'FILE', about: "site file (YAML or JSON), instead of the config's" },
    'fail-on': { value: 'fail|unverified|warn', about: 'from which verdict on a row is an incident (default: fail)' },
    format: { value: 'FORMAT', about: 'with --once: what standard output gets (default: text)' },
  },

  async run({ values, positionals }) {
    refuseWords(positionals, 'watch');
    if (values['fail-on'] === 'new')
      throw new UsageError('watch itself tells what is new; --fail-on takes fail, unverified or warn');
    if (values.site === '-') throw new UsageError('watch reads its site again and again; name a file: --site FILE');
    if (values['check-config']) return checkConfig(values);
    if (values.schedule !== undefined) return showSchedule(values);
    const { historyFile } = await readConfig(values.config);
    const { makeFolder } = await import('../watch/history/open.ts');
    makeFolder(historyFile);
    const lock = takeLock(`${historyFile}.lock`, 'history: file:');
    if (typeof lock === 'string') return deliverNothing(`not started: ${lock}`, values.format);
    try {
      return values.once ? await once(values) : await run(values, lock);
    } finally {
      lock.release();
    }
  },
};

/** Everything that the files say. Throws a UsageError that says what is wrong. */
async function subjectOf(values: Arguments): Promise<Subject> {
  const config = await readConfig(values.config);
  const site = values.site ?? config.site;
  const args = site === null || site === undefined ? values : { ...values, site };
  const loaded = await load(args, true);
  holdAgainst(config, loaded.spec);
  const vantage = thisMachine();
  const settings = settingsFor(wishesFrom(args), loaded.site, vantage, probes);
  const selection = selectionOf(choiceFrom(args), loaded.spec, loaded.site);
  return {
    config,
    spec: loaded.spec,
    site: loaded.site,
    vantage,
    settings,
    prepare: (signal) =>
      prepare({ spec: loaded.spec, site: loaded.site, vantage: thisMachine(), selection }, settings.run, signal),
  };
}

async function run(values: Arguments, lock: Lock): Promise<number> {
  const stop = new AbortController();
  const log = await openLog(values);
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stop.signal.aborted) endBy(signal);
    stop.abort(`ended by ${signal}`);
  };
  const early = EarlySignals.take();
  const ending = ['SIGINT', 'SIGTERM', 'SIGQUIT'] as const;
  for (const signal of ending) process.on(signal, onSignal);
  let reload = async (): Promise<void> => undefined;
  const onHangUp = (): void => void reload();
  process.on('SIGHUP', onHangUp);
  if (early !== undefined && early !== 'SIGHUP') onSignal(early);
  try {
    const running = await startWatch({
      load: () => subjectOf(values),
      say: (text) => log.warn(text),
      stop: stop.signal,
    });
    reload = () => running.reload();
    const { site, vantage, config } = running.watch.subject;
    log.warn(`watches ${site.name} from ${vantage.hostname}; ${running.url()}; history in ${config.historyFile}`);
    await running.done;
    return 0;
  } finally {
    for (const signal of ending) process.off(signal, onSignal);
    process.off('SIGHUP', onHangUp);
    lock.release();
  }
}

/** One round, remembered and told, and then as `check` ends. */
async function once(values: Arguments): Promise<number> {
  const stop = new AbortController();
  EarlySignals.take();
  const onSignal = (signal: NodeJS.Signals): void =>
    stop.signal.aborted ? endBy(signal) : stop.abort(`ended by ${signal}`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal);
  const { Watch } = await import('../watch/watch.ts');
  const { systemClock } = await import('../watch/clock.ts');
  const subject = await subjectOf(values);
  const sinks = openSinks(values);
  const keeper = openKeeper(subject.config.historyFile, complain);
  try {
    const single = new Watch(subject, { clock: systemClock, keeper, say: complain });
    await single.begin(stop.signal);
    const report = await single.once(stop.signal);
    if (!report) return deliverNothing('interrupted: the round was not finished', values.format);
    await single.outbox.settle();
    return await deliver(report, sinks, renderingFrom(values), { isTold: false });
  } finally {
    keeper.close();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, onSignal);
  }
}

async function checkConfig(values: Arguments): Promise<number> {
  const { config, site, spec } = await subjectOf(values);
  say(
    `${config.path ?? 'no config, so the defaults'}: ${site.name} against ${spec.id}, ${config.notifiers.length} notifiers; nothing is wrong\n`,
  );
  return 0;
}

/** What would run when; nothing is sent. */
async function showSchedule(values: Arguments): Promise<number> {
  const { prepareOffline } = await import('../check/prepare.ts');
  const { beatsOf, firstAt } = await import('../watch/schedule.ts');
  const windowMs = durationMs(values.schedule ?? '1h', 'schedule');
  const subject = await subjectOf(values);
  const { config, spec, site, vantage, settings } = subject;
  const selection = selectionOf(choiceFrom(values), spec, site);
  const { plan } = prepareOffline({ spec, site, vantage, selection }, settings.run);
  const rows = plan.rows.flatMap(({ requirement, checks }) => (checks.length > 0 ? [requirement] : []));
  const everyOf = (id: string): number =>
    config.file.rows[id] ??
    config.file.sections[spec.rows.find((row) => row.id === id)?.section ?? ''] ??
    config.file.every;
  const beats = beatsOf(
    rows.map(({ id }) => id),
    everyOf,
    `${site.name}\n${vantage.hostname}`,
  );
  const from = Date.now();
  const lines = beats.flatMap((beat) => {
    const times: [number, string][] = [];
    for (let at = firstAt(beat, from); at < from + windowMs; at += beat.everyMs)
      times.push([at, `${new Date(at).toISOString()}  ${beat.rows.join(' ')}`]);
    return times;
  });
  const inOrder = lines.toSorted(([a], [b]) => a - b).map(([, line]) => line);
  say(inOrder.map((line) => `${line}\n`).join('') || 'nothing would run in that time\n');
  return 0;
}
