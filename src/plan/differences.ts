/**
 * What one table requires and another does not, rule by rule: who reaches whom, on which ports, and whether that holds where
 * a site says nothing. For whoever opens ports before an upgrade. Pure.
 */
import type { Probe, Transport } from '../model/probe.ts';
import type { LoadedSpec, Need, Requirement } from '../model/spec.ts';
import { portsText } from './ports.ts';

type Probes = Readonly<Record<string, Probe>>;

/** `new` and `gone`: the second table wants it, or the first alone does. `changed`: both, under other conditions. */
export type DifferenceKind = 'new' | 'gone' | 'changed';

export interface Difference {
  readonly kind: DifferenceKind;
  readonly row: string;
  readonly from: string;
  readonly to: string;
  readonly transport: Transport;
  /** "80, 443" */
  readonly ports: string;
  readonly purpose: string;
  /** When it holds: in the first table and in the second; null where it has no such rule. */
  readonly was: string | null;
  readonly now: string | null;
}

interface Rule {
  readonly row: Requirement;
  readonly transport: Transport;
  readonly port: number | string;
  readonly destination: string;
  readonly holds: string;
}

export function differencesOf(first: LoadedSpec, second: LoadedSpec, probes: Probes): Difference[] {
  const [before, after] = [first, second].map((spec) => rulesOf(spec, probes));
  const single: Difference[] = [];
  for (const key of new Set([...before!.keys(), ...after!.keys()])) {
    const [was, now] = [before!.get(key), after!.get(key)];
    if (was?.holds === now?.holds) continue;
    const { row, transport, port, destination } = now ?? was!;
    single.push({
      kind: !was ? 'new' : !now ? 'gone' : 'changed',
      row: row.id,
      from: row.from,
      to: destination,
      transport,
      ports: String(port),
      purpose: row.purpose,
      was: was?.holds ?? null,
      now: now?.holds ?? null,
    });
  }
  return merged(single);
}

/** By what makes two rules the same one for a firewall. */
function rulesOf(spec: LoadedSpec, probes: Probes): Map<string, Rule> {
  const rules = new Map<string, Rule>();
  for (const row of spec.rows) {
    const destination = row.hosts ? row.hosts.join(', ') : row.to;
    for (const need of row.needs) {
      const probe = probes[need.probe];
      const transport = need.transport ?? (probe?.transport === 'udp' ? 'udp' : 'tcp');
      for (const port of need.ports ?? []) {
        const key = JSON.stringify([row.id, row.from, destination, transport, port]);
        rules.set(key, { row, transport, port, destination, holds: holdsText(row, need, spec) });
      }
    }
  }
  return rules;
}

/** "required", "not needed, unless ssh-enabled is true" … */
function holdsText(row: Requirement, need: Need, { facts }: LoadedSpec): string {
  const wanted = Object.entries({ ...row.when, ...need.when });
  const unmet = wanted.filter(([fact, value]) => facts[fact]?.default !== value);
  const what = need.expect === 'shut' ? 'must be shut' : need.level === 'advisory' ? 'documented only' : 'required';
  if (unmet.length > 0)
    return `${what} only where ${unmet.map(([fact, value]) => `${fact} is ${String(value)}`).join(' and ')}`;
  const unless = wanted.map(([fact, value]) =>
    typeof value === 'boolean' ? `${fact} is ${String(!value)}` : `${fact} is not ${String(value)}`,
  );
  return unless.length === 0 ? what : `${what} unless ${unless.join(' or ')}`;
}

/** Ports of one row under the same conditions are one line. */
function merged(differences: readonly Difference[]): Difference[] {
  const groups = Map.groupBy(differences, ({ kind, row, from, to, transport, was, now }) =>
    JSON.stringify([kind, row, from, to, transport, was, now]),
  );
  return [...groups.values()].map((members) =>
    Object.assign({}, members[0], { ports: portsText([members.map(({ ports }) => ports)]) }),
  );
}
