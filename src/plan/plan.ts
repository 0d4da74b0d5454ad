/** Spec × site → what to try. Pure and deterministic: the same inputs give the same plan, in the same order. */
import { UsageError } from '../model/errors.ts';
import type { Plan, PlannedRow, Skip } from '../model/plan.ts';
import type { Probe, Transport } from '../model/probe.ts';
import type { Site, Vantage } from '../model/site.ts';
import type { LoadedSpec, Need, Requirement } from '../model/spec.ts';
import { Checks } from './checks.ts';
import { Destinations, type Destination } from './hosts.ts';
import { countPorts } from '../model/ports.ts';
import { expandPorts, portInUse, portsText, sampledPorts } from './ports.ts';
import { factsOf, grantedNotes, skipByHosts, skipByRow, unmetFact, type Facts } from './skip.ts';

export interface Selection {
  /** Source roles to speak for. */
  readonly as: readonly string[];
  /** Only these; empty means all. */
  readonly rows: readonly string[];
  readonly sections: readonly string[];
  readonly roles: readonly string[];
}

export interface PlanInput {
  readonly spec: LoadedSpec;
  readonly site: Site;
  readonly vantage: Vantage;
  readonly selection: Selection;
  readonly probes: Readonly<Record<string, Probe>>;
  /** Rows say which facts were taken for granted: in a plan that is shown, and where a site was not written by a person. */
  readonly tellsGranted?: boolean;
}

/** A site may come from a stranger, and 48 rows of 65,535 ports for a thousand hosts are a line each in it. */
const maxChecks = 2 ** 20;

export function makePlan(input: PlanInput): Plan {
  const checks = new Checks(input);
  const facts = factsOf(input);
  const decided = decide(input, facts);
  refuseTooMany(decided, checks);
  const toldNotes = new Set<string>();
  const isJoined = input.spec.catalogues.length > 0;
  const rows = decided.map((each): PlannedRow => {
    const row = planRow(each, checks, facts, toldNotes);
    return isJoined ? Object.assign(row, { catalogue: each.row.catalogue }) : row;
  });
  return { rows: input.tellsGranted ? rows.map((row) => withGranted(row, input)) : rows, checks: checks.all };
}

interface Decided {
  readonly row: Requirement;
  /** Why the row is not checked; else it has a destination. */
  readonly skip: Skip | null;
  readonly destination: Destination | null;
}

function decide(input: PlanInput, facts: Facts): Decided[] {
  const destinations = new Destinations(input);
  return input.spec.rows.map((row): Decided => {
    const early = skipByRow(row, input, facts);
    if (early) return { row, skip: early, destination: null };
    const destination = destinations.of(row);
    const late = skipByHosts(row, destination, input);
    return late ? { row, skip: late, destination: null } : { row, skip: null, destination };
  });
}

/** Counted before any is made; endpoints of several rows count each time. */
function refuseTooMany(decided: readonly Decided[], checks: Checks): void {
  let total = 0;
  for (const { row, destination } of decided) {
    for (const need of row.needs) {
      const ports = countPorts(checks.portsOf(need));
      total += (destination?.hosts.length ?? 0) * Math.min(ports, need.sample ?? ports);
    }
  }
  if (total <= maxChecks) return;
  throw new UsageError(
    `this plan has ${total} checks, and more than ${maxChecks} are not made: narrow it with --row, --section or --role, or list fewer hosts or ports`,
  );
}

/** What discovery has to say of a role is told under the first row that goes there: `toldNotes` remembers it. */
function planRow(
  { row, skip, destination }: Decided,
  checks: Checks,
  facts: Facts,
  toldNotes: Set<string>,
): PlannedRow {
  const outline = outlineOf(row, checks);
  const told = row.contradictions ?? [];
  if (!destination) return { ...outline, ...unchecked, skip };
  const { ids, notes } = draftRow(row, destination, checks, facts);
  if (ids.length === 0 && row.unprovable === undefined) return { ...outline, ...unchecked, skip: noNeedApplies(notes) };
  const news = destination.role.notes.filter((note) => !toldNotes.has(note));
  for (const note of news) toldNotes.add(note);
  const require = row.require ?? destination.role.require;
  const said = [...news, ...selfNotes(destination), ...notes, ...told];
  return { ...outline, skip: null, checks: ids, require, notes: said };
}

type Outline = Pick<PlannedRow, 'requirement' | 'transports' | 'ports'>;

function outlineOf(row: Requirement, checks: Checks): Outline {
  const used = new Set(row.needs.map((need) => need.transport ?? checks.probeOf(need).transport));
  return {
    requirement: row,
    transports: (['tcp', 'udp'] as const).filter((transport: Transport) => used.has(transport)),
    ports: row.unprovable ?? portsText(row.needs.map((need) => checks.portsOf(need))),
  };
}

const withGranted = (row: PlannedRow, input: PlanInput): PlannedRow =>
  row.skip === null ? { ...row, notes: [...row.notes, ...grantedNotes(row.requirement, input)] } : row;

const unchecked = { checks: [], require: 'all', notes: [] } as const;

const noNeedApplies = (notes: readonly string[]): Skip => ({
  reason: 'not-applicable',
  because: notes.at(-1) ?? 'no need of it applies',
  remedy: null,
});

/** The ids of the row's checks, each once, and what is to be said of the needs that are left out. */
function draftRow(
  row: Requirement,
  destination: Destination,
  checks: Checks,
  facts: Facts,
): { readonly ids: readonly string[]; readonly notes: readonly string[] } {
  const ids: string[] = [];
  const notes: string[] = [];
  const documented = row.needs.flatMap((need) => checks.portsOf(need));
  const isOnlyPort = expandPorts(documented, 0).length === 1;
  for (const need of row.needs) {
    const unmet = unmetFact(need.when, facts);
    if (unmet !== undefined) {
      notes.push(leftOut(need, checks, unmet));
      continue;
    }
    const wish = checks.wishFor(row, need, destination);
    const all = expandPorts(checks.portsOf(need), checks.probeOf(need).port);
    const ports = sampledPorts(all, need.sample);
    if (ports.length < all.length) notes.push(portSampleNote(ports, all.length));
    for (const host of destination.hosts) {
      for (const port of ports) {
        const id = checks.add(wish, host, portInUse(host, port, isOnlyPort));
        if (id !== undefined) ids.push(id);
      }
    }
  }
  if (row.sample !== undefined) notes.push(sampleNote(row.sample, destination.hosts.length));
  return { ids, notes };
}

function leftOut(need: Need, checks: Checks, unmet: string): string {
  const service = need.service ?? checks.probeOf(need).about.title;
  return `${service} on port ${portsText([checks.portsOf(need)])} is left out: ${unmet}`;
}

const selfNotes = ({ selves }: Destination): string[] =>
  selves.map(({ host }) => `${host} is this machine itself and was left out`);

const portSampleNote = (ports: readonly number[], of: number): string =>
  `${ports.length} of ${of} ports are tried, and stand for the rest: ${ports.join(', ')}`;

const sampleNote = (domain: string, count: number): string =>
  `"${domain} and subdomains" is sampled by ${count} ${count === 1 ? 'name' : 'names'}: a rule for all of it cannot be proven`;
