/** xenreach respond: the other end of a check. It answers for what the rows want at this machine, and ends by itself. */
import { existsSync, fstatSync } from 'node:fs';
import { probes } from '../check/registry.ts';
import { didYouMeanOf } from '../load/nearest.ts';
import { thisMachine } from '../load/machine.ts';
import { UsageError } from '../model/errors.ts';
import type { Receipts } from '../model/pair.ts';
import { networksOf } from '../net/networks.ts';
import { clusterRole, hasCluster, ownAddresses, ownHosts, sourcesOf } from '../respond/place.ts';
import { Responder, survey, type ResponderOptions, type SurveyedPort } from '../respond/responder.ts';
import { pythonResponder } from '../respond/python.ts';
import { wantedPorts, type Wanted } from '../respond/wanted.ts';
import { refuseWords } from './check.ts';
import type { Command } from './command.ts';
import { Interruption } from './interruption.ts';
import { durationMs, oneOf, type Arguments } from './options.ts';
import { formats, tellArrival, tellReady, tellReceipts, tellSurvey } from './receipts.ts';
import { writeSecretFile } from './secret-file.ts';
import { load } from './site.ts';
import { complain, writeOut } from './streams.ts';

const codes = { asked: 0, unbound: 1, interrupted: 3 } as const;
const usualMs = 15 * 60_000;
const mostMs = 4 * 3_600_000;
const usualLogs = ['/var/log/syslog', '/var/log/messages'];

export const respond: Command = {
  about: 'be the other end: answer for the rows that want something at this machine',
  usage: '',
  options: [
    ...([
      'site',
      'allow-files',
      'spec',
      'as',
      'for',
      'until-seen',
      'from',
      'pair-file',
      'log',
      'no-conntrack',
    ] as const),
    ...(['capture', 'dry-run', 'force', 'format', 'print', 'help'] as const),
  ],
  ownWords: {
    as: { value: 'ROLE', about: 'the destination role this machine plays' },
    format: { value: 'text|json|ndjson', about: 'how what arrived is told (default: text)' },
    force: { value: '', about: 'bind the ports of a cluster that is set up on this machine and not running' },
  },

  async run({ values, positionals }) {
    // It runs on somebody's server: 12 MB less, and a flood of 30,000 datagrams makes it grow by 10 MB at most instead of 18.
    process.getBuiltinModule('node:v8').setFlagsFromString('--optimize-for-size');
    refuseWords(positionals, 'respond');
    const format = oneOf(values.format ?? 'text', 'format', formats);
    const forMs = durationFrom(values);
    const from = values.from && networksOf(values.from);
    if (values.from && !from)
      throw new UsageError(`--from ${values.from.join(' ')}: give an address or a network, as 10.20.30.0/24`);
    const prepared = await prepare(values);
    const { wanted, options, sources } = prepared;
    if (values.print !== undefined) {
      oneOf(values.print, 'print', ['python']);
      writeOut(pythonResponder({ ports: wanted.ports, roles: options.roles, forMs, from: values.from ?? [], sources }));
      return codes.asked;
    }
    const surveyed = survey(wanted.ports);
    if (values['dry-run']) return tellSurvey(surveyed, format);
    return answerFor(
      { ...options, from, ...(format === 'ndjson' && { onArrival: tellArrival }) },
      { values, format, forMs, sources },
    );
  },
};

interface Prepared {
  readonly wanted: Wanted;
  readonly options: Omit<ResponderOptions, 'until' | 'from'>;
  readonly sources: readonly (readonly string[])[];
}

/** What is wanted here, and by whom. Nothing is bound yet. */
async function prepare(values: Arguments): Promise<Prepared> {
  const { spec, site } = await load(values, false);
  // Names and the vendor's domains are no machine's role.
  const isRole = (role: string): boolean => !['site-names', 'row-names'].includes(spec.roles[role]?.discovery ?? '');
  const destinations = [...new Set(spec.rows.map(({ to }) => to).filter(isRole))];
  const roles = [...new Set(values.as)];
  if (roles.length === 0)
    throw new UsageError(`--as ROLE says what this machine is to the others: ${destinations.join(', ')}`);
  for (const role of roles) {
    if (!destinations.includes(role))
      throw new UsageError(`--as ${role}: no row goes to such a role${didYouMeanOf(role, destinations)}`);
  }
  const vantage = thisMachine();
  // Another machine asks for the script that it will run elsewhere.
  const hosts = values.print === undefined ? await ownHosts(site, roles, vantage) : new Map();
  const ownHost = (role: string) => hosts.get(role) ?? site.roles[role]?.hosts[0];
  const all = wantedPorts({ spec, site, probes, roles, ownHost });
  const wanted = withoutCluster(all, roles, values.force ?? false);
  if (wanted.ports.length === 0)
    throw new UsageError(`no row wants a port at ${roles.join(', ')} that could be answered for`);
  const [first = '127.0.0.1', ...others] = ownAddresses(vantage, hosts.values());
  return {
    wanted,
    sources: await sourcesOf(site, wanted.from, [first, ...others]),
    options: {
      ports: wanted.ports,
      addresses: [first, ...others],
      host: vantage.hostname,
      roles,
      logs: values.log ?? usualLogs,
      usesConntrack: !(values['no-conntrack'] ?? false),
      captures: values.capture ?? false,
    },
  };
}

