/** docs/probes.md, made from the probes themselves: their `about`, their options, and the rows that use them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toJsonSchema, type JsonSchema } from '@valibot/to-json-schema';
import type { GenericSchema } from 'valibot';
import * as everyProbe from '../../probes/index.ts';
import { loadSpec } from '../../src/load/spec.ts';
import type { Probe } from '../../src/model/probe.ts';

const root = join(import.meta.dirname, '../..');
const probes: Readonly<Record<string, Probe>> = everyProbe;

export const page = join(root, 'docs/probes.md');

const intro = `# Probes

What each probe sends, what that proves, and what it leaves behind at the other end: for the person who must allow it, and
for the one who finds it in a log. Made by \`node --run docs\` from \`probes/\`; do not edit it by hand.

What a probe proves is what its outcome \`answered\` means. Every probe is anonymous: none carries a credential.
\`xenreach probe NAME HOST[:PORT] --set OPTION=VALUE\` runs one by hand.
`;

export async function probesPage(): Promise<string> {
  const files = fileOfEach();
  const rows = await rowsOfEach();
  const sorted = Object.entries(probes).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const entries = sorted.map(([name, probe]): Entry => {
    return { name, probe, source: files.get(name) ?? '', rows: rows.get(name) ?? [] };
  });
  // The transports of one protocol are one section.
  const sections = Map.groupBy(entries, ({ probe, source }) => `${source} ${probe.port}`);
  return [intro, ...[...sections.values()].map(section)].join('\n');
}

interface Entry {
  readonly name: string;
  readonly probe: Probe;
  readonly source: string;
  readonly rows: readonly string[];
}

function section(entries: readonly Entry[]): string {
  const lines = [
    `## ${entries.map(({ name }) => name).join(', ')}`,
    '',
    entries.map(headOf).join('\n'),
    '',
    ...saidOnce(entries, 'Sends', ({ probe }) => `${probe.about.sends}.`),
    ...saidOnce(entries, 'Proves', ({ probe }) => `${probe.about.proves}.`),
    ...saidOnce(entries, 'Demands of', ({ probe: { about } }) => about.client && `${about.client}.`),
    ...saidOnce(entries, 'Leaves', ({ probe }) => `${probe.about.leaves}.`),
    ...saidOnce(
      entries,
      'Rows of xenserver-8',
      ({ rows }) => `${rows.map((row) => `\`${row}\``).join(', ') || 'none'}.`,
    ),
    ...optionsOf(entries),
  ];
  return `${lines.join('\n')}\n`;
}

function headOf({ probe: { transport, port, about }, source }: Entry): string {
  const where = [transport === 'either' ? 'TCP or UDP' : transport.toUpperCase(), port === 0 ? 'any port' : `${port}`];
  return `${about.title}, ${where.join(' ')}. [probes/${source}](../probes/${source}); ${about.reference}.`;
}

/** One line for all of them, or one for each where they differ. */
function saidOnce(entries: readonly Entry[], word: string, textOf: (entry: Entry) => string | undefined): string[] {
  const texts = Map.groupBy(entries, textOf);
  return [...texts].flatMap(([text, of]) => {
    const whose = of.length === entries.length ? '' : ` (${of.map(({ name }) => name).join(', ')})`;
    return text === undefined ? [] : [`- ${word}${whose}: ${text}`];
  });
}

function optionsOf(entries: readonly Entry[]): string[] {
  const lines = entries.flatMap((entry) =>
    optionLines(entry.probe.options as GenericSchema, entry.source).map((option) => ({ entry, option })),
  );
  return [...Map.groupBy(lines, ({ option }) => option)].map(([option, of]) => {
    const whose = of.length === entries.length ? '' : ` (${of.map(({ entry }) => entry.name).join(', ')})`;
    return option.replace(/^- (Option `\w+`)/, `- $1${whose}`);
  });
}

function optionLines(schema: GenericSchema, source: string): string[] {
  const { properties = {} } = toJsonSchema(schema, { typeMode: 'input', errorMode: 'ignore' });
  return Object.entries(properties).map(([name, property]) => {
    const option = typeof property === 'object' ? property : {};
    const usual = option.default === undefined || option.default === '' ? '' : `, usually \`${shown(option.default)}\``;
    const comment = commentOn(name, source);
    return `- Option \`${name}\`: ${kindOf(option)}${usual}.${comment === undefined ? '' : ` ${comment}`}`;
  });
}

/** "a whole number from 1 to 15" */
function kindOf({ enum: choices, type, minimum, maximum }: Exclude<JsonSchema, boolean>): string {
  if (choices) return choices.map((choice) => `\`${shown(choice)}\``).join(' or ');
  if (type === 'boolean') return '`true` or `false`';
  if (type !== 'number' && type !== 'integer') return 'text';
  const noun = type === 'integer' ? 'a whole number' : 'a number';
  if (maximum === undefined) return `${noun}, ${minimum ?? 0} or more`;
  return `${noun} from ${minimum ?? 0} to ${maximum}`;
}

const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** What the source says above the option, or else above the schema of that name, which several probes may share. */
function commentOn(name: string, source: string): string | undefined {
  const option = new RegExp(String.raw`/\*\* (.+) \*/\n\s*${name}: (?:v\.|[A-Z])`);
  const schema = new RegExp(String.raw`/\*\* (.+) \*/\nexport const ${name} = `, 'i');
  const texts = [source, 'tls.ts'].map((file) => readFileSync(join(root, 'probes', file), 'utf8'));
  return (option.exec(texts[0] ?? '') ?? texts.map((text) => schema.exec(text)).find(Boolean))?.[1];
}

/** By the lines of probes/index.ts: `export { dns, dnsTcp as 'dns-tcp' } from './dns.ts';` */
function fileOfEach(): Map<string, string> {
  const registry = readFileSync(join(root, 'probes/index.ts'), 'utf8');
  const found = new Map<string, string>();
  for (const [, names = '', source = ''] of registry.matchAll(/^export \{ (.+) \} from '\.\/(.+)';$/gm)) {
    for (const name of names.split(', ')) found.set((/ as '(.+)'$/.exec(name)?.[1] ?? name).trim(), source);
  }
  return found;
}

async function rowsOfEach(): Promise<Map<string, string[]>> {
  const { rows } = await loadSpec('xenserver-8', probes);
  const found = new Map<string, string[]>();
  for (const { id, needs } of rows) {
    for (const name of new Set(needs.map(({ probe }) => probe))) found.set(name, [...(found.get(name) ?? []), id]);
  }
  return found;
}

if (import.meta.main) writeFileSync(page, await probesPage());
