import * as fc from 'fast-check';
import * as v from 'valibot';
import { expect, test } from 'vitest';
import { decodeHeader, decodeReply, encodeRequest, ntp } from '../../probes/ntp.ts';
import { decodes, ending } from '../support/endings.ts';
import { scriptedIo } from '../support/scripted-io.ts';

const target = { host: 'peer.test', address: '192.0.2.1', port: 123, transport: 'udp' } as const;
const options = v.parse(ntp.options, {});
const cookie = 'ab'.repeat(8);
const era = 2 ** 32;
const toUnix = 2_208_988_800;

interface Fields {
  readonly first?: number;
  readonly stratum?: number;
  readonly reference?: string;
  readonly origin?: string;
  /** Milliseconds since 1970. */
  readonly receivedAt?: number;
  readonly sentAt?: number;
  readonly rootDelayMs?: number;
  readonly rootDispersionMs?: number;
}

/** A server's packet, in hex. */
function packet({
  first = 0x24,
  stratum = 2,
  reference = '0a000001',
  origin = cookie,
  receivedAt,
  sentAt,
  rootDelayMs = 0,
  rootDispersionMs = 0,
}: Fields): string {
  const bytes = Buffer.alloc(48);
  bytes[0] = first;
  bytes[1] = stratum;
  bytes.writeUInt32BE(Math.round((rootDelayMs / 1000) * 65_536), 4);
  bytes.writeUInt32BE(Math.round((rootDispersionMs / 1000) * 65_536), 8);
  bytes.write(reference, 12, 'hex');
  bytes.write(origin, 24, 'hex');
  for (const [at, ms] of [[32, receivedAt] as const, [40, sentAt] as const]) {
    if (ms === undefined) continue;
    const seconds = ms / 1000 + toUnix;
    bytes.writeUInt32BE(Math.floor(seconds) % era, at);
    bytes.writeUInt32BE(Math.floor((seconds % 1) * era), at + 4);
  }
  return bytes.toString('hex');
}

const january = Date.parse('2026-01-01T00:00:00Z');
const run = (reply: string, now = january) => {
  const io = scriptedIo({ steps: [{ reply }], now });
  return { io, end: ending(ntp.run(io, target, options)) };
};

test.for([
  ['before the era wraps', '2036-02-07T06:28:10Z'],
  ['across the wrap', '2036-02-07T06:28:16Z'],
  ['after it', '2036-03-01T00:00:00Z'],
  ['late in the next era', '2100-01-01T00:00:00Z'],
] as const)('the offset is right %s', async ([, time]) => {
  const now = Date.parse(time);
  const { io, end } = run(packet({ receivedAt: now + 100, sentAt: now + 100 }), now);
  expect(await end).toMatchObject({ outcome: 'answered', evidence: { offsetMs: expect.closeTo(99.5, 0) as number } });
  expect(io.warnings).toEqual([]);
});

test('a server in the next era and we in this one: the times are next to each other all the same', async () => {
  const now = Date.parse('2036-02-07T06:28:15.900Z');
  const { end } = run(packet({ receivedAt: now + 400, sentAt: now + 400 }), now);
  expect(await end).toMatchObject({ evidence: { offsetMs: expect.closeTo(399.5, 0) as number } });
});

test('clocks apart are a warning', async () => {
  const { io, end } = run(packet({ receivedAt: january + 7000, sentAt: january + 7000 }));
  expect(await end).toMatchObject({ outcome: 'answered' });
  expect(io.warnings).toEqual(["this machine's clock and the server's differ by 7.0 s: ours is behind"]);
  const ahead = run(packet({ receivedAt: january - 7000, sentAt: january - 7000 }));
  await ahead.end;
  expect(ahead.io.warnings).toEqual(["this machine's clock and the server's differ by 7.0 s: ours is ahead"]);
});

const now = { receivedAt: january, sentAt: january };

