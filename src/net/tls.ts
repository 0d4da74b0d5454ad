/**
 * TLS on a connection that we opened: the handshake, the chain as evidence whether it is acceptable or not, and the
 * judgement. Never a resumed session: it would show no certificate. RFC 8446, RFC 5280, RFC 9525 (names).
 */
import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import type * as nodeTls from 'node:tls';
import type { DetailedPeerCertificate, PeerCertificate, SecureContext, TLSSocket } from 'node:tls';
import { NetError } from '../model/errors.ts';
import type { Evidence, Hint } from '../model/outcome.ts';
import { codeOf, netError } from './failure.ts';
import type { Scope } from './scope.ts';

/** Loaded with the first handshake: 18 ms of a run that makes none (a check of one TCP row took 105 ms). */
const tls = (): typeof nodeTls => process.getBuiltinModule('node:tls');

const dayMs = 86_400_000;
const expirySoonDays = 14;

/** A certificate that ended or begins this close to now may as well be a wrong clock. */
const clockDoubtMs = 7 * dayMs;

/** At most this many certificates of a chain are told. */
const maxChain = 6;

/**
 * Node's own hello offers a post-quantum key share: 1,580 bytes, two TCP segments. With X25519 first it fits in one (350
 * bytes); the other curves stay on offer for servers that know only those (XenServer: P-384).
 */
const smallHelloCurves = 'X25519:P-256:P-384:P-521';

export interface TrustStore {
  /** PEM roots beside Node's own. */
  readonly extra: readonly string[];
}

/** One secure context for each trust setting and hello: making one costs as much as a handshake. */
export class SecureContexts {
  readonly #trust: TrustStore;
  readonly #made = new Map<boolean, SecureContext>();

  constructor(trust: TrustStore) {
    this.#trust = trust;
  }

