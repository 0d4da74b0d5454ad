/**
 * Holds a value against a valibot definition and says every difference as a person would, each at its own place.
 * (Valibot itself stops at the first unknown key of a mapping and cannot tell which branch of a union was meant.)
 */
import * as v from 'valibot';
import { maxTold, show, type Fault, type Path } from './faults.ts';
import { didYouMean, nearest } from './nearest.ts';

/** The kinds of schema that hold others, or words. Whatever is not here is a plain value. */
type Definition =
  | v.StrictObjectSchema<v.ObjectEntries, undefined>
  | v.ObjectSchema<v.ObjectEntries, undefined>
  | v.RecordSchema<v.GenericSchema<string, string>, v.GenericSchema, undefined>
  | v.ArraySchema<v.GenericSchema, undefined>
  | v.UnionSchema<v.GenericSchema[], undefined>
  | v.OptionalSchema<v.GenericSchema, undefined>
  | v.PicklistSchema<readonly string[], undefined>
  | v.LiteralSchema<string, undefined>;

type MappingDefinition = Extract<Definition, { readonly entries: v.ObjectEntries }>;

const kinds: readonly string[] = [
  'strict_object',
  'object',
  'record',
  'array',
  'union',
  'optional',
  'picklist',
  'literal',
] satisfies Definition['type'][];

const names: Readonly<Record<string, string>> = {
  string: 'text',
  boolean: 'true or false',
  array: 'a list',
  strict_object: 'a mapping (key: value)',
  object: 'a mapping (key: value)',
  record: 'a mapping (key: value)',
};

type Mapping = Readonly<Record<string, unknown>>;

/** Everything that is wrong with `value`; empty when the schema takes it. */
export function shapeFaults(schema: v.GenericSchema, value: unknown, path: Path = []): readonly Fault[] {
  const definition = definitionOf(schema);
  if (definition?.type === 'optional') return value === undefined ? [] : shapeFaults(definition.wrapped, value, path);
  const inside = insideFaults(definition, value, path);
  const isMismatch = inside === null || (inside.length === 0 && !v.is(schema, value));
  return isMismatch ? [{ path, text: mismatch(schema, value, path) }] : inside;
}

/** The keys that a mapping may have; null when it is not the schema of one. */
export function keysOf(schema: object): readonly string[] | null {
  const definition = definitionOf(schema);
  return definition?.type === 'strict_object' ? Object.keys(definition.entries) : null;
}

/** Null when the value is not even of the right shape. */
function insideFaults(definition: Definition | null, value: unknown, path: Path): readonly Fault[] | null {
  if (definition?.type === 'union') return branchFaults(definition.options, value, path);
  if (definition?.type === 'strict_object' || definition?.type === 'object') {
    return isMapping(value) ? keyFaults(definition, value, path) : null;
  }
  if (definition?.type === 'record') {
    return isMapping(value) ? entryFaults(definition.key, definition.value, value, path) : null;
  }
  if (definition?.type !== 'array') return [];
  return Array.isArray(value) ? value.flatMap((item, i) => shapeFaults(definition.item, item, [...path, i])) : null;
}

/** A strict mapping takes no key that it does not know; another passes it over, but for one that is nearly a missing one. */
function keyFaults({ entries, type }: MappingDefinition, value: Mapping, path: Path): readonly Fault[] {
  const known = Object.keys(entries);
  const free = known.filter((key) => !Object.hasOwn(value, key));
  const unknown = Object.keys(value)
    .filter((key) => !known.includes(key))
    .slice(0, maxTold);
  const faults: Fault[] = [];
  const meant = new Set<string>();
  for (const key of unknown) {
    const near = nearest(key, free);
    if (near !== null) meant.add(near);
    else if (type === 'object') continue;
    const text = `unknown key ${show(key)}${didYouMean(key, near === null ? known : [near])}`;
    faults.push({ path: [...path, key], text, atKey: true });
  }
  for (const [key, entry] of Object.entries(entries)) {
    if (Object.hasOwn(value, key)) faults.push(...shapeFaults(entry, value[key], [...path, key]));
    // A missing key that an unknown one was probably meant to be is told once.
    else if (entry.type !== 'optional' && !meant.has(key)) {
      faults.push({ path, text: `the key "${key}" is missing; add ${expected(entry)}` });
    }
  }
  return faults;
}

function entryFaults(keys: v.GenericSchema, items: v.GenericSchema, value: Mapping, path: Path): readonly Fault[] {
  const faults: Fault[] = [];
  for (const [key, item] of Object.entries(value)) {
    const at = [...path, key];
    if (!v.is(keys, key))
      faults.push({ path: at, text: `the key ${show(key)} must be ${expected(keys)}`, atKey: true });
    faults.push(...shapeFaults(items, item, at));
  }
  return faults;
}

/** The branch that was meant is the one of the value's shape with the least wrong; among plain values none is singled out. */
function branchFaults(branches: readonly v.GenericSchema[], value: unknown, path: Path): readonly Fault[] {
  const fitting = branches
    .filter((branch) => hasShape(branch, value))
    .map((branch) => shapeFaults(branch, value, path));
  return fitting.toSorted((a, b) => a.length - b.length)[0] ?? [];
}

function hasShape({ type }: v.GenericSchema, value: unknown): boolean {
  if (type === 'array') return Array.isArray(value);
  return (type === 'strict_object' || type === 'object' || type === 'record') && isMapping(value);
}

function mismatch(schema: v.GenericSchema, value: unknown, path: Path): string {
  const definition = definitionOf(schema);
  // Of the right type, and yet not taken: the schema's own words say what it wants.
  if (typeof value === schema.type && v.getDescription(schema) === undefined) {
    return `${subject(path)} cannot be ${show(value)}: ${v.safeParse(schema, value).issues?.[0].message ?? ''}`;
  }
  const words = definition?.type === 'picklist' ? definition.options : [];
  const near = typeof value === 'string' ? nearest(value, words) : null;
  const end = near === null ? '' : `; did you mean "${near}"?`;
  // A list that is not taken although nothing is wrong inside is one that may not be empty.
  const wanted = Array.isArray(value) && schema.type === 'array' ? 'a list with something in it' : expected(schema);
  return `${subject(path)} must be ${wanted}, not ${show(value)}${end}`;
}

function subject(path: Path): string {
  const last = path.at(-1);
  if (last === undefined) return 'the file';
  return typeof last === 'string' ? show(last) : `item ${last + 1} of ${subject(path.slice(0, -1))}`;
}

/** What a schema takes, in words: its description where it has one. */
function expected(schema: v.GenericSchema): string {
  const described = v.getDescription(schema);
  if (described !== undefined) return described;
  const definition = definitionOf(schema);
  if (definition?.type === 'optional') return expected(definition.wrapped);
  if (definition?.type === 'picklist') return `one of ${definition.options.join(', ')}`;
  if (definition?.type === 'literal') return show(definition.literal);
  if (definition?.type === 'union') return [...new Set(definition.options.map(expected))].join(' or ');
  return names[schema.type] ?? `a ${schema.type}`;
}

const definitionOf = (schema: object): Definition | null => (isDefinition(schema) ? schema : null);

const isDefinition = (schema: object): schema is Definition =>
  'type' in schema && typeof schema.type === 'string' && kinds.includes(schema.type);

const isMapping = (value: unknown): value is Mapping =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
