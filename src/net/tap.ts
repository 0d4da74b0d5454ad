/** What is between us and a destination behind a proxy: bytes that can be looked at, and failures that are the proxy's own. */
import { Duplex } from 'node:stream';
import { hostPort } from '../model/address.ts';
import { NetError, type NetFailure } from '../model/errors.ts';
import type { Proxy } from './proxy.ts';
import { ownPage } from './proxy.ts';
import { isNoTls } from './tls-failure.ts';

const keptBytes = 64;

/** Hands a stream's bytes on in both directions, counts them, and keeps the first that came. */
export class Tap extends Duplex {
  bytesRead = 0;
  first = Buffer.alloc(0);
  readonly #inner: Duplex;

  constructor(inner: Duplex) {
    super();
    this.#inner = inner;
    inner.on('data', (chunk: Buffer) => {
      this.bytesRead += chunk.length;
      if (this.first.length < keptBytes) this.first = Buffer.concat([this.first, chunk]).subarray(0, keptBytes);
      if (!this.push(chunk)) inner.pause();
    });
    inner.on('end', () => this.push(null));
    inner.on('error', (error) => this.destroy(error));
    inner.on('close', () => this.destroy());
  }

  override _read(): void {
    this.#inner.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#inner.write(chunk, done);
  }

  override _final(done: () => void): void {
    this.#inner.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#inner.destroy();
    done(error);
  }
}

/** An alert in the session with the proxy comes when it is asked, not before: a demand for a client certificate. */
export async function byProxy<T>(proxy: Proxy, asking: Promise<T>): Promise<T> {
  try {
    return await asking;
  } catch (error) {
    const isOfSession = error instanceof NetError && error.failure.stage === 'tls' && error.failure.hint !== 'proxy';
    throw isOfSession ? unreachableProxy(error, proxy) : error;
  }
}

/** Not the destination but the proxy in front of it: the layer must say so. */
export function unreachableProxy(error: NetError, { host, port }: Proxy): NetError {
  const { failure } = error;
  if (failure.outcome === 'aborted' || failure.outcome === 'local') return error;
  const proxy = hostPort(host, port);
  const isCertificate = failure.stage === 'tls';
  const detail = `the proxy ${proxy} ${isCertificate ? 'is not usable in TLS' : 'cannot be reached'}: ${failure.detail}`;
  return new NetError(
    {
      ...failure,
      stage: isCertificate ? 'proxy' : failure.stage,
      hint: 'proxy',
      detail,
      remedy: remedyFor(failure, proxy, host),
    },
    { cause: error },
  );
}

function remedyFor({ outcome, stage, hint, remedy }: NetFailure, proxy: string, host: string): string {
  const where = 'proxy.url in the site file, or --proxy';
  if (outcome === 'unresolved') {
    return hint === 'resolver-silent'
      ? `Check the DNS servers in /etc/resolv.conf of this machine; then the name of the proxy, ${host} (${where}).`
      : `Check the spelling of ${host} (${where}), or add it to the DNS zone that this machine's resolvers serve.`;
  }
  if (stage === 'tls') {
    if (outcome !== 'untrusted')
      return remedy ?? `Check whether ${proxy} is spoken to in TLS: https:// says so (${where}).`;
    return hint === 'unknown-issuer'
      ? `Name the CA that issued the proxy's certificate under \`trust\` in the site file or with --ca.`
      : (remedy ?? `Have the certificate of the proxy mended, or name the proxy as its certificate does (${where}).`);
  }
  if (outcome === 'refused') return `Check the port of the proxy (${where}): nothing listens on ${proxy}.`;
  if (outcome === 'unreachable' || outcome === 'timeout') {
    return `Check the proxy (${where}), and that this machine may reach ${proxy} over TCP.`;
  }
  return `Check the proxy (${where}), and that it serves this machine.`;
}

/** What went wrong with a session through a tunnel, when what came in place of TLS is the proxy's. */
export function behindProxy(error: unknown, { first, bytesRead }: Tap, announcesPage: boolean): unknown {
  if (!(error instanceof NetError)) return error;
  const { failure } = error;
  if (failure.outcome === 'tls-failed' && isNoTls(error.cause)) {
    if (announcesPage || isPage(first)) return ownPage();
    const remedy =
      'Find out who answers in plain text: the destination, whose port speaks no TLS, or the proxy in its place.';
    return new NetError({ ...failure, remedy }, { cause: error });
  }
  if (failure.outcome === 'closed' && bytesRead === 0) {
    const detail = 'the proxy says "connected", and the connection is closed before anything comes';
    const remedy =
      'Look at the log of the proxy for this destination: it was closed by the proxy, or by the destination behind it.';
    return new NetError({ ...failure, detail, remedy }, { cause: error });
  }
  if (failure.outcome === 'timeout' && bytesRead === 0) {
    const remedy =
      'Look at the log of the proxy for this destination: it says "connected", and nothing comes back through it (lost large packets, a device that inspects TLS, or a mute service behind it).';
    return new NetError({ ...failure, remedy }, { cause: error });
  }
  return error;
}

/** The body of an answer: HTML, or the size of a chunk in front of it. */
const isPage = (bytes: Buffer): boolean => /^(?:[0-9a-f]{1,8}\r\n)?\s*</i.test(bytes.toString('latin1'));
