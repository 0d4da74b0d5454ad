/**
 * The checking end of pairs. Where a responder holds a port, it is asked in place of the service, which is not there; where
 * a service holds it, the check is the usual one. When all has been sent, each responder is asked over any port that
 * worked what came to the others.
 */
import { answered, type Observation } from '../model/outcome.ts';
import type { Check } from '../model/plan.ts';
import { optionsOf, type Probe, type Target } from '../model/probe.ts';
import type { Converse, Paired, SeenAtAddress } from '../run/paired.ts';
import type { Asked, Port, Receipt } from '../wire/pair.ts';
import type { BackCheck } from './back.ts';
import { arrivedBack, concluded, isSettledBy, sentTo, withSizes, type BackArrival } from './conclude.ts';
import { Ends, waysTo, type End, type Holding } from './ends.ts';
import { askBack, askPort, askReceipts, askSize, askSizes, sayBye, sizesFor, type Sizes } from './talk.ts';

export interface ProberSettings {
  /** As of now: a link may have come up since the start. */
  readonly isOwn: (address: string) => boolean;
  /** The largest packet that this machine's interfaces take. */
  readonly ownMtu: number;
  readonly timeoutMs: number;
}

/** What is known of one address of an end, when all has been sent. */
interface Told {
  /** Over which port; undefined where none of them carried it. */
  readonly way: Port | undefined;
  readonly source: string | null;
  readonly receipts: readonly Receipt[];
  readonly sizes: Sizes | undefined;
}

/** One that waits, with where it stands among them all. */
interface Waiting extends SeenAtAddress {
  readonly index: number;
  readonly end: End;
  readonly as: Holding;
}

const askMs = 2000;
/** Three probes of the other end, and a little more. */
const backMs = 2500;
const pauseMs = 50;
const sizeMs = 1000;
const byeMs = 1000;

export class Prober implements Paired {
  readonly #ends: Ends;
  readonly #settings: ProberSettings;
  readonly #used = new Set<End>();
  readonly #silent = new Set<string>();
  readonly #standIns = new Set<string>();
  /** What the other end is to probe here, by the check's id. */
  readonly #backs = new Map<string, BackCheck>();
  #arrivals: () => readonly BackArrival[] = () => [];

  constructor(ends: readonly End[], settings: ProberSettings) {
    this.#ends = new Ends(ends);
    this.#settings = settings;
  }

  /** What whoever gave the pairs should know, before and after. */
  get conflicts(): readonly string[] {
    return this.#ends.conflicts;
  }

  get unused(): readonly End[] {
    return this.#ends.all.filter((end) => !end.isOurs && !this.#used.has(end));
  }

