/** Loads a requirement table: a bundled one by its name, or anybody's file. What it says must hold together. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import * as v from 'valibot';
import { UsageError } from '../model/errors.ts';
import type { Probe } from '../model/probe.ts';
import { Spec, templates, type LoadedSpec, type Need, type Requirement } from '../model/spec.ts';
import { crypto } from '../net/crypto.ts';
import { show, throwIfAny, type Fault, type Path } from './faults.ts';
import { nameFault } from './host.ts';
import { didYouMean } from './nearest.ts';
import { readFile, readNamedFile, type NamedFiles } from './read-file.ts';
import { keysOf, shapeFaults } from './shape.ts';
import { unknownWord, wrongKind } from './shared-faults.ts';
import { parseYaml } from './yaml.ts';

type Probes = Readonly<Record<string, Probe>>;

/** The names of the tables that come with the program. */
export function bundledSpecs(): readonly string[] {
  const files = readdirSync(specsFolder()).filter((file) => file.endsWith('.yaml'));
  return files.map((file) => file.slice(0, -'.yaml'.length)).toSorted();
}

export async function loadSpec(nameOrFile: string, probes: Probes): Promise<LoadedSpec> {
  if (bundledSpecs().includes(nameOrFile)) {
    const file = join(specsFolder(), `${nameOrFile}.yaml`);
    return loadedAtBuild(nameOrFile, file) ?? readSpec(file, probes);
  }
  if (/[/\\.]/.test(nameOrFile)) return readSpec(nameOrFile, probes);
  const near = didYouMean(nameOrFile, bundledSpecs());
  throw new UsageError(`no spec is called ${show(nameOrFile)}${near} (a file is given with its path: ./my-spec.yaml)`);
}

/** What the build left beside the program (rolldown.config.ts), as long as it is of this very file: 50 ms less a start. */
function loadedAtBuild(name: string, file: string): LoadedSpec | null {
  const built = join(import.meta.dirname, name);
  if (!existsSync(`${built}.json`)) return null;
  const isOfThis = readFileSync(`${built}.yaml`).equals(readFile(file));
  return isOfThis ? JSON.parse(readFileSync(`${built}.json`, 'utf8')) : null;
}

/** A file that a site names: read where files of sites may lie, and nothing of what it holds is told. */
export async function loadNamedSpec(file: string, probes: Probes, named: NamedFiles): Promise<LoadedSpec> {
  const bytes = readNamedFile(file, 'spec', named);
  try {
    return await specOf(bytes, file, probes);
  } catch (cause) {
    if (!(cause instanceof UsageError)) throw cause;
    throw new UsageError(`spec ${file} is no spec that can be used; xenreach spec --spec ${file} says why`, {
      cause,
    });
  }
}

const readSpec = (file: string, probes: Probes): Promise<LoadedSpec> => specOf(readFile(file), file, probes);

async function specOf(bytes: Uint8Array, file: string, probes: Probes): Promise<LoadedSpec> {
  const document = await parseYaml(bytes, file);
  throwIfAny(shapeFaults(Spec, document.value), document);
  const spec = v.parse(Spec, document.value);
  throwIfAny(
    [...roleFaults(spec), ...vantageFaults(spec), ...rowFaults(spec), ...(await needFaults(spec, probes))],
    document,
  );
  const rows = spec.rows.map((row) => ({ ...row, needs: row.needs.map((need) => withPorts(need, probes)) }));
  return {
    ...spec,
    rows,
    /** Only some reports tell it, and what it takes is loaded for it alone. */
    get sha256(): string {
      return crypto().hash('sha256', bytes);
    },
  };
}

/** A need without ports means the probe's own, except where the target is a name and no port is touched. */
function withPorts(need: Need, probes: Probes): Need {
  const probe = probes[need.probe]!;
  return need.ports || probe.perAddress === false ? need : { ...need, ports: [probe.port] };
}

function roleFaults({ roles }: Spec): Fault[] {
  return Object.entries(roles).flatMap(([name, { machines }]) =>
    machines === undefined
      ? []
      : unknownWord('role', machines, Object.keys(roles), { path: ['roles', name, 'machines'] }),
  );
}

function vantageFaults({ vantage, rows }: Spec): Fault[] {
  return vantage === undefined
    ? []
    : unknownWord('source role', vantage, [...new Set(rows.map(({ from }) => from))], { path: ['vantage'] });
}

function rowFaults(spec: Spec): Fault[] {
  const faults: Fault[] = [];
  const seen = new Set<string>();
  for (const [i, row] of spec.rows.entries()) {
    const path = ['rows', i];
    if (seen.has(row.id))
      faults.push({ path: [...path, 'id'], text: `a second row is called "${row.id}"; rename one` });
    seen.add(row.id);
    faults.push(
      ...unknownWord('section', row.section, Object.keys(spec.sections), { path: [...path, 'section'] }),
      ...unknownWord('role', row.from, Object.keys(spec.roles), { path: [...path, 'from'] }),
      ...unknownWord('role', row.to, Object.keys(spec.roles), { path: [...path, 'to'] }),
      ...hostsFaults(spec, row, path),
      ...whenFaults(spec, row.when, [...path, 'when']),
      ...whereFaults(spec, row, [...path, 'where']),
    );
  }
  return faults;
}

function hostsFaults(spec: Spec, row: Requirement, path: Path): Fault[] {
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

function whenFaults(spec: Spec, when: Requirement['when'], path: Path): Fault[] {
  return Object.entries(when).flatMap(([name, value]) => {
    const at = [...path, name];
    const fact = spec.facts[name];
    if (!fact) return unknownWord('fact', name, Object.keys(spec.facts), { path: at, atKey: true });
    return wrongKind(name, fact.default, value, at);
  });
}

function whereFaults({ hostProperties }: Spec, row: Requirement, path: Path): Fault[] {
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

async function needFaults(spec: Spec, probes: Probes): Promise<Fault[]> {
  const faults: Fault[] = [];
  for (const [i, row] of spec.rows.entries()) {
    for (const [j, need] of row.needs.entries()) {
      const path = ['rows', i, 'needs', j];
      const probe = Object.hasOwn(probes, need.probe) ? probes[need.probe] : undefined;
      faults.push(...whenFaults(spec, need.when, [...path, 'when']), ...portFaults(need, [...path, 'ports']));
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

function portFaults(need: Need, path: Path): Fault[] {
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

function transportFaults(need: Need, probe: Probe, path: Path): Fault[] {
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
async function optionFaults(need: Need, probe: Probe, path: Path): Promise<Fault[]> {
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

/** Beside the sources, whether they run as they are (src/load) or built (dist/src/load). */
function specsFolder(): string {
  let folder = import.meta.dirname;
  for (let up = 0; up < 4; up++, folder = join(folder, '..')) {
    if (existsSync(join(folder, 'specs'))) return join(folder, 'specs');
  }
  throw new Error(`the specs folder is not above ${import.meta.dirname}`);
}
