/**
 * A certificate as evidence, and whether it is acceptable. A library may leave out whatever a certificate does not have (an
 * empty subject is legal, a date may be unreadable), so every part may be missing here. RFC 5280; RFC 9525 (names: by
 * subjectAltName alone, where curl still takes a common name).
 */
import type { X509Certificate } from 'node:crypto';
import { isAddress, sentHost } from '../model/address.ts';
import type { Evidence, Hint } from '../model/outcome.ts';
import { codeOf } from './failure.ts';
import { faultIn } from './certificate-faults.ts';

const dayMs = 86_400_000;
const expirySoonDays = 14;

/** A certificate that ended or begins this close to now may as well be a wrong clock. */
const clockDoubtMs = 7 * dayMs;

/** Evidence holds at most this many certificates of a chain. */
const maxChain = 6;

/** What a peer showed, and what OpenSSL says against it: one of its codes, or null. */
export interface Shown {
  readonly certificate: X509Certificate | undefined;
  readonly fault: unknown;
}

export interface Judgement {
  readonly failure?: { readonly hint?: Hint; readonly code: string; readonly detail: string; readonly remedy?: string };
  readonly warnings: readonly string[];
  readonly notes?: readonly string[];
}

export interface JudgeOptions {
  readonly name: string;
  readonly isPublicName: boolean;
  readonly nowMs: number;
  readonly rootOwner: (chain: readonly X509Certificate[]) => RootOwner;
}

/**
 * Who has a chain's root trusted here: everybody (`public`), whoever named it for this run (`named`: the site's `trust`,
 * `--ca`), or whoever set this machine up (`machine`: `NODE_EXTRA_CA_CERTS`).
 */
export type RootOwner = 'public' | 'named' | 'machine';

export function describe(certificate: X509Certificate): Evidence {
  const [, ...issuers] = chainOf(certificate);
  return {
    subject: oneLine(certificate.subject),
    names: namesOf(certificate),
    issuer: oneLine(certificate.issuer),
    notBefore: isoOf(beginOf(certificate)),
    notAfter: isoOf(endOf(certificate)),
    sha256: certificate.fingerprint256,
    chain: issuers.map(({ subject }) => oneLine(subject)),
  };
}

/** Is the certificate acceptable for this name, now, to this machine? */
export function judgeCertificate({ certificate, fault }: Shown, options: JudgeOptions): Judgement {
  if (!certificate) {
    return { failure: { code: 'NO_CERTIFICATE', detail: 'the peer showed no certificate' }, warnings: [] };
  }
  const { name, isPublicName, nowMs, rootOwner } = options;
  const code = codeOfFault(fault);
  if (code !== undefined) return { failure: { code, ...wordsFor(code, certificate, options) }, warnings: [] };
  const match = matchOf(certificate, name);
  if (match === 'none') return { failure: wrongName(certificate, name), warnings: [] };
  const warnings = [...expiryWarnings(certificate, nowMs)];
  if (match === 'common-name') warnings.push(commonNameOnly(name));
  const owner = isPublicName ? rootOwner(chainOf(certificate)) : 'public';
  if (owner === 'named') warnings.push(inspected(certificate));
  return owner === 'machine' ? { warnings, notes: [issuedByMachines(certificate)] } : { warnings };
}

/** What a certificate that nobody judges still has to tell. */
export function observeCertificate(
  { certificate, fault }: Shown,
  nowMs: number,
): { warnings: readonly string[]; notes: readonly string[] } {
  if (!certificate) return { warnings: [], notes: [] };
  const isVerified = codeOfFault(fault) === undefined;
  const notes = isVerified ? [] : [`its certificate is from ${issuerName(certificate)} and was not verified`];
  const [begin, end] = [beginOf(certificate), endOf(certificate)];
  if (end.getTime() < nowMs) return { warnings: [`the certificate expired on ${day(end)}`], notes };
  if (begin.getTime() > nowMs) return { warnings: [notYet('the certificate', begin)], notes };
  return { warnings: expiryWarnings(certificate, nowMs), notes };
}

/** Of a date that OpenSSL cannot read Node makes one from memory that nobody wrote; the text beside it says so. */
const dateOf = (text: string, date: Date): Date => (text === 'Bad time value' ? new Date(Number.NaN) : date);
const beginOf = ({ validFrom, validFromDate }: X509Certificate): Date => dateOf(validFrom, validFromDate);
const endOf = ({ validTo, validToDate }: X509Certificate): Date => dateOf(validTo, validToDate);

/** The leaf and whoever issued it, as far as they were shown or are trusted; a self-signed root names itself for ever. */
function chainOf(certificate: X509Certificate): X509Certificate[] {
  const chain = [certificate];
  for (let issuer = issuerOf(certificate); issuer && chain.length <= maxChain; issuer = issuerOf(issuer)) {
    if (issuer.fingerprint256 === chain.at(-1)?.fingerprint256) break;
    chain.push(issuer);
  }
  return chain;
}