test.for([
  ['its own clock, 10.8 s', { stratum: 1, reference: '4c4f434c', rootDispersionMs: 10_800 }, 'declined', []],
  ['dispersion and half the delay', { rootDispersionMs: 2900, rootDelayMs: 400 }, 'declined', []],
  ['just beyond', { rootDispersionMs: 3001 }, 'declined', []],
  ['just within', { rootDispersionMs: 2999 }, 'answered', [/3\.0 s of true time only .* 1\.5 s/]],
  ['as far as ntpd goes', { rootDispersionMs: 1490 }, 'answered', []],
  ['near', { rootDispersionMs: 10, rootDelayMs: 40 }, 'answered', []],
] as const)('chrony takes no source beyond its maxdistance: %s', async ([, fields, outcome, warnings]) => {
  const { io, end } = run(packet({ ...now, ...fields }));
  const answer = await end;
  expect(answer).toMatchObject({ outcome });
  if (outcome === 'declined') expect(answer.detail).toMatch(/root distance.*chrony takes none beyond 3\.0 s/);
  expect(io.warnings).toEqual(warnings.map((text) => expect.stringMatching(text) as string));
});

test.for(['4c4f434c', '7f7f0101'])('a clock that nobody sets (%s) is taken, and told', async (reference) => {
  const { io, end } = run(packet({ ...now, stratum: reference === '4c4f434c' ? 1 : 8, reference }));
  expect(await end).toMatchObject({ outcome: 'answered' });
  expect(io.warnings).toEqual([]);
  expect(io.notes).toEqual([expect.stringContaining('follows no other clock than its own') as string]);
});

test.for([
  ['a version that does not exist', packet({ first: 0x3c }), 'garbled'],
  ['another server mode', packet({ first: 0x25 }), 'garbled'],
  ['our own packet, echoed', `23${'00'.repeat(39)}${cookie}`, 'garbled'],
  ['a reply to somebody else', packet({ origin: '0102030405060708' }), 'timeout'],
  ['a reply that echoes nothing', packet({ origin: '0000000000000000' }), 'timeout'],
  ['no transmit timestamp', packet({ receivedAt: january }), 'garbled'],
  ['no receive timestamp', packet({ sentAt: january }), 'garbled'],
  ['a packet cut short', packet({}).slice(0, 94), 'garbled'],
  [
    'a page of HTML',
    Buffer.from('<html><body>blocked by the firewall of the day</body></html>').toString('hex'),
    'garbled',
  ],
  ['silence', '', 'timeout'],
  ['stratum 16', packet({ stratum: 16 }), 'declined'],
  ['the alarm bit', packet({ first: 0xe4 }), 'declined'],
  ['DENY', packet({ stratum: 0, reference: '44454e59' }), 'declined'],
  ['STEP, which is no kiss', packet({ first: 0xe4, stratum: 0, reference: '53544550' }), 'declined'],
  ['a kiss code of control characters', packet({ stratum: 0, reference: '01020304' }), 'declined'],
] as const)('%s is %s', async ([, reply, outcome]) => {
  expect(await run(reply).end).toMatchObject({ outcome });
});

test('a stratum worse than asked for is declined', async () => {
  const io = scriptedIo({
    steps: [{ reply: packet({ stratum: 12, receivedAt: january, sentAt: january }) }],
    now: january,
  });
  const answer = await ntp.run(io, target, v.parse(ntp.options, { maxStratum: 10 }));
  expect(answer).toMatchObject({ outcome: 'declined', detail: 'stratum 12 is worse than the 10 asked for' });
});

test('the request is 48 bytes with our cookie in the transmit timestamp', () => {
  const bytes = encodeRequest(Uint8Array.from(Buffer.from(cookie, 'hex')));
  expect(Buffer.from(bytes).toString('hex')).toBe(`23${'00'.repeat(39)}${cookie}`);
});

test('any bytes are a header or not one', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 96 }), async (bytes) => {
      expect(await decodes(() => decodeHeader(bytes))).toBe(bytes.length >= 48);
      await decodes(() => decodeReply(bytes));
      await run(Buffer.from(bytes).toString('hex')).end;
    }),
  );
});
