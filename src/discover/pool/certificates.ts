/** The certificates that the pool's members show each other, where the pool verifies them. */
import type { Finding } from '../finding.ts';
import { flag, text } from '../records.ts';
import type { PoolView } from './view.ts';

export function certificateFindings(view: PoolView): Finding[] {
  if (flag(view.pool, 'tls_verification_enabled') !== true) return [];
  return [...view.of('Certificate').values()].flatMap((fields): Finding[] => {
    if (text(fields, 'type') !== 'host_internal') return [];
    const written = text(fields, 'fingerprint_sha256') || text(fields, 'fingerprint') || '';
    const fingerprint = written.replaceAll(':', '').toLowerCase();
    if (!/^[0-9a-f]{64}$/.test(fingerprint)) return [];
    return [{ kind: 'pin', fingerprint, from: `Certificate of ${view.nameOf(text(fields, 'host'))}` }];
  });
}
