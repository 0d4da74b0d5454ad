/** xenreach probe NAME HOST[:PORT]: one probe by hand, with its outcome and its evidence. */
import { hostFault, plainHost } from '../load/host.ts';
import { thisMachine } from '../load/machine.ts';
import { didYouMean } from '../load/nearest.ts';
import { keysOf } from '../load/shape.ts';
import { exitCodeOf, isComplete, reportCheck } from '../judge/report.ts';
import { remedyFor, layerOf } from '../judge/explain.ts';
import { canonicalHost, hostPort, isAddress, parseHostPort } from '../model/address.ts';
import { UsageError } from '../model/errors.ts';
import type { Json, Observation } from '../model/outcome.ts';
import type { Check } from '../model/plan.ts';
import { optionsOf, type Probe, type ProbeOptions } from '../model/probe.ts';
import type { ReportCheck } from '../model/report.ts';
import { json, plain } from '../report/escape.ts';
import { run } from '../run/run.ts';
import { probeOptions, reportOptions, type Command } from './command.ts';
import { Interruption } from './interruption.ts';
import { openLog } from './log.ts';
import { oneOf, type Arguments } from './options.ts';
import { probes } from './registry.ts';
import { requireLinks } from './select.ts';
import { say, writeOut } from './streams.ts';
import { settingsFrom, type Settings } from './settings.ts';

export const probe: Command = {
  about: 'one probe by hand, with its evidence (`xenreach probe ntp 10.0.0.5`); --list names them',
  usage: 'NAME HOST[:PORT]',
  options: ['list', 'set', 'mode', ...probeOptions, ...reportOptions, 'help'],

  async run({ values, positionals }) {
    const format = oneOf(values.format ?? 'text', 'format', ['text', 'json', 'ndjson']);
    if (values.list) {
      writeOut(listText(format));
      return 0;
    }
    if ((values.output ?? []).length > 0)
      throw new UsageError('probe writes to standard output only; --output belongs to check');
    const [name, where, ...rest] = positionals;
    if (name === undefined || where === undefined || rest.length > 0) {
      throw new UsageError(
        'probe takes a name and a host: xenreach probe ntp 10.0.0.5; xenreach probe --list names the probes',
      );
    }
    const found = probes[name];
    if (!found)
      throw new UsageError(
        `no probe is called "${name}"${didYouMean(name, Object.keys(probes))}; xenreach probe --list names them`,
      );
    const vantage = thisMachine();
    const settings = settingsFrom(values, null, vantage);
    const { transport, pairs } = transportFrom(found, values.set ?? []);
    const options = await optionsFrom(found, name, pairs);
    const check = checkFor(name, { ...found, transport }, where, options, settings);
    requireLinks({ rows: [], checks: [check] }, vantage);
    return probeOnce(check, settings, values, format);
  },
};

function checkFor(
  name: string,
  found: Probe,
  where: string,
  options: Record<string, unknown>,
  settings: Settings,
): Check {
  const { host, port = found.port } = parseEndpoint(where);
  if (port === 0) throw new UsageError(`${name} has no port of its own; write ${where}:PORT`);
  const transport = found.transport === 'either' ? 'tcp' : found.transport;
  return {
    id: `${name}/${hostPort(host, port)}`,
    probe: name,
    transport,
    host,
    address: isAddress(host) ? canonicalHost(host) : null,
    port,
    options,
    viaProxy: settings.run.proxy !== null && transport === 'tcp',
    isName: found.perAddress === false,
    isAnswerDue: transport === 'udp' && !found.onSilence,
    isPeer: false,
    uses: [
      {
        row: '',
        expect: 'open',
        level: 'required',
        service: found.about.title,
        unless: null,
        note: null,
        isVendors: false,
      },
    ],
  };
}

async function probeOnce(check: Check, settings: Settings, values: Arguments, format: string): Promise<number> {
  const log = await openLog(values);
  const observations: Observation[] = [];
  const control = run({ rows: [], checks: [check] }, settings.run, {
    onObservation: (_check, observation) => void observations.push(observation),
    onSelf: () => undefined,
    onBug: (_check, error) =>
      log.error({}, `a defect of xenreach: ${error instanceof Error ? error.stack : String(error)}`),
  });
  const interruption = new Interruption(settings.deadlineMs);
  interruption.ends(control.stop);
  await control.done;
  interruption.release();
  // A name with several addresses works when one of them does; the others are told beside it.
  const checks = observations.map((observation) => ({
    observation,
    told: reportCheck(check, observation, settings.mode),
  }));
  const [first, ...others] = checks.toSorted((a, b) => rank(a.told) - rank(b.told) || byAddress(a.told, b.told));
  if (!first) return 3;
  const notes = others.map(({ told }) => `${told.address}: ${told.outcome}: ${told.detail}`);
  const told: ReportCheck = { ...first.told, rows: [], notes: [...first.told.notes, ...notes] };
  if (format === 'text') say(probeText(told, check, first.observation));
  else writeOut(`${json(told, format === 'json' ? 2 : 0)}\n`);
  return exitCodeOf([told], settings.failOn, isComplete([{ check, observations: [first.observation] }]));
}

const rank = ({ verdict }: ReportCheck): number => ['pass', 'warn', 'unverified', 'fail'].indexOf(verdict ?? 'fail');

/** The first to fail depends on a race; which address is shown must not. */
const byAddress = (a: ReportCheck, b: ReportCheck): number =>
  (a.address ?? '').localeCompare(b.address ?? '', 'en', { numeric: true });

