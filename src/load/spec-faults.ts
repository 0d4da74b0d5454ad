/** What a requirement table says must hold together: every word is one of its own, every need can be tried. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type * as v from 'valibot';
import type { Probe } from '../model/probe.ts';
import { templates, type WrittenNeed, type WrittenRow, type WrittenSpec } from '../model/spec.ts';
import { countPorts } from '../model/ports.ts';
import type { Fault, Path } from './faults.ts';
import { nameFault } from './host.ts';
import { keysOf, shapeFaults } from './shape.ts';
import { unknownWord, wrongKind } from './shared-faults.ts';

type Probes = Readonly<Record<string, Probe>>;

export const specFaults = async (spec: WrittenSpec, probes: Probes): Promise<readonly Fault[]> => [
  ...roleFaults(spec),
  ...vantageFaults(spec),
  ...rowFaults(spec),
  ...(await needFaults(spec, probes)),
];

function roleFaults({ roles }: WrittenSpec): Fault[] {
  return Object.entries(roles).flatMap(([name, { machines }]) =>
    machines === undefined
      ? []
      : unknownWord('role', machines, Object.keys(roles), { path: ['roles', name, 'machines'] }),
  );
}

function vantageFaults({ vantage, rows }: WrittenSpec): Fault[] {
  return vantage === undefined
    ? []
    : unknownWord('source role', vantage, [...new Set(rows.flatMap(({ from }) => from))], { path: ['vantage'] });
}

function rowFaults(spec: WrittenSpec): Fault[] {
  const faults: Fault[] = [];
  const seen = new Set<string>();
  for (const [i, row] of spec.rows.entries()) {
    const path = ['rows', i];
    if (seen.has(row.id))
      faults.push({ path: [...path, 'id'], text: `a second row is called "${row.id}"; rename one` });
    seen.add(row.id);
    faults.push(
      ...unknownWord('section', row.section, Object.keys(spec.sections), { path: [...path, 'section'] }),
      ...fromFaults(spec, row, [...path, 'from']),
      ...unknownWord('role', row.to, Object.keys(spec.roles), { path: [...path, 'to'] }),
      ...hostsFaults(spec, row, path),
      ...whenFaults(spec, row.when, [...path, 'when']),
      ...whereFaults(spec, row, [...path, 'where']),
      ...substanceFaults(row, path),
      ...sourceFaults(spec, row, [...path, 'source', 'of']),
    );
  }
  return faults;
}

function fromFaults({ roles }: WrittenSpec, { from }: WrittenRow, path: Path): Fault[] {
  const known = Object.keys(roles);
  if (typeof from === 'string') return unknownWord('role', from, known, { path });
  return from.flatMap((role, i) => {
    const at = { path: [...path, i] };
    if (from.indexOf(role) < i) return [{ ...at, text: `the role "${role}" is here a second time; remove one` }];
    return unknownWord('role', role, known, at);
  });
}

/** A row is tried, or says why nothing can try it. */
function substanceFaults({ needs, unprovable }: WrittenRow, path: Path): Fault[] {
  if (needs && unprovable !== undefined)
    return [{ path: [...path, 'unprovable'], atKey: true, text: 'a row with needs is tried; keep one of the two' }];
  if (needs || unprovable !== undefined) return [];
  return [{ path, text: 'the key "needs" is missing; where no probe can try it, say why: unprovable' }];
}

function sourceFaults({ sources }: WrittenSpec, { source: { of } }: WrittenRow, path: Path): Fault[] {
  return of === undefined ? [] : unknownWord('source', of, Object.keys(sources), { path });
}

function hostsFaults(spec: WrittenSpec, row: WrittenRow, path: Path): Fault[] {
  const namesItsHosts = spec.roles[row.to]?.discovery === 'row-names';
  if (namesItsHosts && !row.hosts)
    return [{ path, text: `the key "hosts" is missing: rows to "${row.to}" name their own` }];
  if (!namesItsHosts && row.hosts) {
    return [{ path: [...path, 'hosts'], text: `the hosts of role "${row.to}" come from the site; remove them here` }];
  }
  if (row.sample !== undefined && !row.hosts) {
    return [
      { path: [...path, 'sample'], text: 'there are no hosts that could stand for others; add them or remove it' },
    ];
  }
  return (row.hosts ?? []).flatMap((host, i) => {
    const text = nameFault(host);
    return text === null ? [] : [{ path: [...path, 'hosts', i], text }];
  });
}

function whenFaults(spec: WrittenSpec, when: WrittenRow['when'], path: Path): Fault[] {
  return Object.entries(when).flatMap(([name, value]) => {
    const at = [...path, name];
    const fact = spec.facts[name];
    if (!fact) return unknownWord('fact', name, Object.keys(spec.facts), { path: at, atKey: true });
    return wrongKind(name, fact.default, value, at);
  });
}

function whereFaults({ hostProperties }: WrittenSpec, row: WrittenRow, path: Path): Fault[] {
  return Object.entries(row.where).flatMap(([name, value]) => {
    const values = hostProperties[name];
    if (!values)
      return unknownWord('property of a host', name, Object.keys(hostProperties), {
        path: [...path, name],
        atKey: true,
      });
    return unknownWord(`value of "${name}"`, value, values, { path: [...path, name] });
  });
}

