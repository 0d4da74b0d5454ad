/**
 * The checks of a plan. One endpoint with the same probe and options is one check, however many rows want it, so what is
 * known of a host is found out once: a plan has hundreds of thousands of them.
 */
import { bracketed, canonicalHost, isAddress } from '../model/address.ts';
import type { Check, Use } from '../model/plan.ts';
import type { Probe, ProbeOptions, Transport } from '../model/probe.ts';
import type { Host, RoleHosts } from '../model/site.ts';
import type { Need, Requirement } from '../model/spec.ts';
import type { Destination } from './hosts.ts';
import { NeedOptions } from './options.ts';
import type { PlanInput } from './plan.ts';

/** What a need of a row wants of every host and port: the same for all of them but the options of a domain. */
export interface Wish {
  readonly need: Need;
  readonly probe: Probe;
  readonly transport: Transport;
  readonly viaProxy: boolean;
  readonly mayBeSelf: boolean;
  readonly role: RoleHosts;
  /** Copy on write: all drafts of a need share it. */
  readonly uses: readonly Use[];
}

/** A check while rows are still being added to it. */
interface Draft extends Omit<Check, 'uses'> {
  uses: readonly Use[];
}

/** A host's checks by port: one each as a rule, and in `more` what else is asked there. */
interface Endpoints {
  readonly first: Map<number, Draft>;
  readonly more: Map<number, Draft[]>;
}

interface KnownHost {
  readonly endpoints: Endpoints;
  /** As it stands in an id: an IPv6 address in brackets. */
  readonly label: string;
  readonly address: string | null;
}

const noDrafts: readonly Draft[] = [];

export class Checks {
  readonly #input: PlanInput;
  readonly #options: NeedOptions;
  readonly #drafts: Draft[] = [];
  /** By canonical host: in another spelling it is the same one. */
  readonly #endpoints = new Map<string, Endpoints>();
  readonly #hosts = new Map<Host, KnownHost>();

  constructor(input: PlanInput) {
    this.#input = input;
    this.#options = new NeedOptions(input.site);
  }

  get all(): readonly Check[] {
    return this.#drafts;
  }

  probeOf(need: Need): Probe {
    const probe = this.#input.probes[need.probe];
    if (!probe) throw new RangeError(`no probe is called ${need.probe}`);
    return probe;
  }

  /** As the spec writes them, or the probe's own. */
  portsOf(need: Need): NonNullable<Need['ports']> {
    return need.ports ?? [this.probeOf(need).port];
  }

  wishFor(row: Requirement, need: Need, { role, mayBeSelf }: Destination): Wish {
    const probe = this.probeOf(need);
    const transport = need.transport ?? (probe.transport === 'either' ? 'tcp' : probe.transport);
    const viaProxy = transport === 'tcp' && need.proxy !== 'never' && isProxied(row, this.#input);
    return { need, probe, transport, viaProxy, mayBeSelf, role, uses: [useOf(row, need, probe)] };
  }

  /** The id of a check that the row has not named yet. */
  add(wish: Wish, host: Host, port: number): string | undefined {
    const { need, probe, role } = wish;
    const known = this.#known(host);
    const options = this.#options.for(need, probe, host.domain ?? role.domain);
    const first = known.endpoints.first.get(port);
    const others = first ? [first, ...(known.endpoints.more.get(port) ?? noDrafts)] : noDrafts;
    const same = others.find((other) => isSame(other, wish, options));
    if (same) {
      const isNew = same.uses.every(({ row }) => row !== wish.uses[0]!.row);
      same.uses = [...same.uses, ...wish.uses];
      return isNew ? same.id : undefined;
    }
    const id = uniqueId(idOf(wish, known, port), others);
    const draft = draftOf(wish, host, { id, port, address: known.address, options });
    this.#drafts.push(draft);
    if (first) known.endpoints.more.set(port, [...others.slice(1), draft]);
    else known.endpoints.first.set(port, draft);
    return id;
  }

  #known(host: Host): KnownHost {
    let known = this.#hosts.get(host);
    if (!known) {
      const address = isAddress(host.host) ? canonicalHost(host.host) : null;
      known = { endpoints: this.#endpointsOf(canonicalHost(host.host)), label: bracketed(host.host), address };
      this.#hosts.set(host, known);
    }
    return known;
  }

  #endpointsOf(host: string): Endpoints {
    let endpoints = this.#endpoints.get(host);
    if (!endpoints) this.#endpoints.set(host, (endpoints = { first: new Map(), more: new Map() }));
    return endpoints;
  }
}

const isSame = (other: Draft, { need, transport, viaProxy }: Wish, options: ProbeOptions): boolean =>
  other.probe === need.probe &&
  other.options === options &&
  other.transport === transport &&
  other.viaProxy === viaProxy;

const draftOf = (
  { need, probe, transport, viaProxy, mayBeSelf, uses }: Wish,
  { host }: Host,
  { id, port, address, options }: Pick<Draft, 'id' | 'port' | 'address' | 'options'>,
): Draft => ({
  id,
  probe: need.probe,
  transport,
  host,
  address,
  port,
  options,
  viaProxy,
  isName: probe.perAddress === false,
  isAnswerDue: transport === 'udp' && !probe.onSilence,
  mayBeSelf,
  uses,
});

const idOf = ({ need, probe, transport }: Wish, { label }: KnownHost, port: number): string =>
  `${need.probe}/${label}:${port}${probe.transport === 'either' ? `/${transport}` : ''}`;

/** Rows to external domains, or those of them that the site's proxy is for. Datagrams go direct: CONNECT carries none. */
function isProxied(row: Requirement, { site }: PlanInput): boolean {
  if (site.proxy === null || row.hosts === undefined) return false;
  return site.proxy.for?.includes(row.id) ?? true;
}

/** The same endpoint with other options is another check. */
function uniqueId(id: string, others: readonly Draft[]): string {
  if (others.length === 0) return id;
  const count = others.filter((each) => each.id === id || each.id.startsWith(`${id}~`)).length;
  return count === 0 ? id : `${id}~${count + 1}`;
}

/** What a row will make of a check. */
export function useOf(row: Requirement, need: Need, probe: Probe): Use {
  return {
    row: row.id,
    expect: need.expect,
    level: need.level,
    oneWay: need.oneWay,
    service: need.service ?? probe.about.title,
    unless: unlessOf(need),
    note: need.note ?? null,
    isVendors: row.hosts !== undefined,
    ...(need.choice && { choice: need.choice }),
  };
}

/** "facts: { https-only: true }": the other value of the truth that the need hangs on. */
function unlessOf({ when }: Need): string | null {
  const [first] = Object.entries(when);
  return first && typeof first[1] === 'boolean' ? `facts: { ${first[0]}: ${String(!first[1])} }` : null;
}
