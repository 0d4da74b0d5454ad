/** Every option once: the table is the parser, the help and the types. */
import { parseArgs } from 'node:util';
import { defaultSpec } from '../load/default-spec.ts';
import { didYouMean, didYouMeanOf } from '../load/nearest.ts';
import { parseDuration } from '../model/duration.ts';
import { UsageError } from '../model/errors.ts';

interface OptionEntry {
  readonly type: 'string' | 'boolean';
  readonly multiple?: true;
  readonly short?: string;
  /** What stands for the value in the help. */
  readonly value?: string;
  readonly about: string;
}

export const options = {
  site: { type: 'string', value: 'FILE', about: 'site file (YAML or JSON); "-" reads standard input' },
  'allow-files': {
    type: 'string',
    multiple: true,
    value: 'DIR',
    about: 'a folder whose files the site may name, beside its own',
  },
  spec: {
    type: 'string',
    multiple: true,
    value: 'NAME|FILE',
    about: `bundled spec or a file of your own; several are joined (default: ${defaultSpec})`,
  },
  as: { type: 'string', multiple: true, value: 'ROLE', about: 'the source role this machine plays' },
  mode: {
    type: 'string',
    value: 'service|path',
    about: 'service: it must answer; path: before install, a refusal is through',
  },
  row: { type: 'string', multiple: true, value: 'ID', about: 'only this row' },
  section: { type: 'string', multiple: true, value: 'NAME', about: 'only this section' },
  role: { type: 'string', multiple: true, value: 'ROLE', about: 'only rows to this role' },
  format: { type: 'string', value: 'FORMAT', about: 'what standard output gets (default: text)' },
  output: {
    type: 'string',
    multiple: true,
    value: 'F=FILE',
    about: 'one more report of the same run, written atomically',
  },
  concurrency: {
    type: 'string',
    value: 'N',
    about: 'sockets in flight (default: 512, more while endpoints stay silent; less where few files may be open)',
  },
  'per-host': { type: 'string', value: 'N', about: 'sockets in flight to one address (default: 8)' },
  rate: { type: 'string', value: 'N', about: 'new checks per second (default: 2000)' },
  timeout: { type: 'string', value: 'D', about: 'one attempt: 750ms, 5s, 2m (default: 5s)' },
  retries: { type: 'string', value: 'N', about: 'resends of a lost datagram (default: 2)' },
  deadline: { type: 'string', value: 'D', about: 'the whole run; what is open then is "aborted"' },
  proxy: {
    type: 'string',
    value: 'URL',
    about: 'HTTP proxy for the external domains; password from XENREACH_PROXY_PASSWORD',
  },
  ca: { type: 'string', multiple: true, value: 'FILE', about: 'further trusted roots (PEM)' },
  'source-address': { type: 'string', value: 'IP', about: 'send from this address of this machine' },
  family: { type: 'string', value: '4|6|any', about: 'address family (default: any)' },
  'fail-on': {
    type: 'string',
    value: 'fail|unverified|warn|new',
    about:
      'the mildest row verdict that makes the exit code 1; new: what fails and did not in --baseline (default: fail)',
  },
  xapi: {
    type: 'string',
    value: 'SOCKET|URL',
    about: "the pool's API: a socket's path, or https://HOST (default: this host's)",
  },
  'xapi-user': {
    type: 'string',
    value: 'NAME',
    about: 'who logs in there (default: root); password from XENREACH_XAPI_PASSWORD',
  },
  'xapi-password-file': { type: 'string', value: 'FILE', about: 'a file that holds that password in one line' },
  'tls-fingerprint': {
    type: 'string',
    multiple: true,
    value: 'HEX',
    about: 'take the certificate with this SHA-256 as it is',
  },
  answerfile: { type: 'string', value: 'FILE', about: "the installer's answer file, before there is a host" },
  domain: { type: 'string', value: 'NAME', about: 'the Active Directory domain, whose controllers DNS knows' },
  root: {
    type: 'string',
    value: 'DIR',
    about: "read the system's files below DIR: a mounted disk, an unpacked status report",
  },
  vms: { type: 'boolean', about: 'running VMs too, for their consoles' },
  merge: { type: 'string', value: 'FILE', about: 'add to this site, whose every word stays, and tell what differs' },
  force: { type: 'boolean', about: 'overwrite the file' },
  baseline: { type: 'string', value: 'FILE', about: 'a saved JSON report: tell what changed since' },
  lock: { type: 'string', value: 'FILE', about: 'one run at a time: a second one ends with exit 3 and says who runs' },
  splay: { type: 'string', value: 'D', about: 'start after a random part of this time' },
  'max-age': { type: 'string', value: 'D', about: 'a report that began longer ago proves nothing (default: 24h)' },
  pair: {
    type: 'string',
    multiple: true,
    value: 'FILE',
    about: 'use the responder at the other end that gave out this pair (also: XENREACH_PAIR)',
  },
  both: { type: 'boolean', about: 'with --pair: listen here too, and have the other end probe back' },
  for: { type: 'string', value: 'D', about: 'end after this time, 4h at the most (default: 15m)' },
  'until-seen': { type: 'boolean', about: 'end when every host that should come was seen' },
  from: { type: 'string', multiple: true, value: 'CIDR', about: 'answer these only (default: whoever holds the key)' },
  'pair-file': {
    type: 'string',
    value: 'FILE',
    about: 'write the pair there, for its owner alone, instead of printing it',
  },
  log: {
    type: 'string',
    multiple: true,
    value: 'FILE',
    about: 'a log that a held port writes (default: /var/log/syslog, /var/log/messages)',
  },
  'no-conntrack': { type: 'boolean', about: 'leave the connection table alone' },
  capture: { type: 'boolean', about: 'let tcpdump watch the held ports' },
  'dry-run': { type: 'boolean', about: 'bind nothing: tell what is free, and who holds the rest' },
  print: { type: 'string', value: 'python', about: 'print the responder as one file for Python 3.6 and newer' },
  set: { type: 'string', multiple: true, value: 'KEY=VALUE', about: 'an option of the probe' },
  record: { type: 'string', value: 'FILE', about: 'keep the conversation as the tests play it back (fixtures/wire)' },
  list: { type: 'boolean', about: 'name every probe, or every bundled spec' },
  broken: { type: 'boolean', about: 'a set of broken endpoints instead of good ones' },
  config: {
    type: 'string',
    value: 'FILE',
    about: 'what to watch, how often, and whom to tell (default: /etc/xenreach/watch.yaml)',
  },
  'check-config': { type: 'boolean', about: 'say what is wrong with the files and start nothing' },
  schedule: { type: 'string', value: 'D', about: 'what would run in this time, and when; sends nothing' },
  once: { type: 'boolean', about: 'one round, remembered and told; then end as check does' },
  hub: { type: 'string', value: 'NAME[:PORT]', about: 'how agents reach the hub: a name, in DNS or /etc/hosts' },
  fleet: { type: 'string', value: 'DIR', about: "the fleet's folder (default: this one, else /etc/xenreach/fleet)" },
  reach: {
    type: 'string',
    multiple: true,
    value: 'CIDR|NAME|any',
    about: 'what the agent may contact, whatever a revision says (default: any)',
  },
  nats: { type: 'string', value: 'URL', about: 'a server of your own: tls://NAME:4222 (default: one is started)' },
  since: { type: 'string', value: 'D', about: 'how far back: 24h, 30d (default: 24h)' },
  quiet: { type: 'boolean', short: 'q', about: 'failures and the summary only' },
  verbose: { type: 'boolean', short: 'v', about: 'the evidence of every check' },
  'no-color': { type: 'boolean', about: 'no colour, also on a terminal' },
  'no-progress': { type: 'boolean', about: 'no progress line on standard error' },
  'log-level': { type: 'string', value: 'LEVEL', about: 'logs on standard error: trace debug info warn error silent' },
  help: { type: 'boolean', short: 'h', about: 'this text' },
  version: { type: 'boolean', about: 'the version' },
} as const satisfies Readonly<Record<string, OptionEntry>>;

