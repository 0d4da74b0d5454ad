/** Between an agent and the bus: connects again and again, sends what waits, brings revisions and what is asked for. */
import { setTimeout as after } from 'node:timers/promises';
import type { Agent } from './agent.ts';
import type { AgentConfig } from './agent-file.ts';
import { connectBus, type Bus } from './bus.ts';
import { aliveSubject, doSubject, inboxOf, reportSubject } from './layout.ts';
import type { Parcel } from './outbox.ts';

const [againMs, longestAgainMs] = [2000, 60_000];
const revisionEveryMs = 30_000;

export interface LinkParts {
  readonly config: AgentConfig;
  readonly agent: Agent;
  readonly say: (text: string) => void;
  readonly stop: AbortSignal;
}

/** Until it is stopped. Never rejects: whatever happens to the bus is told once, and tried again. */
export async function keepLinked({ config, agent, say, stop }: LinkParts): Promise<void> {
  const { bus: url, site, agent: name, key, authority } = config;
  const login = { url, ca: authority, seed: key.seed, inbox: inboxOf.agent(site, name), name: `agent ${site} ${name}` };
  let told = '';
  let waitMs = againMs;
  while (!stop.aborted) {
    try {
      const bus = await connectBus(login);
      say(`connected to ${url}`);
      told = '';
      waitMs = againMs;
      await linked(bus, { config, agent, say, stop });
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      if (text !== told) say(`${text}; all goes on, and what there is to send waits`);
      told = text;
    }
    await after(waitMs, undefined, { signal: stop }).catch(() => undefined);
    waitMs = Math.min(longestAgainMs, waitMs * 2);
  }
}

/** As long as the connection lasts. Rejects where the server ends it for good. */
async function linked(bus: Bus, { config, agent, say, stop }: LinkParts): Promise<void> {
  const { site, agent: name } = config;
  const ended = new AbortController();
  const end = (): void => ended.abort();
  stop.addEventListener('abort', end, { once: true });
  if (stop.aborted) end();
  const revisions = new Revisions(bus, { config, agent, say, stop }, ended.signal);
  bus.answer(doSubject(site, name), (data) => {
    const { looks, ...answer } = agent.answer(data);
    if (looks === true) revisions.look();
    return Buffer.from(JSON.stringify(answer));
  });
  const life = (): void => {
    if (bus.isConnected) bus.say(aliveSubject(site, name), Buffer.from(JSON.stringify(agent.heartbeat())));
  };
  const sender = new Sender(bus, agent, config, say, ended.signal);
  let timer: NodeJS.Timeout | undefined;
  const beat = (): void => {
    clearTimeout(timer);
    if (ended.signal.aborted) return;
    life();
    sender.wake();
    timer = setTimeout(beat, agent.nextMs);
  };
  const forget = agent.onNews(beat);
  beat();
  void (async () => {
    const error = await bus.closed();
    if (!ended.signal.aborted) say(`the connection is over${error ? `: ${error.message}` : ''}`);
    end();
  })();
  try {
    await Promise.all([sender.run(), revisions.follow()]);
  } finally {
    stop.removeEventListener('abort', end);
    forget();
    end();
    clearTimeout(timer);
    await bus.close();
  }
}

/** The oldest first, one at a time: the next one goes when the stream has this one. */
class Sender {
  readonly #bus: Bus;
  readonly #agent: Agent;
  readonly #subject: string;
  readonly #say: (text: string) => void;
  readonly #stop: AbortSignal;
  #wake: () => void = () => undefined;
  #trouble: string | null = null;

  constructor(
    bus: Bus,
    agent: Agent,
    { site, agent: name }: AgentConfig,
    say: (text: string) => void,
    stop: AbortSignal,
  ) {
    this.#bus = bus;
    this.#agent = agent;
    this.#subject = reportSubject(site, name);
    this.#say = say;
    this.#stop = stop;
  }

  wake(): void {
    this.#wake();
  }

  async run(): Promise<void> {
    while (!this.#stop.aborted) {
      const parcel = this.#agent.outbox.first();
      const isSent = parcel !== null && this.#bus.isConnected && (await this.#send(parcel));
      if (!isSent) await this.#pause();
    }
  }

  async #send(parcel: Parcel): Promise<boolean> {
    const { kind, id, verdicts, every, body, ageMs } = parcel;
    const words = {
      'Xr-Kind': kind,
      'Xr-Verdicts': verdicts,
      'Xr-Every': String(every),
      'Xr-Age-Ms': String(ageMs),
    };
    try {
      const { sequence } = await this.#bus.publish(this.#subject, body, id, words);
      this.#agent.outbox.delivered(parcel, sequence);
      this.#trouble = null;
      return true;
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      if (/max.payload/i.test(text)) {
        this.#say(`a report of ${body.length} bytes is more than the server takes, and is given up`);
        this.#agent.outbox.giveUp(parcel);
        return true;
      }
      if (this.#trouble === null) this.#say(`a report could not be sent, and waits: ${text}`);
      this.#trouble = text;
      return false;
    }
  }

  /** Until there is something new, or it is worth trying again. */
  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#stop.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, againMs);
      this.#wake = done;
      this.#stop.addEventListener('abort', done, { once: true });
      if (this.#stop.aborted) done();
    });
  }
}

/** Looked up when somebody says that there is a new one, and now and then all the same. */
class Revisions {
  readonly #bus: Bus;
  readonly #agent: Agent;
  readonly #parts: LinkParts;
  readonly #stop: AbortSignal;
  #taken = Buffer.alloc(0);
  #look = new AbortController();
  #trouble: string | null = null;

  constructor(bus: Bus, parts: LinkParts, stop: AbortSignal) {
    this.#bus = bus;
    this.#agent = parts.agent;
    this.#parts = parts;
    this.#stop = stop;
  }

  look(): void {
    this.#look.abort();
  }

  async follow(): Promise<void> {
    while (!this.#stop.aborted) {
      this.#look = new AbortController();
      if (this.#bus.isConnected) await this.#ask();
      const sooner = AbortSignal.any([this.#stop, this.#look.signal]);
      const ms = this.#trouble === null ? revisionEveryMs : againMs;
      await after(ms, undefined, { signal: sooner }).catch(() => undefined);
    }
  }

  async #ask(): Promise<void> {
    const { say, config } = this.#parts;
    try {
      const bytes = await this.#bus.site(config.site);
      if (bytes !== null && !this.#taken.equals(bytes)) {
        await this.#agent.take(bytes);
        this.#taken = Buffer.from(bytes);
      }
      this.#trouble = null;
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      if (this.#trouble === null && !this.#stop.aborted) say(`no revision can be read yet: ${text}`);
      this.#trouble = text;
    }
  }
}
