/**
 * The bus: NATS with JetStream, over TLS, by one key. The only file that knows the client library, which is loaded when
 * somebody connects. Whoever is here is held to subjects by the server; what comes in is hostile all the same.
 */
import type { ConsumerMessages, JetStreamClient, JetStreamManager, JsMsg } from '@nats-io/jetstream';
import type { KV } from '@nats-io/kv';
import type * as Nkeys from '@nats-io/nkeys';
import type { NatsConnection } from '@nats-io/transport-node';
import { aliveStream, aliveSubject, busUrl, oldestServer, reportStream, siteBucket } from './layout.ts';
import { UsageError } from '../model/errors.ts';

export const nkeys = (): Promise<typeof Nkeys> => import('@nats-io/nkeys');

export interface Login {
  readonly url: string;
  /** PEM: who may vouch for the server. */
  readonly ca: string;
  readonly seed: string;
  /** What answers to its requests begin with. */
  readonly inbox: string;
  /** As the server's log shows it. */
  readonly name: string;
}

/** A message of a stream, until it is settled. */
export interface Message {
  readonly subject: string;
  readonly data: Uint8Array;
  /** When the server got it, by its clock. */
  readonly at: number;
  header(name: string): string;
  /** It is kept. */
  ack(): void;
  /** Again, after so long. */
  later(ms: number): void;
  /** Never again. */
  drop(): void;
}

export interface Published {
  readonly sequence: number;
  readonly isDuplicate: boolean;
}

export type Reply = { readonly answer: Uint8Array } | { readonly none: 'nobody' | 'mute' };

const [connectMs, requestMs] = [10_000, 5000];
const dayMs = 86_400_000;
const nanos = (ms: number): number => ms * 1_000_000;
const gib = 1024 ** 3;

/** Rejects with an Error whose message says what is wrong, for a person. */
export async function connectBus({ url, ca, seed, inbox, name }: Login): Promise<Bus> {
  const { connect, nkeyAuthenticator } = await import('@nats-io/transport-node');
  const servers = busUrl(url);
  try {
    const connection = await connect({
      servers,
      name,
      tls: { ca, handshakeFirst: false },
      authenticator: nkeyAuthenticator(new TextEncoder().encode(seed)),
      inboxPrefix: inbox,
      timeout: connectMs,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 1000,
      reconnectJitterTLS: 1000,
      pingInterval: 20_000,
    });
    const bus = await Bus.on(connection);
    if (isOlder(bus.serverVersion, oldestServer)) {
      await bus.close();
      throw new Error(
        `${url}: nats-server ${bus.serverVersion} is too old: ${oldestServer} is the first that will do; take a current one`,
      );
    }
    return bus;
  } catch (cause) {
    throw cause instanceof UsageError ? cause : new Error(troubleText(url, cause), { cause });
  }
}

export class Bus {
  readonly #connection: NatsConnection;
  readonly #js: JetStreamClient;
  /** What the server refused since it was asked last. */
  #refusals: string[] = [];
  #isConnected = true;

  static async on(connection: NatsConnection): Promise<Bus> {
    const { jetstream } = await import('@nats-io/jetstream');
    return new Bus(connection, jetstream(connection, { timeout: requestMs }));
  }

  private constructor(connection: NatsConnection, js: JetStreamClient) {
    this.#connection = connection;
    this.#js = js;
    void this.#follow();
  }

  get serverVersion(): string {
    return this.#connection.info?.version ?? '0';
  }

  get isConnected(): boolean {
    return this.#isConnected && !this.#connection.isClosed();
  }

