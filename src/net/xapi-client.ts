/**
 * XAPI over HTTP: a host's unix socket, where root needs no password, or TLS with a certificate that is verified or pinned
 * before anything is sent. undici does the HTTP; what it may read is bounded here: time, bytes of an answer, bytes in all.
 */
import type { TLSSocket } from 'node:tls';
import type { buildConnector, Pool } from 'undici';
import { bracketed, isAddress } from '../model/address.ts';
import { NetError } from '../model/errors.ts';
import { decodeReply, encodeCall, type Reply } from '../wire/jsonrpc.ts';
import { DecodeError } from '../wire/reader.ts';
import { judgeCertificate } from './certificate.ts';
import { codeOf, netError } from './failure.ts';
import { lookupBy } from './lookup.ts';
import type { NameResolver } from './resolver.ts';

export type XapiEndpoint =
  | { readonly kind: 'socket'; readonly path: string }
  | {
      readonly kind: 'tls';
      readonly host: string;
      readonly port: number;
      /** SHA-256 of certificates that are taken as they are, 64 hex digits. Empty: they are verified. */
      readonly fingerprints: readonly string[];
      /** PEM roots beside Node's own. */
      readonly trust: readonly string[];
    };

export interface XapiLimits {
  /** One call. */
  readonly timeoutMs: number;
  /** One answer. */
  readonly maxBytes: number;
  /** All answers of this client. */
  readonly maxTotalBytes: number;
}

export interface XapiClient {
  /** The answer, or what the API said no with. Rejects with a NetError for whatever else happens. */
  call(method: string, params: readonly string[], signal: AbortSignal): Promise<Reply>;
  close(): Promise<void>;
}

/** One connection carries one call at a time. */
const maxConnections = 4;
const userAgent = 'xenreach';

export async function openXapi(
  endpoint: XapiEndpoint,
  resolver: NameResolver,
  limits: XapiLimits,
): Promise<XapiClient> {
  const undici = await import('undici');
  const pool = new undici.Pool(originOf(endpoint), {
    connections: maxConnections,
    pipelining: 1,
    allowH2: false,
    connect: connectorOf(undici.buildConnector, endpoint, resolver, limits.timeoutMs),
    headersTimeout: limits.timeoutMs,
    bodyTimeout: limits.timeoutMs,
    maxResponseSize: limits.maxBytes,
  });
  let id = 0;
  let total = 0;
  const read = (bytes: number): void => {
    total += bytes;
    if (total > limits.maxTotalBytes) throw tooMuch(limits.maxTotalBytes, 'in all');
  };
  return {
    call: (method, params, signal) => {
      id += 1;
      return post(pool, { text: encodeCall(method, params, id), id }, { ...limits, signal, read });
    },
    close: () => pool.destroy(),
  };
}

interface Call {
  readonly text: string;
  readonly id: number;
}

interface Bounds extends XapiLimits {
  readonly signal: AbortSignal;
  readonly read: (bytes: number) => void;
}

async function post(pool: Pool, { text, id }: Call, bounds: Bounds): Promise<Reply> {
  // The idle timers of undici start anew with every byte; this one does not.
  const timeout = AbortSignal.timeout(bounds.timeoutMs);
  try {
    const { statusCode, body } = await pool.request({
      path: '/jsonrpc',
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json', 'user-agent': userAgent },
      body: text,
      signal: AbortSignal.any([bounds.signal, timeout]),
    });
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of body) {
      // Without an encoding a body gives buffers; its type says `any`.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      const bytes = chunk as Buffer;
      length += bytes.length;
      if (length > bounds.maxBytes) throw tooMuch(bounds.maxBytes, 'to one call');
      bounds.read(bytes.length);
      chunks.push(bytes);
    }
    if (statusCode !== 200) throw wrongStatus(statusCode);
    return decodeReply(Buffer.concat(chunks, length).toString('utf8'), id);
  } catch (error) {
    throw asNetError(error, bounds, timeout);
  }
}

const originOf = (endpoint: XapiEndpoint): string =>
  endpoint.kind === 'socket' ? 'http://localhost' : `https://${bracketed(endpoint.host)}:${endpoint.port}`;

