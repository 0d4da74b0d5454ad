/**
 * Several tables as one: their roles, facts, sections and rows together. A row that two of them have is one row, the first
 * one's; what the other says differently is told. So are facts that are taken for granted differently.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Catalogue, LoadedSpec, Requirement } from '../model/spec.ts';
import { crypto } from '../net/crypto.ts';

export function joinSpecs(specs: readonly LoadedSpec[]): LoadedSpec {
  const [first, ...others] = specs;
  if (!first) throw new RangeError('no spec to join');
  return others.length === 0 ? first : others.reduce(joinTwo, { ...first, catalogues: [catalogueOf(first)] });
}

const catalogueOf = ({ id, title, revision, sha256, rows }: LoadedSpec): Catalogue => ({
  id,
  title,
  revision,
  sha256,
  rows: rows.length,
});

function joinTwo(one: LoadedSpec, other: LoadedSpec): LoadedSpec {
  const known = new Map(one.rows.map((row) => [row.id, row]));
  const catalogues = [...one.catalogues, catalogueOf(other)];
  return {
    ...one,
    id: `${one.id}+${other.id}`,
    title: `${one.title}; ${other.title}`,
    revision: `${one.revision}+${other.revision}`,
    sections: { ...other.sections, ...one.sections },
    roles: { ...other.roles, ...one.roles },
    facts: { ...other.facts, ...one.facts },
    hostProperties: { ...other.hostProperties, ...one.hostProperties },
    products: [...one.products, ...other.products],
    rows: [...one.rows.map((row) => withContradiction(row, other)), ...other.rows.filter(({ id }) => !known.has(id))],
    catalogues,
    remarks: [...one.remarks, ...factRemarks(one, other)],
    sha256: crypto().hash('sha256', catalogues.map(({ sha256 }) => sha256).join('\n')),
  };
}

/** What makes two rows of one id one requirement. */
const substance = ({ sourceRoles, to, hosts, where, when, needs, unprovable }: Requirement): object => ({
  sourceRoles,
  to,
  hosts,
  where,
  when,
  unprovable,
  needs: needs.map((need) => Object.assign({}, need, { note: null, service: null })),
});

function withContradiction(row: Requirement, other: LoadedSpec): Requirement {
  const rival = other.rows.find(({ id }) => id === row.id);
  if (!rival || isDeepStrictEqual(substance(row), substance(rival))) return row;
  const said = `${other.id} says it differently; this is what ${row.catalogue} says`;
  return { ...row, contradictions: [...(row.contradictions ?? []), said] };
}

function factRemarks(one: LoadedSpec, other: LoadedSpec): string[] {
  return Object.entries(other.facts).flatMap(([name, fact]) => {
    const known = one.facts[name];
    if (!known || known.default === fact.default) return [];
    return [
      `${name} is taken for ${String(known.default)}, as ${one.id} has it, and not for ${String(fact.default)}, as ${other.id} has it; the site's facts decide`,
    ];
  });
}
