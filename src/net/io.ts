/** The real ProbeIo: everything one attempt at one check may touch, under one deadline, closed when the attempt is over. */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { hostPort, httpAuthority, sentHost } from '../model/address.ts';
import { NetError, type NetFailure } from '../model/errors.ts';
import type { Evidence, Json, Stage } from '../model/outcome.ts';
import type { Conn, ExchangeOptions, HttpRequest, ProbeIo, Reply, SecureOptions, Target } from '../model/probe.ts';
import { judgeCertificate, observeCertificate } from './certificate.ts';
import { StreamConn } from './conn.ts';
import { crypto } from './crypto.ts';
import type { NetContext } from './net.ts';
import { usableAddresses } from './found-addresses.ts';
import { forward, ownPage, tunnel, type Proxy, type Way } from './proxy.ts';
import { Scope } from './scope.ts';
import { behindProxy, byProxy, Tap, unreachableProxy } from './tap.ts';
import { openTcp } from './tcp.ts';
import { handshake, tlsEvidence, type HandshakeOptions, type Session } from './tls.ts';
import { Datagrams } from './udp.ts';

/** Datagrams are lost by ones and twos; a second later the way is usually free again. */
const maxResendMs = 1500;

const proxyPatience = 3;

/** More than these of one name are not tried. */
const maxProxyAddresses = 8;

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
  readonly #net: NetContext;
  readonly #target: Target;
  readonly #options: AttemptOptions;
  #isTunnel = false;
  #announcesPage = false;
  #conn: StreamConn | undefined;
  #datagrams: Datagrams | undefined;
  #helloUnanswered = never;

  constructor(net: NetContext, target: Target, options: AttemptOptions) {
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
    const isProxied = this.#options.viaProxy && proxy !== null;
    const conn = isProxied ? await this.#tunnel(proxy, port) : await this.#open(this.#target.address, port);
    this.#beyond();
    this.#conn = conn;
    return conn;
  }

  async ask(request: HttpRequest): Promise<Conn> {
    const { host, port } = this.#target;
    const authority = httpAuthority(host, port, 80);
    const headers = [`Host: ${authority}`, ...request.headers];
    const { proxy } = this.#net;
    if (!this.#options.viaProxy || proxy === null) {
      const conn = ownConn(await this.connect());
      const lines = [`${request.method} ${request.path} HTTP/1.1`, ...headers, '', ''];
      await conn.write(Buffer.from(lines.join('\r\n'), 'latin1'));
      return conn;
    }
    const { method, path } = request;
    const forwarded = { method, uri: `http://${authority}${path}`, authority: hostPort(sentHost(host), port), headers };
    const { conn, bytes } = await byProxy(proxy, forward(this.#way(proxy), forwarded));
    conn.unread(bytes);
    this.#beyond();
    this.#conn = conn;
    return conn;
  }

  async secure(conn: Conn, options: SecureOptions = {}): Promise<Conn> {
    const plain = ownConn(conn);
    const servername = options.servername ?? this.#target.host;
    if (plain.bufferedBytes > 0) {
      if (this.#isTunnel) throw ownPage();
      // A TLS server waits for our hello.
      const detail = 'no TLS session: the peer speaks first, in plain text';
      throw new NetError({ outcome: 'tls-failed', stage: 'tls', detail });
    }
    const context = this.#net.contexts.get(this.#options.smallHello);
    const session = await this.#handshake(plain, { servername, context });
    this.#conn = session.conn;
    this.record(tlsEvidence(session, options.evidenceName ?? 'certificate'));
    this.#judge(session, servername, options);
    this.scope.enter('exchange');
    return session.conn;
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

  async within<T>(share: number, ask: () => Promise<T>): Promise<T> {
    const ms = Math.max(0, this.scope.leftMs * share);
    const asked = ask();
    // Whatever it still brings when its time is over is for nobody.
    asked.catch(nothing);
    let cancel = nothing;
    const late = this.scope.wait<never>((_resolve, reject) => {
      let pausedMs = this.scope.pausedMs;
      // While we wait for our own turn the peer's time stands still.
      const look = (): void => {
        const waitedMs = this.scope.pausedMs - pausedMs;
        pausedMs += waitedMs;
        if (waitedMs > 0) cancel = this.scope.after(waitedMs, look);
        else reject(lateBy(ms, this.scope.stage));
      };
      cancel = this.scope.after(ms, look);
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

  async #open(address: string, port: number, timeoutMs?: number): Promise<StreamConn> {
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

  /** The proxy has had its time; the destination behind it gets its own. */
  #beyond(): void {
    if (this.#options.viaProxy) this.scope.restart(this.#options.timeoutMs);
    this.scope.enter('exchange');
  }

  async #tunnel(proxy: Proxy, port: number): Promise<StreamConn> {
    const { conn, head } = await byProxy(proxy, tunnel(this.#way(proxy), sentHost(this.#target.host), port));
    this.#isTunnel = true;
    this.#announcesPage = head.headers.has('content-type') || Number(head.headers.get('content-length')) > 0;
    return conn;
  }

  #way(proxy: Proxy): Way {
    return { proxy, open: () => this.#openProxy(proxy), record: (evidence) => this.record(evidence) };
  }

  async #openProxy(proxy: Proxy): Promise<StreamConn> {
    this.#conn?.destroy();
    try {
      const plain = await this.#openFirst(await this.resolve(proxy.host), proxy);
      this.#conn = plain;
      const conn = proxy.isSecure === true ? await this.#secureProxy(plain, proxy) : plain;
      // It tries the destination for a while itself (squid: six seconds) before it tells us why not.
      this.scope.restart(this.#options.timeoutMs * proxyPatience);
      this.scope.enter('proxy');
      return conn;
    } catch (error) {
      if (!(error instanceof NetError)) throw error;
      throw unreachableProxy(error, proxy);
    }
  }

  /** Each address of its name is tried, as curl does: one that takes the connection is enough. */
  async #openFirst(addresses: readonly string[], { host, port }: Proxy): Promise<StreamConn> {
    const dead: (() => void)[] = [];
    let last: unknown = new NetError({ outcome: 'unresolved', stage: 'resolve', detail: `${host} has no address` });
    for (const address of addresses.slice(0, maxProxyAddresses)) {
      try {
        // The attempt outlives a silent address, when there is another.
        this.scope.restart(this.#options.timeoutMs * (addresses.length > 1 ? 2 : 1));
        // One after the other, as the client would.
        const conn = await this.#open(address, port, addresses.length > 1 ? this.#options.timeoutMs : undefined);
        for (const tell of dead) tell();
        return conn;
      } catch (error) {
        if (!(error instanceof NetError) || error.failure.outcome === 'aborted') throw error;
        last = error;
        dead.push(() => this.#tellDead(hostPort(address, port), error.failure));
        if (this.scope.isOver) throw error;
      }
    }
    throw last;
  }

  /** That this machine has no IPv6 is no finding about the proxy. */
  #tellDead(endpoint: string, { hint, detail }: NetFailure): void {
    const texts = hint === 'no-route' ? this.notes : this.warnings;
    const text = `the proxy's address ${endpoint} does not work: ${detail}`;
    if (!texts.includes(text)) texts.push(text);
  }

  /** The session to the proxy itself: the one inside goes to the destination. */
  async #secureProxy(plain: StreamConn, { host }: Proxy): Promise<StreamConn> {
    const context = this.#net.contexts.get(this.#options.smallHello);
    const session = await handshake(this.scope, plain.release(), { servername: host, context });
    this.#conn = session.conn;
    this.record(tlsEvidence(session, 'proxyCertificate'));
    this.#judge(session, host, { evidenceName: 'proxyCertificate' });
    return session.conn;
  }

  /** Behind a proxy the bytes pass through our hands, so that what is no TLS can be looked at. */
  async #handshake(plain: StreamConn, options: HandshakeOptions): Promise<Session> {
    const released = plain.release();
    const stream = this.#isTunnel ? new Tap(released) : released;
    const counted = counterOf(stream);
    const heardBefore = counted.bytesRead;
    this.#helloUnanswered = () => counted.bytesRead === heardBefore;
    try {
      const hearing = handshake(this.scope, stream, options);
      this.scope.watch(counted);
      return await hearing;
    } catch (error) {
      throw stream instanceof Tap ? behindProxy(error, stream, this.#announcesPage) : error;
    } finally {
      // Only a deadline leaves the question open.
      if (!this.scope.isOver) this.#helloUnanswered = never;
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
    const {
      failure,
      warnings,
      notes = [],
    } = judgeCertificate(session, {
      name,
      isPublicName: options.isPublicName ?? false,
      nowMs,
      rootOwner: this.#net.contexts.rootOwner,
    });
    this.warnings.push(...warnings);
    this.notes.push(...notes);
    if (!failure) return;
    session.conn.destroy();
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

function lateBy(ms: number, stage: Stage): NetError {
  return new NetError({ outcome: 'timeout', stage, detail: `no answer in ${Math.round(ms) / 1000} s` });
}

const never = (): boolean => false;
const nothing = (): void => undefined;

/** A socket's own count, or the tap's; a session inside another has none. */
const counterOf = (stream: Duplex): { readonly bytesRead: number } =>
  stream instanceof Socket || stream instanceof Tap ? stream : { bytesRead: 0 };

function ownConn(conn: Conn): StreamConn {
  if (conn instanceof StreamConn) return conn;
  throw new TypeError('a connection that this floor did not open');
}
