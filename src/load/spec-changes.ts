/**
 * A table that extends another: the other's rows, roles, sections and facts, but for what this one changes, adds or removes.
 * A correction of the one is then one of both. What a row rests on stays with it: the other's page becomes one of `sources`.
 */
import type { SpecChanges, WrittenRow, WrittenSpec } from '../model/spec.ts';
import { show, type Fault, type Path, type Places } from './faults.ts';
import { didYouMean } from './nearest.ts';
import { unknownWord } from './shared-faults.ts';

type RowChange = NonNullable<SpecChanges['rows']>[number];

/** What is wrong with the changes as such. What they lead to is looked at as a whole. */
export function changeFaults({ rows = [], facts = {}, extends: base }: SpecChanges, of: WrittenSpec): Fault[] {
  const ids = of.rows.map(({ id }) => id);
  const known = new Set(ids);
  const faults: Fault[] = [];
  const seen = new Set<string>();
  for (const [i, row] of rows.entries()) {
    const path = ['rows', i];
    if (seen.has(row.id)) faults.push({ path: [...path, 'id'], text: `the row "${row.id}" is here a second time` });
    seen.add(row.id);
    if (row.remove && Object.keys(row).length > 2)
      faults.push({ path: [...path, 'remove'], atKey: true, text: 'a row that is removed needs nothing but its id' });
    if (known.has(row.id)) continue;
    if (row.remove) faults.push(...unknownWord('row', row.id, ids, { path: [...path, 'id'] }));
    else if (!isWhole(row)) faults.push({ path: [...path, 'id'], text: unknownRow(row.id, base, ids) });
  }
  for (const [name, { title, default: value }] of Object.entries(facts)) {
    if (Object.hasOwn(of.facts, name) || (title !== undefined && value !== undefined)) continue;
    const text = `${base} has no fact ${show(name)}${orNew(name, Object.keys(of.facts))} needs a title and a default`;
    faults.push({ path: ['facts', name], atKey: true, text });
  }
  return faults;
}

const isWhole = ({ section, source, from, to, purpose }: RowChange): boolean =>
  [section, source, from, to, purpose].every((each) => each !== undefined);

const unknownRow = (id: string, base: string, ids: readonly string[]): string =>
  `${base} has no row ${show(id)}${orNew(id, ids)} needs section, source, from, to, purpose and needs`;

function orNew(word: string, known: readonly string[]): string {
  const near = didYouMean(word, known);
  return near === '' ? '; a new one' : `${near} A new one`;
}

/** As a table that stands by itself; whether it can, is for its definition to say. */
export function changed(base: WrittenSpec, changes: SpecChanges): object {
  const { extends: _, rows = [], facts = {}, ...own } = changes;
  const byId = new Map(rows.map((row) => [row.id, row]));
  const known = new Set(base.rows.map(({ id }) => id));
  const kept = base.rows.flatMap((row) => {
    const change = byId.get(row.id);
    return change?.remove ? [] : [changedRow(withSource(row, base), change, changes)];
  });
  const added = rows.filter((row) => !known.has(row.id));
  return {
    ...base,
    ...own,
    sources: { ...base.sources, [base.id]: base.source, ...changes.sources },
    sections: { ...base.sections, ...changes.sections },
    roles: { ...base.roles, ...changes.roles },
    hostProperties: { ...base.hostProperties, ...changes.hostProperties },
    facts: {
      ...base.facts,
      ...Object.fromEntries(Object.entries(facts).map(([name, fact]) => [name, { ...base.facts[name], ...fact }])),
    },
    rows: added.reduce<object[]>(inSection, kept),
  };
}

/** The base's own page is no longer the table's own. */
const withSource = (row: WrittenRow, base: WrittenSpec): WrittenRow => ({
  ...row,
  confidence: row.confidence ?? base.confidence,
  basis: row.basis ?? base.basis,
  source: { of: base.id, ...row.source },
});

function changedRow(row: WrittenRow, change: RowChange | undefined, { confidence, basis }: SpecChanges): object {
  const whole = { ...row, ...(confidence && { confidence }), ...(basis && { basis }), ...change };
  if (change?.unprovable !== undefined) delete whole.needs;
  if (change?.needs) delete whole.unprovable;
  return Object.fromEntries(Object.entries(whole).filter(([, value]) => value !== null && value !== undefined));
}

/** After the last row of its section. */
function inSection(rows: object[], row: RowChange): object[] {
  const last = rows.findLastIndex((each) => 'section' in each && each.section === row.section);
  return last < 0 ? [...rows, row] : rows.toSpliced(last + 1, 0, row);
}

/** Where what stands in the whole table stands in the file that changes another. */
export function placesOfChanged(places: Places, { rows = [] }: SpecChanges, whole: object): Places {
  const wholeRows = 'rows' in whole && Array.isArray(whole.rows) ? (whole.rows as readonly { id: string }[]) : [];
  const at = (path: Path): Path => {
    const [section, index, ...rest] = path;
    if (section !== 'rows' || typeof index !== 'number') return path;
    const own = rows.findIndex(({ id }) => id === wholeRows[index]?.id);
    return own < 0 ? ['extends'] : ['rows', own, ...rest];
  };
  return { file: places.file, positionOf: (path, atKey) => places.positionOf(at(path), atKey) };
}
