/**
 * The DNS servers of this machine, asked by the rules of glibc: one after the other, the next one after silence, SERVFAIL,
 * NOTIMP and REFUSED; what a server knows not to exist is not asked of the next. Whoever had to be passed over is told.
 */
import type * as nodeDns from 'node:dns';
import type { ServiceRecord } from '../wire/dns-srv.ts';
import { codeOf } from './failure.ts';
import { askServices } from './services.ts';

type Resolver = nodeDns.promises.Resolver;

interface NameServer {
  /** ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT. */
  readonly address: string;
  readonly resolver: Resolver;
}

export interface NameServersOptions {
  readonly servers: readonly string[];
  readonly timeoutMs: number;
  readonly attempts: number;
  readonly isRotating: boolean;
}

/** Codes of c-ares for what another server may still answer. */
const passedOver: Readonly<Record<string, string>> = {
  ETIMEOUT: 'did not answer',
  ECONNREFUSED: 'cannot be reached',
  ESERVFAIL: 'answered SERVFAIL',
  ENOTIMP: 'answered NOTIMP',
  EREFUSED: 'answered REFUSED',
  EBADRESP: 'sent an answer that cannot be read',
};

const isSilence = (error: unknown): boolean => ['ETIMEOUT', 'ECONNREFUSED'].includes(codeOf(error) ?? '');

/** Whoever refuses does so again at once; only silence is worth another try. */
const isWorthAnother = (why: unknown): boolean => why === undefined || isSilence(why);

/**
 * Two servers have their two tries; a resolv.conf with more of them, all silent, holds up a name no longer. Counted, not
 * timed: a stall of our own takes one of them.
 */
const mostTries = 4;

export class NameServers {
  readonly #servers: readonly NameServer[];
  readonly #options: NameServersOptions;
  readonly #silent = new Set<NameServer>();
  readonly #end = new AbortController();
  #first = 0;

  constructor(options: NameServersOptions) {
    const { promises } = process.getBuiltinModule('node:dns');
    const { timeoutMs } = options;
    this.#options = options;
    this.#servers = options.servers.map((address) => {
      const resolver = new promises.Resolver({ timeout: timeoutMs, maxTimeout: timeoutMs, tries: 1 });
      resolver.setServers([address]);
      return { address, resolver };
    });
  }

  addresses(name: string, family: 4 | 6, tell: (passed: string) => void): Promise<readonly string[]> {
    return this.#ask(async (server) => {
      try {
        return await (family === 4 ? server.resolver.resolve4(name) : server.resolver.resolve6(name));
      } catch (error) {
        if (codeOf(error) !== 'EBADRESP') throw error;
        await this.#askAgain(server, name, error);
        throw error;
      }
    }, tell);
  }

  services(name: string, tell: (passed: string) => void): Promise<readonly ServiceRecord[]> {
    return this.#ask(async (server) => {
      try {
        return await server.resolver.resolveSrv(name);
      } catch (error) {
        if (codeOf(error) !== 'EBADRESP') throw error;
        const records = await this.#askAgain(server, name, error);
        if (records.length === 0) throw error;
        return records;
      }
    }, tell);
  }

  /** Ends what is still being asked: the sockets go with it. */
  cancel(): void {
    this.#end.abort();
    for (const { resolver } of this.#servers) resolver.cancel();
  }

  async #ask<T>(question: (server: NameServer) => Promise<T>, tell: (passed: string) => void): Promise<T> {
    const round = this.#inOrder();
    const passed = new Map(round.skipped.map(({ address }) => [address, passedOver['ETIMEOUT']!]));
    let silences = 0;
    let why: unknown;
    for (let attempt = 0; attempt < this.#options.attempts && isWorthAnother(why); attempt += 1) {
      for (const server of round.servers) {
        if (this.#end.signal.aborted) throw cancelled();
        if (silences >= mostTries) break;
        // The next server is for what this one does not answer.
        const { answer, error } = await this.#askOne(server, question);
        const reason = error === undefined ? undefined : passedOver[codeOf(error) ?? ''];
        if (reason === undefined) {
          passed.delete(server.address);
          for (const [address, what] of passed) tell(`DNS server ${address} ${what}`);
          if (error !== undefined) throw error;
          return answer!;
        }
        passed.set(server.address, reason);
        if (codeOf(error) === 'ETIMEOUT') silences += 1;
        // Silence says less than a refusal.
        if (isWorthAnother(why)) why = error;
      }
    }
    throw why;
  }

  async #askOne<T>(
    server: NameServer,
    question: (server: NameServer) => Promise<T>,
  ): Promise<{ readonly answer?: T; readonly error?: unknown }> {
    try {
      const answer = await this.#within(question(server));
      this.#silent.delete(server);
      return { answer };
    } catch (error) {
      if (isSilence(error)) this.#silent.add(server);
      return { error };
    }
  }

  /** Servers that were silent before come last; `skipped` are those whose turn it would have been. */
  #inOrder(): { readonly servers: readonly NameServer[]; readonly skipped: readonly NameServer[] } {
    const servers = [...this.#servers.slice(this.#first), ...this.#servers.slice(0, this.#first)];
    if (this.#options.isRotating) this.#first = (this.#first + 1) % servers.length;
    const firstHeard = servers.findIndex((server) => !this.#silent.has(server));
    const skipped = servers.slice(0, Math.max(0, firstHeard));
    return { servers: servers.toSorted((a, b) => Number(this.#silent.has(a)) - Number(this.#silent.has(b))), skipped };
  }

  /** c-ares looks at its own clock when it likes. */
  async #within<T>(asked: Promise<T>): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>();
    const silence = Object.assign(new Error('no DNS server answered'), { code: 'ETIMEOUT' });
    const timer = setTimeout(() => reject(silence), this.#options.timeoutMs * 2);
    try {
      return await Promise.race([asked, promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * What c-ares calls a bad answer may be a refusal of twelve bytes, without the question, or service records written
   * loosely, as Samba's own DNS server does. Asked for service records our own decoder reads both.
   */
  async #askAgain({ address }: NameServer, name: string, first: unknown): Promise<readonly ServiceRecord[]> {
    const signal = AbortSignal.any([this.#end.signal, AbortSignal.timeout(this.#options.timeoutMs)]);
    const { rcode, records } = await askServices(address, name, signal).catch(() => {
      throw first;
    });
    const code = unwilling[rcode];
    if (code !== undefined) throw Object.assign(new Error(`the DNS server said ${code}`), { code });
    return records;
  }
}

/** Response codes by the words of c-ares. */
const unwilling: Readonly<Record<number, string>> = { 2: 'ESERVFAIL', 4: 'ENOTIMP', 5: 'EREFUSED' };

const cancelled = (): Error => Object.assign(new Error('cancelled'), { code: 'ECANCELLED' });
