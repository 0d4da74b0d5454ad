/**
 * Plan → observations. Names are resolved as they come up, every address of a name is tried by itself, and every check of
 * the plan ends in at least one observation (or in none, when the host turned out to be this machine itself).
 */
import { availableParallelism } from 'node:os';
import { NetError } from '../model/errors.ts';
import type { Answer, Observation } from '../model/outcome.ts';
import type { Check, Plan } from '../model/plan.ts';
import type { Probe } from '../model/probe.ts';
import type { Stats } from '../model/report.ts';
import { addressKind, canonicalHost, familyOf, isLoopback, mayBeNameOf } from '../model/address.ts';
import { Connects, type Connector, type ConnectsOptions } from '../net/connects.ts';
import { Deadlines } from '../net/deadlines.ts';
import { listed, usableAddresses } from '../net/found-addresses.ts';
import type { NetIo, Net } from '../net/io.ts';
import { Neighbours } from '../net/neighbours.ts';
import { Pacer } from '../net/pacer.ts';
import type { Proxy } from '../net/proxy.ts';
import { NameResolver, type Family } from '../net/resolver.ts';
import { OwnLinks } from '../net/own-links.ts';
import { SpareSockets } from '../net/spare-sockets.ts';
import { SynRetransmits } from '../net/syn-retransmits.ts';
import { SecureContexts } from '../net/tls.ts';
import { nothingTried, observationOf, observe, timestamp, unfinished, type Attempts } from './attempt.ts';
import { Pool, type PoolClock, type PoolOptions } from './pool.ts';

export interface RunSettings extends PoolOptions {
  readonly timeoutMs: number;
  /** Resends of a lost datagram. */
  readonly retries: number;
  readonly family: Family;
  readonly sourceAddress: string | undefined;
  readonly proxy: Proxy | null;
  /** PEM roots beside Node's own. */
  readonly trust: readonly string[];
  /** The trusted roots stand for public ones: a demonstration brings its own world. */
  readonly arePublicRoots?: boolean;
  /** This machine's addresses. */
  readonly ownAddresses: readonly string[];
  readonly ownHostname?: string;
  readonly probes: Readonly<Record<string, Probe>>;
  /** Threads for bare connections beside this one. Absent: as many as pay. */
  readonly threads?: number | undefined;
}

export interface RunEvents {
  /** `last`: the check has no further address. `at` is its place in the plan. */
  onObservation(check: Check, observation: Observation, last: boolean, at: number): void;
  /** Every address of the check's host is this machine's own. */
  onSelf(check: Check, at: number): void;
  onBug(check: Check, error: unknown): void;
}

export interface RunControl {
  /** Resolves when every check is told. Never rejects. */
  readonly done: Promise<Stats>;
  readonly inFlight: () => number;
  /** Addresses of this machine's own links that nobody answers for, as of now. */
  readonly hostsDown: () => ReadonlySet<string>;
  /** Ends it now: what is open becomes `aborted`, with this reason. */
  readonly stop: (why: string) => void;
}

/** What the addresses of one name have in common. */
interface Kin {
  readonly notes: readonly string[];
  /** Not told yet. */
  left: number;
}

/**
 * A check at one address, made when its turn has come: until then the pool knows a check at a literal address by its place
 * in the plan, which costs no memory.
 */
class Job {
  /** Where the check stands in the plan. */
  readonly at: number;
  readonly check: Check;
  readonly probe: Probe;
  readonly completed: Answer | undefined;
  readonly address: string;
  readonly kin: Kin | undefined;
  backOffs = 0;
  /** Of the attempt under way. */
  startedAt = '';
  startedMs = NaN;
  release = nothing;

  constructor(at: number, check: Check, probe: Probe, address: string, kin: Kin | undefined) {
    this.at = at;
    this.check = check;
    this.probe = probe;
    this.completed = completedBy(check, probe);
    this.address = address;
    this.kin = kin;
  }
}

