/** When what is due: fixed rate, spread phases, never two at once, and no time made up. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { beatsOf, firstAt, phaseOf, Schedule, type Beat } from '../../src/watch/schedule.ts';
import { JumpWatch } from '../../src/watch/clock.ts';

const never = (): boolean => false;
const always = (): boolean => true;
const minute: Beat = { rows: ['iscsi'], everyMs: 60_000, phaseMs: 10_000 };
const five: Beat = { rows: ['ntp', 'dns'], everyMs: 300_000, phaseMs: 200_000 };

test('rows of one interval are one round; the first row gives the phase', () => {
  const beats = beatsOf(['ntp', 'iscsi', 'dns'], (row) => (row === 'iscsi' ? 60_000 : 300_000), 'site\nhost');
  expect(beats.map(({ rows, everyMs }) => [rows, everyMs])).toEqual([
    [['ntp', 'dns'], 300_000],
    [['iscsi'], 60_000],
  ]);
  expect(beats[0]!.phaseMs).toBe(phaseOf('site\nhost\nntp', 300_000));
});

test('a fleet is no herd: a thousand names spread over the interval', () => {
  const tenths = Array.from({ length: 1000 }, (_, i) =>
    Math.floor(phaseOf(`site-${i}\nhost-${i}\nntp`, 300_000) / 30_000),
  );
  const counts = Array.from({ length: 10 }, (_, tenth) => tenths.filter((each) => each === tenth).length);
  expect(Math.min(...counts)).toBeGreaterThan(60);
  expect(Math.max(...counts)).toBeLessThan(140);
});

test('the first moment of a phase is never in the past, and less than an interval ahead', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1000, max: 1e9 }), fc.nat(4e12), fc.nat(), (everyMs, from, hash) => {
      const at = firstAt({ everyMs, phaseMs: hash % everyMs }, from);
      expect(at).toBeGreaterThanOrEqual(from);
      expect(at).toBeLessThan(from + everyMs);
      expect(at % everyMs).toBe(hash % everyMs);
    }),
  );
});

test('what is not known is looked at at once, and then in its phase at a fixed rate', () => {
  const schedule = new Schedule([minute], 1_000_000_000, 0, never);
  expect(schedule.take(1_000_000_000, 0)).toEqual({ rows: ['iscsi'], isRecheck: false });
  const first = schedule.nextMs()!;
  expect((1_000_000_000 + first) % 60_000).toBe(10_000);
  expect(first).toBeGreaterThanOrEqual(30_000);
  // It came 400 ms late; the next one does not.
  expect(schedule.take(1_000_000_000 + first + 400, first + 400)).toMatchObject({ rows: ['iscsi'] });
  expect(schedule.nextMs()).toBe(first + 60_000);
});

test('what is fresh waits for its turn', () => {
  const schedule = new Schedule([minute], 1_000_000_000, 500, always);
  expect(schedule.take(1_000_000_000, 500)).toBeNull();
  expect((1_000_000_000 + schedule.nextMs()! - 500) % 60_000).toBe(10_000);
});

test('what fell due during a round comes once, and the rest is skipped and counted', () => {
  const schedule = new Schedule([minute, five], 0, 0, never);
  schedule.take(0, 0);
  const late = schedule.nextMs()! + 200_000;
  expect(schedule.take(late, late)?.rows).toContain('iscsi');
  expect(schedule.skipped).toBe(3);
  expect(schedule.nextMs()! - late).toBeLessThanOrEqual(60_000);
  expect(schedule.take(late, late)).toBeNull();
});

test('rows in doubt come before their turn, once', () => {
  const schedule = new Schedule([five], 0, 0, never);
  schedule.take(0, 0);
  schedule.again(['dns'], 20_000);
  schedule.again(['dns'], 25_000);
  expect(schedule.take(19_000, 19_000)).toBeNull();
  expect(schedule.take(20_000, 20_000)).toEqual({ rows: ['dns'], isRecheck: true });
  expect(schedule.take(26_000, 26_000)).toBeNull();
});

test('whatever the delays, every beat goes on at its rate and no round is made up', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(400_000), { maxLength: 60 }), (delays) => {
      const schedule = new Schedule([minute, five], 0, 0, never);
      let now = 0;
      let rounds = 0;
      for (const delay of delays) {
        now = Math.max(now, schedule.nextMs()!) + delay;
        rounds += schedule.take(now, now)?.rows.includes('iscsi') === true ? 1 : 0;
        expect(schedule.nextMs()).toBeGreaterThan(now);
      }
      expect(rounds).toBeLessThanOrEqual(2 + now / 60_000);
      expect(rounds + schedule.skipped).toBeGreaterThanOrEqual(Math.floor(now / 60_000) - 2);
    }),
  );
});

test.for<[about: string, wall: number, now: number, why: RegExp | null]>([
  ['the clocks go together', 5000, 5000, null],
  ['the wall clock drifts a little', 25_000, 5000, null],
  ['the machine slept', 605_000, 5000, /suspended.*600 s/],
  ['the clock was set back', -3_595_000, 5000, /set back by 3600 s/],
])('%s', ([, wall, now, why]) => {
  const jump = new JumpWatch(0, 0).look(wall, now);
  if (why === null) expect(jump).toBeNull();
  else expect(jump?.why).toMatch(why);
});