function probeText(told: ReportCheck, check: Check, observation: Observation): string {
  const remedy = told.verdict === 'pass' ? null : remedyFor({ check, use: check.uses[0]!, observation });
  const layer = told.outcome === 'answered' ? '' : ` (${layerOf(observation)})`;
  const at = told.stage === null ? '' : ` at ${told.stage}`;
  const lines = [
    `${told.probe} ${plain(told.id.slice(told.id.indexOf('/') + 1))}/${told.transport}: ${told.verdict?.toUpperCase()}`,
    `  outcome   ${told.outcome}${at}${told.hint === null ? '' : `, ${told.hint}`}${layer}${told.code === null ? '' : ` [${told.code}]`}`,
    `  detail    ${plain(told.detail ?? '')}`,
    ...told.warnings.map((text) => `  warning   ${plain(text)}`),
    ...told.notes.map((text) => `  note      ${plain(text)}`),
    ...(remedy === null ? [] : [`  remedy    ${plain(remedy)}`]),
    `  took      ${told.durationMs} ms${told.attempts > 1 ? `, ${told.attempts} attempts` : ''}`,
    ...Object.entries(told.evidence).flatMap(([key, value]) => evidenceLines(key, value)),
  ];
  return `${lines.join('\n')}\n`;
}

function evidenceLines(key: string, value: Json, indent = '  '): string[] {
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
    return [
      `${indent}${key}`,
      ...Object.entries(value).flatMap(([name, inner]) => evidenceLines(name, inner, `${indent}  `)),
    ];
  }
  const text = Array.isArray(value)
    ? value.map((item) => (typeof item === 'object' ? JSON.stringify(item) : String(item))).join(', ')
    : String(value);
  return [`${indent}${key.padEnd(9)} ${plain(text)}`];
}

function listText(format: string): string {
  if (format !== 'text') return `${JSON.stringify(Object.keys(probes))}\n`;
  const lines = Object.entries(probes).map(([name, { transport, port, about }]) => {
    const where = `${transport === 'either' ? 'tcp|udp' : transport}${port === 0 ? '' : ` ${port}`}`;
    return `${name.padEnd(16)} ${where.padEnd(12)} ${about.title}`;
  });
  return `${lines.join('\n')}\n`;
}

/** 10.0.0.5, 10.0.0.5:123, [2001:db8::1]:123, 2001:db8::1, name, name:123 */
export function parseEndpoint(text: string): { host: string; port?: number } {
  const written = parseHostPort(plainHost(text));
  const [, host, digits] = written ? [] : (/^(.*):([^:\]]*)$/s.exec(text) ?? []);
  // A URL or a portal has a colon too, and is no host with a port.
  const isPair = written !== null || !/[/,\s]/.test(text);
  const fault = hostFault(isPair ? (written?.host ?? host ?? text) : text);
  if (fault !== null) throw new UsageError(`${text}: ${fault}`);
  if (!written) throw new UsageError(`${text}: "${digits}" is no port from 1 to 65535`);
  const { port } = written;
  return { host: plainHost(written.host), ...(port !== undefined && { port }) };
}

/** A probe that speaks both transports is told which one like any other option, though a spec says it by itself. */
function transportFrom(
  found: Probe,
  pairs: readonly string[],
): { readonly transport: Probe['transport']; readonly pairs: readonly string[] } {
  const given = pairs.findLast((pair) => pair.startsWith('transport='))?.slice('transport='.length);
  if (found.transport !== 'either' || given === undefined) return { transport: found.transport, pairs };
  if (given !== 'tcp' && given !== 'udp') throw new UsageError(`--set transport=${given}: write tcp or udp`);
  return { transport: given, pairs: pairs.filter((pair) => !pair.startsWith('transport=')) };
}

/** KEY=VALUE is text; what the probe wants as a number, a truth value or a list is read as JSON. */
async function optionsFrom(found: Probe, name: string, pairs: readonly string[]): Promise<ProbeOptions> {
  const texts = new Map<string, string>();
  const known = keysOf(found.options) ?? [];
  for (const pair of pairs) {
    const [, key, value] = /^([^=]+)=(.*)$/s.exec(pair) ?? [];
    if (key === undefined || value === undefined) throw new UsageError(`--set ${pair}: write --set KEY=VALUE`);
    if (!known.includes(key)) {
      const takes = known.length === 0 ? 'it takes none' : `it takes ${known.join(', ')}`;
      throw new UsageError(`the ${name} probe has no option "${key}"${didYouMean(key, known)}; ${takes}`);
    }
    texts.set(key, value);
  }
  const given: Record<string, unknown> = Object.fromEntries(texts);
  const first = await found.options['~standard'].validate(given);
  for (const { path } of first.issues ?? []) {
    const segment = path?.[0];
    const key = typeof segment === 'object' ? segment.key : segment;
    const text = typeof key === 'string' ? texts.get(key) : undefined;
    if (typeof key === 'string' && text !== undefined) given[key] = jsonOrText(text);
  }
  const parsed = first.issues ? await found.options['~standard'].validate(given) : first;
  if (!parsed.issues) return optionsOf(parsed.value);
  const told = parsed.issues.map(({ path, message }) => {
    const segment = path?.[0];
    const key = typeof segment === 'object' ? segment.key : segment;
    return `--set ${String(key ?? '')}: ${message}`;
  });
  throw new UsageError(`the ${name} probe does not take that: ${told.join('; ')}`);
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
