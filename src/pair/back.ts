/**
 * The other direction of a pair (`--both`): what rows want here of the machine at the other end. This machine listens, the
 * other end probes it, and what came decides the row, which no check that starts here could. Pure.
 */
import type { Check, Plan, PlannedRow } from '../model/plan.ts';
import type { Probe, Transport } from '../model/probe.ts';
import type { LoadedSpec, Need } from '../model/spec.ts';
import { useOf } from '../plan/checks.ts';
import type { Wanted } from '../respond/wanted.ts';

/** A port here that the other end is to probe. */
export interface BackCheck {
  readonly check: Check;
  /** Which of the pairs, by its place. */
  readonly end: number;
}

export interface BackInput {
  readonly plan: Plan;
  readonly spec: LoadedSpec;
  readonly probes: Readonly<Record<string, Probe>>;
  /** The other end of each pair, by its first address, and the source roles that it plays. */
  readonly ends: readonly { readonly host: string; readonly from: readonly string[] }[];
  readonly wanted: Wanted;
  /** As this machine is called in a check. */
  readonly address: string;
}

/** A machine plays a role by another name too: a member of a cluster is a host. */
export const rolesOf = (roles: readonly string[], spec: LoadedSpec): string[] => [
  ...new Set(roles.flatMap((role) => [role, spec.roles[role]?.machines ?? role])),
];

/** Roles that are played by whoever plays these. */
export const playedBy = (roles: readonly string[], spec: LoadedSpec): string[] => [
  ...new Set([...roles, ...Object.keys(spec.roles).filter((role) => roles.includes(spec.roles[role]?.machines ?? ''))]),
];

/** The plan with these checks in it: rows that start at the other end are no longer somebody else's to check. */
export function withBack(input: BackInput): { readonly plan: Plan; readonly checks: readonly BackCheck[] } {
  const { plan } = input;
  const checks = input.ends.flatMap((end, index) => checksFrom(end, index, input));
  const rows = plan.rows.map((row): PlannedRow => {
    const ids = checks
      .filter(({ check }) => check.uses.some((use) => use.row === row.requirement.id))
      .map(({ check }) => check.id);
    const isOpen = row.skip === null || row.skip.reason === 'other-vantage';
    if (ids.length === 0 || !isOpen) return row;
    const note = 'its other end probed this machine (--both)';
    return { ...row, skip: null, checks: [...row.checks, ...ids], notes: [...row.notes, note] };
  });
  const known = new Set(rows.flatMap((row) => row.checks));
  const used = checks.filter(({ check }) => known.has(check.id));
  return { plan: { rows, checks: [...plan.checks, ...used.map(({ check }) => check)] }, checks: used };
}

function checksFrom(
  { host, from }: BackInput['ends'][number],
  end: number,
  { spec, probes, wanted, address }: BackInput,
): BackCheck[] {
  return wanted.ports.flatMap(({ transport, port, rows }) => {
    const found = rows.flatMap((id) => {
      const row = spec.rows.find((each) => each.id === id);
      const need = row && needFor(row.needs, transport, probes);
      return row && need && from.includes(row.from)
        ? [{ probe: need.probe, use: useOf(row, need, probes[need.probe]!) }]
        : [];
    });
    if (found.length === 0) return [];
    const check: Check = {
      id: `back/${host}/${transport}/${port}`,
      // As the row has it, so that a report of it can be judged again.
      probe: found[0]!.probe,
      transport,
      host: address,
      address,
      port,
      options: {},
      viaProxy: false,
      isName: false,
      isAnswerDue: false,
      mayBeSelf: false,
      uses: found.map(({ use }) => use),
    };
    return [{ check, end }];
  });
}

/** Only a one-way need can be proven by a stand-in; of several, that is the one that is meant. */
const needFor = (needs: readonly Need[], transport: Transport, probes: BackInput['probes']): Need | undefined =>
  needs.find((need) => {
    const { transport: ofProbe } = probes[need.probe]!;
    return need.level === 'required' && (need.transport ?? (ofProbe === 'either' ? 'tcp' : ofProbe)) === transport;
  });
