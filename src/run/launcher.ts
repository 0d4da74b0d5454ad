/**
 * Starts attempts and says how each ended. There are two ways: a bare connection, where a completed handshake answers the
 * check (such checks go by thousands), and the probe's own conversation.
 */
import type { NetFailure } from '../model/errors.ts';
import type { Observation } from '../model/outcome.ts';
import type { Connector, ConnectorOptions } from '../net/connector.ts';
import { LoopConnector } from '../net/loop-connector.ts';
import { observationOfConnect, observe, stopAttempts, timestamp, type AttemptContext } from './attempt.ts';
import type { Job } from './job.ts';

/** The observation is undefined when this machine was out of resources: nothing was learned. */
export type OnEnd = (job: Job, observation: Observation | undefined) => void;

export class Launcher {
  readonly #context: AttemptContext;
  readonly #onEnd: OnEnd;
  readonly #options: ConnectorOptions<Job>;
  #connector: Connector<Job>;

  constructor(context: AttemptContext, onEnd: OnEnd) {
    this.#context = context;
    this.#onEnd = onEnd;
    const { net, timeoutMs } = context;
    const { sourceAddress, counters } = net;
    this.#options = { timeoutMs, sourceAddress, counters, onResult: this.#onConnect };
    this.#connector = new LoopConnector(net.deadlines, this.#options);
  }

  /** Bare connections are opened on so many further threads from now on. */
  async takeThreads(threads: number): Promise<void> {
    if (threads === 0) return;
    const { ThreadedConnector } = await import('../net/threaded-connector.ts');
    this.#connector = new ThreadedConnector(threads, this.#context.net.deadlines, this.#options);
  }

  /** How many may be started in this turn of the event loop. */
  room(): number {
    return this.#connector.room();
  }

  start(job: Job): void {
    const { sockets, synRetransmits } = this.#context.net;
    sockets.makeRoom();
    job.startedAt = timestamp();
    job.startedMs = performance.now();
    synRetransmits.begin(job.startedMs);
    if (job.answerOnConnect) this.#connector.start(job, job.address, job.check.port);
    else void observe(job, this.#context).then((observation) => this.#onEnd(job, observation));
  }

  /** Ends what is under way. */
  stop(why: string): void {
    this.#connector.stop(why);
    stopAttempts(this.#context, why);
  }

  close(): Promise<void> {
    return this.#connector.close();
  }

  readonly #onConnect = (job: Job, failure: NetFailure | undefined, elapsedMs: number): void => {
    const note = failure ? undefined : this.#context.net.synRetransmits.noteFor(job.startedMs, elapsedMs);
    this.#onEnd(job, observationOfConnect(job, { failure, elapsedMs, note }));
  };
}
