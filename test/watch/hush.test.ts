/** Maintenance holds back the telling, and nothing else. */
import { expect, test } from 'vitest';
import { hush } from '../../src/watch/hush.ts';
import type { Incident, News, NewsType, State } from '../../src/watch/incidents.ts';

const incident: Incident = {
  id: 'one',
  key: 'host:192.0.2.5',
  kind: 'host',
  text: 'silent',
  remedy: null,
  since: 0,
  rows: ['a'],
  everyRow: ['a'],
  isFlapping: false,
};
const open: State = { rows: {}, incidents: [incident] };
const over: State = { rows: {}, incidents: [] };
const news = (type: NewsType): News => ({
  type,
  incident: type === 'closed' ? { ...incident, rows: [] } : incident,
  rows: [],
});

interface Step {
  readonly state: State;
  readonly news?: NewsType;
  readonly quiet: boolean;
}

function told(...steps: readonly Step[]): string[] {
  let untold: readonly string[] = [];
  return steps.map((step) => {
    const observed = { state: step.state, news: step.news ? [news(step.news)] : [] };
    const hushed = hush(untold, observed, () => step.quiet);
    untold = hushed.untold;
    return hushed.told.map(({ type }) => type).join();
  });
}

test.for<[about: string, steps: Step[], told: string[]]>([
  [
    'outside of a window all is told',
    [
      { state: open, news: 'opened', quiet: false },
      { state: over, news: 'closed', quiet: false },
    ],
    ['opened', 'closed'],
  ],
  [
    'what ends within its window is never told',
    [
      { state: open, news: 'opened', quiet: true },
      { state: open, quiet: true },
      { state: over, news: 'closed', quiet: true },
    ],
    ['', '', ''],
  ],
  [
    'what is still open behind it is told then',
    [
      { state: open, news: 'opened', quiet: true },
      { state: open, quiet: false },
      { state: open, quiet: false },
    ],
    ['', 'opened', ''],
  ],
  [
    'what was told to be broken is told to be good again',
    [
      { state: open, news: 'opened', quiet: false },
      { state: open, news: 'changed', quiet: true },
      { state: over, news: 'closed', quiet: true },
    ],
    ['opened', '', 'closed'],
  ],
  [
    'what ends just behind its window was never told',
    [
      { state: open, news: 'opened', quiet: true },
      { state: over, news: 'closed', quiet: false },
    ],
    ['', ''],
  ],
])('%s', ([, steps, expected]) => {
  expect(told(...steps)).toEqual(expected);
});

test('an incident with one row outside of the window is told', () => {
  const both: News = { type: 'opened', incident: { ...incident, rows: ['a', 'b'] }, rows: [] };
  const hushed = hush([], { state: open, news: [both] }, (row) => row === 'a');
  expect(hushed.told).toEqual([both]);
});
