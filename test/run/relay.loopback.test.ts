/** Every probe against its own peer through a relay that damages what the peer says: an outcome each, and none of our own. */
import { afterAll, expect, test } from 'vitest';
import { probes } from '../../src/check/registry.ts';
import { makeAuthority } from '../../src/lab/certificate.ts';
import { peers } from '../../src/lab/peers/index.ts';
import { optionsOf } from '../../src/model/probe.ts';
import { Listeners } from '../../src/net/listeners.ts';
import { checkOf } from '../support/builders.ts';
import { openDamaged, seeded } from '../support/relay.ts';
import { observedOf } from '../support/run-plan.ts';

const address = '127.0.0.1';
const rounds = 40;
const listeners = new Listeners();
const authority = makeAuthority('xenreach lab authority');
afterAll(() => listeners.close());

// oxlint-disable-next-line no-control-regex -- they are what must not come through
const unsafe = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

test.for(Object.keys(peers))('%s', async (name) => {
  const seed = Buffer.from(name).reduce((sum, byte) => Math.imul(sum, 31) + byte, 7);
  const probe = probes[name]!;
  const peer = await peers[name]!({ listeners, authority, address });
  const port = await openDamaged(listeners, address, peer, seeded(seed));
  const parsed = await probe.options['~standard'].validate({});
  if (parsed.issues) throw new Error(`${name} has options without a default`);
  const transport = probe.transport === 'either' ? 'tcp' : probe.transport;
  const checks = Array.from({ length: rounds }, (_, i) => {
    const check = checkOf({ probe: name, host: address, port, transport, options: optionsOf(parsed.value) });
    return { ...check, id: `${check.id}#${i}` };
  });
  const settings = { trust: [authority.certificate], retries: 0, timeoutMs: 300, rate: 10_000 };
  const { byCheck, bugs } = await observedOf(checks, settings);
  const observations = [...byCheck.values()].flat();
  expect(bugs).toEqual([]);
  expect(observations).toHaveLength(rounds);
  expect(observations.filter(({ outcome }) => outcome === 'local' || outcome === 'aborted')).toEqual([]);
  for (const { detail, remedy, notes, warnings, evidence } of observations) {
    for (const text of [detail, remedy ?? '', ...notes, ...warnings]) {
      expect(text.length).toBeLessThanOrEqual(1000);
      expect(text).not.toMatch(unsafe);
    }
    expect(JSON.stringify(evidence).length).toBeLessThan(100_000);
  }
});