const issuerOf = (certificate: X509Certificate): X509Certificate | undefined => certificate.issuerCertificate;

type Match = 'alternative-name' | 'common-name' | 'none';

/** By the certificate itself: tls.checkServerIdentity wants the legacy object, which is slow to make. */
function matchOf(certificate: X509Certificate, host: string): Match {
  const name = sentHost(host);
  if (isAddress(name)) {
    if (certificate.checkIP(name) !== undefined) return 'alternative-name';
    return !hasIdentities(certificate) && commonNameOf(certificate) === name ? 'common-name' : 'none';
  }
  const strict = { subject: 'never', partialWildcards: false } as const;
  if (certificate.checkHost(name, strict) !== undefined) return 'alternative-name';
  if (hasIdentities(certificate)) return 'none';
  return certificate.checkHost(name, { subject: 'always', partialWildcards: false }) === undefined
    ? 'none'
    : 'common-name';
}

/** curl looks at the common name only where no alternative name is a host's or an address. */
const hasIdentities = (certificate: X509Certificate): boolean =>
  /(?:^|, )(?:DNS|IP Address):/.test(certificate.subjectAltName ?? '');

const commonNameOnly = (name: string): string =>
  `the certificate names ${name} in its common name alone: curl still takes that, current clients do not (RFC 9525)`;

const inspected = (certificate: X509Certificate): string =>
  `a certificate of ${issuerName(certificate)} answered, not the vendor's: TLS is intercepted, and the answer is the gateway's word`;

const issuedByMachines = (certificate: X509Certificate): string =>
  `the certificate comes from ${issuerName(certificate)}, which this machine trusts by NODE_EXTRA_CA_CERTS and nobody else does: where TLS is inspected, the answer is the gateway's word`;

function wrongName(certificate: X509Certificate, host: string): NonNullable<Judgement['failure']> {
  const code = 'ERR_TLS_CERT_ALTNAME_INVALID';
  const name = sentHost(host);
  const names = namesOf(certificate);
  if (isAddress(name) && names.includes(name)) {
    const detail = `the certificate has ${name} as a DNS name, not as an address`;
    return { code, hint: 'wrong-name', detail };
  }
  const shown = names.slice(0, 4).join(', ') || oneLine(certificate.subject) || 'nobody';
  return { code, hint: 'wrong-name', detail: `the certificate is for ${shown}, not for ${name}` };
}

function expiryWarnings(certificate: X509Certificate, nowMs: number): string[] {
  const end = endOf(certificate);
  const days = Math.floor((end.getTime() - nowMs) / dayMs);
  if (!(days < expirySoonDays)) return [];
  return [`the certificate expires in ${days} ${days === 1 ? 'day' : 'days'}, on ${day(end)}`];
}

interface Words {
  readonly detail: string;
  readonly hint?: Hint;
  readonly remedy?: string;
}

function wordsFor(code: string, certificate: X509Certificate, { name, isPublicName, nowMs }: JudgeOptions): Words {
  const chain = chainOf(certificate);
  if (code === 'CERT_NOT_YET_VALID') {
    const early = chain.find((each) => beginOf(each).getTime() > nowMs) ?? certificate;
    return { hint: 'clock', detail: notYet(whose(early, certificate), beginOf(early)) };
  }
  if (code === 'CERT_HAS_EXPIRED') {
    const late = chain.find((each) => endOf(each).getTime() < nowMs) ?? certificate;
    return expired(late, certificate, nowMs);
  }
  if (unknownIssuer.has(code)) return unknown(code, certificate, { name, isPublicName });
  return faultIn(code, chain.map(factsOf)) ?? { detail: `the certificate is not acceptable (${wordsOf(code)})` };
}

function expired(late: X509Certificate, leaf: X509Certificate, nowMs: number): Words {
  const detail = `${whose(late, leaf)} expired on ${day(endOf(late))}`;
  if (nowMs - endOf(late).getTime() < clockDoubtMs) {
    return { hint: 'clock', detail: `${detail}: is this machine's clock right?` };
  }
  if (late === leaf) return { detail };
  return {
    detail,
    remedy: `Have the service send the current certificate of ${commonNameOf(late) ?? 'that authority'} in its chain.`,
  };
}

const whose = (certificate: X509Certificate, leaf: X509Certificate): string =>
  certificate === leaf
    ? 'the certificate'
    : `the certificate of the authority ${commonNameOf(certificate) ?? '(no name)'}`;

const notYet = (what: string, begins: Date): string =>
  `${what} is valid from ${day(begins)} only: is this machine's clock right?`;

