import * as v from 'valibot';
import { expect, test } from 'vitest';
import { udp } from '../../probes/udp.ts';
import { NetError } from '../../src/model/errors.ts';
import { ending } from '../support/endings.ts';
import { scriptedIo } from '../support/scripted-io.ts';

const target = { host: 'peer.test', address: '192.0.2.1', port: 6910, transport: 'udp' } as const;
const options = v.parse(udp.options, {});

test('the datagram is empty and silence is no answer', async () => {
  const io = scriptedIo({ steps: [{ send: '', reply: '' }] });
  expect(await ending(udp.run(io, target, options))).toMatchObject({ outcome: 'timeout' });
  expect(io.sent).toEqual(['']);
});

test('whatever comes back is an answer, of which sixteen bytes are shown', async () => {
  const io = scriptedIo({ steps: [{ send: 'cafe', reply: '00112233445566778899aabbccddeeff00' }] });
  expect(await udp.run(io, target, v.parse(udp.options, { payload: '0xcafe' }))).toEqual({
    outcome: 'answered',
    detail: '17 bytes came back',
    evidence: { bytes: 17, firstBytes: '00112233445566778899aabbccddeeff' },
  });
});

test('a refusal stays a refusal', async () => {
  const refusal = new NetError({ outcome: 'refused', stage: 'connect', detail: 'port unreachable' });
  const io = { ...scriptedIo({ steps: [] }), exchange: () => Promise.reject(refusal) };
  expect(await ending(udp.run(io, target, options))).toMatchObject({ outcome: 'refused' });
});