  get(smallHello: boolean): SecureContext {
    let context = this.#made.get(smallHello);
    if (!context) {
      const { createSecureContext, getCACertificates } = tls();
      context = createSecureContext({
        ...(this.#trust.extra.length > 0 && { ca: [...getCACertificates('default'), ...this.#trust.extra] }),
        ...(smallHello && { ecdhCurve: smallHelloCurves }),
      });
      this.#made.set(smallHello, context);
    }
    return context;
  }
}

export interface HandshakeOptions {
  readonly servername: string;
  readonly context: SecureContext;
}

/** A session that is up, and the certificate that its peer showed: each look at it makes the object anew. */
export interface Session {
  readonly secured: TLSSocket;
  readonly certificate: X509Certificate | undefined;
}

/** Resolves with the secured stream, certificate not yet judged. */
export function handshake(scope: Scope, stream: Duplex, options: HandshakeOptions): Promise<Session> {
  const { servername, context } = options;
  scope.stage = 'tls';
  scope.heard = false;
  return scope.wait((resolve, reject) => {
    const secured = tls().connect({
      socket: stream,
      secureContext: context,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
      ALPNProtocols: ['http/1.1'],
      // Names are judged in judgeCertificate, addresses too, which have no servername here.
      checkServerIdentity: () => undefined,
      ...(isIP(servername) === 0 && { servername }),
    });
    secured.getPeerCertificate = noCertificate;
    const disown = scope.own(() => secured.destroy());
    const fail = (error: Error): void => {
      disown();
      secured.destroy();
      reject(handshakeError(error, scope));
    };
    secured.on('error', fail);
    secured.once('secureConnect', () => {
      disown();
      secured.off('error', fail).on('error', () => undefined);
      secured.pause();
      resolve({ secured, certificate: secured.getPeerX509Certificate() });
    });
  });
}

/**
 * Node asks for the legacy object of the whole chain to show it to checkServerIdentity, which does not look: a sixth of
 * what a handshake costs. getPeerX509Certificate is not concerned.
 */
const noCertificate = (): PeerCertificate & DetailedPeerCertificate => Object.create(null);

function handshakeError(error: Error, scope: Scope): NetError {
  const code = codeOf(error) ?? 'unknown';
  if (code === 'ECONNRESET' || code === 'EPIPE') {
    const detail = 'the peer closed the connection during the TLS handshake';
    return new NetError({ outcome: 'closed', stage: 'tls', code, detail }, { cause: error });
  }
  if (code.startsWith('ERR_SSL_') || code === 'EPROTO' || code.startsWith('ERR_TLS_')) {
    const detail = `no TLS session: ${handshakeText[code] ?? wordsOf(code)}`;
    return new NetError({ outcome: 'tls-failed', stage: 'tls', code, detail }, { cause: error });
  }
  return netError(error, {
    stage: 'tls',
    transport: 'tcp',
    elapsedMs: scope.elapsedMs,
    immediate: false,
  });
}

const handshakeText: Readonly<Record<string, string>> = {
  ERR_SSL_WRONG_VERSION_NUMBER: 'what listens there does not speak TLS',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'what listens there does not speak TLS',
  ERR_SSL_HTTP_REQUEST: 'what listens there speaks plain HTTP',
  ERR_SSL_UNEXPECTED_MESSAGE: 'what listens there does not speak TLS properly',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'the peer offers no TLS version of 1.2 or later',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'the peer offers no TLS version of 1.2 or later',
  ERR_SSL_SSL_TLS_ALERT_HANDSHAKE_FAILURE: 'the peer refuses the handshake (no common cipher or curve)',
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: 'the peer refuses the handshake (no common cipher or curve)',
  ERR_SSL_TLSV1_UNRECOGNIZED_NAME: 'the peer does not know the name it was asked for',
};

/** ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR -> "tlsv1 alert internal error" */
const wordsOf = (code: string): string =>
  code
    .replace(/^ERR_(SSL|TLS)_/, '')
    .replaceAll('_', ' ')
    .toLowerCase();

/** The certificate and the session, in words that scripts may rely on. */
export function tlsEvidence({ secured, certificate }: Session, name: string): Evidence {
  return {
    tlsProtocol: secured.getProtocol(),
    cipher: secured.getCipher().name,
    [name]: certificate ? describe(certificate) : null,
  };
}

function describe(certificate: X509Certificate): Evidence {
  const chain: string[] = [];
  let issuer: X509Certificate | undefined = certificate.issuerCertificate;
  // A self-signed root names itself as issuer for ever.
  while (issuer && chain.length < maxChain && chain.at(-1) !== oneLine(issuer.subject)) {
    chain.push(oneLine(issuer.subject));
    issuer = issuer.issuerCertificate;
  }
  return {
    subject: oneLine(certificate.subject),
    names: namesOf(certificate),
    issuer: oneLine(certificate.issuer),
    notBefore: certificate.validFromDate.toISOString(),
    notAfter: certificate.validToDate.toISOString(),
    sha256: certificate.fingerprint256,
    chain,
  };
}

export interface Judgement {
  readonly failure?: { readonly hint?: Hint; readonly code: string; readonly detail: string };
  readonly warnings: readonly string[];
}

export interface JudgeOptions {
  readonly name: string;
  readonly isPublicName: boolean;
  readonly nowMs: number;
}

/** Is the certificate acceptable for this name, now, to this machine? */
export function judgeCertificate(
  { secured, certificate }: Session,
  { name, isPublicName, nowMs }: JudgeOptions,
): Judgement {
  if (!certificate)
    return { failure: { code: 'NO_CERTIFICATE', detail: 'the peer showed no certificate' }, warnings: [] };
  // Node types it as Error; with rejectUnauthorized off it is OpenSSL's word for the fault.
  const code = secured.authorizationError ? codeOfAuthorization(secured.authorizationError) : undefined;
  if (code !== undefined)
    return { failure: { code, ...wordsFor(code, certificate, isPublicName, nowMs) }, warnings: [] };
  if (!isFor(certificate, name)) {
    const names = namesOf(certificate).slice(0, 4).join(', ') || oneLine(certificate.subject);
    const detail = `the certificate is for ${names}, not for ${name}`;
    return { failure: { code: 'ERR_TLS_CERT_ALTNAME_INVALID', hint: 'wrong-name', detail }, warnings: [] };
  }
  return { warnings: expiryWarnings(certificate, nowMs) };
}

/** What a certificate that nobody judges still has to tell. */
export function observeCertificate(
  { secured, certificate }: Session,
  nowMs: number,
): { warnings: readonly string[]; notes: readonly string[] } {
  if (!certificate) return { warnings: [], notes: [] };
  const notes = secured.authorizationError
    ? [`its certificate is from ${issuerName(certificate)} and was not verified`]
    : [];
  if (certificate.validToDate.getTime() < nowMs) {
    return { warnings: [`the certificate expired on ${day(certificate.validToDate)}`], notes };
  }
  if (certificate.validFromDate.getTime() > nowMs) {
    const begins = day(certificate.validFromDate);
    return { warnings: [`the certificate is valid from ${begins} only: is this machine's clock right?`], notes };
  }
  return { warnings: expiryWarnings(certificate, nowMs), notes };
}

/** By the certificate itself: tls.checkServerIdentity wants the legacy object, which costs a fifth of a handshake to make. */
function isFor(certificate: X509Certificate, name: string): boolean {
  return (isIP(name) === 0 ? certificate.checkHost(name.replace(/\.$/, '')) : certificate.checkIP(name)) !== undefined;
}

function expiryWarnings(certificate: X509Certificate, nowMs: number): string[] {
  const days = Math.floor((certificate.validToDate.getTime() - nowMs) / dayMs);
  if (days >= expirySoonDays) return [];
  return [`the certificate expires in ${days} ${days === 1 ? 'day' : 'days'}, on ${day(certificate.validToDate)}`];
}

function wordsFor(
  code: string,
  certificate: X509Certificate,
  isPublicName: boolean,
  nowMs: number,
): { detail: string; hint?: Hint } {
  if (code === 'CERT_NOT_YET_VALID') {
    const begins = day(certificate.validFromDate);
    return { hint: 'clock', detail: `the certificate is valid from ${begins} only: is this machine's clock right?` };
  }
  if (code === 'CERT_HAS_EXPIRED') {
    const ended = certificate.validToDate;
    const isDoubtful = nowMs - ended.getTime() < clockDoubtMs;
    const detail = `the certificate expired on ${day(ended)}`;
    return isDoubtful ? { hint: 'clock', detail: `${detail}: is this machine's clock right?` } : { detail };
  }
  if (unknownIssuer.has(code)) {
    const issuer = issuerName(certificate);
    if (isPublicName) {
      return {
        hint: 'intercepted',
        detail: `the certificate of a public name comes from an unknown issuer: intercepted by ${issuer}?`,
      };
    }
    return {
      hint: 'unknown-issuer',
      detail: `the certificate was issued by ${issuer}, which this machine does not trust`,
    };
  }
  return { detail: `the certificate is not acceptable (${wordsOf(code)})` };
}

const unknownIssuer = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
]);

function codeOfAuthorization(error: unknown): string {
  return typeof error === 'string' ? error : (codeOf(error) ?? 'UNSPECIFIED');
}

function namesOf(certificate: X509Certificate): string[] {
  const names = certificate.subjectAltName?.split(', ') ?? [];
  return names.slice(0, 64).map((name) => printable(name.replace(/^(DNS|IP Address):/, '')));
}

const issuerName = (certificate: X509Certificate): string =>
  /(?:^|\n)CN=(.*)/.exec(certificate.issuer)?.[1] ??
  /(?:^|\n)O=(.*)/.exec(certificate.issuer)?.[1] ??
  oneLine(certificate.issuer);

const oneLine = (name: string): string => printable(name.replaceAll('\n', ', '));

// oxlint-disable-next-line no-control-regex -- control characters are what it is about
const printable = (text: string): string => text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, '?').slice(0, 256);

const day = (date: Date): string => date.toISOString().slice(0, 10);