const unknownIssuer = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
]);

function unknown(
  code: string,
  certificate: X509Certificate,
  { name, isPublicName }: Pick<JudgeOptions, 'name' | 'isPublicName'>,
): Words {
  const issuer = issuerName(certificate);
  const isAlone = code === 'UNABLE_TO_VERIFY_LEAF_SIGNATURE';
  if (isPublicName && matchOf(certificate, name) === 'none') {
    const shown = code === 'DEPTH_ZERO_SELF_SIGNED_CERT' ? 'a self-signed certificate' : `a certificate of ${issuer}`;
    return {
      hint: 'wrong-name',
      detail: `${shown} for ${subjectName(certificate)} answers, not the vendor's server: a wrong address from DNS, or a device in its place`,
      remedy: `Compare the address of ${name} with what a public DNS server says, then look for a device that answers in its place.`,
    };
  }
  if (isAlone && certificate.infoAccess?.includes('CA Issuers') === true) {
    return {
      hint: 'unknown-issuer',
      detail: `the server sends its own certificate alone: that of its issuer ${issuer} (an intermediate) is missing, and curl fails there as well`,
      remedy: `Have the service send its whole chain, with the certificate of ${issuer}; if that is a root of your own, name it under \`trust\` or with --ca.`,
    };
  }
  if (isPublicName) {
    return {
      hint: 'intercepted',
      detail: `the certificate of a public name comes from an unknown issuer: intercepted by ${issuer}?`,
    };
  }
  const alone = isAlone ? '; the server sends no certificate of an intermediate authority, should there be one' : '';
  return {
    hint: 'unknown-issuer',
    detail: `the certificate was issued by ${issuer}, which this machine does not trust${alone}`,
  };
}

function codeOfFault(fault: unknown): string | undefined {
  if (fault === null || fault === undefined) return undefined;
  return typeof fault === 'string' ? fault : (codeOf(fault) ?? 'UNSPECIFIED');
}

/** What the certificate itself shows of its strength and of what it is for. */
function factsOf(certificate: X509Certificate) {
  const { key, bits, curve } = keyOf(certificate);
  return {
    who: commonNameOf(certificate) ?? oneLine(certificate.subject),
    key,
    bits,
    curve,
    signature: certificate.signatureAlgorithm ?? '',
    isAuthority: certificate.ca,
    isRoot: certificate.subject === certificate.issuer,
    purposes: certificate.keyUsage ?? [],
    hasNameConstraints: Buffer.from(certificate.raw).includes(nameConstraints),
  };
}

/** 2.5.29.30 with its tag and length. */
const nameConstraints = Buffer.from('0603551d1e', 'hex');

/** A key of a kind that the library does not know has no details. */
function keyOf(certificate: X509Certificate): { key: string; bits: number | undefined; curve: string | undefined } {
  try {
    const { asymmetricKeyType: key = '', asymmetricKeyDetails: details } = certificate.publicKey;
    return { key, bits: details?.modulusLength, curve: details?.namedCurve };
  } catch {
    return { key: '', bits: undefined, curve: undefined };
  }
}

function namesOf(certificate: X509Certificate): string[] {
  const names = certificate.subjectAltName?.split(', ') ?? [];
  return names.slice(0, 64).map((name) => printable(name.replace(/^(DNS|IP Address):/, '')));
}

const part = (name: string | undefined, key: 'CN' | 'O'): string | undefined =>
  new RegExp(String.raw`(?:^|\n)${key}=(.*)`).exec(name ?? '')?.[1];

const commonNameOf = ({ subject }: X509Certificate): string | undefined => shortened(part(subject, 'CN'));

const subjectName = (certificate: X509Certificate): string =>
  namesOf(certificate)[0] ?? commonNameOf(certificate) ?? (oneLine(certificate.subject) || 'nobody');

const issuerName = ({ issuer }: X509Certificate): string =>
  shortened(part(issuer, 'CN') ?? part(issuer, 'O')) ?? (oneLine(issuer) || 'an issuer without a name');

const shortened = (text: string | undefined): string | undefined => (text === undefined ? undefined : printable(text));

/** The types promise a name; a certificate without one has none. */
const oneLine = (name: string | undefined): string => printable((name ?? '').replaceAll('\n', ', '));

// oxlint-disable-next-line no-control-regex -- control characters are what it is about
const printable = (text: string): string => text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, '?').slice(0, 256);

/** Null for a date that nobody can read. */
const isoOf = (date: Date): string | null => (Number.isNaN(date.getTime()) ? null : date.toISOString());

const day = (date: Date): string => isoOf(date)?.slice(0, 10) ?? 'a day that cannot be read';

const wordsOf = (code: string): string => code.replaceAll('_', ' ').toLowerCase();