export type OptionName = keyof typeof options;

type ValueOf<O extends OptionEntry> = O extends { readonly type: 'boolean' }
  ? boolean
  : O extends { readonly multiple: true }
    ? string[]
    : string;

/** What was given on the command line; absent where nothing was. */
export type Arguments = { readonly [K in OptionName]?: ValueOf<(typeof options)[K]> };

export interface ParsedLine {
  readonly values: Arguments;
  readonly positionals: readonly string[];
}

export function parseLine(argv: readonly string[], allowed: readonly OptionName[], command: string): ParsedLine {
  const { values, positionals, tokens } = parseArgs({
    args: [...argv],
    options: Object.fromEntries(Object.entries(options).map(([name, { type, ...rest }]) => [name, { type, ...rest }])),
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const entry = isOption(token.name) ? options[token.name] : undefined;
    if (!entry)
      throw new UsageError(
        `unknown option ${token.rawName}${didYouMean(
          token.rawName,
          allowed.map((known) => `--${known}`),
        )}; see xenreach ${command} --help`,
      );
    if (!allowed.some((name) => name === token.name)) {
      throw new UsageError(`${command} has no option ${token.rawName}; see xenreach ${command} --help`);
    }
    if (entry.type === 'boolean' && token.value !== undefined) throw new UsageError(`${token.rawName} takes no value`);
    const isMissing =
      entry.type === 'string' && (token.value === undefined || (!token.inlineValue && looksLikeOption(token.value)));
    if (isMissing)
      throw new UsageError(`${token.rawName} needs a value: ${token.rawName} ${'value' in entry ? entry.value : ''}`);
  }
  for (const [name, { type, ...entry }] of Object.entries(options)) {
    const count = tokens.filter((token) => token.kind === 'option' && token.name === name).length;
    const isRepeatable = type === 'boolean' || 'multiple' in entry;
    if (count > 1 && !isRepeatable) throw new UsageError(`--${name} was given ${count} times; it takes one value`);
  }
  // Each token was held against the table above, which is where these types come from.
  return { values, positionals };
}

const isOption = (name: string): name is OptionName => Object.hasOwn(options, name);

/** "-" is standard input. */
const looksLikeOption = (value: string): boolean => value.startsWith('-') && value !== '-';

/** 24h, 7d. */
export function ageMs(text: string, name: OptionName): number {
  const [, days] = /^(\d{1,4})d$/.exec(text) ?? [];
  return days === undefined || days === '0' ? durationMs(text, name) : Number(days) * 86_400_000;
}

/** 750ms, 5s, 2m, 1h; a bare number is seconds. */
export function durationMs(text: string, name: OptionName, most: '24h' | '4000d' = '24h'): number {
  const ms = parseDuration(text);
  if (!(ms >= 1 && ms <= parseDuration(most))) {
    throw new UsageError(`--${name} ${text} is no duration from 1ms to ${most}; write it like 750ms, 5s or 2m`);
  }
  return ms;
}

export function wholeNumber(text: string, name: OptionName, from: number, to: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= from && value <= to))
    throw new UsageError(`--${name} ${text} is no whole number from ${from} to ${to}`);
  return value;
}

export function oneOf<T extends string>(text: string, name: OptionName, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === text);
  if (found === undefined) {
    throw new UsageError(`--${name} ${text} is unknown${didYouMeanOf(text, choices)}`);
  }
  return found;
}
