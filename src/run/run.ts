/**
 * Checks → observations. Names are resolved as they come up, every address of a name is tried by itself, and every check
 * ends in at least one observation (or in none, when the host turned out to be this machine itself).
 */
import type { Observation } from '../model/outcome.ts';
import type { Check } from '../model/plan.ts';
import type { Probe } from '../model/probe.ts';
import type { Stats } from '../model/report.ts';
import { openNet, type NetContext, type NetSettings } from '../net/net.ts';
import { addressesOf, forEachName, isNamed, type AddressSettings } from './addresses.ts';
import { NetIo } from '../net/io.ts';
import { NetError } from '../model/errors.ts';
import { failureOf, nothingTried, type OnBug } from './attempt.ts';
import { FinishedChecks, type ObservedCheck, type OnObservation } from './finished-checks.ts';
import { Job, type NamedCheck, type Task } from './job.ts';
import { Launcher } from './launcher.ts';
import type { Converse, Paired } from './paired.ts';
import { Pool, type PoolClock, type PoolOptions } from './pool.ts';
import { exhausted, mostPutBacks, pauseMs, shortageOf, type Shortage } from './shortage.ts';
import { withoutStackTraces } from './stack-traces.ts';
import { threadsFor, type ThreadSettings } from './threads.ts';

export interface RunSettings extends PoolOptions, NetSettings, AddressSettings, ThreadSettings {
  /** Who knows the other ends, where there are any. */
  readonly paired?: Paired | undefined;
}

export interface RunEvents {
  readonly onObservation: OnObservation;
  /** Every address of the check's host is this machine's own. */
  onSelf(self: Pick<ObservedCheck, 'index' | 'check'>): void;
  onBug(check: Check, error: unknown): void;
}

export interface RunControl {
  /** Resolves when every check is finished. Never rejects. */
  readonly done: Promise<Stats>;
  readonly inFlight: () => number;
  /** Addresses of this machine's own links that nobody answers for, as of now. */
  readonly hostsDown: () => ReadonlySet<string>;
  /** Ends it now: what is open becomes `aborted`, with this reason. */
  readonly stop: (why: string) => void;
}

export function run(checks: readonly Check[], settings: RunSettings, events: RunEvents): RunControl {
  const net = openNet(settings);
  const running = new Run(checks, settings, events, net);
  return {
    done: running.toTheEnd(),
    inFlight: () => net.budget.inUse,
    hostsDown: () => net.links.unanswered(),
    stop: (why) => running.stop(why),
  };
}

/** The pool says when a task may start, the launcher how it ended; each end becomes an observation, or the task waits again. */
class Run {
  readonly #checks: readonly Check[];
  readonly #settings: RunSettings;
  readonly #events: RunEvents;
  readonly #net: NetContext;
  readonly #finished: FinishedChecks;
  readonly #launcher: Launcher;
  readonly #pool: Pool<Task>;
  /** What the other ends are still to be asked of. */
  #waiting: { readonly job: Job; readonly observation: Observation }[] = [];
  readonly #conversations = new Set<NetIo>();
  #isStopped = false;