  /** Resolves when it is over for good: it was closed, or the server knows the key no more. */
  async closed(): Promise<Error | undefined> {
    return (await this.#connection.closed()) ?? undefined;
  }

  /** "Permissions Violation …" of the server, oldest first; each is told once. */
  refusals(): string[] {
    return this.#refusals.splice(0);
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  /** Kept by the stream when it resolves. */
  async publish(
    subject: string,
    data: Uint8Array,
    id: string,
    words: Readonly<Record<string, string>>,
  ): Promise<Published> {
    const { headers } = await import('@nats-io/transport-node');
    const all = headers();
    for (const [key, value] of Object.entries(words)) all.set(key, value);
    const { seq, duplicate } = await this.#js.publish(subject, data, { msgID: id, headers: all, timeout: requestMs });
    return { sequence: seq, isDuplicate: duplicate };
  }

  /** The newest one is what counts: nobody waits for it. */
  say(subject: string, data: Uint8Array): void {
    this.#connection.publish(subject, data);
  }

  /** All that has to be there; by the hub or the operator, whoever comes first. */
  async makeStreams(): Promise<void> {
    const { jetstreamManager, DiscardPolicy, RetentionPolicy, StorageType } = await import('@nats-io/jetstream');
    const manager = await jetstreamManager(this.#connection, { timeout: requestMs });
    const common = {
      retention: RetentionPolicy.Limits,
      storage: StorageType.File,
      discard: DiscardPolicy.Old,
      num_replicas: 1,
    };
    await ensure(manager, reportStream, {
      ...common,
      name: reportStream,
      subjects: ['xr.report.*.*'],
      max_age: nanos(7 * dayMs),
      max_bytes: 20 * gib,
      duplicate_window: nanos(3_600_000),
    });
    await ensure(manager, aliveStream, {
      ...common,
      name: aliveStream,
      subjects: ['xr.alive.*.*'],
      max_age: nanos(7 * dayMs),
      max_msgs_per_subject: 1,
      allow_direct: true,
    });
    const { Kvm } = await import('@nats-io/kv');
    await new Kvm(this.#connection).create(siteBucket, { history: 20, allow_direct: true });
  }

  async putSite(site: string, revision: string): Promise<void> {
    const kv = await this.#sites();
    await kv.put(site, revision);
  }

  async site(name: string): Promise<Uint8Array | null> {
    const kv = await this.#sites();
    return (await kv.get(name))?.value ?? null;
  }

  /** Reports in the order in which they came, each again until it is settled. Ends when the server is away for too long. */
  async *reports(hub: string, stop: AbortSignal): AsyncGenerator<Message> {
    const { jetstreamManager, AckPolicy, DeliverPolicy } = await import('@nats-io/jetstream');
    const manager = await jetstreamManager(this.#connection, { timeout: requestMs });
    const durable = `hub-${hub}`;
    const known = await manager.consumers.info(reportStream, durable).catch(() => null);
    if (!known)
      await manager.consumers.add(reportStream, {
        durable_name: durable,
        ack_policy: AckPolicy.Explicit,
        deliver_policy: DeliverPolicy.All,
        ack_wait: nanos(30_000),
        max_ack_pending: 200,
      });
    const consumer = await this.#js.consumers.get(reportStream, durable);
    yield* follow(await consumer.consume({ max_messages: 100, expires: 15_000, idle_heartbeat: 5000 }), stop);
  }

  /** The last sign of life of each agent, and every one from then on. */
  async *signs(stop: AbortSignal): AsyncGenerator<Message> {
    const { DeliverPolicy } = await import('@nats-io/jetstream');
    const consumer = await this.#js.consumers.get(aliveStream, { deliver_policy: DeliverPolicy.LastPerSubject });
    yield* follow(await consumer.consume({ max_messages: 500, expires: 15_000, idle_heartbeat: 5000 }), stop);
  }

  /** The last sign of life of one agent; null where it never gave one. */
  async lastSign(site: string, agent: string): Promise<{ readonly data: Uint8Array; readonly at: number } | null> {
    const { jetstreamManager } = await import('@nats-io/jetstream');
    const manager = await jetstreamManager(this.#connection, { timeout: requestMs });
    const found = await manager.streams
      .getMessage(aliveStream, { last_by_subj: aliveSubject(site, agent) })
      .catch((error: unknown) => {
        if (error instanceof Error && 'code' in error && Number(error.code) === 10_037) return null;
        throw error;
      });
    return found ? { data: found.data, at: found.time.getTime() } : null;
  }

  async ask(subject: string, data: Uint8Array): Promise<Reply> {
    const { NoRespondersError, RequestError, TimeoutError } = await import('@nats-io/transport-node');
    try {
      return { answer: (await this.#connection.request(subject, data, { timeout: requestMs })).data };
    } catch (error) {
      if (error instanceof NoRespondersError || (error instanceof RequestError && error.isNoResponders()))
        return { none: 'nobody' };
      if (error instanceof TimeoutError) return { none: 'mute' };
      throw error;
    }
  }

  /** Until the connection is closed. */
  answer(subject: string, handle: (data: Uint8Array) => Uint8Array): void {
    this.#connection.subscribe(subject, {
      callback: (error, message) => {
        if (!error) message.respond(handle(message.data));
      },
    });
  }

  async #sites(): Promise<KV> {
    const { Kvm } = await import('@nats-io/kv');
    // Bound only: an agent may not look at the stream beneath, or make it.
    return new Kvm(this.#js).open(siteBucket, { bindOnly: true, allow_direct: true });
  }

  async #follow(): Promise<void> {
    for await (const status of this.#connection.status()) {
      if (status.type === 'disconnect') this.#isConnected = false;
      if (status.type === 'reconnect') this.#isConnected = true;
      if (status.type === 'error') this.#refusals = [...this.#refusals, status.error.message].slice(-100);
    }
  }
}

type StreamConfig = Parameters<JetStreamManager['streams']['add']>[0];

/** One that is there already stays as its owner set it up. */
async function ensure(manager: JetStreamManager, name: string, config: StreamConfig): Promise<void> {
  const known = await manager.streams.info(name).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && Number(error.code) === 10_059) return null;
    throw error;
  });
  if (!known) await manager.streams.add(config);
}

async function* follow(messages: ConsumerMessages, stop: AbortSignal): AsyncGenerator<Message> {
  const end = (): void => void messages.close();
  stop.addEventListener('abort', end, { once: true });
  try {
    if (stop.aborted) return;
    for await (const message of messages) yield messageOf(message);
  } finally {
    stop.removeEventListener('abort', end);
    await messages.close();
  }
}

const messageOf = (message: JsMsg): Message => ({
  subject: message.subject,
  data: message.data,
  at: Math.floor(message.info.timestampNanos / 1_000_000),
  header: (name) => message.headers?.get(name) ?? '',
  ack: () => message.ack(),
  later: (ms) => message.nak(ms),
  // With a reason an older server would take it for nothing.
  drop: () => message.term(),
});

/** 2.9.10 is newer than 2.9.4. */
export function isOlder(version: string, than: string): boolean {
  const numbers = (text: string): number[] => text.split(/[.-]/, 3).map(Number);
  const [mine, theirs] = [numbers(version), numbers(than)];
  const at = [0, 1, 2].find((i) => mine[i] !== theirs[i]);
  return at !== undefined && !((mine[at] ?? 0) > (theirs[at] ?? 0));
}

const codeOf = (error: unknown): string => {
  const own = error instanceof Error && 'code' in error ? String(error.code) : '';
  return own !== '' || !(error instanceof Error) || error.cause === undefined ? own : codeOf(error.cause);
};

/** What a person can do something about, by name. */
function troubleText(url: string, error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const all = `${codeOf(error)} ${text} ${error instanceof Error && error.cause instanceof Error ? error.cause.message : ''}`;
  if (/authorization violation/i.test(all)) return `${url}: the server does not know this key, or knows it no more`;
  if (/ALTNAME|does not match certificate/i.test(all))
    return `${url}: the server's certificate is for another name; use the name that \`xenreach fleet init --hub\` was given`;
  if (/SELF_SIGNED|UNABLE_TO|unable to|self.signed|CERT_/i.test(all))
    return `${url}: the server's certificate is not from the authority of this fleet: another server answers there, or somebody is between`;
  if (/ECONNREFUSED/i.test(all)) return `${url}: nothing listens there`;
  if (/ENOTFOUND|EAI_/i.test(all)) return `${url}: the name has no address`;
  if (/timeout/i.test(all)) return `${url}: no answer within ${connectMs / 1000} s`;
  return `${url}: ${text}`;
}
