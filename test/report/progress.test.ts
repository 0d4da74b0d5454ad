/** The progress line: what it says, and that it stays in its line. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { progressLine } from '../../src/report/progress.ts';

test.for([
  [80, '[######..............] 120/400 checks  2 failed  0:12  about 0:28 left'],
  [120, '[######..............] 120/400 checks  2 failed  0:12  about 0:28 left  64 in flight'],
  [50, '[######..............] 120/400 checks  2 failed'],
  [16, '120/400 checks'],
  [8, '120/400…'],
  [0, ''],
] as const)('in %d columns', ([width, line]) => {
  expect(progressLine({ done: 120, total: 400, failing: 2, inFlight: 64 }, 12_000, width)).toBe(line.trimEnd());
});

test('an hour and more is told as such', () => {
  expect(progressLine({ done: 1, total: 2, failing: 0, inFlight: 1 }, 3_723_000, 80)).toContain('about 1:02:03 left');
});

test('it never is longer than its line', () => {
  const anything = fc.double({ noNaN: true });
  const progress = fc.record({ done: fc.nat(), total: fc.nat(), failing: fc.nat(), inFlight: fc.nat() });
  fc.assert(
    fc.property(progress, anything, fc.nat({ max: 200 }), (news, elapsedMs, width) => {
      expect(progressLine(news, elapsedMs, width).length).toBeLessThanOrEqual(width);
    }),
  );
});