interface PlacedNeed {
  readonly need: WrittenNeed;
  readonly path: Path;
}

function needsOf({ needs = [] }: WrittenRow, path: Path): PlacedNeed[] {
  return needs.flatMap((need, j): PlacedNeed[] =>
    'anyOf' in need
      ? need.anyOf.map((choice, k) => ({ need: choice, path: [...path, j, 'anyOf', k] }))
      : [{ need, path: [...path, j] }],
  );
}

async function needFaults(spec: WrittenSpec, probes: Probes): Promise<Fault[]> {
  const faults: Fault[] = [];
  for (const [i, row] of spec.rows.entries()) {
    for (const { need, path } of needsOf(row, ['rows', i, 'needs'])) {
      const probe = Object.hasOwn(probes, need.probe) ? probes[need.probe] : undefined;
      faults.push(
        ...whenFaults(spec, need.when, [...path, 'when']),
        ...portFaults(need, [...path, 'ports']),
        ...sampleFaults(need, [...path, 'sample']),
        ...proxyFaults(row, need, [...path, 'proxy']),
      );
      if (!probe) {
        faults.push(...unknownWord('probe', need.probe, Object.keys(probes), { path: [...path, 'probe'] }));
        continue;
      }
      faults.push(...transportFaults(need, probe, path));
      // One at a time: a schema may answer later, but hardly any does.
      faults.push(...(await optionFaults(need, probe, [...path, 'options'])));
    }
  }
  return faults;
}

function portFaults(need: WrittenNeed, path: Path): Fault[] {
  const ports = need.ports ?? [];
  return ports.flatMap((port, i) => {
    if (typeof port === 'number') return [];
    if (port === 'dynamic') {
      return ports.length === 1
        ? []
        : [{ path: [...path, i], text: '"dynamic" stands alone; make it a need of its own' }];
    }
    const [from = 0, to = 0] = port.split('-').map(Number);
    if (from >= 1 && from <= to && to <= 65_535) return [];
    return [{ path: [...path, i], text: `the range "${port}" must lead from a port to a higher one, 1 to 65535` }];
  });
}

function sampleFaults({ sample, ports = [] }: WrittenNeed, path: Path): Fault[] {
  if (sample === undefined || sample < countPorts(ports)) return [];
  return [{ path, text: `there are no more than ${countPorts(ports)} ports to take ${sample} of; remove it` }];
}

function proxyFaults({ hosts }: WrittenRow, { proxy }: WrittenNeed, path: Path): Fault[] {
  if (proxy === undefined || hosts) return [];
  return [{ path, atKey: true, text: 'only rows that name their hosts go through a proxy; remove it' }];
}

function transportFaults(need: WrittenNeed, probe: Probe, path: Path): Fault[] {
  if (probe.perAddress !== false && probe.port === 0 && !need.ports) {
    return [{ path, text: `the key "ports" is missing: probe "${need.probe}" has no port of its own` }];
  }
  if (probe.transport === 'either') {
    if (need.transport) return [];
    return [{ path, text: `the key "transport" is missing: probe "${need.probe}" speaks tcp and udp` }];
  }
  if (need.transport === undefined || need.transport === probe.transport) return [];
  const text = `probe "${need.probe}" speaks ${probe.transport} only; remove the transport or name another probe`;
  return [{ path: [...path, 'transport'], text }];
}

/** By the probe's own schema. What the site fills in cannot be known yet. */
async function optionFaults(need: WrittenNeed, probe: Probe, path: Path): Promise<Fault[]> {
  const given = Object.entries(need.options);
  const filledIn = given.flatMap(([name, value]) => (isTemplate(value) ? [{ name, template: value }] : []));
  const names = new Set(filledIn.map(({ name }) => name));
  const known = templates.map((template) => `$${template}`);
  const unknown = filledIn.flatMap(({ name, template }) =>
    unknownWord('template', template, known, { path: [...path, name] }),
  );
  const foreign = filledIn.flatMap(({ name }) =>
    unknownWord('option', name, keysOf(probe.options) ?? [name], { path: [...path, name], atKey: true }),
  );
  const options = Object.fromEntries(given.filter(([name]) => !names.has(name)));
  return [
    ...unknown,
    ...foreign,
    ...(await schemaFaults(probe.options, options, path)).filter(
      (fault) => !names.has(String(fault.path[path.length])),
    ),
  ];
}

async function schemaFaults(schema: StandardSchemaV1, options: object, path: Path): Promise<readonly Fault[]> {
  if (isValibot(schema)) return shapeFaults(schema, options, path);
  const { issues = [] } = await schema['~standard'].validate(options);
  return issues.map((issue) => {
    const inside = (issue.path ?? []).map((part) => (typeof part === 'object' ? part.key : part));
    return {
      path: [...path, ...inside.map((key) => (typeof key === 'symbol' ? String(key) : key))],
      text: issue.message,
    };
  });
}

const isTemplate = (value: unknown): value is string => typeof value === 'string' && value.startsWith('$');

const isValibot = (schema: StandardSchemaV1): schema is StandardSchemaV1 & v.GenericSchema =>
  schema['~standard'].vendor === 'valibot';
