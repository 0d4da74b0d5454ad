/** xenreach spec: the requirement rows, and what one of them means. */
import { didYouMean } from '../load/nearest.ts';
import { defaultSpec } from '../load/default-spec.ts';
import { loadSpec } from '../load/spec.ts';
import { UsageError } from '../model/errors.ts';
import type { LoadedSpec, Need, Requirement } from '../model/spec.ts';
import type { Transport } from '../model/probe.ts';
import { portsText } from '../plan/ports.ts';
import { json } from '../report/escape.ts';
import { wrap } from '../report/layout.ts';
import type { Command } from './command.ts';
import { oneOf } from './options.ts';
import { probes } from '../check/registry.ts';
import { say, writeOut } from './streams.ts';

export const spec: Command = {
  about: 'list the requirement rows; `spec show ID` explains one',
  usage: '[show ID]',
  options: ['spec', 'format', 'help'],

  async run({ values, positionals }) {
    const format = oneOf(values.format ?? 'text', 'format', ['text', 'json']);
    const [verb, id, ...rest] = positionals;
    if (verb !== undefined && verb !== 'show') {
      throw new UsageError(
        `spec has no "${verb}"${didYouMean(verb, ['show'])}; write xenreach spec, or xenreach spec show ID`,
      );
    }
    if (verb === 'show' && (id === undefined || rest.length > 0))
      throw new UsageError('spec show takes one row id; xenreach spec lists them');
    const loaded = await loadSpec(values.spec ?? defaultSpec, probes);
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
    rows: loaded.rows.map(rowJson),
  };
}

function rowJson({ id, section, source, from, to, purpose, hosts, when, note, needs }: Requirement): object {
  return {
    id,
    section,
    from,
    to,
    purpose,
    source,
    ...(hosts && { hosts }),
    when,
    ...(note !== undefined && { note }),
    needs: needs.map(({ probe, level, expect, when: only, note: why, ...need }) => ({
      probe,
      transport: transportOf({ probe, transport: need.transport }),
      ports: portsOf({ probe, ports: need.ports }),
      level,
      expect,
      ...(Object.keys(only).length > 0 && { when: only }),
      ...(why !== undefined && { note: why }),
    })),
  };
}

function listText(loaded: LoadedSpec): string {
  const lines = [`${loaded.title} (${loaded.id}, revision ${loaded.revision}): ${loaded.rows.length} rows`];
  for (const [section, title] of Object.entries(loaded.sections)) {
    lines.push('', title);
    for (const row of loaded.rows.filter((each) => each.section === section)) {
      const ports = portsText(row.needs.map(portsOf));
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
    `  source    "${row.source.table}", row ${row.source.row} of ${loaded.source.title} (${loaded.revision})`,
    ...Object.entries(row.when).map(([fact, value]) => `  applies   when ${fact} is ${String(value)}`),
    '  needs',
    ...row.needs.flatMap(needText),
    ...(row.note === undefined ? [] : wrap(`  note: ${row.note}`, 78, '  ')),
  ];
  return `${lines.join('\n')}\n`;
}

function needText(need: Need): string[] {
  const about = probes[need.probe]?.about;
  const expected = { open: 'must answer', path: 'the way must be open; a refusal is fine', shut: 'must be shut' }[
    need.expect
  ];
  const when = Object.entries(need.when).map(([fact, value]) => `, when ${fact} is ${String(value)}`);
  const level = need.level === 'advisory' ? ' (advisory: never fails the row)' : '';
  return [
    `    ${transportOf(need)} ${portsText([portsOf(need)])}: ${need.probe}, ${expected}${level}${when.join('')}`,
    ...(about ? wrap(`proof: ${about.proves}`, 70).map((line) => `        ${line}`) : []),
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