/** How often a check is taken up again when this machine is out of resources, and the first pause (it doubles). */
const maxBackOffs = 8;
const firstBackOffMs = 100;

interface Want {
  readonly detail: string;
  /** Before that, another try is none. */
  readonly pauseMs: number;
}

const wants = {
  sockets: { detail: 'this machine had no descriptors, ports or buffers left for it, again and again', pauseMs: 0 },
  // The kernel gives no place away that was confirmed in the last five seconds.
  neighbours: {
    detail:
      "this machine's neighbour table is full: fewer hosts of its own link at a time, or a higher net.ipv4.neigh.default.gc_thresh3",
    pauseMs: 5000,
  },
} as const satisfies Record<string, Want>;

/**
 * Node makes an Error of every refusal, and we of every silence; the stack trace is a fifth of what a refusal costs (0.37
 * to 0.30 CPU s for 10,000). A run of so many checks does without.
 */
const tracedChecks = 1000;

/**
 * A thread costs 30 ms and 60 MB to start, and this one launches 20,000 to 35,000 connections a second by itself. The fourth
 * is the last that pays: then the pool, and whoever judges and reports, takes the time.
 */
const threadedChecks = 20_000;
const threadedRate = 20_000;
const mostThreads = 4;

/** Names in question at the same time. */
const maxLookups = 64;

