/** Which pair speaks for a port, and how fast its responder may be asked. */
import { expect, test, vi } from 'vitest';
import type { Pair } from '../../src/model/pair.ts';
import { Ends, payloadOf, turns, waysTo, type End } from '../../src/pair/ends.ts';

const lists = { udp: [], tcp: [] };
const endOf = (parts: Partial<Pair>): End => ({
  pair: {
    ...{ schema: 'xenreach.pair/1', key: 'k'.repeat(43), host: 'other', addresses: ['192.0.2.9'], roles: [] },
    ...{ until: '2026-11-25T12:00:00Z', bound: lists, held: lists },
    ...parts,
  },
  tag: () => new Uint8Array(16),
  nonce: new Uint8Array(16),
  ways: new Map(),
  isOurs: false,
  turn: () => Promise.resolve(),
});

test('a port is bound, held, or nobody’s; in whatever spelling the address comes', () => {
  const bound = endOf({ addresses: ['2001:DB8::9', '192.0.2.9'], bound: { udp: [514], tcp: [8892] } });
  const held = endOf({ held: { udp: [5405], tcp: [] } });
  const ends = new Ends([bound, held]);
  expect(ends.holding('2001:db8:0::9', 'udp', 514)).toEqual({ end: bound, as: 'bound' });
  expect(ends.holding('192.0.2.9', 'udp', 5405)).toEqual({ end: held, as: 'held' });
  expect(ends.holding('192.0.2.9', 'tcp', 514)).toBeUndefined();
  expect(ends.holding('192.0.2.8', 'udp', 514)).toBeUndefined();
  expect(ends.conflicts).toEqual([]);
});

test('of two for one port the one that ends later speaks, and both are told', () => {
  const older = endOf({ bound: { udp: [514], tcp: [] } });
  const newer = endOf({ bound: { udp: [514], tcp: [] }, until: '2026-11-25T12:30:00Z' });
  const ends = new Ends([older, newer]);
  expect(ends.holding('192.0.2.9', 'udp', 514)?.end).toBe(newer);
  expect(ends.conflicts).toEqual([
    'two pairs say that they hold udp 514 of 192.0.2.9: the one that ends later is believed',
  ]);
});

test('what worked carries the receipts; else whatever it holds is tried, TCP first, and not all of it', () => {
  const end = endOf({ bound: { udp: [514, 5404], tcp: [1, 2, 3, 4, 5, 6, 7] } });
  expect(waysTo(end, '192.0.2.9').map(({ transport, port }) => `${transport} ${port}`)).toEqual([
    ...['tcp 1', 'tcp 2', 'tcp 3', 'udp 514', 'udp 5404'],
  ]);
  const way = { transport: 'udp', port: 5404, source: '192.0.2.1' } as const;
  end.ways.set('192.0.2.9', [way]);
  expect(waysTo(end, '192.0.2.9')).toEqual([way]);
});

test('thirty questions go at once, and forty a second after that', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] });
  try {
    const turn = turns();
    let gone = 0;
    for (let i = 0; i < 100; i += 1) void turn().then(() => (gone += 1));
    await vi.advanceTimersByTimeAsync(1);
    expect(gone).toBe(30);
    await vi.advanceTimersByTimeAsync(1000);
    expect(gone).toBe(70);
    await vi.advanceTimersByTimeAsync(1000);
    expect(gone).toBe(100);
  } finally {
    vi.useRealTimers();
  }
});

test('a payload fills its packet', () => {
  expect([payloadOf(1500, '192.0.2.9'), payloadOf(1500, '2001:db8::9')]).toEqual([1472, 1452]);
});
