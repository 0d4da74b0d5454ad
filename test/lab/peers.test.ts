/** Every probe has a peer in the lab, and is answered by it. */
import { afterAll, expect, test } from 'vitest';
import { probes } from '../../src/check/registry.ts';
import { makeAuthority } from '../../src/lab/certificate.ts';
import { openPeer } from '../../src/lab/peer.ts';
import { peers } from '../../src/lab/peers/index.ts';
import { optionsOf } from '../../src/model/probe.ts';
import { Listeners } from '../../src/net/listeners.ts';
import { checkOf } from '../support/builders.ts';
import { observedOf } from '../support/run-plan.ts';

const address = '127.0.0.1';
const listeners = new Listeners();
const authority = makeAuthority('xenreach lab authority');
afterAll(() => listeners.close());

/** The name servers of the system answer the others. */
const withPeer = Object.keys(probes).filter((name) => probes[name]?.perAddress !== false);

test('every probe has a peer', () => {
  expect(Object.keys(peers).toSorted()).toEqual(withPeer.toSorted());
});

/** Nobody answers what these send. */
const silent = new Set(['syslog', 'udp']);

test.for(withPeer)('%s is answered by its peer', async (name) => {
  const probe = probes[name]!;
  const port = await openPeer(listeners, address, await peers[name]!({ listeners, authority, address }));
  const parsed = await probe.options['~standard'].validate({});
  if (parsed.issues) throw new Error(`${name} has options without a default`);
  const transport = probe.transport === 'either' ? 'tcp' : probe.transport;
  const check = checkOf({ probe: name, host: address, port, transport, options: optionsOf(parsed.value) });
  const { only } = await observedOf([check], {
    trust: [authority.certificate],
    retries: 0,
    timeoutMs: silent.has(name) ? 200 : 2000,
  });
  expect(only).toMatchObject({ outcome: silent.has(name) ? 'timeout' : 'answered', warnings: [] });
});