export function run(plan: Plan, settings: RunSettings, events: RunEvents): RunControl {
  const deadlines = new Deadlines();
  const pacer = new Pacer();
  const neighbours = new Neighbours(deadlines);
  const links = new OwnLinks();
  const synRetransmits = new SynRetransmits();
  const resolver = new NameResolver({
    family: settings.family,
    timeoutMs: Math.max(250, Math.floor(settings.timeoutMs / 2)),
    tries: 2,
  });
  const counters = { connects: 0, datagrams: 0 };
  const sockets = new SpareSockets({
    sourceAddress: settings.sourceAddress,
    room: () => settings.concurrency - pool.inFlight,
  });
  const net: Net = {
    deadlines,
    pacer,
    sockets,
    resolver,
    contexts: new SecureContexts({ extra: settings.trust, arePublic: settings.arePublicRoots ?? false }),
    proxy: settings.proxy,
    sourceAddress: settings.sourceAddress,
    retries: settings.retries,
    counters,
    synRetransmits,
  };
  const live = new Set<NetIo>();
  const attempts: Attempts = {
    net,
    timeoutMs: settings.timeoutMs,
    live,
    onBug: (check, error) => events.onBug(check, error),
  };
  const connecting: ConnectsOptions<Job> = {
    timeoutMs: settings.timeoutMs,
    sourceAddress: settings.sourceAddress,
    counters,
    told: (job, failure, elapsedMs) => {
      const { check, completed, address, startedAt, startedMs } = job;
      const note = failure ? undefined : synRetransmits.noteFor(startedMs, elapsedMs);
      end(job, observationOf(check, address, completed!, { startedAt, elapsedMs, failure, note }));
    },
  };
  const threads = settings.threads ?? threadsFor(plan, settings);
  let connects: Connector<Job> = new Connects(deadlines, connecting);
  /** What waits is a job, or the place in the plan of a check at a literal address. */
  const clock: PoolClock = {
    now: () => deadlines.now(),
    after: (ms, then) => void deadlines.add(ms, then),
    nextTurn: (then) => void setImmediate(then),
  };
  const pool = new Pool<Job | number>(settings, clock, {
    start,
    room: () => connects.room(),
    datagramDelayMs: (address) => pacer.delayMs(address),
  });
  /** By the place in the plan: 1 when the check is told to the last of its addresses. */
  const isTold = new Uint8Array(plan.checks.length);
  let stopped: string | undefined;

  const speakUp = plan.checks.length < tracedChecks ? nothing : withoutStackTraces();
  const done = (async (): Promise<Stats> => {
    await Promise.all([...new Set(plan.checks.map(probeOf))].map(async (probe) => probe.load?.()));
    if (threads > 0) {
      const { ConnectThreads } = await import('../net/connect-threads.ts');
      connects = new ConnectThreads(threads, deadlines, connecting);
    }
    if (stopped === undefined) await schedule();
    await pool.idle();
    await connects.close();
    resolver.cancel();
    sockets.close();
    deadlines.clear();
    speakUp();
    const peakRssMiB = Math.round(process.resourceUsage().maxRSS / 1024);
    return { maxInFlight: pool.maxInFlight, ...counters, peakRssMiB };
  })();
  return { done, inFlight: () => pool.inFlight, hostsDown: () => links.unanswered(), stop };

  async function schedule(): Promise<void> {
    const named: number[] = [];
    for (const [at, check] of plan.checks.entries()) {
      const isNamed = check.address === null && !check.viaProxy && probeOf(check).perAddress !== false;
      if (isNamed) named.push(at);
      else pool.add(at, hostOf(check, literalOf(check)), isPaced(check));
    }
    const next = named[Symbol.iterator]();
    const resolveSome = async (): Promise<void> => {
      for (const at of next) await launchNamed(at);
    };
    await Promise.all(Array.from({ length: Math.min(maxLookups, named.length) }, resolveSome));
  }

  async function launchNamed(at: number): Promise<void> {
    const check = plan.checks[at]!;
    try {
      const all = await resolver.addresses(check.host);
      if (stopped !== undefined) return;
      const others = all.filter((address) => !isOwn(address, check));
      if (others.length === 0) {
        isTold[at] = 1;
        return events.onSelf(check, at);
      }
      const ofFamily = withoutUnusableFamily(others);
      const left = others.filter((address) => !ofFamily.includes(address));
      const { usable, notes } = usableAddresses(check.host, ofFamily);
      if (left.length > 0) notes.push(`${listed(left)} left out: this machine has no IPv6 beyond its own link`);
      launch(at, usable, [...resolver.passedOverFor(check.host), ...notes]);
    } catch (error) {
      const failure = error instanceof NetError ? error.failure : undefined;
      if (!failure) events.onBug(check, error);
      if (stopped !== undefined) return;
      tell(
        at,
        nothingTried(check, failure ?? { outcome: 'local', stage: 'resolve', detail: 'a defect of xenreach itself' }),
        true,
      );
    }
  }

  function launch(at: number, addresses: readonly string[], notes: readonly string[]): void {
    const check = plan.checks[at]!;
    const kin = { notes, left: addresses.length };
    for (const address of addresses) {
      const job = new Job(at, check, probeOf(check), address, kin);
      pool.add(job, hostOf(check, address), isPaced(check));
    }
  }

  function start(task: Job | number, release: () => void): void {
    const job = typeof task === 'number' ? jobAt(task) : task;
    sockets.makeRoom();
    job.release = release;
    job.startedAt = timestamp();
    job.startedMs = performance.now();
    synRetransmits.begin(job.startedMs);
    if (job.completed) connects.start(job, job.address, job.check.port);
    else void observe(job.check, job.address, job.probe, attempts).then((observation) => end(job, observation));
  }

  function jobAt(at: number): Job {
    const check = plan.checks[at]!;
    return new Job(at, check, probeOf(check), literalOf(check), undefined);
  }

  function end(job: Job, seen: Observation | undefined): void {
    if (stopped !== undefined) return job.release();
    if (!seen) sockets.close();
    const { at, check, address, kin } = job;
    const observation = seen && links.informed(seen, check.transport);
    const want = wantOf(job, observation);
    if (want && job.backOffs < maxBackOffs) {
      const pauseMs = Math.max(want.pauseMs, firstBackOffMs * 2 ** job.backOffs);
      pool.putBack(job, hostOf(check, address), isPaced(check), pauseMs);
      job.backOffs += 1;
      return job.release();
    }
    job.release();
    if (kin) kin.left -= 1;
    const told = want ? exhausted(check, address, want) : observation!;
    tell(at, withNotes(told, kin?.notes ?? none), !kin || kin.left === 0);
  }

  /** What this machine had too little of, when that is why nothing was learned. */
  function wantOf({ startedMs }: Job, observation: Observation | undefined): Want | undefined {
    if (!observation) return wants.sockets;
    const isNobody = observation.outcome === 'timeout' || observation.hint === 'host-down';
    return isNobody && neighbours.overflowedSince(startedMs) ? wants.neighbours : undefined;
  }

  function tell(at: number, observation: Observation, last: boolean): void {
    if (isTold[at] === 1) return;
    if (last) isTold[at] = 1;
    events.onObservation(plan.checks[at]!, observation, last, at);
  }

  function stop(why: string): void {
    if (stopped !== undefined) return;
    stopped = why;
    pool.stop();
    resolver.cancel();
    connects.stop(why);
    for (const io of [...live]) io.scope.stop(new NetError({ outcome: 'aborted', stage: io.scope.stage, detail: why }));
    for (const [at, check] of plan.checks.entries()) tell(at, unfinished(check, why), true);
  }

  function probeOf(check: Check): Probe {
    const probe = settings.probes[check.probe];
    if (!probe) throw new RangeError(`no probe is called ${check.probe}`);
    return probe;
  }

  /** Whose places it takes: the proxy's, where one is between. */
  function hostOf(check: Check, address: string): string {
    return check.viaProxy ? (settings.proxy?.host ?? address) : address;
  }

  function isPaced(check: Check): boolean {
    return check.transport === 'udp' && probeOf(check).perAddress !== false;
  }

  function isOwn(address: string, check: Check): boolean {
    if (!check.isPeer) return false;
    // Debian gives a machine's own name the address 127.0.1.1.
    if (isLoopback(address)) return mayBeNameOf(check.host, settings.ownHostname ?? 'localhost');
    return settings.ownAddresses.includes(canonicalHost(address));
  }

  /** A name with IPv4 and IPv6 on a machine without IPv6 is no finding about the network. */
  function withoutUnusableFamily(addresses: readonly string[]): readonly string[] {
    const hasIPv6 = settings.ownAddresses.some(
      (address) => familyOf(address) === 6 && addressKind(address) === 'ordinary',
    );
    if (hasIPv6 || settings.family === '6') return addresses;
    const usable = addresses.filter((address) => familyOf(address) === 4);
    return usable.length > 0 ? usable : addresses;
  }
}

