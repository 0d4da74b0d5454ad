import { expect, test } from 'vitest';
import { decodeReport, encodeDiscovery, snmp } from '../../probes/snmp.ts';
import { expectOutcomes } from '../support/mutilate.ts';
import { scriptedIo } from '../support/scripted-io.ts';
import { expectBounded, recordedReplies } from '../support/strange-bytes.ts';

const target = { host: 'xs.test', address: '192.0.2.5', port: 161, transport: 'udp' } as const;

/** Of a Net-SNMP agent; the message id is 0x12345678, half of the random number. */
const reply = (engine: string, id = '12345678'): string => {
  const length = (engine.length / 2).toString(16).padStart(2, '0');
  const security = `04${length}${engine}0201010201030400040004 00`.replaceAll(' ', '');
  const tlv = (tag: string, hex: string): string => `${tag}${(hex.length / 2).toString(16).padStart(2, '0')}${hex}`;
  const header = tlv('30', `0204${id}020300ffe30401000201 03`.replaceAll(' ', ''));
  const binding = tlv('30', tlv('30', '060a2b060106030f01010400410101'));
  const pdu = tlv('a8', `0204${id}020100020100${binding}`);
  const scoped = tlv('30', `${tlv('04', engine)}0400${pdu}`);
  return tlv('30', `020103${header}${tlv('04', tlv('30', security))}${scoped}`);
};
const engine = '80001f888014e5b549b3e7066b00000000';

test('an engine that reports itself answers', async () => {
  const io = scriptedIo({
    random: ['2468acf0'],
    steps: [{ send: Buffer.from(encodeDiscovery(0x1234_5678)).toString('hex'), reply: reply(engine) }],
  });
  expect(await snmp.run(io, target, {})).toMatchObject({
    outcome: 'answered',
    evidence: { engineId: engine, boots: 1 },
  });
});

test('the question holds neither user nor community', () => {
  const text = Buffer.from(encodeDiscovery(1)).toString('latin1');
  expect(text).not.toMatch(/public|private|admin/);
  expect(encodeDiscovery(0x1234_5678)).toHaveLength(64);
});

test.for(['01020304', 'ab'])('%s is no engine id', (id) => {
  expect(() => decodeReport(Buffer.from(reply(id), 'hex'))).toThrow('an engine id of');
});

test('a reply of version 2 is told as such', () => {
  const v2 = Buffer.from(
    '302902010104067075626c6963a21c02045af3a5e10201000201003 00e300c06082b060102010101000500'.replaceAll(' ', ''),
    'hex',
  );
  expect(() => decodeReport(v2)).toThrow('SNMP message version 1, not 3');
});

test('any bytes give a report or a DecodeError', () => {
  expectBounded(decodeReport, recordedReplies('snmp'));
});

test('a damaged conversation comes to an outcome', () => expectOutcomes('snmp', snmp));
