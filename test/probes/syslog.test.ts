import { expect, test } from 'vitest';
import { encodeMessage, syslog } from '../../probes/syslog.ts';
import { hostileReplies, outcomeOf } from '../support/strange-bytes.ts';
import { scriptedIo } from '../support/scripted-io.ts';

const target = { host: 'log.test', address: '192.0.2.5', port: 514, transport: 'udp' } as const;
const noon = Date.UTC(2026, 0, 2, 12);

test('silence is all there is to hear: an empty datagram and no answer', async () => {
  const io = scriptedIo({ steps: [{ send: '', reply: '' }] });
  await expect(syslog.run(io, target, { message: false })).rejects.toMatchObject({ failure: { outcome: 'timeout' } });
  expect(io.sent).toEqual(['']);
  expect(io.notes).toEqual([]);
});

test('on request a marked message, and a note that says what to look for', async () => {
  const io = scriptedIo({ steps: [], random: ['0badcafe'], now: noon });
  await expect(syslog.run(io, target, { message: true })).rejects.toMatchObject({ failure: { outcome: 'timeout' } });
  const line = '<46>1 2026-01-02T12:00:00.000Z - xenreach - - - connectivity probe 0badcafe';
  expect(io.sent).toEqual([Buffer.from(line).toString('hex')]);
  expect(io.notes).toEqual(['look for "connectivity probe 0badcafe" at the collector']);
});

test('a message is one line of RFC 5424', () => {
  const line = Buffer.from(encodeMessage(noon, 'x')).toString();
  expect(line).toMatch(/^<46>1 \S+ \S+ \S+ - - - [ -~]+$/);
});

test.for(hostileReplies.filter(([name]) => name !== 'nothing'))(
  '%s cannot come from a collector',
  async ([, reply]) => {
    expect(await outcomeOf(syslog, { steps: [{ reply }] })).toBe('garbled');
  },
);
