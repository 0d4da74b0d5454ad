/** A peer's clock beside ours: what is told of the difference, and in which words. */
import { expect, test } from 'vitest';
import { clockOffsetMs, compareClocks } from '../../src/wire/clock.ts';
import { scriptedIo } from '../support/scripted-io.ts';

const limits = { warnBeyondMs: 300_000, noteBeyondMs: 5000 };

test.for([
  [4999, [], []],
  [-5600, [], ['5.6 s']],
  [119_000, [], ['119 s']],
  [300_001, ['5 min'], []],
  [-7_300_000, ['2 h'], []],
  [1e9, ['12 days'], []],
] as const)('%i ms apart', ([offsetMs, warnings, notes]) => {
  const io = scriptedIo({ steps: [] });
  compareClocks(io, offsetMs, limits, (by) => by);
  expect(io.warnings).toEqual(warnings);
  expect(io.notes).toEqual(notes);
});

test('an offset is whole milliseconds, and positive where their clock is ahead', () => {
  expect(clockOffsetMs(1_000_000.6, 999_999.9)).toBe(1);
  expect(clockOffsetMs(999_999.9, 1_000_000)).toBe(0);
});
