/**
 * Who should have been heard of a row: the machines that play its `from` role. A report does not list them; but who
 * reported in that role plays it, and so does every host that other rows go to under it, as any of the reports has it. Where
 * only machines that are none of those hosts reported, they stand in for them: nobody waits for a host that runs nothing.
 */
import { canonicalHost, isLoopback, mayBeNameOf } from '../model/address.ts';
import type { ReportRow } from '../model/report.ts';
import type { Named } from './names.ts';
import { machineOf, naturally } from './newest.ts';

/** A machine that reported, in one run or in several. */
export interface Machine {
  readonly name: string;
  readonly hostname: string;
  readonly addresses: ReadonlySet<string>;
  readonly roles: ReadonlySet<string>;
  readonly runs: readonly Named[];
}

/** A host of the site that no report is from, by the site's name for it. */
export interface Absent {
  readonly host: string;
}

export interface Expected {
  readonly present: readonly Machine[];
  readonly absent: readonly Absent[];
}

export function machinesOf(runs: readonly Named[]): Machine[] {
  return [...Map.groupBy(runs, ({ run }) => machineOf(run)).values()].map((members) => {
    const [first] = members;
    return {
      // Its runs are told apart by what stands behind it in brackets.
      name: members.length > 1 ? first!.name.replace(/ \(.*$/, '') : first!.name,
      hostname: first!.run.hostname,
      addresses: new Set(members.flatMap(({ run }) => run.addresses.map(canonicalHost))),
      roles: new Set(members.flatMap(({ run }) => run.roles)),
      runs: members,
    };
  });
}

/** As the plan notes it: each member leaves itself out, and is heard of by the others. */
export const isOfItself = / is this machine itself and was left out$/;

/** A report joins several by ", ". */
export const rolesOf = (from: string): string[] => from.split(', ');

interface SiteHost {
  readonly host: string;
  readonly addresses: Set<string>;
}

/** By role. */
export class Coverage {
  readonly #machines: readonly Machine[];
  /** The ids of the rows that go to a role. */
  readonly #towards: ReadonlyMap<string, ReadonlySet<string>>;
  readonly #expected = new Map<string, Expected>();

  constructor(machines: readonly Machine[], rows: readonly Pick<ReportRow, 'id' | 'to' | 'from'>[]) {
    this.#machines = machines;
    const sources = new Set(rows.flatMap(({ from }) => rolesOf(from)));
    const towards = Map.groupBy(
      rows.filter(({ to }) => sources.has(to)),
      ({ to }) => to,
    );
    this.#towards = new Map([...towards].map(([role, to]) => [role, new Set(to.map(({ id }) => id))]));
  }

  /** A row may start from several roles: each that plays one of them should have been heard. */
  of(from: string): Expected {
    let expected = this.#expected.get(from);
    if (!expected) {
      const found = rolesOf(from).map((role) => this.#find(role));
      const hosts = new Map(found.flatMap(({ absent }) => absent.map((each) => [each.host, each] as const)));
      expected = { present: [...new Set(found.flatMap(({ present }) => present))], absent: [...hosts.values()] };
      this.#expected.set(from, expected);
    }
    return expected;
  }

  #find(role: string): Expected {
    const present = this.#machines.filter(({ roles }) => roles.has(role));
    const towards = this.#towards.get(role) ?? new Set();
    const hosts = hostsIn(this.#machines, towards);
    const isStandIn = (machine: Machine): boolean =>
      !hosts.some((host) => isHost(machine, host)) && looksFromOutside(machine, towards);
    const onlyStandIns = present.length > 0 && present.every(isStandIn);
    const absent = onlyStandIns ? [] : hosts.filter((host) => !present.some((machine) => isHost(machine, host)));
    return { present, absent };
  }
}

function hostsIn(machines: readonly Machine[], rowIds: ReadonlySet<string>): SiteHost[] {
  const hosts = new Map<string, SiteHost>();
  for (const { runs } of machines) {
    for (const { words } of runs) {
      for (const [row, { checks }] of words) {
        if (!rowIds.has(row)) continue;
        for (const { host, address } of checks) {
          const key = canonicalHost(host);
          let known = hosts.get(key);
          if (!known) hosts.set(key, (known = { host: key, addresses: new Set([key]) }));
          if (address !== null) known.addresses.add(canonicalHost(address));
        }
      }
    }
  }
  // What is on loopback is the machine that checked it.
  const others = [...hosts.values()].filter(({ addresses }) => ![...addresses].some(isLoopback));
  return others.toSorted((a, b) => naturally(a.host, b.host));
}

/** It checked the hosts of the role, and left out none of them as being itself. */
function looksFromOutside({ runs }: Machine, rowIds: ReadonlySet<string>): boolean {
  const words = runs.flatMap(({ words: all }) => [...all].filter(([id]) => rowIds.has(id)).map(([, word]) => word));
  return (
    words.some(({ checks }) => checks.length > 0) &&
    !words.some(({ notes }) => notes.some((note) => isOfItself.test(note)))
  );
}

const isHost = ({ hostname, addresses }: Machine, { host, addresses: theirs }: SiteHost): boolean =>
  mayBeNameOf(host, hostname) || [...theirs].some((address) => addresses.has(address));
