/** xenreach discover: writes the site file from what this machine, its pool and DNS know. */
import { existsSync, statSync } from 'node:fs';
import { answerfileSource } from '../discover/answerfile.ts';
import { readInventory } from '../load/inventory.ts';
import { discover as ask, type Discovered, type SpecChoice } from '../discover/discover.ts';
import { isEmpty, type Draft } from '../discover/draft.ts';
import { writeJson, writeYaml } from '../discover/write.ts';
import { parseFingerprint, parseXapi, usualSocket } from '../discover/xapi-endpoint.ts';
import type { Login } from '../discover/xapi.ts';
import { introductionsOf } from '../check/introductions.ts';
import { probes } from '../check/registry.ts';
import { settingsFor } from '../check/settings.ts';
import { nameFault } from '../load/host.ts';
import { thisMachine } from '../load/machine.ts';
import { readFile, readSecret } from '../load/read-file.ts';
import { defaultSpec } from '../load/default-spec.ts';
import { parseSite, readSite } from '../load/site.ts';
import { loadSpec } from '../load/spec.ts';
import { readTrust } from '../load/trust.ts';
import { UsageError } from '../model/errors.ts';
import type { LoadedSpec } from '../model/spec.ts';
import { refuseWords } from './check.ts';
import type { Command } from './command.ts';
import { Interruption } from './interruption.ts';
import { oneOf, type Arguments } from './options.ts';
import { promptForSecret } from './secret-prompt.ts';
import { complain, outTrouble, writeOut } from './streams.ts';
import { specForProduct } from './site.ts';
import { openFile, type Target } from './targets.ts';
import { troubleText } from './trouble.ts';
import { deadlineFrom } from './wishes.ts';

const codes = { written: 0, nothing: 2, partial: 3 } as const;
const usualDeadlineMs = 30_000;

export const discover: Command = {
  about: 'write the site file from what this machine, its pool (XAPI) and DNS know',
  usage: '',
  options: [
    'xapi',
    'xapi-user',
    'xapi-password-file',
    'tls-fingerprint',
    'ca',
    'answerfile',
    'domain',
    'root',
    'vms',
    'spec',
    'deadline',
    'output',
    'force',
    'merge',
    'format',
    'help',
  ],
  ownWords: {
    output: { value: 'FILE', about: 'write it there instead of standard output; what is there already stays' },
    format: { value: 'yaml|json', about: 'yaml says where each entry came from (default: yaml)' },
    deadline: { value: 'D', about: 'for all sources; what was learned by then is written (default: 30s)' },
  },

  async run({ values, positionals }) {
    refuseWords(positionals, 'discover');
    const format = oneOf(values.format ?? 'yaml', 'format', ['yaml', 'json']);
    if (values.merge !== undefined && format === 'json')
      throw new UsageError('--merge keeps comments, which JSON has none of; leave out --format json');
    const target = targetFrom(values);
    try {
      const found = await askAll(values, await choiceFrom(values));
      const { spec } = found;
      for (const { name, told, trouble } of found.sources) {
        for (const line of told) complain(`${name}: ${line}`);
        if (trouble !== null) complain(trouble);
      }
      return await deliver(found, { format, target, spec, merge: values.merge });
    } finally {
      target?.discard();
    }
  },
};

/** What was named, what the site to be added to asks for, or what the pool says that it is. */
async function choiceFrom({ spec, merge }: Arguments): Promise<SpecChoice> {
  if (spec) return loadSpec(spec, probes);
  if (merge === undefined) return specForProduct;
  const document = await readSite(textOf(merge), merge);
  return loadSpec(document.specs ?? [defaultSpec], probes, { folders: undefined });
}

interface Delivery {
  readonly format: 'yaml' | 'json';
  readonly target: Target | null;
  readonly spec: LoadedSpec;
  /** The site of a person, to add to. */
  readonly merge: string | undefined;
}

const written = (draft: Draft, format: Delivery['format'], spec: LoadedSpec): string =>
  format === 'json' ? writeJson(draft) : writeYaml(draft, spec);

async function mergedInto(file: string, draft: Draft, spec: LoadedSpec): Promise<string> {
  const { mergeInto } = await import('../discover/merge.ts');
  const { text, told } = await mergeInto(textOf(file), file, draft, spec);
  for (const line of told) complain(line);
  return text;
}

