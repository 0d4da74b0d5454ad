/**
 * Every probe against every hostile peer, through the real run: an outcome that fits, in time, in bounded memory, with
 * nothing left open. What fits is a table; a peer that happens to speak the probe's own protocol may be answered.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hostileKinds, startHostile, type Hostile, type HostileKind } from '../support/hostile.ts';
import { probes } from '../../src/check/registry.ts';
import type { Observation, Outcome } from '../../src/model/outcome.ts';
import type { Check } from '../../src/model/plan.ts';
import { run, type RunSettings } from '../../src/run/run.ts';
import { usual } from '../support/builders.ts';
import { patienceMs } from '../support/patience.ts';

const timeoutMs = 700;

/** What one conversation may add to the process at the most, garbage included. */
const maxGrowthMiB = 96;

const settings: RunSettings = {
  concurrency: 8,
  perHost: 8,
  rate: 10_000,
  timeoutMs,
  retries: 1,
  family: 'any',
  sourceAddress: undefined,
  proxy: null,
  trust: [],
  ownAddresses: [],
  probes,
};

/** TCP on the left, UDP on the right: what may be said of a peer of this kind. */
const fitting: Readonly<Record<HostileKind, readonly [readonly Outcome[], readonly Outcome[]]>> = {
  mute: [['timeout'], ['timeout']],
  drip: [
    ['timeout', 'garbled', 'tls-failed'],
    ['garbled', 'timeout'],
  ],
  random: [
    ['garbled', 'tls-failed', 'closed'],
    ['garbled', 'timeout'],
  ],
  hugeLength: [
    ['garbled', 'timeout', 'tls-failed', 'closed'],
    ['garbled', 'timeout'],
  ],
  megabytes: [
    ['garbled', 'tls-failed', 'timeout'],
    ['garbled', 'timeout'],
  ],
  endlessChunk: [
    ['garbled', 'tls-failed', 'closed', 'timeout'],
    ['timeout', 'refused'],
  ],
  interimAnswers: [
    ['garbled', 'tls-failed', 'closed', 'timeout'],
    ['timeout', 'refused'],
  ],
  helloRequests: [
    ['garbled', 'tls-failed', 'closed', 'timeout'],
    ['timeout', 'refused'],
  ],
  certificateDemanded: [
    ['garbled', 'tls-failed', 'closed', 'timeout'],
    ['timeout', 'refused'],
  ],
  closeAtOnce: [['closed'], ['timeout', 'refused']],
  reset: [['closed'], ['timeout', 'refused']],
  http: [
    ['garbled', 'tls-failed', 'closed'],
    ['garbled', 'timeout'],
  ],
  tlsOnPlain: [
    ['garbled', 'tls-failed', 'closed'],
    ['garbled', 'timeout'],
  ],
  sshBanner: [
    ['garbled', 'tls-failed', 'timeout', 'closed'],
    ['garbled', 'timeout'],
  ],
  // The echo's own bytes with one changed: our request come back is nobody's answer.
  wrongTransaction: [
    ['garbled', 'timeout', 'tls-failed', 'closed'],
    ['garbled', 'timeout'],
  ],
  otherAddress: [['garbled', 'timeout', 'tls-failed', 'closed'], ['timeout']],
};

/** A bare handshake is an answer, bare bytes are an answer to a bare datagram, and some hosts speak the right language. */
function isOwnLanguage(name: string, kind: HostileKind): boolean {
  if (name === 'tcp') return true;
  if (name === 'udp') return kind !== 'mute' && kind !== 'otherAddress';
  // A status is an answer, also when the body that it promises never comes: that is told as a warning.
  return (
    (name === 'ssh' && kind === 'sshBanner') ||
    (name === 'http' && ['http', 'hugeLength', 'endlessChunk'].includes(kind))
  );
}

/** These know what it means when such a server hangs up on them. */
const isOwnNo = (name: string, kind: HostileKind): boolean =>
  (name === 'nbd' && kind === 'closeAtOnce') || (name === 'nrpe' && ['closeAtOnce', 'wrongTransaction'].includes(kind));

/** Asks rpcbind by TCP, whatever it then proves; the transports of the others are their own. */
const named = Object.entries(probes).filter(([, probe]) => probe.perAddress !== false);

describe.for(hostileKinds)('%s', (kind) => {
  let peer: Hostile;
  beforeAll(async () => {
    peer = await startHostile(kind);
  });
  afterAll(() => peer.close());

  test.for(named.map(([name]) => name))('%s', async (name) => {
    const probe = probes[name]!;
    const parsed = await probe.options['~standard'].validate(name === 'xapi' ? { tls: false } : {});
    if (parsed.issues) throw new Error(`${name} has options without a default`);
    const transport = probe.transport === 'either' ? 'tcp' : probe.transport;
    const check: Check = {
      id: `${name}/${peer.address}:${peer.port}`,
      probe: name,
      transport,
      host: peer.address,
      address: peer.address,
      port: peer.port,
      options: parsed.value as Record<string, unknown>,
      viaProxy: false,
      isName: false,
      isAnswerDue: false,
      mayBeSelf: false,
      uses: [{ ...usual, row: 'hostile' }],
    };
    const rssBefore = process.memoryUsage.rss();
    const bugs: unknown[] = [];
    const observations: Observation[] = [];
    const began = performance.now();
    const control = run([check], settings, {
      onObservation: ({ observation }) => void observations.push(observation),
      onSelf: () => undefined,
      onBug: (_check, error) => void bugs.push(error),
    });
    await control.done;

    expect(bugs).toEqual([]);
    expect(observations).toHaveLength(1);
    expect(performance.now() - began).toBeLessThan(patienceMs);
    expect((process.memoryUsage.rss() - rssBefore) / 1024 / 1024).toBeLessThan(maxGrowthMiB);
    const [onTcp, onUdp] = fitting[kind];
    const allowed: readonly Outcome[] = transport === 'tcp' ? onTcp : onUdp;
    const more = [isOwnLanguage(name, kind) && 'answered', isOwnNo(name, kind) && 'declined'];
    expect([...allowed, ...more]).toContain(observations[0]?.outcome);
  });
});
