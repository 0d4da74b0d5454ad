import { expect, test } from 'vitest';
import { pauseMs, shortageOf } from '../../src/run/shortage.ts';
import { seen } from '../support/builders.ts';

const full = { overflowedSince: (ms: number) => ms <= 500 };

test.for([
  ['an attempt that the system refused', undefined, /descriptors, ports or buffers/],
  ['silence while the neighbour table was full', { outcome: 'timeout' }, /neighbour table is full/],
  ['nobody on the link while it was full', { outcome: 'unreachable', hint: 'host-down' }, /neighbour table is full/],
  ['an answer', { outcome: 'answered' }, undefined],
  ['a refusal', { outcome: 'refused' }, undefined],
] as const)('%s', ([, parts, detail]) => {
  const shortage = shortageOf(parts && seen(parts), 500, full);
  if (detail) expect(shortage?.detail).toMatch(detail);
  else expect(shortage).toBeUndefined();
});

test('silence after the table was full is the target’s', () => {
  expect(shortageOf(seen({ outcome: 'timeout' }), 501, full)).toBeUndefined();
});

test('pauses double, and none is shorter than what can help', () => {
  const sockets = shortageOf(undefined, 0, full)!;
  const neighbours = shortageOf(seen({ outcome: 'timeout' }), 0, full)!;
  expect([0, 1, 7].map((putBacks) => pauseMs(sockets, putBacks))).toEqual([100, 200, 12_800]);
  expect([0, 5, 6].map((putBacks) => pauseMs(neighbours, putBacks))).toEqual([5000, 5000, 6400]);
});