  /** Addresses of responders that could not be asked. */
  get silent(): readonly string[] {
    return [...this.#silent];
  }

  /** Rows of services that answer nobody, where a responder had what they would have had. */
  get standIns(): readonly string[] {
    return [...this.#standIns];
  }

  /** This machine listens too; `arrivals` says what came. */
  listenFor(backs: readonly BackCheck[], arrivals: () => readonly BackArrival[]): void {
    for (const back of backs) this.#backs.set(back.check.id, back);
    this.#arrivals = arrivals;
  }

  probeFor(check: Check, address: string, probe: Probe): Probe {
    if (this.#backs.has(check.id)) return { ...later, options: probe.options };
    if (check.viaProxy || check.isName) return probe;
    const found = this.#ends.holding(address, check.transport, check.port);
    if (!found) return probe;
    this.#used.add(found.end);
    const { traceable, transport, port, about, options: schema } = probe;
    if (found.as === 'held') {
      return traceable === undefined
        ? probe
        : { ...probe, run: (io, target, options) => probe.run(io, target, { ...optionsOf(options), ...traceable }) };
    }
    return { transport, port, about, options: schema, run: (io, target) => askPort(io, target, found.end) };
  }

  isUnpaced({ id, transport, port }: Check, address: string): boolean {
    return this.#backs.has(id) || this.#ends.holding(address, transport, port)?.as === 'bound';
  }

  waits({ check, observation }: SeenAtAddress): boolean {
    if (this.#backs.has(check.id)) return true;
    const { address } = observation;
    if (address === null || check.viaProxy || check.isName) return false;
    const found = this.#ends.holding(address, check.transport, check.port);
    return found !== undefined && isSettledBy(check, observation, found.as);
  }

  async conclude(waiting: readonly SeenAtAddress[], converse: Converse): Promise<readonly Observation[]> {
    const observations = waiting.map(({ observation }) => observation);
    const entries = waiting.flatMap(({ check, observation }, index): Waiting[] => {
      if (this.#backs.has(check.id)) return [];
      const found = this.#ends.holding(observation.address!, check.transport, check.port)!;
      return [{ check, observation, index, ...found }];
    });
    // Before the others, which say goodbye.
    await this.#askBack(waiting, observations, converse);
    const byes: { readonly end: End; readonly target: Target }[] = [];
    const groups = Map.groupBy(entries, ({ end }) => end);
    const asked = [...groups].flatMap(([end, ofEnd]) =>
      [...Map.groupBy(ofEnd, ({ observation }) => observation.address!)].map(async ([address, same]) => {
        const told = await this.#ask(end, address, same, converse);
        if (told.way === undefined) this.#silent.add(address);
        else byes.push({ end, target: targetOf(address, told.way) });
        for (const entry of same) {
          const observation = this.#concluded(entry, told);
          observations[entry.index] = observation;
          if (observation.hint === 'stand-in' || (observation.hint === 'arrived' && entry.as === 'bound'))
            for (const { row, oneWay } of entry.check.uses) if (oneWay) this.#standIns.add(row);
        }
      }),
    );
    await Promise.all(asked);
    // Last of all: a responder may end when everybody has said it.
    await Promise.all(
      byes.map(({ end, target }) => converse(target, byeMs, (io) => sayBye(io, target, end)).catch(() => undefined)),
    );
    return observations;
  }

  #concluded({ check, observation, as }: Waiting, { way, source, receipts, sizes }: Told): Observation {
    const receipt = receipts.find(({ transport, port }) => transport === check.transport && port === check.port);
    const isTranslated = (address: string | null): boolean => address !== null && !this.#settings.isOwn(address);
    const told = concluded(check, observation, { as, receipt, way, source, isTranslated });
    return sizes ? withSizes(told, check, sizes) : told;
  }

  /** Has each other end probe this machine, and waits until all has come that was asked for, or for so long. */
  async #askBack(waiting: readonly SeenAtAddress[], observations: Observation[], converse: Converse): Promise<void> {
    const backs = waiting.flatMap(({ check }, index) => {
      const back = this.#backs.get(check.id);
      return back ? [{ ...back, index }] : [];
    });
    const byEnd = Map.groupBy(backs, ({ end }) => end);
    const asked = [...byEnd].map(async ([place, same]) => {
      const end = this.#ends.given[place]!;
      const way = await this.#sendBack(
        end,
        same.map(({ check: { transport, port } }) => ({ transport, port })),
        converse,
      );
      const came = (back: BackCheck): BackArrival | undefined => this.#arrivals().find((one) => isOf(one, back, end));
      const until = performance.now() + backMs;
      const isWhole = (back: BackCheck): boolean => (came(back)?.seen ?? 0) >= sentTo(back.check);
      const isAllHere = (): boolean => !way || same.every(isWhole);
      while (performance.now() < until && !isAllHere()) await pause(pauseMs);
      for (const back of same) {
        const { check, index } = back;
        observations[index] = arrivedBack(check, observations[index]!, {
          way,
          arrival: came(back),
          from: end.pair.addresses,
        });
        if (came(back)) for (const { row, oneWay } of check.uses) if (oneWay) this.#standIns.add(row);
      }
    });
    await Promise.all(asked);
  }

  async #sendBack(end: End, ports: readonly Port[], converse: Converse): Promise<Port | undefined> {
    for (const address of end.pair.addresses) {
      for (const way of waysTo(end, address)) {
        const target = targetOf(address, way);
        // One after the other: the first that works is enough.
        const isAsked = await converse(target, askMs, (io) => askBack(io, target, end, ports)).then(
          () => true,
          () => false,
        );
        if (isAsked) return way;
      }
    }
    return undefined;
  }

  /** Receipts for what is not known yet, and sizes where a UDP port works. */
  async #ask(end: End, address: string, waiting: readonly Waiting[], converse: Converse): Promise<Told> {
    const open = waiting.filter(({ observation }) => observation.outcome !== 'answered');
    const asked = open.map(({ check: { transport, port }, observation }): Asked => {
      const { mark } = observation.evidence;
      return { transport, port, mark: typeof mark === 'string' ? Number.parseInt(mark, 16) : 0 };
    });
    const worked = end.ways.get(address)?.[0];
    const found =
      asked.length === 0
        ? { way: worked, receipts: [], source: worked?.source ?? null }
        : await this.#receipts(end, address, asked, converse);
    const ofUdp = end.ways.get(address)?.find(({ transport }) => transport === 'udp');
    const sizes = ofUdp && (await this.#sizes(end, address, ofUdp, converse));
    return { ...found, sizes };
  }

  async #receipts(
    end: End,
    address: string,
    asked: readonly Asked[],
    converse: Converse,
  ): Promise<Omit<Told, 'sizes'>> {
    const timeoutMs = Math.min(askMs, this.#settings.timeoutMs);
    for (const way of waysTo(end, address)) {
      const target = targetOf(address, way);
      // One after the other: the first that works is enough.
      const found = await converse(target, timeoutMs, (io) => askReceipts(io, target, end, asked)).catch(
        () => undefined,
      );
      if (found) return { way, ...found };
    }
    return { way: undefined, receipts: [], source: null };
  }

  async #sizes(end: End, address: string, way: Port, converse: Converse): Promise<Sizes | undefined> {
    const target = targetOf(address, way);
    const sizes = sizesFor(address, this.#settings.ownMtu);
    return askSizes((parts) => converse(target, sizeMs, (io) => askSize(io, target, end, parts)), sizes).catch(
      () => undefined,
    );
  }
}

/** A check whose answer comes from elsewhere. */
const later = {
  transport: 'either',
  port: 0,
  about: { title: '', sends: '', proves: '', leaves: '', reference: '' },
  run: () => Promise.resolve(answered('to be probed by the other end')),
} as const;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const isOf = (one: BackArrival, { check }: BackCheck, { nonce }: End): boolean =>
  one.transport === check.transport && one.port === check.port && one.nonce === Buffer.from(nonce).toString('hex');

const targetOf = (address: string, { transport, port }: Port): Target => ({ host: address, address, port, transport });
