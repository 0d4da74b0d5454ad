/** Belief and incidents over runs: a table of what happens, and the rules that hold for any sequence of verdicts. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inDoubt, noState, observe, type News, type State } from '../../src/watch/incidents.ts';
import type { Seen, SeenCause, SeenRow } from '../../src/watch/seen.ts';

const runs = 3;
const stepMs = 20_000;

const host: SeenCause = { key: 'host:192.0.2.5', kind: 'host', text: '192.0.2.5 is silent', remedy: 'ask' };
const vantage: SeenCause = { key: 'vantage', kind: 'vantage', text: 'no route', remedy: null };
const resolver: SeenCause = { key: 'resolver', kind: 'resolver', text: 'no names', remedy: null };

/** `F`: fails by the host; `V`: by this vantage; `R`: by the resolver; `L`: nobody could try it; `.`: not looked at. */
type Letter = 'P' | 'F' | 'V' | 'R' | 'L' | 'W' | '.';

const rowOf = (id: string, letter: Letter): SeenRow[] => {
  const row = (verdict: SeenRow['verdict'], ...causes: string[]): SeenRow[] => [
    { id, verdict, because: letter, remedy: null, isConclusive: true, causes },
  ];
  switch (letter) {
    case 'P':
      return row('pass');
    case 'W':
      return row('warn');
    case 'F':
      return row('fail', host.key);
    case 'V':
      return row('fail', vantage.key);
    case 'R':
      return row('fail', resolver.key);
    case 'L':
      return [{ id, verdict: 'unverified', because: null, remedy: null, isConclusive: false, causes: [vantage.key] }];
    case '.':
      return [];
  }
};

interface Watched {
  readonly state: State;
  readonly told: readonly (News & { readonly at: number })[];
}

/** Each row's runs as a line of letters. */
function watched(lines: Readonly<Record<string, string>>, everyMs = stepMs, from: State = noState): Watched {
  let [state, next] = [from, 1];
  const told: (News & { at: number })[] = [];
  const length = Math.max(...Object.values(lines).map((line) => line.length));
  for (let i = 0; i < length; i += 1) {
    const at = 1_000_000 + i * everyMs;
    const rows = Object.entries(lines).flatMap(([id, line]) => rowOf(id, (line[i] ?? '.') as Letter));
    const seen: Seen = { at, rows, causes: [host, vantage, resolver] };
    const observed = observe(state, seen, { runs, newId: () => `incident-${(next += 1)}` });
    state = observed.state;
    for (const news of observed.news) told.push({ ...news, at });
  }
  return { state, told };
}

const brief = ({ told }: Watched): string[] =>
  told.map(({ type, incident, at }) =>
    `${(at - 1_000_000) / stepMs} ${type} ${incident.key} ${incident.rows.join('+')}`.trimEnd(),
  );

test.for<[about: string, lines: Record<string, string>, told: string[]]>([
  ['one bad run is no news', { a: 'PPFPP' }, []],
  ['two bad runs are none either', { a: 'PPFFPP' }, []],
  ['three open an incident', { a: 'PPFFF' }, ['4 opened host:192.0.2.5 a']],
  ['one good run does not close it', { a: 'FFFPF' }, ['2 opened host:192.0.2.5 a']],
  ['two do', { a: 'FFFPP' }, ['2 opened host:192.0.2.5 a', '4 closed host:192.0.2.5']],
  [
    'what nobody could try closes nothing',
    { a: 'FFFPLLPFF' },
    ['2 opened host:192.0.2.5 a', '6 closed host:192.0.2.5'],
  ],
  ['and is an incident of this vantage, not of the host', { a: 'PLLL' }, ['3 opened vantage a']],
  ['rows of one host are one incident', { a: 'PFFF', b: 'PFFF', c: 'PFFF' }, ['3 opened host:192.0.2.5 a+b+c']],
  ['who shows it twice is taken along when it opens', { a: 'FFF', b: 'PFF' }, ['2 opened host:192.0.2.5 a+b']],
  [
    'a row that joins later is a change',
    { a: 'FFFFFF', b: 'PPPFFF' },
    ['2 opened host:192.0.2.5 a', '5 changed host:192.0.2.5 a+b'],
  ],
  [
    'who recovers together leaves together',
    { a: 'FFFPPP', b: 'FFFFPP' },
    ['2 opened host:192.0.2.5 a+b', '5 closed host:192.0.2.5'],
  ],
  [
    'an own link that is down hides the host, and does not mend it',
    { a: 'FFFVVVVFFF' },
    ['2 opened host:192.0.2.5 a', '5 opened vantage a', '8 closed vantage'],
  ],
  ['a warning opens nothing', { a: 'PWWWWWW' }, []],
])('%s', ([, lines, told]) => {
  expect(brief(watched(lines))).toEqual(told);
});

