/** The listening half of `check --both`: a responder on this machine, which knows the keys of the other ends. */
import type { Plan } from '../model/plan.ts';
import type { Probe } from '../model/probe.ts';
import type { Site, Vantage } from '../model/site.ts';
import type { LoadedSpec } from '../model/spec.ts';
import { canonicalHost } from '../model/address.ts';
import { ownAddresses } from '../respond/place.ts';
import { Responder } from '../respond/responder.ts';
import { ownHostIn, wantedPorts } from '../respond/wanted.ts';
import { playedBy, rolesOf, withBack } from './back.ts';
import type { End } from './ends.ts';
import type { Prober } from './prober.ts';

interface Here {
  readonly plan: Plan;
  readonly spec: LoadedSpec;
  readonly site: Site;
  readonly vantage: Vantage;
  readonly as: readonly string[];
  readonly probes: Readonly<Record<string, Probe>>;
}

export interface Listening {
  readonly plan: Plan;
  /** Undefined where rows want nothing here of those ends that could be opened. */
  readonly responder: Responder | undefined;
  readonly told: readonly string[];
}

const longestMs = 4 * 3_600_000;

export async function listenHere(prober: Prober, ends: readonly End[], here: Here): Promise<Listening> {
  const { plan, spec, site, vantage, as, probes } = here;
  const roles = playedBy(as, spec);
  const ownHost = (role: string) => ownHostIn(site.roles[role]?.hosts ?? [], vantage);
  const wanted = wantedPorts({ spec, site, probes, roles, ownHost });
  const sources = ends.map(({ pair }) => ({ host: pair.addresses[0]!, from: rolesOf(pair.roles, spec) }));
  const from = new Set(sources.flatMap((source) => source.from));
  const isWanted = (id: string): boolean => from.has(spec.rows.find((row) => row.id === id)?.from ?? '');
  const ports = wanted.ports.filter(({ rows }) => rows.some(isWanted));
  const nothing = 'no row wants a port of this machine from the other end, so it need not probe back';
  const [first, ...others] = ends.map(({ pair }) => new Uint8Array(Buffer.from(pair.key, 'base64url')));
  const [address, ...more] = ownAddresses(vantage, []);
  if (ports.length === 0 || first === undefined || address === undefined)
    return { plan, responder: undefined, told: [nothing] };
  const responder = await Responder.start({
    ports,
    addresses: [address, ...more],
    host: vantage.hostname,
    roles,
    until: new Date(Date.now() + longestMs),
    from: undefined,
    keys: [first, ...others],
    ...{ logs: [], usesConntrack: false, captures: false },
  });
  const bound = responder.ports.filter(({ state }) => state === 'bound');
  const left = responder.ports.filter(({ state }) => state !== 'bound');
  const backs = withBack({
    ...{ plan, spec, probes },
    ends: sources,
    wanted: { ...wanted, ports: bound },
    address: canonicalHost(address),
  });
  prober.listenFor(backs.checks, () => responder.arrivals);
  const told = left.map(
    ({ transport, port, state }) => `${transport} ${port} here is ${state}, so the other end is not asked to probe it`,
  );
  return { plan: backs.plan, responder, told };
}
