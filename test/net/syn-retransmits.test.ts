/** When a late connection is the network's fault: the kernel counts the SYNs that it sends again. */
import { expect, test } from 'vitest';
import { SynRetransmits } from '../../src/net/syn-retransmits.ts';

function counting(): { readonly syns: SynRetransmits; readonly add: (count: number) => void } {
  let total = 40;
  return { syns: new SynRetransmits(() => total), add: (count) => void (total += count) };
}

test('a connection that was late while the kernel sent SYNs again tells how many', () => {
  const { syns, add } = counting();
  syns.begin(1000);
  add(1);
  expect(syns.noteFor(1000, 1040)).toBe('answered after 1.0 s and 1 SYN retransmit');
});

test('one that was late by our own doing tells nothing', () => {
  const { syns } = counting();
  syns.begin(1000);
  expect(syns.noteFor(1000, 6000)).toBeUndefined();
});

test('what was counted before it began is not its own', () => {
  const { syns, add } = counting();
  syns.begin(1000);
  add(3);
  syns.begin(2500);
  expect(syns.noteFor(2500, 3000)).toBeUndefined();
  add(7);
  expect(syns.noteFor(2500, 1500)).toBe('answered after 1.5 s and 1 SYN retransmit');
});

test('a quick one is not looked at', () => {
  const { syns, add } = counting();
  syns.begin(0);
  add(5);
  expect(syns.noteFor(0, 900)).toBeUndefined();
});

test('the machine has such a count, or none', () => {
  expect(new SynRetransmits().noteFor(0, 2000)).toBeUndefined();
});