test('it began with the first run that saw it', () => {
  const { told, state } = watched({ a: 'PPFFF' });
  expect([told[0]?.at, told[0]?.incident.since]).toEqual([1_000_000 + 4 * stepMs, 1_000_000 + 2 * stepMs]);
  expect(state.rows['a']?.since).toBe(1_000_000 + 2 * stepMs);
});

describe('flapping', () => {
  const flap = (times: number): string => 'FFFPP'.repeat(times);

  test('four changes in an hour are told once, and then it is silent', () => {
    const { told, state } = watched({ a: flap(12) });
    expect(told.map(({ type }) => type)).toEqual(['opened', 'closed', 'opened', 'flapping']);
    expect(state.incidents).toHaveLength(1);
    expect(state.rows['a']).toMatchObject({ isFlapping: true });
  });

  test('after an hour of rest its final state is told', () => {
    const { told } = watched({ a: `${flap(3)}${'P'.repeat(185)}` });
    expect(told.map(({ type }) => type)).toEqual(['opened', 'closed', 'opened', 'flapping', 'closed']);
    expect(told.at(-1)!.at - told.at(-2)!.at).toBeGreaterThanOrEqual(3_600_000);
  });

  test('what still fails after that hour stays open without another word', () => {
    const { told, state } = watched({ a: `${flap(2)}${'F'.repeat(190)}` });
    expect(told.map(({ type }) => type)).toEqual(['opened', 'closed', 'opened', 'flapping']);
    expect(state.incidents).toMatchObject([{ isFlapping: false, rows: ['a'] }]);
  });
});

describe('for any sequence of verdicts', () => {
  const letters = fc.constantFrom<Letter>('P', 'P', 'F', 'F', 'V', 'R', 'L', 'W', '.');
  const line = fc.array(letters, { maxLength: 120 }).map((all) => all.join(''));
  const lines = fc.record({ a: line, b: line, c: line });

  test('nothing is told that enough runs did not agree on', () => {
    fc.assert(
      fc.property(line, (one) => {
        const { told } = watched({ a: one });
        for (const { type, incident, at } of told) {
          if (type !== 'opened') continue;
          const upTo = one.slice(0, (at - 1_000_000) / stepMs + 1);
          const shows = incident.key === 'vantage' ? /[VL]/g : incident.key === 'resolver' ? /R/g : /F/g;
          expect(upTo.match(shows)?.length ?? 0).toBeGreaterThanOrEqual(runs);
        }
      }),
    );
  });

  test('an incident opens once and closes once, in this order, and is then over', () => {
    fc.assert(
      fc.property(lines, (all) => {
        const open = new Set<string>();
        const ever = new Set<string>();
        const { told, state } = watched(all);
        for (const { type, incident } of told) {
          if (type === 'closed') expect(open.delete(incident.id)).toBe(true);
          else if (type === 'opened' || !ever.has(incident.id)) {
            expect(ever.has(incident.id)).toBe(false);
            open.add(incident.id);
            ever.add(incident.id);
          } else expect(open.has(incident.id)).toBe(true);
        }
        expect(new Set(state.incidents.map(({ id }) => id))).toEqual(open);
        expect(new Set(state.incidents.map(({ key }) => key)).size).toBe(state.incidents.length);
        for (const { rows } of state.incidents) expect(rows.length).toBeGreaterThan(0);
      }),
    );
  });

  test('while it flaps a row is told of at most twice an hour', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('FFF', 'PP', 'FFFPP', 'PPFFF'), { minLength: 40, maxLength: 100 }),
        (parts) => {
          const { told } = watched({ a: parts.join('') });
          const first = told.findIndex(({ type }) => type === 'flapping');
          const later = first < 0 ? [] : told.slice(first);
          for (const { at } of later) {
            expect(later.filter((other) => other.at >= at && other.at < at + 3_600_000).length).toBeLessThanOrEqual(2);
          }
        },
      ),
    );
  });

  test('a process that goes on from what was kept tells the same', () => {
    fc.assert(
      fc.property(line, fc.nat(119), (one, cut) => {
        const whole = watched({ a: one });
        const before = watched({ a: one.slice(0, cut) });
        const kept = JSON.parse(JSON.stringify(before.state)) as State;
        const filler = '.'.repeat(Math.min(cut, one.length));
        const after = watched({ a: filler + one.slice(cut) }, stepMs, kept);
        expect(after.state.rows).toEqual(whole.state.rows);
        expect([...before.told, ...after.told].map(({ type, at }) => `${at} ${type}`)).toEqual(
          whole.told.map(({ type, at }) => `${at} ${type}`),
        );
      }),
    );
  });

  test('doubt ends: enough runs that agree leave none', () => {
    fc.assert(
      fc.property(lines, fc.constantFrom('P', 'F'), (all, last) => {
        const longest = Math.max(...Object.values(all).map((each) => each.length));
        const calm = Object.fromEntries(
          Object.entries(all).map(([id, each]) => [id, each.padEnd(longest, '.') + last.repeat(8)]),
        );
        expect([...inDoubt(watched(calm).state).keys()]).toEqual([]);
      }),
    );
  });
});
