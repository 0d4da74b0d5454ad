/** Further trusted roots: the certificates of PEM files (RFC 7468), each looked at before anything is sent. */
import { UsageError } from '../model/errors.ts';
import { crypto } from '../net/crypto.ts';
import { readFile } from './read-file.ts';

const begin = '-----BEGIN CERTIFICATE-----';
const end = '-----END CERTIFICATE-----';

/** One PEM text for each certificate, in the files' order. */
export function readTrust(files: readonly string[]): string[] {
  return files.flatMap((file) => certificatesOf(Buffer.from(readFile(file)).toString('latin1'), file));
}

function certificatesOf(text: string, file: string): string[] {
  const lines = text.split(/\r?\n/);
  const certificates: string[] = [];
  for (let first = lines.indexOf(begin); first >= 0;) {
    const last = lines.indexOf(end, first);
    if (last < 0)
      throw new UsageError(`${file}:${first + 1} the certificate that begins here has no end; the file is cut short`);
    const pem = lines.slice(first, last + 1).join('\n');
    if (!isCertificate(pem)) {
      throw new UsageError(
        `${file}:${first + 1} is not a certificate that can be read; export it again as PEM (base64)`,
      );
    }
    certificates.push(`${pem}\n`);
    first = lines.indexOf(begin, last);
  }
  if (certificates.length > 0) return certificates;
  throw new UsageError(`${file}:1 holds no certificate; give a PEM file with ${begin}`);
}

function isCertificate(pem: string): boolean {
  try {
    const { X509Certificate } = crypto();
    return new X509Certificate(pem).subject !== null;
  } catch {
    return false;
  }
}