async function deliver({ draft, sources }: Discovered, { format, target, spec, merge }: Delivery): Promise<number> {
  if (isEmpty(draft)) {
    complain(nothingFound(draft));
    return codes.nothing;
  }
  const text = merge === undefined ? written(draft, format, spec) : await mergedInto(merge, draft, spec);
  // What is written is what `check` takes; anything else is a defect, and better told here.
  await parseSite(text, 'the discovered site', spec);
  if (target) commit(target, text);
  else writeOut(text);
  const unread = await outTrouble();
  if (unread !== null) complain(unread);
  return unread !== null || sources.some(({ trouble }) => trouble !== null) ? codes.partial : codes.written;
}

function commit(target: Target, text: string): void {
  try {
    target.write(Buffer.from(text));
    target.commit();
  } catch (error) {
    throw new UsageError(`--output cannot be written ${troubleText(error)}`, { cause: error });
  }
}

const nothingFound = ({ sources }: Draft): string =>
  `nothing was learned${sources.length === 0 ? '' : ` from ${sources.join(', ')}`}: no site file is written. Ask a pool with --xapi https://HOST, or write the file by hand (the README shows one)`;

async function askAll(values: Arguments, spec: SpecChoice): Promise<Discovered> {
  const { root, answerfile, domain } = values;
  if (domain !== undefined) refuseNoDomain(domain);
  const answers = answerfile === undefined ? undefined : answerfileSource(textOf(answerfile), answerfile);
  const login = await loginFrom(values);
  const interruption = new Interruption(deadlineFrom(values) ?? usualDeadlineMs);
  const { signal } = interruption;
  // Of a pool elsewhere, or of a host that is still to be, this machine's files say nothing.
  const isElsewhere = answers !== undefined || (values.xapi !== undefined && values.xapi !== usualSocket);
  const files = root ?? (isElsewhere ? null : '/');
  const settings = settingsFor({ needsSecrets: false }, null, thisMachine(), probes).run;
  try {
    return await ask(
      {
        login,
        root: files,
        environment: files === '/' ? process.env : undefined,
        answers,
        domain,
        self: { uuid: readInventory(files ?? '/'), addresses: thisMachine().addresses },
        wantsVms: values.vms ?? false,
        signal,
        introductions: (controllers, name) => introductionsOf(controllers, name, settings, signal),
      },
      spec,
    );
  } finally {
    interruption.release();
  }
}

function refuseNoDomain(domain: string): void {
  const fault = nameFault(domain);
  if (fault !== null) throw new UsageError(`--domain ${fault}`);
}

function textOf(file: string): string {
  const bytes = Buffer.from(readFile(file));
  if (bytes.includes(0)) throw new UsageError(`${file}: is no text`);
  return bytes.toString('utf8');
}

/** The pool that was named, else this host's own, unless something else is asked for. */
async function loginFrom(values: Arguments): Promise<Login | null> {
  const user = values['xapi-user'] ?? 'root';
  const isHere = values.root === undefined && values.answerfile === undefined;
  const wanted = values.xapi ?? (isHere && existsSync(usualSocket) ? usualSocket : undefined);
  if (wanted === undefined) return null;
  const fingerprints = (values['tls-fingerprint'] ?? []).flatMap((text) => text.split(',').map(parseFingerprint));
  const endpoint = parseXapi(wanted, { fingerprints, trust: readTrust(values.ca ?? []) });
  // Who opens the socket is root already, and any word is taken.
  if (endpoint.kind === 'socket') return { endpoint, user, password: '' };
  return { endpoint, user, password: await passwordFrom(values, `${user} at ${endpoint.host}`) };
}

async function passwordFrom(values: Arguments, whose: string): Promise<string> {
  const file = values['xapi-password-file'];
  if (file !== undefined) return readSecret(file, '--xapi-password-file', { folders: undefined });
  const given = process.env['XENREACH_XAPI_PASSWORD'];
  if (given !== undefined && given !== '') return given;
  const typed = await promptForSecret(`Password of ${whose}: `);
  if (typed !== null) return typed;
  throw new UsageError(
    `the password of ${whose} is needed: in XENREACH_XAPI_PASSWORD or --xapi-password-file FILE, never in an argument`,
  );
}

/** Opened before anybody is asked, so that a slip costs no login. */
function targetFrom({ output = [], force = false }: Arguments): Target | null {
  const [file, another] = output;
  if (file === undefined || file === '-') return null;
  if (another !== undefined) throw new UsageError('discover writes one file; give one --output FILE');
  const isThere = existsSync(file);
  if (isThere && !force) {
    throw new UsageError(
      `${file} is there already and stays as it is; --force overwrites it; --merge ${file} --output ${file} --force adds to it`,
    );
  }
  try {
    return openFile(file, statSync(file, { throwIfNoEntry: false }));
  } catch (error) {
    throw new UsageError(`--output: ${file} cannot be written ${troubleText(error)}`, { cause: error });
  }
}
