/** xenreach spec: the requirement rows, and what one of them means. */
import { didYouMean } from '../load/nearest.ts';
import { defaultSpec } from '../load/default-spec.ts';
import { bundledSpecs, loadSpec } from '../load/spec.ts';
import { UsageError } from '../model/errors.ts';
import type { LoadedSpec, Need, Requirement } from '../model/spec.ts';
import type { Transport } from '../model/probe.ts';
import { differencesOf } from '../plan/differences.ts';
import { portsText } from '../plan/ports.ts';
import { differencesFormats, renderDifferences, type DifferencesFormat } from '../report/differences.ts';
import { json } from '../report/escape.ts';
import { wrap } from '../report/layout.ts';
import type { Command } from './command.ts';
import { oneOf } from './options.ts';
import { probes } from '../check/registry.ts';
import { complain, say, writeOut } from './streams.ts';

const verbs = ['show', 'diff'];

export const spec: Command = {
  about: 'list the requirement rows; `spec show ID` explains one; `spec diff A B` what B requires and A does not',
  usage: '[show ID | diff A B]',
  options: ['spec', 'list', 'format', 'help'],

  async run({ values, positionals }) {
    const [verb, ...words] = positionals;
    if (verb === 'diff') return compare(words, oneOf(values.format ?? 'text', 'format', differencesFormats));
    const format = oneOf(values.format ?? 'text', 'format', ['text', 'json']);
    if (verb !== undefined && verb !== 'show') {
      throw new UsageError(
        `spec has no "${verb}"${didYouMean(verb, verbs)}; write xenreach spec, xenreach spec show ID, or xenreach spec diff A B`,
      );
    }
    if (values.list) return listBundled(format);
    const [id, ...rest] = words;
    if (verb === 'show' && (id === undefined || rest.length > 0))
      throw new UsageError('spec show takes one row id; xenreach spec lists them');
    const loaded = await loadSpec(values.spec ?? defaultSpec, probes);
    for (const remark of loaded.remarks) complain(remark);
    if (id === undefined) {
      print(format, specJson(loaded), () => listText(loaded));
      return 0;
    }
    const row = loaded.rows.find((each) => each.id === id);
    if (!row)
      throw new UsageError(
        `no row is called "${id}"${didYouMean(
          id,
          loaded.rows.map((each) => each.id),
        )}; xenreach spec lists them`,
      );
    print(format, rowJson(row), () => rowText(row, loaded));
    return 0;
  },
};

async function listBundled(format: 'text' | 'json'): Promise<number> {
  const specs = await Promise.all(bundledSpecs().map((name) => loadSpec(name, probes)));
  const listed = specs.map(({ id, title, revision, date, products, rows }) => ({
    id,
    title,
    revision,
    date: date ?? null,
    products: products.map(({ brand, version }) => `${brand} ${version}`),
    rows: rows.length,
  }));
  print(format, listed, () =>
    listed
      .map(({ id, title, date, rows, products }) => {
        const about = `${title}, ${date ?? 'without a date'}: ${rows} rows`;
        return `${id.padEnd(24)} ${about}${products.length === 0 ? '' : `, for ${products.join(', ')}`}\n`;
      })
      .join(''),
  );
  return 0;
}

async function compare(words: readonly string[], format: DifferencesFormat): Promise<number> {
  const [a, b, ...rest] = words;
  if (a === undefined || b === undefined || rest.length > 0)
    throw new UsageError(
      'spec diff takes two specs: xenreach spec diff A B; xenreach spec --list names the bundled ones',
    );
  const [first, second] = await Promise.all([a, b].map((name) => loadSpec(name, probes)));
  say(renderDifferences(differencesOf(first!, second!, probes), { first: first!, second: second! }, format));
  return 0;
}

function print(format: 'text' | 'json', value: object, text: () => string): void {
  if (format === 'json') writeOut(`${json(value, 2)}\n`);
  else say(text());
}

function specJson(loaded: LoadedSpec): object {
  return {
    id: loaded.id,
    title: loaded.title,
    revision: loaded.revision,
    sha256: loaded.sha256,
    ...(loaded.catalogues.length > 0 && { catalogues: loaded.catalogues }),
    rows: loaded.rows.map(rowJson),
  };
}

function rowJson(row: Requirement): object {
  const { id, section, catalogue, source, confidence, basis, from, to, purpose, hosts, when, note, needs } = row;
  return {
    id,
    section,
    catalogue,
    from,
    to,
    purpose,
    source,
    confidence,
    basis,
    ...(hosts && { hosts }),
    when,
    ...(row.require && { require: row.require }),
    ...(row.unprovable !== undefined && { unprovable: row.unprovable }),
    ...(note !== undefined && { note }),
    needs: needs.map(needJson),
  };
}

