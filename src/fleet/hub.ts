/** The hub: a watch whose reports come over the bus. Every one is kept before the bus is told that it may forget it. */
import { setTimeout as after } from 'node:timers/promises';
import type { Watch } from '../watch/watch.ts';
import { connectBus, type Bus, type Login, type Message } from './bus.ts';
import { takeRun, takeSign } from './inflow.ts';
import { doSubject } from './layout.ts';
import { putAside } from './rejected.ts';

const againMs = 1000;
const notKeptMs = 5000;
/** Of one agent, no more often. */
const askEveryMs = 60_000;

export interface HubParts {
  readonly watch: Watch;
  readonly login: Login;
  /** Of the durable consumer: each hub has all reports. */
  readonly name: string;
  /** The folder of what was no good. */
  readonly rejected: string;
  readonly say: (text: string) => void;
  readonly stop: AbortSignal;
}

/** Until it is stopped. Never rejects. */
export async function collect(parts: HubParts): Promise<void> {
  const { watch, login, say, stop } = parts;
  let told = '';
  while (!stop.aborted) {
    try {
      const bus = await connectBus(login);
      try {
        await bus.makeStreams();
        say(`collects from ${login.url} (nats-server ${bus.serverVersion})`);
        told = '';
        await connected(bus, parts);
      } finally {
        await bus.close();
      }
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      if (text !== told && !stop.aborted) say(text);
      told = text;
      watch.wayIn(`no reports come in: ${text}`);
    }
    await after(againMs, undefined, { signal: stop }).catch(() => undefined);
  }
}

/** Rejects when the connection is over for good. */
async function connected(bus: Bus, parts: HubParts): Promise<void> {
  const { watch, stop, say } = parts;
  const ended = new AbortController();
  const end = (): void => ended.abort();
  stop.addEventListener('abort', end, { once: true });
  if (stop.aborted) end();
  const look = setInterval(() => {
    watch.wayIn(bus.isConnected ? null : `no reports come in: the server at ${parts.login.url} does not answer`);
    for (const refusal of bus.refusals()) say(`the server refuses: ${refusal}`);
  }, againMs);
  watch.wayIn(null);
  const over = async (): Promise<void> => {
    const error = await bus.closed();
    end();
    if (!stop.aborted) throw error ?? new Error(`${parts.login.url}: the connection is over`);
  };
  try {
    await Promise.all([
      over(),
      again(ended.signal, say, async () => {
        for await (const message of bus.reports(parts.name, ended.signal)) settle(bus, message, parts);
      }),
      again(ended.signal, say, async () => {
        for await (const sign of bus.signs(ended.signal)) takeSign(watch, sign);
      }),
      closeAtEnd(bus, ended.signal),
    ]);
  } finally {
    end();
    clearInterval(look);
    stop.removeEventListener('abort', end);
  }
}

async function closeAtEnd(bus: Bus, ended: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    if (ended.aborted) resolve();
    else ended.addEventListener('abort', () => resolve(), { once: true });
  });
  await bus.close();
}

/** A consumer ends when the server was away for a while: it is asked for anew. */
async function again(stop: AbortSignal, say: (text: string) => void, follow: () => Promise<void>): Promise<void> {
  let told = '';
  while (!stop.aborted) {
    try {
      await follow();
      told = '';
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      if (text !== told && !stop.aborted) say(`the stream is followed again: ${text}`);
      told = text;
    }
    await after(againMs, undefined, { signal: stop }).catch(() => undefined);
  }
}

const askedAt = new Map<string, number>();

function settle(bus: Bus, message: Message, { watch, say, rejected }: HubParts): void {
  const settled = takeRun(watch, message);
  if (settled.kind === 'later') return message.later(notKeptMs);
  if (settled.kind === 'rejected') {
    say(`a message on ${message.subject} is rejected: ${settled.why}`);
    watch.reject();
    putAside(rejected, message, settled.why);
    return message.drop();
  }
  message.ack();
  if (settled.kind !== 'unknown') return;
  const subject = doSubject(settled.place.site, settled.place.agent);
  const now = performance.now();
  if (now - (askedAt.get(subject) ?? -Infinity) < askEveryMs) return;
  askedAt.set(subject, now);
  // Without an answer the next day's report comes all the same.
  void bus.ask(subject, Buffer.from('{"do":"report"}')).catch(() => undefined);
}
