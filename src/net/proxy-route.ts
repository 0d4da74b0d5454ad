/**
 * The route of an attempt through the HTTP proxy: TCP to one address of its name after the other, TLS where the proxy wants
 * it, then a tunnel to the destination or a request that the proxy hands on. All of it is the attempt's time and evidence.
 */
import { hostPort } from '../model/address.ts';
import { NetError, type NetFailure } from '../model/errors.ts';
import type { ProbeIo } from '../model/probe.ts';
import type { StreamConn } from './conn.ts';
import { judgeSession, type Findings } from './judged-session.ts';
import { forward, tunnel, type Proxy, type ProxyReply, type ProxyRequest, type Way } from './proxy.ts';
import type { Scope } from './scope.ts';
import { byProxy, unreachableProxy } from './tap.ts';
import { handshake, type SecureContexts } from './tls.ts';

/** The proxy tries the destination for a while itself before it tells us why not: Squid for six seconds. */
const proxyPatience = 3;

/** More than these of one name are not tried. */
const mostAddresses = 8;

/** The attempt that takes the route. */
export interface RoutedAttempt extends Findings, Pick<ProbeIo, 'resolve'> {
  readonly scope: Scope;
  readonly timeoutMs: number;
  readonly smallHello: boolean;
  readonly contexts: SecureContexts;
  /** TCP to an address. Where there is another one, silence for `timeoutMs` ends this connection and not the attempt. */
  open(address: string, port: number, timeoutMs?: number): Promise<StreamConn>;
  /** Takes the place of the connection that the attempt had, which is closed: it has one at a time. */
  hold(conn: StreamConn | undefined): void;
}

export class ProxyRoute {
  /** The last connection was a tunnel that the proxy has opened. */
  isTunnel = false;
  /** The proxy spoke of content when it opened the tunnel: what comes then may be a page of its own. */
  announcesPage = false;
  readonly #attempt: RoutedAttempt;
  readonly #proxy: Proxy;
  /** After a 407 the proxy is connected to again: its dead addresses are named once. */
  readonly #dead = new Set<string>();

  constructor(attempt: RoutedAttempt, proxy: Proxy) {
    this.#attempt = attempt;
    this.#proxy = proxy;
  }

  async tunnel(host: string, port: number): Promise<StreamConn> {
    const { conn, head } = await byProxy(this.#proxy, tunnel(this.#way(), host, port));
    this.isTunnel = true;
    this.announcesPage = head.headers.has('content-type') || Number(head.headers.get('content-length')) > 0;
    return conn;
  }

  forward(request: ProxyRequest): Promise<ProxyReply> {
    return byProxy(this.#proxy, forward(this.#way(), request));
  }

  #way(): Way {
    return {
      proxy: this.#proxy,
      open: () => this.#open(),
      record: (evidence) => this.#attempt.record(evidence),
    };
  }

  async #open(): Promise<StreamConn> {
    const { scope, timeoutMs } = this.#attempt;
    this.#attempt.hold(undefined);
    try {
      const plain = await this.#openFirst(await this.#attempt.resolve(this.#proxy.host));
      this.#attempt.hold(plain);
      const conn = this.#proxy.isSecure === true ? await this.#secure(plain) : plain;
      scope.restart(timeoutMs * proxyPatience);
      scope.enter('proxy');
      return conn;
    } catch (error) {
      if (!(error instanceof NetError)) throw error;
      throw unreachableProxy(error, this.#proxy);
    }
  }

  /** Each address of its name is tried, as curl does: one that takes the connection is enough. */
  async #openFirst(addresses: readonly string[]): Promise<StreamConn> {
    const { scope, timeoutMs } = this.#attempt;
    const { host, port } = this.#proxy;
    const hasOthers = addresses.length > 1;
    const dead: (() => void)[] = [];
    let last: unknown = new NetError({ outcome: 'unresolved', stage: 'resolve', detail: `${host} has no address` });
    for (const address of addresses.slice(0, mostAddresses)) {
      try {
        // The attempt outlives a silent address, when there is another.
        scope.restart(timeoutMs * (hasOthers ? 2 : 1));
        // One after the other, as the client would.
        const conn = await this.#attempt.open(address, port, hasOthers ? timeoutMs : undefined);
        for (const tell of dead) tell();
        return conn;
      } catch (error) {
        if (!(error instanceof NetError) || error.failure.outcome === 'aborted') throw error;
        last = error;
        dead.push(() => this.#tellDead(hostPort(address, port), error.failure));
        if (scope.isOver) throw error;
      }
    }
    throw last;
  }

  #tellDead(endpoint: string, { hint, detail }: NetFailure): void {
    if (this.#dead.has(endpoint)) return;
    this.#dead.add(endpoint);
    const text = `the proxy's address ${endpoint} does not work: ${detail}`;
    // That this machine has no IPv6 is no finding about the proxy.
    if (hint === 'no-route') this.#attempt.note(text);
    else this.#attempt.warn(text);
  }

  /** The session to the proxy itself: the one inside goes to the destination. */
  async #secure(plain: StreamConn): Promise<StreamConn> {
    const { scope, contexts, smallHello } = this.#attempt;
    const { host } = this.#proxy;
    const session = await handshake(scope, plain.release(), { servername: host, context: contexts.get(smallHello) });
    this.#attempt.hold(session.conn);
    judgeSession(session, { name: host, evidenceName: 'proxyCertificate' }, contexts, this.#attempt);
    return session.conn;
  }
}
