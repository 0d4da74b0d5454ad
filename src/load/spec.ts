/** Loads requirement tables: bundled ones by their names, or anybody's files. What a table says must hold together. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import * as v from 'valibot';
import { UsageError } from '../model/errors.ts';
import type { Probe } from '../model/probe.ts';
import { SpecChanges, WholeSpec, type LoadedSpec, type WrittenSpec } from '../model/spec.ts';
import { crypto } from '../net/crypto.ts';
import { show, throwIfAny, type Places } from './faults.ts';
import { didYouMean } from './nearest.ts';
import { readFile, readNamedFile, type NamedFiles } from './read-file.ts';
import { shapeFaults } from './shape.ts';
import { changed, changeFaults, placesOfChanged } from './spec-changes.ts';
import { specFaults } from './spec-faults.ts';
import { joinSpecs } from './spec-join.ts';
import { isPath } from './spec-name.ts';
import { requirementOf } from './spec-row.ts';
import { parseYaml } from './yaml.ts';

type Probes = Readonly<Record<string, Probe>>;

/** The names of the tables that come with the program. */
export function bundledSpecs(): readonly string[] {
  const files = readdirSync(specsFolder()).filter((file) => file.endsWith('.yaml'));
  return files.map((file) => file.slice(0, -'.yaml'.length)).toSorted();
}

/** One table, or several as one. `named`: a site names them, and its files lie where files of sites may. */
export async function loadSpec(
  namesOrFiles: string | readonly string[],
  probes: Probes,
  named: NamedFiles | null = null,
): Promise<LoadedSpec> {
  const names = [...new Set([namesOrFiles].flat())];
  return joinSpecs(await Promise.all(names.map((name) => loadOne(name, probes, named))));
}

async function loadOne(nameOrFile: string, probes: Probes, named: NamedFiles | null): Promise<LoadedSpec> {
  if (named && isPath(nameOrFile)) return loadNamedSpec(nameOrFile, probes, named);
  const file = fileOf(nameOrFile);
  return (isPath(nameOrFile) ? null : loadedAtBuild(nameOrFile)) ?? specOf(readFile(file), file, probes);
}

function fileOf(nameOrFile: string): string {
  if (isPath(nameOrFile)) return nameOrFile;
  const bundled = bundledSpecs();
  if (bundled.includes(nameOrFile)) return join(specsFolder(), `${nameOrFile}.yaml`);
  throw new UsageError(
    `no spec is called ${show(nameOrFile)}${didYouMean(nameOrFile, bundled)} (a file is given with its path: ./my-spec.yaml)`,
  );
}

/** What the build left beside the program (rolldown.config.ts), as long as it is of these very files: 50 ms less a start. */
function loadedAtBuild(name: string): LoadedSpec | null {
  const built = (file: string): string => join(import.meta.dirname, file);
  if (!existsSync(built(`${name}.json`))) return null;
  // Our own build wrote it.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const loaded = JSON.parse(readFileSync(built(`${name}.json`), 'utf8')) as LoadedSpec;
  const isOfThese = loaded.files.every((file) =>
    readFileSync(built(`${file}.yaml`)).equals(readFile(join(specsFolder(), `${file}.yaml`))),
  );
  return isOfThese ? loaded : null;
}

/** A file that a site names: read where files of sites may lie, and nothing of what it holds is told. */
async function loadNamedSpec(file: string, probes: Probes, named: NamedFiles): Promise<LoadedSpec> {
  const bytes = readNamedFile(file, 'spec', named);
  try {
    return await specOf(bytes, file, probes, (base) => readNamedFile(base, 'spec', named));
  } catch (cause) {
    if (!(cause instanceof UsageError)) throw cause;
    throw new UsageError(`spec ${file} is no spec that can be used; xenreach spec --spec ${file} says why`, {
      cause,
    });
  }
}

/** How the file of a base is read that is not a bundled one. */
type ReadBase = (file: string) => Uint8Array;

async function specOf(bytes: Uint8Array, file: string, probes: Probes, read: ReadBase = readFile): Promise<LoadedSpec> {
  const { spec, places, chain } = await readWhole(bytes, file, [], read);
  throwIfAny(await specFaults(spec, probes), places);
  return {
    ...spec,
    rows: spec.rows.map((row) => requirementOf(row, spec, probes)),
    catalogues: [],
    remarks: [],
    files: chain.map((each) => each.name),
    /** Only some reports tell it, and what it takes is loaded for it alone. */
    get sha256(): string {
      const { hash } = crypto();
      const [own] = chain;
      return chain.length === 1
        ? hash('sha256', own!.bytes)
        : hash('sha256', chain.map((each) => hash('sha256', each.bytes)).join('\n'));
    },
  };
}

/** A file that was read on the way: the table's own first, then the one that it extends, and so on. */
interface Link {
  readonly name: string;
  readonly bytes: Uint8Array;
}

interface Whole {
  readonly spec: WrittenSpec;
  readonly places: Places;
  readonly chain: readonly Link[];
}

/** `extending`: the files that lead here. */
async function readWhole(
  bytes: Uint8Array,
  file: string,
  extending: readonly string[],
  read: ReadBase,
): Promise<Whole> {
  const document = await parseYaml(bytes, file);
  const link: Link = { name: nameOf(file), bytes };
  if (!('extends' in Object(document.value))) {
    throwIfAny(shapeFaults(WholeSpec, document.value), document);
    return { spec: v.parse(WholeSpec, document.value), places: document, chain: [link] };
  }
  throwIfAny(shapeFaults(SpecChanges, document.value), document);
  const changes = v.parse(SpecChanges, document.value);
  const baseFile = isPath(changes.extends) ? resolve(dirname(file), changes.extends) : changes.extends;
  const way = [...extending, resolve(file)];
  const base = await readBase(baseFile, way, read, (text) => throwIfAny([{ path: ['extends'], text }], document));
  throwIfAny(changeFaults(changes, base.spec), document);
  const whole = changed(base.spec, changes);
  const places = placesOfChanged(document, changes, whole);
  throwIfAny(shapeFaults(WholeSpec, whole), places);
  return { spec: v.parse(WholeSpec, whole), places, chain: [link, ...base.chain] };
}

async function readBase(
  nameOrFile: string,
  extending: readonly string[],
  read: ReadBase,
  refuse: (text: string) => void,
): Promise<Whole> {
  const known = bundledSpecs();
  if (!isPath(nameOrFile) && !known.includes(nameOrFile))
    refuse(`no spec is called ${show(nameOrFile)}${didYouMean(nameOrFile, known)}`);
  const file = fileOf(nameOrFile);
  const way = [...extending, resolve(file)];
  if (extending.includes(resolve(file))) refuse(`it extends itself: ${way.map(nameOf).join(' -> ')}; remove it`);
  return readWhole(isPath(nameOrFile) ? read(file) : readFile(file), file, extending, read);
}

const nameOf = (file: string): string => file.replace(/^.*[/\\]/, '').replace(/\.yaml$/, '');

/** Beside the sources, whether they run as they are (src/load) or built (dist/src/load). */
function specsFolder(): string {
  let folder = import.meta.dirname;
  for (let up = 0; up < 4; up++, folder = join(folder, '..')) {
    if (existsSync(join(folder, 'specs'))) return join(folder, 'specs');
  }
  throw new Error(`the specs folder is not above ${import.meta.dirname}`);
}
