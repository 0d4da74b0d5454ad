import { expect, test } from 'vitest';
import { decodeBodyLength, decodeResponse, netbiosSession } from '../../probes/netbios-session.ts';
import { expectBounded, hostileReplies, outcomeOf, recordedReplies } from '../support/strange-bytes.ts';
import { scriptedIo } from '../support/scripted-io.ts';

const recordings = recordedReplies('netbios-session');
const target = { host: 'dc1.test', address: '192.0.2.1', port: 139, transport: 'tcp' } as const;

test.for([
  ['8300000180', 'no session: not listening on the called name'],
  ['8300000181', 'no session: not listening for the calling name'],
  ['8300000183', 'no session: called name present, but insufficient resources'],
  ['830000018f', 'no session: unspecified error'],
  ['8300000177', 'no session: error 0x77'],
  ['84000006c0000207008b', 'no session here: the server points to 192.0.2.7:139, which is not followed'],
] as const)('%s declines: %s', async ([reply, detail]) => {
  const io = scriptedIo({ steps: [{ reply, closes: true }] });
  expect(await netbiosSession.run(io, target, {})).toMatchObject({ outcome: 'declined', detail });
});

test.for([
  ['session packet type 0x0', '00000000'],
  ['5 bytes in a packet that has 0', '82000005'],
  ['0 bytes in a packet that has 1', '83000000'],
  ['4 bytes in a packet that has 6', '84000004'],
] as const)('garbled: %s', async ([message, reply]) => {
  expect(() => decodeBodyLength(Buffer.from(reply, 'hex'))).toThrow(message);
  expect(await outcomeOf(netbiosSession, { steps: [{ reply }] })).toBe('garbled');
});

test('a session that is granted and then leads nowhere', async () => {
  const granted = { reply: '82000000' };
  expect(await outcomeOf(netbiosSession, { steps: [granted, { reply: '48545450' }] })).toBe('garbled');
  expect(await outcomeOf(netbiosSession, { steps: [granted, { reply: '' }] })).toBe('timeout');
  const hangsUp = [granted, { reply: '', closes: true }];
  expect(await outcomeOf(netbiosSession, { steps: [...hangsUp, ...hangsUp] })).toBe('closed');
});

test.for(hostileReplies)('%s is no answer', async ([name, reply]) => {
  const isShort = ['nothing', 'one byte'].includes(name);
  expect(await outcomeOf(netbiosSession, { steps: [{ reply, closes: true }] })).toBe(isShort ? 'closed' : 'garbled');
});

test('any bytes give a response or a DecodeError', () => {
  expectBounded((bytes) => {
    const header = bytes.subarray(0, 4);
    return decodeResponse(header, bytes.subarray(4, 4 + decodeBodyLength(header)));
  }, recordings);
});
