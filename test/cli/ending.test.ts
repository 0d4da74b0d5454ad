/** A run ends when its report is out, whatever a peer holds open, and whatever the peer's certificate leaves out. */
import { createServer as createTlsServer } from 'node:tls';
import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { makeOdd } from '../support/certificates.ts';
import { listening } from '../support/real-io.ts';
import { runXenreach } from '../support/run-xenreach.ts';

const { certificate, key } = makeOdd({ subject: '/', extensions: ['subjectAltName=critical,IP:127.0.0.1'] });

/** The handshake completes, nothing is ever said or closed. */
const holding = (socket: Socket): void => {
  socket.on('error', () => undefined);
};

test.concurrent.for(['tls', 'https', 'ldaps', 'xapi'])(
  '%s, before a peer that neither speaks nor closes',
  async (name) => {
    await using server = await listening(holding, (serve) =>
      createTlsServer({ cert: certificate, key, allowHalfOpen: true }, serve).on('tlsClientError', () => undefined),
    );
    const args = ['probe', name, `127.0.0.1:${server.port}`, '--set', 'trust=observe', '--format', 'json'];
    const own = name === 'xapi' ? args.filter((word) => word !== '--set' && word !== 'trust=observe') : args;
    // It is killed only when it would not end by itself: long after its own deadline.
    const ran = await runXenreach([...own, '--timeout', '1s', '--deadline', '3s'], { limitMs: 20_000 });
    expect(ran.signal).toBeNull();
    const told: unknown = JSON.parse(ran.stdout);
    expect(told).toMatchObject({ evidence: { certificate: { subject: '' } } });
    expect(JSON.stringify(told)).not.toContain('a defect');
  },
);
