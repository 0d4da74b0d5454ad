/**
 * Tells whoever is to be told, beside the checks and never in their way: each notifier goes through its own queue in order,
 * waits longer after each failure, and gives an event up after a day.
 */
import type { Event } from '../event.ts';
import type { History, OutboxEntry } from '../history/history.ts';
import type { Notifier } from '../load-config.ts';
import { alertOf, alertOfEvent, resendMs, sendAlerts, type Told } from './alertmanager.ts';
import { sendMail } from './email.ts';
import { sendWebhook } from './webhook.ts';

const sendMs = 10_000;
const mostBackoffMs = 15 * 60_000;
const giveUpMs = 24 * 3_600_000;

export const backoffMs = (tries: number): number => Math.min(mostBackoffMs, 5000 * 2 ** tries);

/** Stays the same over restarts, and has no secret in it. */
export const nameOf = (notifier: Notifier): string =>
  notifier.kind === 'webhook'
    ? `webhook ${notifier.url}`
    : notifier.kind === 'email'
      ? `email ${notifier.to.join(', ')}`
      : `alertmanager ${notifier.urls.join(', ')}`;

/** One event, now. Rejects with what went wrong. */
export async function send(
  notifier: Notifier,
  events: readonly Event[],
  at: number,
  timeoutMs = sendMs,
): Promise<void> {
  if (notifier.kind === 'email') return sendMail(notifier, events, timeoutMs);
  if (notifier.kind === 'alertmanager') {
    const alerts = events.map((event) => alertOfEvent(event, at));
    return sendAlerts(notifier.urls, notifier.token, alerts, timeoutMs);
  }
  for (const event of events) await sendWebhook(notifier.url, notifier.secret, event, at, timeoutMs);
}

export interface OutboxParts {
  /** Null: what is to be told is kept in memory alone. */
  readonly history: () => History | null;
  readonly wall: () => number;
  /** Incidents that are open, or were until a moment ago. */
  readonly told: () => readonly Told[];
  readonly onTrouble: (text: string) => void;
}

interface Queue {
  notifier: Notifier;
  readonly name: string;
  isBusy: boolean;
  work: Promise<void>;
  /** Of an Alertmanager, which is told again and again. */
  nextResend: number;
  failures: number;
  trouble: string | null;
}

export class Outbox {
  readonly #parts: OutboxParts;
  #queues: Queue[] = [];
  /** What the history could not take. */
  #unsaved: { readonly name: string; readonly entry: OutboxEntry; due: number }[] = [];
  readonly #failed = new Map<string, number>();

  constructor(parts: OutboxParts) {
    this.#parts = parts;
  }

