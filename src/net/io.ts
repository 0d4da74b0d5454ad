/** The real ProbeIo: everything one attempt at one check may touch, under one deadline, closed when the attempt is over. */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { hostPort, httpAuthority, sentHost } from '../model/address.ts';
import { NetError } from '../model/errors.ts';
import type { Evidence, Json } from '../model/outcome.ts';
import type { Conn, ExchangeOptions, HttpRequest, ProbeIo, Reply, SecureOptions, Target } from '../model/probe.ts';
import { StreamConn } from './conn.ts';
import { randomBytes } from './crypto.ts';
import { usableAddresses } from './found-addresses.ts';
import { judgeSession } from './judged-session.ts';
import type { NetContext } from './net.ts';
import { ownPage } from './proxy.ts';
import { ProxyRoute, type RoutedAttempt } from './proxy-route.ts';
import { Scope } from './scope.ts';
import { behindProxy, Tap } from './tap.ts';
import { openTcp } from './tcp.ts';
import { handshake, type HandshakeOptions, type SecureContexts, type Session } from './tls.ts';
import { Datagrams } from './udp.ts';
import { within } from './within.ts';

/** Datagrams are lost by ones and twos; a second later the way is usually free again. */
const maxResendMs = 1500;

export interface AttemptOptions {
  readonly timeoutMs: number;
  readonly viaProxy: boolean;
  readonly smallHello: boolean;
}

export class NetIo implements ProbeIo, RoutedAttempt {
  readonly scope: Scope;
  readonly timeoutMs: number;
  readonly smallHello: boolean;
  readonly contexts: SecureContexts;
  readonly evidence: Record<string, Json> = {};
  readonly warnings: string[] = [];
  readonly notes: string[] = [];
  readonly #net: NetContext;
  readonly #target: Target;
  /** Undefined where the target is spoken to without a proxy. */
  readonly #route: ProxyRoute | undefined;
  #conn: StreamConn | undefined;
  #datagrams: Datagrams | undefined;
  #helloUnanswered = never;

  constructor(net: NetContext, target: Target, { timeoutMs, viaProxy, smallHello }: AttemptOptions) {
    this.#net = net;
    this.#target = target;
    this.timeoutMs = timeoutMs;
    this.smallHello = smallHello;
    this.contexts = net.contexts;
    this.scope = new Scope(net.deadlines, timeoutMs);
    this.#route = viaProxy && net.proxy ? new ProxyRoute(this, net.proxy) : undefined;
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
    this.hold(undefined);
    this.#datagrams?.close();
    const { host, address } = this.#target;
    const conn = this.#route ? await this.#route.tunnel(sentHost(host), port) : await this.open(address, port);
    return this.#arrive(conn);
  }

  async ask(request: HttpRequest): Promise<Conn> {
    const { host, port } = this.#target;
    const authority = httpAuthority(host, port, 80);
    const headers = [`Host: ${authority}`, ...request.headers];
    if (!this.#route) {
      const conn = ownConn(await this.connect());
      const lines = [`${request.method} ${request.path} HTTP/1.1`, ...headers, '', ''];
      await conn.write(Buffer.from(lines.join('\r\n'), 'latin1'));
      return conn;
    }
    const { method, path } = request;
    const forwarded = { method, uri: `http://${authority}${path}`, authority: hostPort(sentHost(host), port), headers };
    const { conn, bytes } = await this.#route.forward(forwarded);
    conn.unread(bytes);
    return this.#arrive(conn);
  }

