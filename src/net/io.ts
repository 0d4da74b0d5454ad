/** The real ProbeIo: everything one attempt at one check may touch, under one deadline, closed when the attempt is over. */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { hostPort } from '../model/address.ts';
import { NetError } from '../model/errors.ts';
import type { Evidence, Json } from '../model/outcome.ts';
import type { Conn, ExchangeOptions, ProbeIo, Reply, SecureOptions, Target } from '../model/probe.ts';
import { StreamConn } from './conn.ts';
import { crypto } from './crypto.ts';
import type { Deadlines } from './deadlines.ts';
import type { Pacer } from './pacer.ts';
import { tunnel, type Proxy } from './proxy.ts';
import type { NameResolver } from './resolver.ts';
import { Scope } from './scope.ts';
import type { SpareSockets } from './spare-sockets.ts';
import type { SynRetransmits } from './syn-retransmits.ts';
import { openTcp } from './tcp.ts';
import {
  handshake,
  judgeCertificate,
  observeCertificate,
  tlsEvidence,
  type SecureContexts,
  type Session,
} from './tls.ts';
import { Datagrams } from './udp.ts';

/** What all attempts of a run share. */
export interface Net {
  readonly deadlines: Deadlines;
  readonly pacer: Pacer;
  readonly sockets: SpareSockets;
  readonly resolver: NameResolver;
  readonly contexts: SecureContexts;
  readonly proxy: Proxy | null;
  readonly sourceAddress: string | undefined;
  /** How often a datagram is sent again. */
  readonly retries: number;
  readonly counters: { connects: number; datagrams: number };
  readonly synRetransmits: SynRetransmits;
}

/** Datagrams are lost by ones and twos; a second later the way is usually free again. */
const maxResendMs = 1500;

export interface AttemptOptions {
  readonly timeoutMs: number;
  readonly viaProxy: boolean;
  readonly smallHello: boolean;
}

export class NetIo implements ProbeIo {
  readonly scope: Scope;
  readonly evidence: Record<string, Json> = {};
  readonly warnings: string[] = [];
  readonly notes: string[] = [];
  readonly #net: Net;
  readonly #target: Target;
  readonly #options: AttemptOptions;
  #conn: StreamConn | undefined;
  #datagrams: Datagrams | undefined;
  #helloUnanswered = never;

  constructor(net: Net, target: Target, options: AttemptOptions) {
    this.#net = net;
    this.#target = target;
    this.#options = options;
    this.scope = new Scope(net.deadlines, options.timeoutMs);
  }

  /** How many datagrams the last exchange sent. */
  get sends(): number {
    return this.#datagrams?.sends ?? 0;
  }

  /** A handshake was begun and the peer has not said a word. */
  get helloUnanswered(): boolean {
    return this.#helloUnanswered();
  }

