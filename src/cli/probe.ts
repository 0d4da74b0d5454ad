/** xenreach probe NAME HOST[:PORT]: one probe by hand, with its outcome and its evidence. */
import { probes } from '../check/registry.ts';
import { recording } from '../check/recording.ts';
import { requireLinks } from '../check/select.ts';
import { settingsFor, type CheckSettings } from '../check/settings.ts';
import { runSingle, singleCheck } from '../check/single.ts';
import { layerOf, remedyFor } from '../judge/explain.ts';
import { exitCodeOf, isInconclusive } from '../judge/report.ts';
import { thisMachine } from '../load/machine.ts';
import { didYouMean } from '../load/nearest.ts';
import { UsageError } from '../model/errors.ts';
import type { Check } from '../model/plan.ts';
import type { Probe } from '../model/probe.ts';
import type { ReportCheck } from '../model/report.ts';
import { json } from '../report/escape.ts';
import { singleText } from '../report/single.ts';
import { probeOptions, reportOptions, type Command } from './command.ts';
import { Interruption } from './interruption.ts';
import { openLog } from './log.ts';
import { oneOf, type Arguments } from './options.ts';
import { openTarget } from './outputs.ts';
import { optionsFrom, parseEndpoint, transportFrom } from './probe-words.ts';
import { complain, say, writeOut } from './streams.ts';
import { deadlineFrom, wishesFrom } from './wishes.ts';

export const probe: Command = {
  about: 'one probe by hand, with its evidence (`xenreach probe ntp 10.0.0.5`); --list names them',
  usage: 'NAME HOST[:PORT]',
  options: ['list', 'set', 'record', 'mode', ...probeOptions, ...reportOptions, 'help'],

  async run({ values, positionals }) {
    const format = oneOf(values.format ?? 'text', 'format', ['text', 'json', 'ndjson']);
    if (values.list) {
      writeOut(listText(format));
      return 0;
    }
    if ((values.output ?? []).length > 0)
      throw new UsageError('probe writes to standard output only; --output belongs to check');
    const vantage = thisMachine();
    const settings = settingsFor(wishesFrom(values), null, vantage, probes);
    const check = await checkFrom(positionals, values, settings);
    requireLinks({ rows: [], checks: [check] }, vantage);
    return values.record === undefined
      ? probeOnce(check, settings, values, format)
      : probeAndRecord(check, settings, values, { format, file: values.record });
  },
};

async function checkFrom(positionals: readonly string[], values: Arguments, settings: CheckSettings): Promise<Check> {
  const [name, where, ...rest] = positionals;
  if (name === undefined || where === undefined || rest.length > 0) {
    throw new UsageError(
      'probe takes a name and a host: xenreach probe ntp 10.0.0.5; xenreach probe --list names the probes',
    );
  }
  const found = probeNamed(name);
  const { transport, pairs } = transportFrom(found, values.set ?? []);
  const options = await optionsFrom(found, name, pairs);
  const { host, port = found.port } = parseEndpoint(where);
  if (port === 0) throw new UsageError(`${name} has no port of its own; write ${where}:PORT`);
  return singleCheck(name, found, transport, { host, port, options, isProxied: settings.run.proxy !== null });
}

function probeNamed(name: string): Probe {
  const found = probes[name];
  if (found) return found;
  throw new UsageError(
    `no probe is called "${name}"${didYouMean(name, Object.keys(probes))}; xenreach probe --list names them`,
  );
}

/** The conversation goes to a file as well. It is the server's own: a proxy could repeat its password in what it says. */
async function probeAndRecord(
  check: Check,
  settings: CheckSettings,
  values: Arguments,
  { format, file }: { readonly format: string; readonly file: string },
): Promise<number> {
  if (check.viaProxy) throw new UsageError('--record keeps what a server itself says; leave out the proxy');
  const target = openTarget(file, 'record');
  try {
    const { probe: recorded, conversation } = recording(settings.run.probes[check.probe]!, check.options);
    const run = { ...settings.run, probes: { ...settings.run.probes, [check.probe]: recorded } };
    const exitCode = await probeOnce(check, { ...settings, run }, values, format);
    const kept = conversation();
    if (!kept) {
      complain(`nothing came back, so there is no conversation to keep in ${file}`);
      return exitCode === 0 ? 3 : exitCode;
    }
    target.write(Buffer.from(`${JSON.stringify(kept, null, 2)}\n`));
    target.commit();
    return exitCode;
  } finally {
    target.discard();
  }
}

async function probeOnce(check: Check, settings: CheckSettings, values: Arguments, format: string): Promise<number> {
  const log = await openLog(values);
  const interruption = new Interruption(deadlineFrom(values));
  const [first, ...others] = await runSingle(check, settings.run, settings.mode, {
    signal: interruption.signal,
    onDefect: (error) => log.error({}, `a defect of xenreach: ${error instanceof Error ? error.stack : String(error)}`),
  });
  interruption.release();
  if (!first) return 3;
  // A name with several addresses works when one of them does; the others are told beside it.
  const notes = others.map(({ reported }) => `${reported.address}: ${reported.outcome}: ${reported.detail}`);
  const { observation } = first;
  const reported: ReportCheck = { ...first.reported, notes: [...first.reported.notes, ...notes] };
  const remedy = reported.verdict === 'pass' ? null : remedyFor({ check, use: check.uses[0]!, observation });
  if (format === 'text') say(singleText(reported, layerOf(observation), remedy));
  else writeOut(`${json({ ...reported, remedy }, format === 'json' ? 2 : 0)}\n`);
  return exitCodeOf([reported], settings.failOn, !isInconclusive(observation));
}

function listText(format: string): string {
  if (format !== 'text') return `${JSON.stringify(Object.keys(probes))}\n`;
  const lines = Object.entries(probes).map(([name, { transport, port, about }]) => {
    const where = `${transport === 'either' ? 'tcp|udp' : transport}${port === 0 ? '' : ` ${port}`}`;
    return `${name.padEnd(16)} ${where.padEnd(12)} ${about.title}`;
  });
  return `${lines.join('\n')}\n`;
}
