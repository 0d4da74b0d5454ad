/**
 * Further trusted roots: the certificates of a file in whatever form people have them (RFC 7468 PEM, OpenSSL's TRUSTED
 * CERTIFICATE, DER, PKCS #7), each looked at before anything is sent; and what else such a file may turn out to be.
 */
import { UsageError } from '../model/errors.ts';
import { crypto } from '../net/crypto.ts';
import { readFile, readNamedFile, type NamedFiles } from './read-file.ts';

/** A container that a stranger made could look like a certificate at every byte. */
const maxTries = 2000;

/** A block of a PEM file. */
interface Block {
  readonly label: string;
  readonly line: number;
  /** Null when it has no end. */
  readonly bytes: Uint8Array | null;
}

const certificateLabels = new Set(['CERTIFICATE', 'X509 CERTIFICATE', 'TRUSTED CERTIFICATE']);
const pkcs7Labels = new Set(['PKCS7', 'CMS', 'PKCS #7 SIGNED DATA']);

/** What people take for a certificate, by its label (RFC 7468 and OpenSSL's own). */
const otherThings: readonly (readonly [RegExp, string])[] = [
  [/PRIVATE KEY$/, 'a private key, which belongs on its server alone'],
  [/PUBLIC KEY$/, 'a public key'],
  [/CERTIFICATE REQUEST$/, 'a request for a certificate'],
  [/^X509 CRL$/, 'a list of revoked certificates'],
  [/PARAMETERS$/, 'parameters for keys'],
  [/^PGP /, 'a key of PGP'],
  [/^OPENSSH /, 'a key of SSH'],
];

/** One PEM text for each certificate, in the files' order. */
export function readTrust(files: readonly string[]): string[] {
  return files.flatMap((file) => certificatesOf(readFile(file), file));
}

/** The same for files that a site names. */
export function readNamedTrust(files: readonly string[], named: NamedFiles): string[] {
  return files.flatMap((file) => certificatesOf(readNamedFile(file, 'trust', named), `trust ${file}`));
}

function certificatesOf(bytes: Uint8Array, file: string): string[] {
  if (bytes.length === 0) throw wrong(file, 'is empty');
  // DER is a SEQUENCE; text begins otherwise.
  if (bytes[0] === 0x30) return derCertificates(bytes, file);
  if (bytes[0] === 0xff || bytes[0] === 0xfe) throw wrong(file, 'is UTF-16 text; save it as UTF-8 or ASCII');
  const blocks = blocksOf(
    Buffer.from(bytes)
      .toString('latin1')
      .replace(/^\xef\xbb\xbf/, ''),
  );
  const certificates = blocks.flatMap((block) => blockCertificates(block, file));
  if (certificates.length > 0) return certificates;
  throw wrong(file, whatElse(blocks, bytes));
}

/** Lines as people copy them: blanks at either end, a mark in front, quoted with >, the end of a line in any fashion. */
function blocksOf(text: string): Block[] {
  const lines = text.split(/\r\n|\n|\r/).map((line) => line.replaceAll(/^[\s>]+|\s+$/g, ''));
  const blocks: Block[] = [];
  for (const [i, line] of lines.entries()) {
    const label = /^-----BEGIN ([^-]+)-----$/.exec(line)?.[1];
    if (label === undefined) continue;
    const end = lines.indexOf(`-----END ${label}-----`, i);
    const next = lines.findIndex((other, at) => at > i && other.startsWith('-----BEGIN '));
    const isCut = end < 0 || (next >= 0 && next < end);
    // Header lines (`Proc-Type: 4,ENCRYPTED`) belong to keys only.
    const base64 = lines.slice(i + 1, end).join('');
    blocks.push({ label, line: i + 1, bytes: isCut ? null : Uint8Array.from(Buffer.from(base64, 'base64')) });
  }
  return blocks;
}