  async connect({ port = this.#target.port }: { readonly port?: number } = {}): Promise<Conn> {
    // One socket an attempt, so that the pool's bound is a bound on sockets.
    this.#conn?.destroy();
    this.#datagrams?.close();
    const { proxy } = this.#net;
    const conn =
      this.#options.viaProxy && proxy
        ? await tunnel(
            () => this.#openProxy(proxy),
            proxy,
            this.#target.host,
            port,
            (evidence) => this.record(evidence),
          )
        : await this.#open(this.#target.address, port);
    this.scope.stage = 'exchange';
    this.scope.heard = false;
    this.#conn = conn;
    return conn;
  }

  async secure(conn: Conn, options: SecureOptions = {}): Promise<Conn> {
    const plain = ownConn(conn);
    const { host } = this.#target;
    const servername = options.servername ?? host;
    if (plain.bufferedBytes > 0) {
      // A TLS server waits for our hello.
      const detail = 'no TLS session: the peer speaks first, in plain text';
      throw new NetError({ outcome: 'tls-failed', stage: 'tls', detail });
    }
    const context = this.#net.contexts.get(this.#options.smallHello);
    const stream = plain.release();
    const heardBefore = bytesRead(stream);
    this.#helloUnanswered = () => bytesRead(stream) === heardBefore;
    const session = await handshake(this.scope, stream, { servername, context });
    this.#helloUnanswered = never;
    this.record(tlsEvidence(session, options.evidenceName ?? 'certificate'));
    this.#judge(session, servername, options);
    this.scope.stage = 'exchange';
    this.scope.heard = false;
    const result = new StreamConn(this.scope, session.secured);
    this.#conn = result;
    return result;
  }

  exchange(
    datagram: Uint8Array,
    accepts: (reply: Uint8Array) => boolean,
    { port = this.#target.port, maxSends = Infinity, pauseMs = 0 }: ExchangeOptions = {},
  ): Promise<Reply> {
    this.#conn?.destroy();
    const sends = Math.min(this.#net.retries + 1, maxSends);
    return this.#datagramsTo(port).exchange(datagram, accepts, {
      sends,
      resendAfterMs: Math.max(pauseMs, Math.min(maxResendMs, this.#options.timeoutMs / sends)),
    });
  }

  async resolve(name: string): Promise<readonly string[]> {
    this.scope.stage = 'resolve';
    const addresses = this.#net.resolver.addresses(name);
    try {
      return await this.scope.wait((resolve, reject) => void addresses.then(resolve, reject));
    } catch (error) {
      // It is the resolver that was silent, not the host.
      if (!(error instanceof NetError) || error.failure.outcome !== 'timeout') throw error;
      throw new NetError({ ...error.failure, outcome: 'unresolved', hint: 'resolver-silent' }, { cause: error });
    }
  }

  async within<T>(share: number, ask: () => Promise<T>): Promise<T> {
    const ms = Math.max(0, this.scope.leftMs * share);
    const asked = ask();
    // Whatever it still brings when its time is over is for nobody.
    asked.catch(nothing);
    let cancel = nothing;
    const late = this.scope.wait<never>((_resolve, reject) => {
      const { stage } = this.scope;
      const detail = `no answer in ${Math.round(ms) / 1000} s`;
      cancel = this.scope.after(ms, () => reject(new NetError({ outcome: 'timeout', stage, detail })));
    });
    late.catch(nothing);
    try {
      return await Promise.race([asked, late]);
    } finally {
      cancel();
    }
  }

  closesWithin(conn: Conn, ms: number): Promise<boolean> {
    return ownConn(conn).closesWithin(ms);
  }

  record(evidence: Evidence): void {
    Object.assign(this.evidence, evidence);
  }

  warn(text: string): void {
    this.warnings.push(text);
  }

  note(text: string): void {
    this.notes.push(text);
  }

  random(length: number): Uint8Array {
    return entropy(length);
  }

  now(): number {
    return performance.timeOrigin + performance.now();
  }

  async #open(address: string, port: number): Promise<StreamConn> {
    this.scope.stage = 'connect';
    this.#net.counters.connects += 1;
    const startedAt = performance.now();
    this.#net.synRetransmits.begin(startedAt);
    const socket = await openTcp(this.scope, address, port, { sourceAddress: this.#net.sourceAddress });
    const connectMs = performance.now() - startedAt;
    this.record({ connectMs: Math.round(connectMs * 100) / 100 });
    const late = this.#net.synRetransmits.noteFor(startedAt, connectMs);
    if (late !== undefined) this.note(late);
    return new StreamConn(this.scope, socket);
  }

  #datagramsTo(port: number): Datagrams {
    const open = this.#datagrams;
    if (open?.isOpen === true && open.port === port) return open;
    open?.close();
    const datagrams = new Datagrams(this.scope, this.#target.address, port, this.#net, this);
    this.#datagrams = datagrams;
    return datagrams;
  }

  async #openProxy(proxy: Proxy): Promise<StreamConn> {
    this.#conn?.destroy();
    try {
      const [address] = await this.resolve(proxy.host);
      const conn = await this.#open(address ?? proxy.host, proxy.port);
      this.scope.stage = 'proxy';
      this.#conn = conn;
      return conn;
    } catch (error) {
      // Not the destination but the proxy in front of it: the layer must say so.
      if (!(error instanceof NetError)) throw error;
      const detail = `the proxy ${hostPort(proxy.host, proxy.port)} cannot be reached: ${error.failure.detail}`;
      throw new NetError({ ...error.failure, hint: 'proxy', detail }, { cause: error });
    }
  }

  #judge(session: Session, name: string, options: SecureOptions): void {
    const nowMs = this.now();
    if (options.trust === 'observe') {
      const { warnings, notes } = observeCertificate(session, nowMs);
      this.warnings.push(...warnings);
      // A second certificate of the same host (XAPI's pool certificate) says the same once more.
      if (options.evidenceName === undefined || options.evidenceName === 'certificate') this.notes.push(...notes);
      return;
    }
    const { failure, warnings } = judgeCertificate(session, {
      name,
      isPublicName: options.isPublicName ?? false,
      nowMs,
    });
    this.warnings.push(...warnings);
    if (!failure) return;
    session.secured.destroy();
    throw new NetError({ outcome: 'untrusted', stage: 'tls', ...failure });
  }
}

/** Bytes of a block that is drawn at once, each used once: a draw for each transaction id was 4 % of a DNS query. */
const blockBytes = 4096;
let block = new Uint8Array();

function entropy(length: number): Uint8Array {
  if (length > block.length) block = crypto().randomBytes(Math.max(blockBytes, length));
  const bytes = new Uint8Array(block.subarray(0, length));
  block = block.subarray(length);
  return bytes;
}

const never = (): boolean => false;
const nothing = (): void => undefined;

const bytesRead = (stream: Duplex): number => (stream instanceof Socket ? stream.bytesRead : 0);

function ownConn(conn: Conn): StreamConn {
  if (conn instanceof StreamConn) return conn;
  throw new TypeError('a connection that this floor did not open');
}
