/**
 * What is wrong with a chain that OpenSSL refuses without a word that Node knows ("unspecified"): the certificates have it
 * themselves. OpenSSL's security level 2, which current clients have: RSA keys of 2048 bits, curves of 224, no MD5 or SHA-1
 * in a signature (that of a root is looked at by nobody). RFC 5280 sections 4.2.1.9 (authorities), 4.2.1.10, 4.2.1.12.
 */
import type { Hint } from '../model/outcome.ts';

export interface CertificateFacts {
  readonly who: string;
  readonly key: string;
  readonly bits: number | undefined;
  readonly curve: string | undefined;
  readonly signature: string;
  readonly isAuthority: boolean;
  readonly isRoot: boolean;
  /** Object identifiers of the extended key usage; empty for any use. */
  readonly purposes: readonly string[];
  readonly hasNameConstraints: boolean;
}

export interface CertificateFault {
  readonly detail: string;
  readonly remedy: string;
  readonly hint?: Hint;
}

const leastRsaBits = 2048;
const leastCurveBits = 224;
const serverAuth = '1.3.6.1.5.5.7.3.1';
const anyPurpose = '2.5.29.37.0';

const weakDigests: readonly (readonly [RegExp, string])[] = [
  [/md[245]/i, 'MD5'],
  [/sha-?1(?!\d)/i, 'SHA-1'],
];

const template =
  'To renew it helps only when its authority issues another kind: have the template of the CA changed first';

/** The fault by its name, or undefined where the certificates show none; the leaf is the first of the chain. */
export function faultIn(code: string, chain: readonly CertificateFacts[]): CertificateFault | undefined {
  const [leaf, ...authorities] = chain;
  if (!leaf) return undefined;
  const weak = weakness(leaf, 'the certificate');
  if (weak !== undefined) return { detail: weak, remedy: `${template}, then renew the certificate.` };
  for (const authority of authorities) {
    const fault = weakness(authority, `the certificate of the authority ${authority.who}`);
    if (fault !== undefined) {
      return {
        detail: fault,
        remedy: `Have the authority ${authority.who} replaced by a current one, and the certificates that it issued.`,
      };
    }
  }
  return codes[code] ?? purposeFault(code, chain) ?? constraintFault(code, authorities);
}

function weakness({ key, bits, curve, signature, isRoot }: CertificateFacts, what: string): string | undefined {
  if ((key === 'rsa' || key === 'rsa-pss' || key === 'dsa') && bits !== undefined && bits < leastRsaBits) {
    return `${what} has a key of only ${bits} bits: current clients want ${leastRsaBits}`;
  }
  const curveBits = Number(/(\d{3})/.exec(curve ?? '')?.[1]);
  if (curveBits < leastCurveBits) return `${what} has a key on the weak curve ${curve}`;
  if (isRoot) return undefined;
  const digest = weakDigests.find(([pattern]) => pattern.test(signature))?.[1];
  return digest === undefined ? undefined : `${what} is signed with ${digest}, which current clients refuse`;
}

const notForServers: CertificateFault = {
  detail: 'the certificate is not for servers (its extended key usage lacks server authentication)',
  remedy: 'Have a certificate issued to the service from a template for servers.',
};

const unreadableDate: CertificateFault = {
  detail: 'the certificate has a date that nobody can read',
  remedy: 'Have the certificate issued again, with dates as RFC 5280 writes them.',
};

const noAuthority: CertificateFault = {
  detail: 'a certificate in the chain was used to issue others and is not an authority (basic constraints)',
  remedy: 'Have the certificate issued by an authority, with basic constraints that say so.',
};

const codes: Readonly<Record<string, CertificateFault>> = {
  INVALID_CA: noAuthority,
  PATH_LENGTH_EXCEEDED: {
    detail: 'the chain is longer than one of its authorities allows (path length)',
    remedy:
      'Have the certificate issued by an authority that may issue to servers, or the path length of the one above it raised.',
  },
  CERT_CHAIN_TOO_LONG: {
    detail: 'the chain of certificates is too long',
    remedy: 'Shorten the chain that the service sends.',
  },
  CERT_SIGNATURE_FAILURE: {
    detail:
      'a signature in the chain is wrong: a certificate was changed, or an authority has another key of the same name',
    remedy:
      'Have the service send the chain that its certificate was issued with, and compare the trusted root with it.',
  },
  CERT_REVOKED: { detail: 'the certificate was revoked', remedy: 'Renew the certificate of the service.' },
  ERROR_IN_CERT_NOT_BEFORE_FIELD: unreadableDate,
  ERROR_IN_CERT_NOT_AFTER_FIELD: unreadableDate,
};

const isForServers = ({ purposes }: CertificateFacts): boolean =>
  purposes.length === 0 || purposes.includes(serverAuth) || purposes.includes(anyPurpose);

/** OpenSSL says "purpose" of the leaf and of whoever issued it alike. */
function purposeFault(code: string, [leaf, ...authorities]: readonly CertificateFacts[]): CertificateFault | undefined {
  if (leaf && !isForServers(leaf)) return notForServers;
  if (authorities.some(({ isAuthority }) => !isAuthority)) return noAuthority;
  const limited = authorities.find((authority) => !isForServers(authority));
  if (limited) {
    return {
      detail: `the authority ${limited.who} may not issue for servers (its extended key usage lacks server authentication)`,
      remedy: 'Have a certificate issued to the service by an authority for servers.',
    };
  }
  return code === 'INVALID_PURPOSE' ? notForServers : undefined;
}

function constraintFault(code: string, authorities: readonly CertificateFacts[]): CertificateFault | undefined {
  const limited = authorities.find(({ hasNameConstraints }) => hasNameConstraints);
  if (code !== 'UNSPECIFIED' || !limited) return undefined;
  return {
    detail: `the chain is refused, and its authority ${limited.who} may issue for certain names only (name constraints): this one seems to be none of them`,
    remedy: `Compare the names of the certificate with the name constraints of ${limited.who}.`,
  };
}
