/**
 * TLS on a connection that we opened: the handshake, and what the peer showed in it. Never a resumed session: it would show
 * no certificate. No protocol is offered (ALPN): the services that we ask speak theirs to whoever does not negotiate, and
 * one that is told "http/1.1" for LDAP may hang up. RFC 8446; RFC 6066 section 3 (the server name).
 */
import type { X509Certificate } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type * as nodeTls from 'node:tls';
import type { DetailedPeerCertificate, PeerCertificate, SecureContext, TLSSocket } from 'node:tls';
import { isAddress, sentHost } from '../model/address.ts';
import { NetError } from '../model/errors.ts';
import type { Evidence } from '../model/outcome.ts';
import { describe, type RootOwner, type Shown } from './certificate.ts';
import { StreamConn } from './conn.ts';
import { crypto } from './crypto.ts';
import { codeOf, netError } from './failure.ts';
import type { Scope } from './scope.ts';
import { tlsFailure } from './tls-failure.ts';

/** Loaded with the first handshake: most checks make none. */
const tls = (): typeof nodeTls => process.getBuiltinModule('node:tls');

/**
 * Node's own hello offers a post-quantum key share: 1,580 bytes, two TCP segments. With X25519 first it fits in one (350
 * bytes); the other curves stay on offer for servers that know only those (XenServer: P-384).
 */
const smallHelloCurves = 'X25519:P-256:P-384:P-521';

/** OpenSSL calls these ciphers insecure, for nobody shows who they are; TLS 1.3 has none of them. */
const anonymous = { ciphers: 'ALL:aNULL:!eNULL:@SECLEVEL=0', maxVersion: 'TLSv1.2' } as const;

export interface TrustStore {
  /** PEM roots beside Node's own. */
  readonly extra: readonly string[];
  /** These stand for the public ones: a demonstration brings its own world. */
  readonly arePublic?: boolean;
}

/** One secure context for each trust setting and hello: making one costs as much as a handshake. */
export class SecureContexts {
  readonly #trust: TrustStore;
  readonly #made = new Map<string, SecureContext>();
  #ownRoots: readonly OwnRoot[] | undefined;

  constructor(trust: TrustStore) {
    this.#trust = trust;
  }

  get(smallHello: boolean, allowsAnonymous = false): SecureContext {
    const kind = `${smallHello} ${allowsAnonymous}`;
    let context = this.#made.get(kind);
    if (!context) {
      const { createSecureContext, getCACertificates } = tls();
      context = createSecureContext({
        ...(this.#trust.extra.length > 0 && { ca: [...getCACertificates('default'), ...this.#trust.extra] }),
        ...(smallHello && { ecdhCurve: smallHelloCurves }),
        ...(allowsAnonymous && anonymous),
      });
      this.#made.set(kind, context);
    }
    return context;
  }

  /** Whose root the chain ends at: one that a browser knows too is everybody's, wherever else it is named. */
  readonly rootOwner = (chain: readonly X509Certificate[]): RootOwner => {
    const last = chain.at(-1);
    if (last === undefined || this.#trust.arePublic === true) return 'public';
    this.#ownRoots ??= this.#findOwnRoots();
    return this.#ownRoots.find(({ root }) => isIssuedBy(last, root))?.owner ?? 'public';
  };

  #findOwnRoots(): readonly OwnRoot[] {
    const { getCACertificates } = tls();
    const { X509Certificate: Certificate } = crypto();
    const known = new Set(getCACertificates('bundled').map(withoutSpace));
    const rootsOf = (pems: readonly string[], owner: RootOwner): OwnRoot[] =>
      pems.filter((pem) => !known.has(withoutSpace(pem))).map((pem) => ({ root: new Certificate(pem), owner }));
    return [...rootsOf(getCACertificates('extra'), 'machine'), ...rootsOf(this.#trust.extra, 'named')];
  }
}

interface OwnRoot {
  readonly root: X509Certificate;
  readonly owner: RootOwner;
}

const withoutSpace = (pem: string): string => pem.replaceAll(/\s/g, '');

function isIssuedBy(certificate: X509Certificate, root: X509Certificate): boolean {
  if (certificate.fingerprint256 === root.fingerprint256) return true;
  try {
    return certificate.checkIssued(root) && certificate.verify(root.publicKey);
  } catch {
    // A key of a kind that the library does not know verifies nothing.
    return false;
  }
}

export interface HandshakeOptions {
  readonly servername: string;
  readonly context: SecureContext;
}

/** A session that is up, as a connection that the attempt owns, and the certificate that its peer showed. */
export interface Session extends Shown {
  readonly conn: StreamConn;
  readonly protocol: string | null;
  readonly cipher: string;
}

/** Resolves with the secured connection, certificate not yet judged. The stream is the session's from the call on. */
export function handshake(scope: Scope, stream: Duplex, { servername, context }: HandshakeOptions): Promise<Session> {
  scope.enter('tls');
  return scope.wait((resolve, reject) => {
    const secured = connected(stream, sentHost(servername), context);
    secured.getPeerCertificate = noCertificate;
    const forget = scope.onClose(() => secured.destroy());
    const fail = (error: Error): void => {
      forget();
      secured.destroy();
      reject(handshakeError(error, scope));
    };
    secured.on('error', fail);
    secured.once('secureConnect', () => {
      secured.off('error', fail);
      secured.pause();
      const conn = new StreamConn(scope, secured);
      forget();
      resolve(sessionOf(secured, conn));
    });
  });
}

/** Where it throws (the name cannot be one, the stream is gone) the stream is closed. */
function connected(stream: Duplex, name: string, secureContext: SecureContext): TLSSocket {
  try {
    return tls().connect({
      socket: stream,
      secureContext,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
      // Names are judged in judgeCertificate, addresses too, which have no servername here.
      checkServerIdentity: () => undefined,
      ...(!isAddress(name) && { servername: name }),
    });
  } catch (error) {
    stream.destroy();
    throw error;
  }
}

const sessionOf = (secured: TLSSocket, conn: StreamConn): Session => ({
  conn,
  protocol: secured.getProtocol(),
  cipher: secured.getCipher().name,
  certificate: certificateOf(secured),
  // Node types it as Error; with rejectUnauthorized off it is OpenSSL's word for the fault.
  fault: secured.authorizationError,
});

/** What cannot be taken apart at all was not shown: this runs where nobody could catch it. */
function certificateOf(secured: TLSSocket): X509Certificate | undefined {
  try {
    return secured.getPeerX509Certificate();
  } catch {
    return undefined;
  }
}

/**
 * Node asks for the legacy object of the whole chain to show it to checkServerIdentity, which does not look, and that takes a good
 * part of a handshake. getPeerX509Certificate is not concerned.
 */
const noCertificate = (): PeerCertificate & DetailedPeerCertificate => Object.create(null);

function handshakeError(error: Error, scope: Scope): NetError {
  const broken = tlsFailure(error);
  if (broken) return broken;
  const code = codeOf(error) ?? 'unknown';
  if (code === 'ECONNRESET' || code === 'EPIPE') {
    const detail = 'the peer closed the connection during the TLS handshake';
    return new NetError({ outcome: 'closed', stage: 'tls', code, detail }, { cause: error });
  }
  return netError(error, {
    stage: 'tls',
    transport: 'tcp',
    elapsedMs: scope.elapsedMs,
    immediate: false,
  });
}

/** The certificate and the session, in words that scripts may rely on. */
export function tlsEvidence({ protocol, cipher, certificate }: Session, name: string): Evidence {
  return { tlsProtocol: protocol, cipher, [name]: certificate ? describe(certificate) : null };
}