function withoutStackTraces(): () => void {
  const usual = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  return () => {
    Error.stackTraceLimit = usual;
  };
}

const none: readonly string[] = [];
const nothing = (): void => undefined;

/** How many threads beside this one open bare connections, when there are so many of them that they pay. */
function threadsFor({ checks }: Plan, { probes, rate }: RunSettings): number {
  if (checks.length < threadedChecks || rate < threadedRate) return 0;
  // Node's permission model allows them or not; its type says nothing of a process without one.
  const { permission }: Partial<NodeJS.Process> = process;
  if (permission && !permission.has('worker')) return 0;
  let bare = 0;
  for (const check of checks) if (completedBy(check, probes[check.probe])) bare += 1;
  return bare < threadedChecks ? 0 : Math.min(availableParallelism() - 1, mostThreads);
}

const literalOf = ({ address, host }: Check): string => address ?? host;

/** What a completed handshake answers to the check, when that is all there is to it. */
function completedBy(check: Check, probe: Probe | undefined): Answer | undefined {
  return check.viaProxy || check.transport !== 'tcp' ? undefined : probe?.connected?.(check.options);
}

function withNotes(observation: Observation, notes: readonly string[]): Observation {
  return notes.length > 0 ? { ...observation, notes: [...observation.notes, ...notes] } : observation;
}

function exhausted(check: Check, address: string, { detail }: Want): Observation {
  return { ...nothingTried(check, { outcome: 'local', stage: null, detail }), address };
}
