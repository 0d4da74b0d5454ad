/** Every reason why a row is not checked, in their order: the first that applies is told. Nothing is dropped in silence. */
import type { Skip } from '../model/plan.ts';
import type { LoadedSpec, Requirement } from '../model/spec.ts';
import type { Destination } from './hosts.ts';
import type { PlanInput } from './plan.ts';

export type Facts = Readonly<Record<string, string | number | boolean>>;

/** What holds at the site: what it says, else what the spec takes for granted. */
export const factsOf = ({ spec, site }: PlanInput): Facts => ({
  ...Object.fromEntries(Object.entries(spec.facts).map(([id, fact]) => [id, fact.default])),
  ...site.facts,
});

/** What nobody said and the row hangs on: it is checked, and says so. */
export function grantedNotes({ when, needs }: Requirement, { spec, site }: PlanInput): string[] {
  const asked = new Set([when, ...needs.map((need) => need.when)].flatMap((each) => Object.keys(each)));
  return [...asked]
    .filter((fact) => !Object.hasOwn(site.facts, fact))
    .map((fact) => `taken for granted, as nobody says: ${fact} is ${String(spec.facts[fact]?.default)} here`);
}

/** The fact that is not as `when` wants it, as a sentence. */
export function unmetFact(when: Facts, facts: Facts): string | undefined {
  const unmet = Object.entries(when).find(([fact, value]) => facts[fact] !== value);
  return unmet && `the fact ${unmet[0]} is ${String(facts[unmet[0]])} here`;
}

/** What can be known without the hosts. What the site says of itself holds from wherever it is asked. */
export function skipByRow(row: Requirement, input: PlanInput, facts: Facts): Skip | null {
  return (
    notSelected(row, input) ?? notUsed(row, input) ?? againstFact(row, facts) ?? startingElsewhere(row, input) ?? null
  );
}

/** What the hosts decide. */
export function skipByHosts(row: Requirement, destination: Destination, input: PlanInput): Skip | null {
  return (
    roleIsEmpty(row, destination, input) ?? noneSuits(row, destination) ?? onlyThisMachine(row, destination) ?? null
  );
}

function notSelected(row: Requirement, { selection }: PlanInput): Skip | undefined {
  const { rows, sections, roles } = selection;
  const isSelected =
    (rows.length === 0 || rows.includes(row.id)) &&
    (sections.length === 0 || sections.includes(row.section)) &&
    (roles.length === 0 || roles.includes(row.to));
  return isSelected ? undefined : { reason: 'not-selected', because: 'it was not asked for', remedy: null };
}

function notUsed(row: Requirement, { site }: PlanInput): Skip | undefined {
  const isUnused = (role: string): boolean => site.notUsed.includes(role);
  const unused = isUnused(row.to) ? row.to : row.sourceRoles.every(isUnused) ? row.from : undefined;
  return unused === undefined
    ? undefined
    : { reason: 'not-applicable', because: `the site says ${unused} is not used`, remedy: null };
}

function againstFact(row: Requirement, facts: Facts): Skip | undefined {
  const unmet = unmetFact(row.when, facts);
  return unmet === undefined ? undefined : { reason: 'not-applicable', because: unmet, remedy: null };
}

function startingElsewhere(row: Requirement, { spec, selection }: PlanInput): Skip | undefined {
  if (row.sourceRoles.some((role) => selection.as.includes(role))) return undefined;
  const [first = ''] = row.sourceRoles;
  return {
    reason: 'other-vantage',
    because: `it starts from ${row.from}, which is not where this runs`,
    remedy: `run xenreach on ${titleOf(first, spec)} with --as ${first}`,
  };
}

function roleIsEmpty(row: Requirement, { role }: Destination, { spec, selection }: PlanInput): Skip | undefined {
  if (role.hosts.length > 0) return undefined;
  if (role.notes.length > 0) {
    return {
      reason: 'role-is-empty',
      because: role.notes.join('; '),
      remedy: `list the hosts of ${row.to} in the site file`,
    };
  }
  if (spec.roles[row.to]?.discovery === 'site-names') {
    return { reason: 'not-applicable', because: 'the site names every host by its address', remedy: null };
  }
  const otherwise = selection.as.includes(row.to) ? '' : `, or say not-used: [${row.to}]`;
  return {
    reason: 'role-is-empty',
    because: `the site names no host for ${row.to}`,
    remedy: `add hosts under roles.${row.to} of the site file${otherwise}`,
  };
}

function noneSuits(row: Requirement, { hosts, selves }: Destination): Skip | undefined {
  if (hosts.length + selves.length > 0) return undefined;
  const wanted = Object.entries(row.where).map(([key, value]) => `${key}: ${value}`);
  return { reason: 'not-applicable', because: `no host of ${row.to} has ${wanted.join(', ')}`, remedy: null };
}

function onlyThisMachine(row: Requirement, { hosts }: Destination): Skip | undefined {
  if (hosts.length > 0) return undefined;
  return {
    reason: 'role-is-empty',
    because: `the only host of ${row.to} is this machine itself`,
    remedy: `add the other hosts to roles.${row.to} of the site file`,
  };
}

const titleOf = (role: string, spec: LoadedSpec): string => spec.roles[role]?.title ?? role;