function blockCertificates({ label, line, bytes }: Block, file: string): string[] {
  const isPkcs7 = pkcs7Labels.has(label);
  if (!isPkcs7 && !certificateLabels.has(label)) return [];
  if (bytes === null) {
    throw new UsageError(`${file}:${line} the certificate that begins here has no end; the file is cut short`);
  }
  if (isPkcs7) return derCertificates(bytes, `${file}:${line}`);
  // OpenSSL appends to a TRUSTED CERTIFICATE what it is trusted for; to us a root is a root.
  const certificate = pemOf(label === 'TRUSTED CERTIFICATE' ? firstElement(bytes) : bytes);
  if (certificate === null) {
    throw new UsageError(`${file}:${line} is not a certificate that can be read; export it again as PEM (base64)`);
  }
  return [certificate];
}

/** A certificate, or the certificates in a PKCS #7 container (`.p7b`): RFC 2315, 9.1. */
function derCertificates(bytes: Uint8Array, file: string): string[] {
  const certificate = pemOf(bytes);
  if (certificate !== null) return [certificate];
  const certificates = pkcs7Certificates(bytes);
  if (certificates.length > 0) return certificates;
  const what = isPkcs12(bytes)
    ? 'is a PKCS #12 store (.p12, .pfx), which holds private keys'
    : 'is DER, but no certificate that can be read';
  throw wrong(file, what);
}

/** Every element of the right size that reads as a certificate; the container's own structure says no more to us. */
function pkcs7Certificates(bytes: Uint8Array): string[] {
  const signedData = Buffer.from('06092a864886f70d010702', 'hex');
  if (Buffer.from(bytes).indexOf(signedData) < 0) return [];
  const found: string[] = [];
  let tries = 0;
  for (let at = 0; at < bytes.length - 4 && tries < maxTries;) {
    const length = bytes[at] === 0x30 ? elementLength(bytes.subarray(at)) : null;
    const fits = length !== null && length > 100 && at + length <= bytes.length && at > 0;
    if (fits) tries += 1;
    const certificate = fits ? pemOf(bytes.subarray(at, at + length)) : null;
    if (certificate !== null) found.push(certificate);
    at += certificate === null ? 1 : length!;
  }
  return found;
}

/** SEQUENCE { INTEGER 3, … }: RFC 7292, 4. */
function isPkcs12(bytes: Uint8Array): boolean {
  const header = Buffer.from(bytes.subarray(0, 12)).toString('hex');
  return /^30(?:[0-7].|81..|82....|83......|80)020103/.test(header);
}

/** Tag, length and content of the DER element that stands in front; null when it cannot be told. */
function elementLength(bytes: Uint8Array): number | null {
  const first = bytes[1] ?? 0;
  if (first < 0x80) return 2 + first;
  const count = first & 0x7f;
  if (count < 1 || count > 3) return null;
  const length = bytes.subarray(2, 2 + count).reduce((sum, byte) => sum * 256 + byte, 0);
  return 2 + count + length;
}

const firstElement = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, elementLength(bytes) ?? bytes.length);

function pemOf(bytes: Uint8Array): string | null {
  try {
    const { X509Certificate } = crypto();
    return new X509Certificate(bytes).toString();
  } catch {
    return null;
  }
}

/** Why there is no certificate in it. */
function whatElse(blocks: readonly Block[], bytes: Uint8Array): string {
  const labels = blocks.map(({ label }) => label);
  const other = labels.flatMap((label) => otherThings.find(([pattern]) => pattern.test(label))?.[1] ?? []);
  if (other.length > 0) return `holds no certificate but ${[...new Set(other)].join(' and ')}`;
  if (labels.length > 0) return 'holds no certificate: its blocks are of another kind';
  const text = Buffer.from(bytes).toString('latin1');
  if (/^\s*(?:ssh-|ecdsa-sha2-)/.test(text)) return 'holds no certificate but a key of SSH';
  if (/<html|<!doctype/i.test(text)) return 'is a web page; a download went wrong';
  if (/BEGIN\s+CERT/i.test(text)) return 'holds no certificate: a line such as -----BEGIN CERTIFICATE----- is damaged';
  const isBase64 = /^[\sA-Za-z0-9+/=]+$/.test(text) && /^\s*MI/.test(text);
  return isBase64
    ? 'holds no certificate: the lines -----BEGIN CERTIFICATE----- and END are missing'
    : 'holds no certificate';
}

const wrong = (file: string, what: string): UsageError =>
  new UsageError(`${file}:1 ${what}; give a PEM file with -----BEGIN CERTIFICATE-----`);