  async secure(conn: Conn, options: SecureOptions = {}): Promise<Conn> {
    const plain = ownConn(conn);
    const servername = options.servername ?? this.#target.host;
    if (plain.bufferedBytes > 0) {
      if (this.#route?.isTunnel === true) throw ownPage();
      // A TLS server waits for our hello.
      const detail = 'no TLS session: the peer speaks first, in plain text';
      throw new NetError({ outcome: 'tls-failed', stage: 'tls', detail });
    }
    const context = this.contexts.get(this.smallHello, options.allowsAnonymous);
    const session = await this.#handshake(plain, { servername, context });
    this.#conn = session.conn;
    judgeSession(session, { ...options, name: servername }, this.contexts, this);
    this.scope.enter('exchange');
    return session.conn;
  }

  exchange(
    datagram: Uint8Array,
    accepts: (reply: Uint8Array) => boolean,
    {
      port = this.#target.port,
      maxSends = Infinity,
      leastSends = 1,
      pauseMs = 0,
      isUnpaced = false,
    }: ExchangeOptions = {},
  ): Promise<Reply> {
    this.hold(undefined);
    const sends = Math.max(leastSends, Math.min(this.#net.retries + 1, maxSends));
    return this.#datagramsTo(port).exchange(datagram, accepts, {
      sends,
      isUnpaced,
      resendAfterMs: Math.max(pauseMs, Math.min(maxResendMs, this.timeoutMs / sends)),
    });
  }

  async resolve(name: string): Promise<readonly string[]> {
    const { usable, notes } = usableAddresses(name, await this.#addresses(name));
    const { resolver } = this.#net;
    for (const text of [...resolver.passedOverFor(name), ...notes]) this.warn(text);
    const note = resolver.noteOn(name);
    if (note !== undefined) this.note(note);
    return usable;
  }

  async #addresses(name: string): Promise<readonly string[]> {
    this.scope.enter('resolve');
    const addresses = this.#net.resolver.addresses(name);
    try {
      return await this.scope.wait((resolve, reject) => void addresses.then(resolve, reject));
    } catch (error) {
      // It is the resolver that was silent, not the host.
      if (!(error instanceof NetError) || error.failure.outcome !== 'timeout') throw error;
      throw new NetError({ ...error.failure, outcome: 'unresolved', hint: 'resolver-silent' }, { cause: error });
    }
  }

  within<T>(share: number, ask: () => Promise<T>): Promise<T> {
    return within(this.scope, share, ask);
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
    return randomBytes(length);
  }

  now(): number {
    return performance.timeOrigin + performance.now();
  }

  async open(address: string, port: number, timeoutMs?: number): Promise<StreamConn> {
    this.scope.enter('connect');
    this.#net.counters.connects += 1;
    const startedAt = performance.now();
    this.#net.synRetransmits.begin(startedAt);
    const conn = await openTcp(this.scope, address, port, {
      sourceAddress: this.#net.sourceAddress,
      timeoutMs,
    });
    const connectMs = performance.now() - startedAt;
    this.record({ connectMs: Math.round(connectMs * 100) / 100 });
    const late = this.#net.synRetransmits.noteFor(startedAt, connectMs);
    if (late !== undefined) this.note(late);
    return conn;
  }

  #datagramsTo(port: number): Datagrams {
    const open = this.#datagrams;
    if (open?.isOpen === true && open.port === port) return open;
    open?.close();
    const datagrams = new Datagrams(this.scope, { address: this.#target.address, port }, this.#net, this);
    this.#datagrams = datagrams;
    return datagrams;
  }

  hold(conn: StreamConn | undefined): void {
    if (this.#conn !== conn) this.#conn?.destroy();
    this.#conn = conn;
  }

  /** Behind a proxy, the proxy has had its time: the destination gets its own. */
  #arrive(conn: StreamConn): StreamConn {
    if (this.#route) this.scope.restart(this.timeoutMs);
    this.scope.enter('exchange');
    this.#conn = conn;
    return conn;
  }

  /** Behind a proxy the bytes pass through our hands, so that what is no TLS can be looked at. */
  async #handshake(plain: StreamConn, options: HandshakeOptions): Promise<Session> {
    const released = plain.release();
    const stream = this.#route?.isTunnel === true ? new Tap(released) : released;
    const counted = counterOf(stream);
    const heardBefore = counted.bytesRead;
    this.#helloUnanswered = () => counted.bytesRead === heardBefore;
    try {
      const hearing = handshake(this.scope, stream, options);
      this.scope.watch(counted);
      return await hearing;
    } catch (error) {
      throw stream instanceof Tap ? behindProxy(error, stream, this.#route?.announcesPage === true) : error;
    } finally {
      // Only a deadline leaves the question open.
      if (!this.scope.isOver) this.#helloUnanswered = never;
    }
  }
}

const never = (): boolean => false;

/** A socket's own count, or the tap's; a session inside another has none. */
const counterOf = (stream: Duplex): { readonly bytesRead: number } =>
  stream instanceof Socket || stream instanceof Tap ? stream : { bytesRead: 0 };

function ownConn(conn: Conn): StreamConn {
  if (conn instanceof StreamConn) return conn;
  throw new TypeError('a connection that this floor did not open');
}