function withoutCluster(wanted: Wanted, roles: readonly string[], isForced: boolean): Wanted {
  if (isForced || !roles.includes(clusterRole) || !hasCluster()) return wanted;
  complain(`a cluster is set up on this machine: its ports are left alone; --force binds those that are free`);
  return { ...wanted, ports: wanted.ports.filter(({ rows }) => !rows.every((row) => row.startsWith('clustering'))) };
}

function durationFrom(values: Arguments): number {
  const ms = values.for === undefined ? usualMs : durationMs(values.for, 'for');
  if (ms > mostMs) throw new UsageError(`--for ${values.for}: no longer than 4h; a responder is no service`);
  return ms;
}

interface Wish {
  readonly values: Arguments;
  readonly format: (typeof formats)[number];
  readonly forMs: number;
  readonly sources: readonly (readonly string[])[];
}

async function answerFor(
  options: Omit<ResponderOptions, 'until'>,
  { values, format, forMs, sources }: Wish,
): Promise<number> {
  const interruption = new Interruption();
  const gone = new Set<string>();
  const { promise: ended, resolve: end } = Promise.withResolvers<Receipts['ended']>();
  const onBye = (address: string): void => {
    gone.add(address);
    const isAll = sources.length > 0 && sources.every((addresses) => addresses.some((each) => gone.has(each)));
    if (values['until-seen'] && isAll) end('seen');
  };
  if (values['until-seen'] && sources.length === 0)
    complain('--until-seen: the site names no host that would come here, so the time alone ends it');
  let isReady = false;
  const forget = onInputEnd(() => (isReady ? end('input') : undefined));
  const responder = await Responder.start({ ...options, until: new Date(Date.now() + forMs), onBye });
  const timer = setTimeout(() => end('time'), forMs);
  interruption.signal.addEventListener('abort', () => end('signal'));
  if (interruption.signal.aborted) end('signal');
  try {
    const unbound = responder.ports.filter(({ state }) => state === 'failed');
    for (const port of unbound) complain(unboundText(port));
    if (unbound.length > 0) return codes.unbound;
    const file = values['pair-file'];
    if (file !== undefined) writeSecretFile(file, `${JSON.stringify(responder.pair, null, 2)}\n`);
    isReady = true;
    for (const log of values.log ?? [])
      if (!existsSync(log)) complain(`--log ${log}: there is no such file, so it witnesses nothing`);
    tellReady(responder, file, format);
    const receipts = responder.receipts(await ended);
    tellReceipts(receipts, format);
    return receipts.ended === 'signal' ? codes.interrupted : codes.asked;
  } finally {
    clearTimeout(timer);
    forget();
    await responder.close();
    interruption.release();
  }
}

/**
 * A pipe or socket ends with whoever holds its other end. One that is at its end from the start, as a script leaves it to
 * what it runs in the background, is nobody's, like /dev/null and files.
 */
function onInputEnd(then: () => void): () => void {
  const found = fstatSync(0);
  if (!found.isFIFO() && !found.isSocket()) return () => undefined;
  process.stdin.on('end', then).on('error', then).resume();
  return () => void process.stdin.off('end', then).destroy();
}

function unboundText(port: SurveyedPort): string {
  const code = port.state === 'failed' ? port.why : '';
  const what =
    code === 'EACCES' || code === 'EPERM'
      ? 'run as root, or grant CAP_NET_BIND_SERVICE (systemd-run --pty -p AmbientCapabilities=CAP_NET_BIND_SERVICE)'
      : code === 'EADDRNOTAVAIL'
        ? 'its address went away: start again'
        : 'look at the limits and the firewall of this machine';
  return `${port.transport} ${port.port} is free and could not be bound (${code}): ${what}`;
}
