import { describe, expect, test } from 'vitest';
import { decodeReply, kerberos, kerberosTcp } from '../../probes/kerberos.ts';
import { expectBounded, hostileReplies, outcomeOf, recordedReplies } from '../support/strange-bytes.ts';
import { scriptedIo } from '../support/scripted-io.ts';

const udp = recordedReplies('kerberos');
const tcp = recordedReplies('kerberos-tcp');
const options = { realm: 'MIT.LAB', maxSkewMs: 1e15 };
const target = { host: 'kdc.test', address: '192.0.2.1', port: 88, transport: 'udp' } as const;

const mit = Buffer.from(udp.find((bytes) => Buffer.from(bytes).includes('MIT.LAB'))!).toString('hex');
const withCode = (code: number): string => mit.replace('a603020106', `a6030201${code.toString(16).padStart(2, '0')}`);

describe('over UDP', () => {
  test('a realm is asked for in capitals', async () => {
    const io = scriptedIo({ steps: [{ reply: mit }] });
    await kerberos.run(io, target, { ...options, realm: 'mit.lab' });
    expect(Buffer.from(io.sent[0]!, 'hex').includes('MIT.LAB')).toBe(true);
  });

  test('a KDC that has another realm declines, and names it', async () => {
    // crealm is where the client is to go.
    const reply = withCode(68).replace('a7091b074d49542e4c4142', 'a7091b074144312e4c4142');
    const io = scriptedIo({ steps: [{ reply }] });
    expect(await kerberos.run(io, target, options)).toMatchObject({
      outcome: 'declined',
      detail: 'not a KDC for MIT.LAB, it names AD1.LAB',
    });
    expect(await outcomeOf(kerberos, { steps: [{ reply }] })).toBe('answered');
  });

  test('a KDC that sends others away serves the realm for which it does not', async () => {
    const io = scriptedIo({ steps: [{ reply: mit }, { reply: withCode(68) }] });
    expect(await kerberos.run(io, target, options)).toMatchObject({ outcome: 'answered' });
    expect(io.warnings).toEqual([]);
    // Nobody who tells the realms apart is asked for krbtgt.
    expect(io.sent).toHaveLength(2);
    expect(Buffer.from(io.sent[1]!, 'hex').includes('XENREACH.INVALID')).toBe(true);
  });

  test.for(['dot.lab.', 'DOT.LAB'])('a realm may be written as %s', async (realm) => {
    const io = scriptedIo({ steps: [] });
    await kerberos.run(io, target, { ...options, realm }).catch(() => undefined);
    expect(Buffer.from(io.sent[0]!, 'hex').includes('DOT.LAB.')).toBe(false);
    expect(Buffer.from(io.sent[0]!, 'hex').includes('DOT.LAB')).toBe(true);
  });

  test('a KDC that wants TCP is there, and a note says what it wants', async () => {
    const io = scriptedIo({ steps: [{ reply: withCode(52) }] });
    expect(await kerberos.run(io, target, options)).toMatchObject({ outcome: 'answered' });
    expect(io.notes).toEqual(['the KDC has more to say than fits a datagram and asks for TCP']);
  });

  test('a KDC without its service is a warning', async () => {
    const io = scriptedIo({ steps: [{ reply: withCode(29) }] });
    expect(await kerberos.run(io, target, options)).toMatchObject({ outcome: 'answered' });
    expect(io.warnings).toEqual(['the KDC answers but calls its service unavailable']);
  });

  test('a smaller difference than Kerberos minds is a warning on request', async () => {
    const now = Date.UTC(2026, 10, 23, 19, 51, 26);
    const io = scriptedIo({ now, steps: [{ reply: mit }] });
    await kerberos.run(io, target, { realm: 'MIT.LAB', maxSkewMs: 1000 });
    expect(io.warnings).toEqual([
      "the KDC's clock is 30 s behind this machine's: Kerberos refuses logons from 5 min on, set both by NTP",
      'whether it serves MIT.LAB cannot be told, it gives back any realm that it is asked for (nothing came)',
    ]);
  });

  test('another version of Kerberos is garbled', async () => {
    const reply = mit.replace('a003020105', 'a003020104');
    expect(await outcomeOf(kerberos, { steps: [{ reply }] }, options)).toBe('garbled');
  });

  test.for(hostileReplies)('%s is no answer', async ([, reply]) => {
    expect(await outcomeOf(kerberos, { steps: [{ reply }] })).toBe(reply === '' ? 'timeout' : 'garbled');
  });
});

describe('over TCP', () => {
  test('an answer for another realm is garbled: nobody else can have sent it', async () => {
    const reply = Buffer.from(tcp.find((bytes) => Buffer.from(bytes).includes('AD.LAB'))!).toString('hex');
    expect(await outcomeOf(kerberosTcp, { steps: [{ reply }] }, options)).toBe('garbled');
  });

  test('a KDC that closes without a word', async () => {
    expect(await outcomeOf(kerberosTcp, { steps: [{ reply: '', closes: true }] })).toBe('closed');
  });

  test.for(hostileReplies)('%s is no answer', async ([name, reply]) => {
    const isShort = ['nothing', 'one byte'].includes(name);
    expect(await outcomeOf(kerberosTcp, { steps: [{ reply, closes: true }] })).toBe(isShort ? 'closed' : 'garbled');
  });

  test('an answer cut anywhere is closed', async () => {
    const whole = Buffer.from(tcp[0]!);
    for (let length = 0; length < whole.length; length++) {
      const reply = whole.toString('hex', 0, length);
      // One after the other is the point.
      expect(await outcomeOf(kerberosTcp, { steps: [{ reply, closes: true }] })).toBe('closed');
    }
  });
});

test.for(['20260231120000Z', '20261301120000Z', '20260101250000Z', '20260101120000z', ''])('%j is no time', (time) => {
  const bytes = Buffer.from(mit, 'hex');
  bytes.write(time.padEnd(15), bytes.indexOf('2026'), 'latin1');
  expect(() => decodeReply(bytes)).toThrow(/is no time/);
});

test('any bytes give a reply or a DecodeError', () => {
  expectBounded(decodeReply, [...udp, ...tcp.map((bytes) => bytes.subarray(4))]);
});
