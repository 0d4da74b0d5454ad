import { expect, test } from 'vitest';
import { Deadlines } from '../../src/net/deadlines.ts';
import { Neighbours, tableFulls } from '../../src/net/neighbours.ts';
import { counter } from '../../src/net/proc.ts';

test('neighbours without a place are counted over all processors', () => {
  const text = 'entries  allocs table_fulls\n00000002 000001dd 0000000a\n00000002 00000185 00000100\n';
  expect(tableFulls(text)).toBe(266);
  expect(tableFulls('')).toBe(0);
});

test('a counter of the system is found by its name', () => {
  const text =
    'TcpExt: SyncookiesSent TCPRetransFail TCPSynRetrans\nTcpExt: 1 8931 8932\nIpExt: InNoRoutes\nIpExt: 0\n';
  expect(counter(text, 'TcpExt', 'TCPRetransFail')).toBe(8931);
  expect(counter(text, 'TcpExt', 'TCPFastRetrans')).toBe(0);
  expect(counter('', 'Udp', 'SndbufErrors')).toBe(0);
});

test('an overflow is remembered for what was under way', async () => {
  let count = 5;
  const deadlines = new Deadlines();
  const neighbours = new Neighbours(deadlines, () => count);
  const began = performance.now();
  await new Promise((resolve) => setTimeout(resolve, 110));
  expect(neighbours.overflowedSince(began)).toBe(false);
  count = 6;
  await new Promise((resolve) => setTimeout(resolve, 110));
  expect(neighbours.overflowedSince(began)).toBe(true);
  expect(neighbours.overflowedSince(performance.now() + 1)).toBe(false);
  deadlines.clear();
});
