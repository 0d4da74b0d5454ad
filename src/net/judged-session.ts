/** What a TLS session showed becomes evidence; then its certificate is judged, or only looked at. */
import { NetError } from '../model/errors.ts';
import type { ProbeIo, SecureOptions } from '../model/probe.ts';
import { judgeCertificate, observeCertificate } from './certificate.ts';
import { tlsEvidence, type SecureContexts, type Session } from './tls.ts';

/** Where findings go. */
export type Findings = Pick<ProbeIo, 'record' | 'warn' | 'note' | 'now'>;

export interface SessionWish extends Omit<SecureOptions, 'servername'> {
  /** What the certificate must hold. */
  readonly name: string;
}

/** Throws when the certificate is to be verified and is not acceptable. */
export function judgeSession(session: Session, wish: SessionWish, contexts: SecureContexts, findings: Findings): void {
  const { name, trust = 'verify', isPublicName = false, evidenceName = 'certificate' } = wish;
  findings.record(tlsEvidence(session, evidenceName));
  const nowMs = findings.now();
  if (wish.pins) {
    judgePinned(session, wish.pins);
    return;
  }
  if (trust === 'observe') {
    const { warnings, notes } = observeCertificate(session, nowMs);
    for (const text of warnings) findings.warn(text);
    // A second certificate of the same host (XAPI's pool certificate) says the same once more.
    if (evidenceName === 'certificate') for (const text of notes) findings.note(text);
    return;
  }
  const { rootOwner } = contexts;
  const { failure, warnings, notes = [] } = judgeCertificate(session, { name, isPublicName, nowMs, rootOwner });
  for (const text of warnings) findings.warn(text);
  for (const text of notes) findings.note(text);
  if (!failure) return;
  session.conn.destroy();
  throw new NetError({ outcome: 'untrusted', stage: 'tls', ...failure });
}

function judgePinned({ certificate, conn }: Session, pins: readonly string[]): void {
  const shown = certificate?.fingerprint256.replaceAll(':', '').toLowerCase();
  if (shown !== undefined && pins.includes(shown)) return;
  conn.destroy();
  const detail = `it shows ${shown === undefined ? 'no certificate' : `the certificate ${shown}`}, which is none of those that are known`;
  throw new NetError({ outcome: 'untrusted', stage: 'tls', code: 'CERTIFICATE_NOT_PINNED', detail });
}
