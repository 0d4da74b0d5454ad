/** What the rows want at this machine: the ports of the roles that it plays, and who comes to them. Pure. */
import { canonicalHost, isAddress, mayBeNameOf } from '../model/address.ts';
import type { Probe, Transport } from '../model/probe.ts';
import type { Host, Site, Vantage } from '../model/site.ts';
import type { LoadedSpec, Requirement } from '../model/spec.ts';
import { expandPorts, portInUse } from '../plan/ports.ts';
import { unmetFact } from '../plan/skip.ts';

export interface WantedPort {
  readonly transport: Transport;
  readonly port: number;
  /** The rows that want it, in the order of the spec. */
  readonly rows: readonly string[];
}

export interface Wanted {
  readonly ports: readonly WantedPort[];
  /** The source roles of those rows. */
  readonly from: readonly string[];
}

export interface WantedInput {
  readonly spec: LoadedSpec;
  readonly site: Site;
  readonly probes: Readonly<Record<string, Probe>>;
  readonly roles: readonly string[];
  /** The site's entry for this machine in a role; undefined where it has none. */
  readonly ownHost: (role: string) => Host | undefined;
}

/** Rows to external domains name no machine of the site, and what is to be shut is not opened. */
export function wantedPorts(input: WantedInput): Wanted {
  const { spec, site, roles } = input;
  const facts = {
    ...Object.fromEntries(Object.entries(spec.facts).map(([id, fact]) => [id, fact.default])),
    ...site.facts,
  };
  const rows = spec.rows.filter(
    (row) =>
      roles.includes(row.to) &&
      row.hosts === undefined &&
      unmetFact(row.when, facts) === undefined &&
      ![row.to, row.from].some((role) => site.notUsed.includes(role)),
  );
  const found = rows.flatMap((row) => portsOf(row, input, facts));
  const ports = [...Map.groupBy(found, ({ transport, port }) => `${transport} ${port}`).values()].map(
    (same): WantedPort => {
      const { transport, port } = same[0]!;
      return { transport, port, rows: [...new Set(same.flatMap(({ rows: of }) => of))] };
    },
  );
  return { ports, from: [...new Set(rows.map((row) => row.from))] };
}

function portsOf(
  row: Requirement,
  { probes, ownHost }: WantedInput,
  facts: Parameters<typeof unmetFact>[1],
): WantedPort[] {
  const host = ownHost(row.to) ?? { host: '', ports: {} };
  if (Object.entries(row.where).some(([key, value]) => isOther(host, key, value))) return [];
  const documented = row.needs.flatMap(({ ports, probe }) => ports ?? [probes[probe]!.port]);
  const isOnlyPort = expandPorts(documented, 0).length === 1;
  return row.needs.flatMap((need): WantedPort[] => {
    const { transport: ofProbe, port: usual, perAddress } = probes[need.probe]!;
    const isLeftOut = need.level === 'advisory' || need.expect === 'shut' || perAddress === false;
    if (isLeftOut || unmetFact(need.when, facts) !== undefined) return [];
    const transport = need.transport ?? (ofProbe === 'either' ? 'tcp' : ofProbe);
    // A dynamic port is known when the service runs: nobody can stand in for it.
    const fixed = (need.ports ?? [usual]).filter((entry) => entry !== 'dynamic');
    return expandPorts(fixed, 0).map((port) => ({
      transport,
      port: portInUse(host, port, isOnlyPort),
      rows: [row.id],
    }));
  });
}

function isOther(host: Host, key: string, value: string): boolean {
  const properties: Readonly<Record<string, unknown>> = { ...host };
  return properties[key] !== undefined && properties[key] !== value;
}

/** Which of a role's hosts is this machine, by its addresses and its name. */
export function ownHostIn(hosts: readonly Host[], { addresses, hostname }: Vantage): Host | undefined {
  const own = new Set(addresses.map(canonicalHost));
  return hosts.find(({ host }) => (isAddress(host) ? own.has(canonicalHost(host)) : mayBeNameOf(host, hostname)));
}