function needJson(need: Need): object {
  const { probe, transport, ports, level, expect, oneWay, when, note, choice, proxy, sample } = need;
  return {
    probe,
    transport: transportOf({ probe, transport }),
    ports: portsOf({ probe, ports }),
    level,
    expect,
    ...(oneWay && { oneWay }),
    ...(Object.keys(when).length > 0 && { when }),
    ...(choice && { anyOf: choice.of }),
    ...(proxy && { proxy }),
    ...(sample !== undefined && { sample }),
    ...(note !== undefined && { note }),
  };
}

function listText(loaded: LoadedSpec): string {
  const lines = [`${loaded.title} (${loaded.id}, revision ${loaded.revision}): ${loaded.rows.length} rows`];
  for (const [section, title] of Object.entries(loaded.sections)) {
    lines.push('', title);
    for (const row of loaded.rows.filter((each) => each.section === section)) {
      const ports = row.unprovable ?? portsText(row.needs.map(portsOf));
      const transports = [...new Set(row.needs.map(transportOf))].join('+');
      lines.push(`  ${row.id.padEnd(31)} ${`${row.from} -> ${row.to}`.padEnd(40)} ${transports} ${ports}`.trimEnd());
    }
  }
  return `${lines.join('\n')}\n`;
}

function rowText(row: Requirement, loaded: LoadedSpec): string {
  const lines = [
    row.id,
    ...wrap(`  ${row.purpose}`, 78, '  '),
    `  from      ${row.from}: ${loaded.roles[row.from]?.title ?? ''}`,
    `  to        ${row.to}: ${row.hosts?.join(', ') ?? loaded.roles[row.to]?.title ?? ''}`,
    ...provenanceText(row, loaded),
    ...Object.entries(row.when).map(([fact, value]) => `  applies   when ${fact} is ${String(value)}`),
    ...(row.require === 'any' ? ['  requires  one good host; the others are told'] : []),
    ...(row.unprovable === undefined
      ? ['  needs', ...row.needs.flatMap(needText)]
      : [`  needs     ${row.unprovable}, which no probe can try`]),
    ...(row.note === undefined ? [] : wrap(`  note: ${row.note}`, 78, '  ')),
  ];
  return `${lines.join('\n')}\n`;
}

const bases = { page: 'the page says so', code: 'by the code', inferred: 'inferred' } as const;

function provenanceText({ source, catalogue, confidence, basis }: Requirement, { catalogues }: LoadedSpec): string[] {
  const { table, row, title } = source;
  const place = typeof row === 'number' ? `"${table}", row ${row}` : row === undefined ? table : `${table}, ${row}`;
  const sure = `${confidence} confidence, ${bases[basis]}`;
  return [
    ...wrap(`${place} of ${title}`, 66).map((line, i) => `  ${i === 0 ? 'source    ' : ' '.repeat(10)}${line}`),
    `  rests on  ${sure}`,
    ...(catalogues.length > 0 ? [`  spec      ${catalogue}`] : []),
  ];
}

function needText(need: Need): string[] {
  const about = probes[need.probe]?.about;
  const expected = { open: 'must answer', path: 'the way must be open; a refusal is fine', shut: 'must be shut' }[
    need.expect
  ];
  const when = Object.entries(need.when).map(([fact, value]) => `, when ${fact} is ${String(value)}`);
  const level = need.level === 'advisory' ? ' (advisory: never fails the row)' : '';
  const choice = need.choice ? `, ${need.choice.index === 0 ? 'one' : 'or another'} of which one is enough` : '';
  const sample = need.sample === undefined ? '' : `, ${need.sample} of them tried`;
  const proxy = need.proxy ? `, through a proxy: ${need.proxy}` : '';
  return [
    `    ${transportOf(need)} ${portsText([portsOf(need)])}: ${need.probe}, ${expected}${level}${choice}${sample}${proxy}${when.join('')}`,
    ...(about ? wrap(`proof: ${about.proves}`, 70).map((line) => `        ${line}`) : []),
    ...(need.oneWay ? ['        it answers nobody: a responder at the other end proves it (xenreach respond)'] : []),
    ...(need.note === undefined ? [] : wrap(need.note, 70).map((line) => `        ${line}`)),
  ];
}

function transportOf(need: { readonly probe: string; readonly transport?: Transport | undefined }): Transport {
  const transport = need.transport ?? probes[need.probe]?.transport ?? 'tcp';
  return transport === 'either' ? 'tcp' : transport;
}

function portsOf(need: {
  readonly probe: string;
  readonly ports?: readonly (number | string)[] | undefined;
}): readonly (number | string)[] {
  return need.ports ?? [probes[need.probe]?.port ?? 0];
}
