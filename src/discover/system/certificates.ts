/**
 * The certificates that hosts of a pool show each other: stunnel holds them against `pool-bundle-path` of xapi, wherever
 * xapi's own mark (`verify_certificates_path`) says that TLS between hosts is verified. One that left the pool may still be
 * in it.
 */
import { crypto } from '../../net/crypto.ts';
import type { Finding } from '../finding.ts';
import type { SystemFiles } from './files.ts';

const bundle = 'etc/stunnel/xapi-pool-ca-bundle.pem';

export function poolCertificates(files: SystemFiles): Finding[] {
  if (!files.names('var/xapi').includes('verify-certificates')) return [];
  const blocks = files.text(bundle).match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((pem, i): Finding => {
    const fingerprint = fingerprintOf(pem);
    return fingerprint === undefined
      ? { kind: 'remark', text: `/${bundle}: block ${i + 1} is no certificate and was left out` }
      : { kind: 'pin', fingerprint, from: `/${bundle}` };
  });
}

function fingerprintOf(pem: string): string | undefined {
  try {
    return new (crypto().X509Certificate)(pem).fingerprint256.replaceAll(':', '').toLowerCase();
  } catch {
    return undefined;
  }
}
