/**
 * What went wrong in TLS, in words: by the number of the alert that the peer sent (RFC 8446 section 6.2, RFC 6066 section 9,
 * RFC 7301 section 3.2), or by what our own library made of the bytes. OpenSSL puts both into one number, the last part of
 * `error:0A00045C`: 1000 and the alert, or a reason of its own (openssl/sslerr.h). Node's code is made of OpenSSL's words,
 * which change with its version, so it is told and not looked up.
 */
import { NetError } from '../model/errors.ts';
import { codeOf } from './failure.ts';

interface Cause {
  readonly detail: string;
  readonly remedy: string;
}

const firstAlert = 1000;
const lastAlert = firstAlert + 255;

const peerLog = 'The service has the reason in its log: look there.';

const clientCertificate: Cause = {
  detail: 'the server demands a client certificate',
  remedy: 'Ask the owner of the service whether this client needs a certificate of its own, or an exception.',
};

const oldVersion: Cause = {
  detail: 'the peer speaks no TLS version of 1.2 or later',
  remedy: 'Make the service speak TLS 1.2 or later: current clients speak nothing older.',
};

const ourFault = (what: string): Cause => ({ detail: `the peer refuses what we sent: ${what}`, remedy: peerLog });
const badBytes = (what: string): Cause => ({
  detail: `what came is broken TLS: ${what}`,
  remedy: 'Look for a device on the way that changes TLS, and at the service itself.',
});

const weak = (what: string): Cause => ({
  detail: `the peer offers ${what} that is too weak for current clients`,
  remedy: 'Have the service configured with the keys and algorithms of today: current clients refuse these.',
});

const alerts: Readonly<Record<number, Cause>> = {
  10: ourFault('unexpected message'),
  20: ourFault('bad record'),
  22: ourFault('record overflow'),
  40: {
    detail: 'the peer refuses the handshake: no common cipher or curve, or it demands a client certificate',
    remedy:
      'Compare the ciphers and curves of the service with those of its clients, and look whether it demands a client certificate.',
  },
  41: clientCertificate,
  42: { ...clientCertificate, detail: 'the server demands another client certificate (bad certificate)' },
  43: { ...clientCertificate, detail: 'the server demands another client certificate (unsupported certificate)' },
  46: {
    ...clientCertificate,
    detail: 'the server demands a client certificate that it can accept (certificate unknown)',
  },
  47: ourFault('illegal parameter'),
  48: { ...clientCertificate, detail: 'the server demands a client certificate of an authority that it knows' },
  49: {
    detail: 'the peer denies access in the TLS handshake',
    remedy: 'Ask the owner of the service, or of the TLS inspection on the way, why this client is denied.',
  },
  50: ourFault('decode error'),
  51: ourFault('decrypt error'),
  70: oldVersion,
  71: {
    detail: 'the peer wants stronger ciphers than current clients offer',
    remedy: 'Compare the ciphers of the service with those of its clients.',
  },
  80: { detail: 'the peer has an internal error', remedy: `${peerLog} A service without a certificate says this too.` },
  86: ourFault('inappropriate fallback'),
  90: { detail: 'the peer gave the handshake up', remedy: peerLog },
  109: ourFault('missing extension'),
  110: ourFault('unsupported extension'),
  112: {
    detail: 'the peer does not know the name it was asked for',
    remedy: 'Ask for the name that the service has its certificate for, or have this one added to the service.',
  },
  116: clientCertificate,
  120: { detail: 'the peer speaks none of the protocols that were offered (ALPN)', remedy: peerLog },
};

const notTls: Cause = {
  detail: 'what listens there does not speak TLS',
  remedy: 'Correct the port, or switch TLS on in the service.',
};

/** Reasons of openssl/sslerr.h for bytes that a peer may send. */
const reasons: Readonly<Record<number, Cause>> = {
  146: notTls, // DATA_LENGTH_TOO_LONG
  198: notTls, // PACKET_LENGTH_TOO_LONG
  244: badBytes('a message out of its turn'), // UNEXPECTED_MESSAGE
  258: oldVersion, // UNSUPPORTED_PROTOCOL
  267: notTls, // WRONG_VERSION_NUMBER
  370: weak('a signature'), // WRONG_SIGNATURE_TYPE
  394: weak('a Diffie-Hellman key'), // DH_KEY_TOO_SMALL
};

/** The bytes were no record of TLS at all. */
const notTlsReasons: ReadonlySet<number> = new Set([146, 198, 267]);

const libraryError = /error:0A([0-9A-F]{6}):/i;

/** OpenSSL's number for it; undefined for what is no error of TLS. */
function reasonOf(error: unknown): number | undefined {
  const [, hex] = libraryError.exec(error instanceof Error ? error.message : '') ?? [];
  return hex === undefined ? undefined : Number.parseInt(hex, 16);
}

export function isNoTls(error: unknown): boolean {
  const reason = reasonOf(error);
  return reason !== undefined && notTlsReasons.has(reason);
}

/** Undefined for what is no error of TLS: a system call that failed. All of it is the peer's doing or the path's. */
export function tlsFailure(error: Error): NetError | undefined {
  const code = codeOf(error) ?? '';
  const reason = reasonOf(error);
  const isOfTls = reason !== undefined || /^ERR_(?:SSL|TLS|OSSL)_/.test(code);
  if (!isOfTls) return undefined;
  const { detail, remedy } = causeOf(reason, code);
  return new NetError(
    { outcome: 'tls-failed', stage: 'tls', code, detail: `no TLS session: ${detail}`, remedy },
    { cause: error },
  );
}

function causeOf(reason: number | undefined, code: string): Cause {
  if (reason === undefined) return badBytes(wordsOf(code));
  if (reason < firstAlert || reason > lastAlert) return reasons[reason] ?? badBytes(wordsOf(code));
  return alerts[reason - firstAlert] ?? { detail: `the peer says ${wordsOf(code)}`, remedy: peerLog };
}

/** ERR_SSL_SSL/TLS_ALERT_BAD_RECORD_MAC -> "bad record mac" */
const wordsOf = (code: string): string =>
  code
    .replace(/^ERR_(?:SSL|TLS|OSSL)_/, '')
    .replace(/^(?:SSL\/TLS|SSLV3|TLSV1|TLSV13)_(?:ALERT_)?/, '')
    .replaceAll('_', ' ')
    .toLowerCase();