/** The connection is handed on only when its certificate is acceptable: until then not a byte of HTTP is sent. */
function connectorOf(
  build: typeof buildConnector,
  endpoint: XapiEndpoint,
  resolver: NameResolver,
  timeout: number,
): buildConnector.connector {
  const common = { allowH2: false, maxCachedSessions: 0, timeout };
  if (endpoint.kind === 'socket') return build({ ...common, socketPath: endpoint.path });
  const { getCACertificates } = process.getBuiltinModule('node:tls');
  const connect = build({
    ...common,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    checkServerIdentity: () => undefined,
    ...(endpoint.trust.length > 0 && { ca: [...getCACertificates('default'), ...endpoint.trust] }),
    ...(!isAddress(endpoint.host) && { lookup: lookupBy(resolver) }),
  });
  return (options, callback) =>
    connect(options, (error, socket) => {
      if (error || !socket) return callback(error ?? new Error('no connection'), null);
      // A connector for https makes TLS sockets only.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      const refusal = refusalOf(socket as TLSSocket, endpoint);
      if (!refusal) return callback(null, socket);
      socket.destroy();
      return callback(refusal, null);
    });
}

function refusalOf(
  socket: TLSSocket,
  { host, port, fingerprints }: Extract<XapiEndpoint, { readonly kind: 'tls' }>,
): NetError | undefined {
  const certificate = socket.getPeerX509Certificate();
  const shown = certificate?.fingerprint256.replaceAll(':', '').toLowerCase();
  const at = `${bracketed(host)}:${port}`;
  const pin = shown === undefined ? '' : `--tls-fingerprint ${shown}`;
  if (fingerprints.length > 0) {
    if (shown !== undefined && fingerprints.includes(shown)) return undefined;
    return untrusted(
      `the certificate of ${at} is not the one of --tls-fingerprint: its own is ${shown ?? 'none'}`,
      `Find out whether the certificate was renewed; only if it was: ${pin}`,
    );
  }
  const options = { name: host, isPublicName: false, nowMs: Date.now(), rootOwner: () => 'public' as const };
  const { failure } = judgeCertificate({ certificate, fault: socket.authorizationError }, options);
  if (!failure) return undefined;
  return untrusted(
    `the certificate of ${at} is not accepted: ${failure.detail}`,
    `Name its issuer with --ca FILE, or compare this fingerprint with the host's own (xe host-get-server-certificate, or openssl x509 -fingerprint -sha256 there) and pin it: ${pin}`,
  );
}

const untrusted = (detail: string, remedy: string): NetError =>
  new NetError({ outcome: 'untrusted', stage: 'tls', detail, remedy });

const tooMuch = (bytes: number, what: string): NetError =>
  new NetError({ outcome: 'garbled', stage: 'exchange', detail: `it sent more than ${bytes} bytes ${what}` });

const wrongStatus = (status: number): NetError =>
  new NetError({
    outcome: status >= 500 ? 'declined' : 'garbled',
    stage: 'exchange',
    detail: `it answered with HTTP status ${status} instead of JSON`,
  });

/** What undici wraps is taken out again: an error of ours, of the system, or its own limits. */
function asNetError(error: unknown, { signal, maxBytes, timeoutMs }: Bounds, timeout: AbortSignal): NetError {
  if (error instanceof NetError) return error;
  if (error instanceof DecodeError) {
    return new NetError({ outcome: 'garbled', stage: 'exchange', detail: error.told }, { cause: error });
  }
  if (signal.aborted) return ended('aborted', typeof signal.reason === 'string' ? signal.reason : 'it was interrupted');
  if (timeout.aborted) return ended('timeout', `no whole answer in ${timeoutMs / 1000} s`);
  const code = codeOf(error);
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') return tooMuch(maxBytes, 'to one call');
  if (code !== undefined && /^UND_ERR_.*TIMEOUT$/.test(code))
    return ended('timeout', `no answer in ${timeoutMs / 1000} s`);
  if (code?.startsWith('HPE_') === true) {
    return new NetError({ outcome: 'garbled', stage: 'exchange', detail: 'what answers does not speak HTTP' });
  }
  if (code === 'ENOENT' || code === 'EACCES')
    return ended('refused', code === 'ENOENT' ? 'no such socket is there' : 'only root may use the socket');
  if (code === 'UND_ERR_SOCKET') return ended('closed', 'it hung up in the middle of an answer');
  return netError(error, { stage: 'connect', transport: 'tcp', elapsedMs: 0, immediate: false });
}

const ended = (outcome: 'aborted' | 'timeout' | 'refused' | 'closed', detail: string): NetError =>
  new NetError({ outcome, stage: 'exchange', detail });