  constructor(checks: readonly Check[], settings: RunSettings, events: RunEvents, net: NetContext) {
    this.#checks = checks;
    this.#settings = settings;
    this.#events = events;
    this.#net = net;
    this.#finished = new FinishedChecks(checks, events.onObservation);
    const { timeoutMs } = settings;
    this.#launcher = new Launcher({ net, timeoutMs, live: new Set(), onBug: this.#onBug }, (job, observation) =>
      this.#settle(job, observation),
    );
    this.#pool = new Pool(settings, net.budget, clockOf(net), {
      start: (task, done) => this.#start(task, done),
      room: () => this.#launcher.room(),
      datagramDelayMs: (address) => net.pacer.delayMs(address),
    });
  }

  async toTheEnd(): Promise<Stats> {
    const restoreStackTraces = withoutStackTraces(this.#checks.length);
    await Promise.all([...new Set(this.#checks.map(this.#probeOf))].map(async (probe) => probe.load?.()));
    await this.#launcher.takeThreads(threadsFor(this.#checks, this.#settings));
    if (!this.#isStopped) await this.#schedule();
    await this.#pool.idle();
    await this.#conclude();
    await this.#launcher.close();
    this.#net.close();
    restoreStackTraces();
    const { budget, counters } = this.#net;
    const peakRssMiB = Math.round(process.resourceUsage().maxRSS / 1024);
    return { maxInFlight: budget.mostInUse, ...counters, peakRssMiB };
  }

  stop(why: string): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#pool.stop();
    this.#net.resolver.cancel();
    this.#launcher.stop(why);
    this.#emitWaiting(this.#waiting.map(({ observation }) => observation));
    for (const { scope } of this.#conversations)
      scope.stop(new NetError({ outcome: 'aborted', stage: scope.stage, detail: why }));
    this.#finished.emitRest(why);
  }

  async #schedule(): Promise<void> {
    const named: number[] = [];
    for (const [index, check] of this.#checks.entries()) {
      if (isNamed(check, this.#probeOf(check))) named.push(index);
      else this.#pool.add(index, this.#hostOf(check, literalOf(check)), this.#isPaced(check, literalOf(check)));
    }
    await forEachName(named, (index) => this.#scheduleNamed(index));
  }

  async #scheduleNamed(index: number): Promise<void> {
    const check = this.#checks[index]!;
    try {
      const addresses = await addressesOf(check, this.#settings, this.#net.resolver);
      if (this.#isStopped) return;
      if (addresses) return this.#addJobs(index, addresses.usable, addresses.notes);
      this.#finished.finish(index);
      this.#events.onSelf({ index, check });
    } catch (error) {
      const failure = failureOf(error, check, this.#onBug);
      if (!this.#isStopped) this.#finished.emit(index, nothingTried(check, failure), true);
    }
  }

  #addJobs(index: number, addresses: readonly string[], notes: readonly string[]): void {
    const check = this.#checks[index]!;
    const named: NamedCheck = { notes, addressesLeft: addresses.length };
    for (const address of addresses) {
      const job = this.#jobFor(index, address);
      job.named = named;
      this.#pool.add(job, this.#hostOf(check, address), this.#isPaced(check, address));
    }
  }

  #start(task: Task, done: () => void): void {
    const job = typeof task === 'number' ? this.#jobFor(task, literalOf(this.#checks[task]!)) : task;
    job.release = done;
    this.#launcher.start(job);
  }

  #jobFor(index: number, address: string): Job {
    const check = this.#checks[index]!;
    const probe = this.#probeOf(check);
    return new Job(index, check, this.#settings.paired?.probeFor(check, address, probe) ?? probe, address);
  }

  /** An attempt has ended. */
  #settle(job: Job, seen: Observation | undefined): void {
    if (this.#isStopped) return job.release();
    if (!seen) this.#net.sockets.close();
    const observation = seen && this.#net.links.informed(seen, job.check.transport);
    const shortage = shortageOf(observation, job.startedMs, this.#net.neighbours);
    if (shortage && job.putBacks < mostPutBacks) return this.#putBack(job, shortage);
    job.release();
    const last = job.noted(shortage ? exhausted(job, shortage) : observation!);
    if (this.#settings.paired?.waits({ check: job.check, observation: last }) === true)
      this.#waiting.push({ job, observation: last });
    else this.#finished.emit(job.index, last, job.finish());
  }

  /** Everything has been sent: what did the other ends see of it? */
  async #conclude(): Promise<void> {
    const { paired } = this.#settings;
    if (!paired || this.#isStopped) return;
    const waiting = this.#waiting.map(({ job: { check }, observation }) => ({ check, observation }));
    this.#emitWaiting(await paired.conclude(waiting, this.#converse));
  }

  #emitWaiting(concluded: readonly Observation[]): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const [i, { job, observation }] of waiting.entries())
      this.#finished.emit(job.index, concluded[i] ?? observation, job.finish());
  }

  readonly #converse: Converse = async (target, timeoutMs, talk) => {
    if (this.#isStopped) throw new NetError({ outcome: 'aborted', stage: null, detail: 'the run was stopped' });
    const io = new NetIo(this.#net, target, { timeoutMs, viaProxy: false, smallHello: false });
    this.#conversations.add(io);
    try {
      return await talk(io);
    } finally {
      this.#conversations.delete(io);
      io.scope.close();
    }
  };

  #putBack(job: Job, shortage: Shortage): void {
    const { check, address, putBacks } = job;
    this.#pool.putBack(job, this.#hostOf(check, address), this.#isPaced(check, address), pauseMs(shortage, putBacks));
    job.putBacks += 1;
    job.release();
  }

  readonly #onBug: OnBug = (check, error) => this.#events.onBug(check, error);

  readonly #probeOf = (check: Check): Probe => {
    const probe = this.#settings.probes[check.probe];
    if (!probe) throw new RangeError(`no probe is called ${check.probe}`);
    return probe;
  };

  /** Whose places it takes: the proxy's, where one is between. */
  #hostOf(check: Check, address: string): string {
    return check.viaProxy ? (this.#settings.proxy?.host ?? address) : address;
  }

  #isPaced(check: Check, address: string): boolean {
    if (check.transport !== 'udp' || this.#probeOf(check).perAddress === false) return false;
    return this.#settings.paired?.isUnpaced(check, address) !== true;
  }
}

const clockOf = ({ deadlines }: NetContext): PoolClock => ({
  now: () => deadlines.now(),
  after: (ms, then) => void deadlines.add(ms, then),
  nextTurn: (then) => void setImmediate(then),
});

const literalOf = ({ address, host }: Check): string => address ?? host;