  /** Those that are named so already go on with their queues. */
  use(notifiers: readonly Notifier[]): void {
    this.#queues = notifiers.map((notifier) => {
      const name = nameOf(notifier);
      const known = this.#queues.find((queue) => queue.name === name);
      return Object.assign(
        known ?? { name, isBusy: false, work: Promise.resolve(), nextResend: 0, failures: 0, trouble: null },
        { notifier },
      );
    });
  }

  /** Whose events are queued: an Alertmanager hears of incidents as they stand, not of what happened to them. */
  names(type: Event['type']): string[] {
    const isQueued = ({ notifier }: Queue): boolean =>
      notifier.kind !== 'alertmanager' || type === 'stale' || type === 'test';
    return this.#queues.filter(isQueued).map(({ name }) => name);
  }

  keepUnsaved(events: readonly Event[], at: number): void {
    for (const event of events)
      for (const name of this.names(event.type)) {
        const entry = { id: -1, notifier: name, body: JSON.stringify(event), first: at, tries: 0 };
        this.#unsaved.push({ name, entry, due: at });
      }
    this.#unsaved = this.#unsaved.slice(-1000);
  }

  troubles(): { readonly name: string; readonly trouble: string }[] {
    return this.#queues.flatMap(({ name, trouble }) => (trouble === null ? [] : [{ name, trouble }]));
  }

  /** By notifier: sendings that failed, since the start. */
  failed(): ReadonlyMap<string, number> {
    return new Map(this.#queues.map(({ name }) => [name, this.#failed.get(name) ?? 0]));
  }

  /** Something has changed: an Alertmanager hears of it now. */
  hurry(): void {
    for (const queue of this.#queues) if (queue.failures === 0) queue.nextResend = 0;
    this.turn();
  }

  /** One turn of all, waited for: of a process that is about to end. */
  async settle(): Promise<void> {
    this.turn();
    await Promise.all(this.#queues.map(({ work }) => work));
  }

  /** Starts what is due. Called often; returns at once. */
  turn(): void {
    for (const queue of this.#queues) {
      if (queue.isBusy) continue;
      queue.isBusy = true;
      queue.work = this.#work(queue)
        .catch((error: unknown) => this.#parts.onTrouble(`${queue.name}: ${textOf(error)}`))
        .finally(() => (queue.isBusy = false));
    }
  }

  async #work(queue: Queue): Promise<void> {
    await this.#resend(queue);
    const at = this.#parts.wall();
    const history = this.#parts.history();
    const kept = history?.due(queue.name, at) ?? [];
    const unsaved = this.#unsaved.filter(({ name, due }) => name === queue.name && due <= at);
    const entries = [...kept, ...unsaved.map(({ entry }) => entry)];
    // A mail may tell of several; a webhook gets one at a time, in order.
    const batches = queue.notifier.kind === 'email' && entries.length > 0 ? [entries] : entries.map((entry) => [entry]);
    for (const batch of batches) if (!(await this.#deliver(queue, batch))) return;
  }

  async #deliver(queue: Queue, batch: readonly OutboxEntry[]): Promise<boolean> {
    const history = this.#parts.history();
    const ids = batch.flatMap(({ id }) => (id < 0 ? [] : [id]));
    const forget = (): void => {
      if (ids.length > 0) history?.delivered(ids);
      this.#unsaved = this.#unsaved.filter(({ entry }) => !batch.includes(entry));
    };
    try {
      await send(queue.notifier, batch.map(eventIn), this.#parts.wall());
      forget();
      this.#good(queue);
      return true;
    } catch (error) {
      this.#bad(queue, error);
      const at = this.#parts.wall();
      if (at - batch[0]!.first > giveUpMs) {
        this.#parts.onTrouble(`${queue.name}: ${batch.length} notices are given up after a day: ${textOf(error)}`);
        forget();
        return true;
      }
      const due = at + backoffMs(batch[0]!.tries);
      if (ids.length > 0) history?.postponed(ids, due, textOf(error).slice(0, 300));
      for (const unsaved of this.#unsaved) if (batch.includes(unsaved.entry)) unsaved.due = due;
      return false;
    }
  }

  async #resend(queue: Queue): Promise<void> {
    const { notifier } = queue;
    const at = this.#parts.wall();
    if (notifier.kind !== 'alertmanager' || at < queue.nextResend) return;
    queue.nextResend = at + resendMs;
    const alerts = this.#parts.told().map((told) => alertOf(told, at));
    if (alerts.length === 0) return;
    try {
      await sendAlerts(notifier.urls, notifier.token, alerts, sendMs);
      this.#good(queue);
    } catch (error) {
      this.#bad(queue, error);
      queue.nextResend = at + Math.min(resendMs, backoffMs(queue.failures - 1));
    }
  }

  #good(queue: Queue): void {
    queue.failures = 0;
    queue.trouble = null;
  }

  #bad(queue: Queue, error: unknown): void {
    queue.failures += 1;
    queue.trouble = textOf(error);
    this.#failed.set(queue.name, (this.#failed.get(queue.name) ?? 0) + 1);
    if (queue.failures === 1) this.#parts.onTrouble(`${queue.name} cannot be told: ${queue.trouble}`);
  }
}

// Written by ourselves, from an event.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
const eventIn = ({ body }: OutboxEntry): Event => JSON.parse(body) as Event;

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
