/** What `probe --record` keeps is what the tests of fixtures/wire play back: every peer of the lab, recorded and played. */
import { afterAll, expect, test } from 'vitest';
import { probes } from '../../src/check/registry.ts';
import { recording } from '../../src/check/recording.ts';
import { makeAuthority } from '../../src/lab/certificate.ts';
import { openPeer } from '../../src/lab/peer.ts';
import { peers } from '../../src/lab/peers/index.ts';
import { optionsOf } from '../../src/model/probe.ts';
import { Listeners } from '../../src/net/listeners.ts';
import { checkOf } from '../support/builders.ts';
import { observedOf } from '../support/run-plan.ts';
import { scriptedIo, setUp } from '../support/scripted-io.ts';

const address = '127.0.0.1';
const listeners = new Listeners();
const authority = makeAuthority('xenreach lab authority');
afterAll(() => listeners.close());

/** With these no byte comes back, or none has to. */
const silent = new Set(['resolve', 'syslog', 'tcp', 'tls', 'udp']);

test.for(Object.keys(probes).filter((name) => !silent.has(name)))('%s gives the same answer again', async (name) => {
  const probe = probes[name]!;
  const port = await openPeer(listeners, address, await peers[name]!({ listeners, authority, address }));
  const parsed = await probe.options['~standard'].validate({});
  if (parsed.issues) throw new Error(`${name} has options without a default`);
  const transport = probe.transport === 'either' ? 'tcp' : probe.transport;
  const check = checkOf({ probe: name, host: address, port, transport, options: optionsOf(parsed.value) });
  const { probe: recorded, conversation } = recording(probe, check.options);
  const { only } = await observedOf([check], {
    trust: [authority.certificate],
    probes: { ...probes, [name]: recorded },
  });
  expect(only.outcome).toBe('answered');

  const kept: ReturnType<typeof conversation> = JSON.parse(JSON.stringify(conversation()));
  if (!kept) throw new Error('nothing was kept');
  const io = scriptedIo(kept);
  const { target, options } = await setUp(probe, kept);
  const answer = await probe.run(io, target, options);
  // As a file has it, where -0 is 0.
  const again: unknown = JSON.parse(JSON.stringify({ ...answer, evidence: { ...io.evidence, ...answer.evidence } }));
  expect(again).toEqual(kept.answer);
  expect([io.warnings, io.notes]).toEqual([kept.warnings, kept.notes]);
});

test('a handshake alone, and silence, are no conversation', async () => {
  const port = await openPeer(listeners, address, await peers['tcp']!({ listeners, authority, address }));
  const { probe: recorded, conversation } = recording(probes['tcp']!, {});
  await observedOf([checkOf({ probe: 'tcp', host: address, port })], { probes: { ...probes, tcp: recorded } });
  expect(conversation()).toBeUndefined();
});
