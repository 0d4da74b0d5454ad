/** Observations to the verdict of a row: names with several addresses, roles where one is enough, advice, silence. */
import { describe, expect, test } from 'vitest';
import { HostSigns } from '../../src/judge/host-signs.ts';
import { judgeRow, reportId } from '../../src/judge/judge.ts';
import { layerOf } from '../../src/judge/explain.ts';
import { hints, outcomes, stages } from '../../src/model/outcome.ts';
import type { Skip } from '../../src/model/plan.ts';
import { modes } from '../../src/model/verdict.ts';
import { checkedOf, checkOf, requirementOf, rowOf, seen, usual } from '../support/builders.ts';

const noNews = new HostSigns();
const refused = seen({
  outcome: 'refused',
  stage: 'connect',
  detail: 'nothing listens there (refused)',
});
const silence = seen({ outcome: 'timeout', stage: 'exchange', detail: 'no answer to 3 datagrams in 5 s' });

test('one check that answers passes its row, in its own words', () => {
  const check = checkOf();
  const row = judgeRow(rowOf([check]), [checkedOf(check, seen({ detail: 'stratum 2' }))], 'service', noNews);
  expect(row).toMatchObject({ verdict: 'pass', because: 'stratum 2', remedy: null, skip: null });
  expect(row.checks).toEqual([check.id]);
});

test('the worst check makes the row: fail, unverified, warn, pass', () => {
  const [good, bad, mute] = [checkOf(), checkOf({ port: 124 }), checkOf({ port: 125, transport: 'udp' })];
  const row = rowOf([good, bad, mute]);
  const over = (...checked: Parameters<typeof judgeRow>[1]): string | null =>
    judgeRow(row, checked, 'service', noNews).verdict;
  expect(over(checkedOf(good, seen()), checkedOf(bad, refused), checkedOf(mute, silence))).toBe('fail');
  expect(over(checkedOf(good, seen()), checkedOf(mute, silence))).toBe('unverified');
  expect(over(checkedOf(good, seen({ warnings: ['!'] })), checkedOf(mute, silence))).toBe('unverified');
  expect(over(checkedOf(good, seen({ warnings: ['!'] })), checkedOf(bad, seen()))).toBe('warn');
});

test('the same observations are judged by the mode', () => {
  const check = checkOf();
  const judged = modes.map((mode) => judgeRow(rowOf([check]), [checkedOf(check, refused)], mode, noNews));
  expect(judged.map(({ verdict }) => verdict)).toEqual(['fail', 'pass']);
  expect(judged[0]?.because).toBe('service: 192.0.2.5:123/tcp: nothing listens there (refused)');
  expect(judged[1]?.because).toMatch(/the way is open \(refused\)/);
});

describe('a named host', () => {
  const check = checkOf({ host: 'time.example.test' });
  const at = (address: string, parts = {}): ReturnType<typeof seen> => seen({ address, ...parts });
  const dead = { outcome: 'timeout', stage: 'connect', detail: 'nothing came back in 5 s' } as const;

  test('passes when all of its addresses answer', () => {
    const row = judgeRow(rowOf([check]), [checkedOf(check, at('192.0.2.5'), at('2001:db8::5'))], 'service', noNews);
    expect(row).toMatchObject({ verdict: 'pass', remedy: null });
    expect(row.checks).toEqual([`${check.id}@192.0.2.5`, `${check.id}@2001:db8::5`]);
  });

  test('warns of its dead addresses when one works', () => {
    const checked = checkedOf(check, at('192.0.2.5'), at('2001:db8::5', dead));
    const row = judgeRow(rowOf([check]), [checked], 'service', noNews);
    expect(row).toMatchObject({ verdict: 'warn' });
    expect(row.because).toMatch(/^firewall: time\.example\.test \(2001:db8::5\):123\/tcp does not work while another/);
    expect(row.remedy).toMatch(/firewall team/);
  });

  test('fails when none of them works', () => {
    const checked = checkedOf(check, at('192.0.2.5', dead), at('2001:db8::5', dead));
    expect(judgeRow(rowOf([check]), [checked], 'service', noNews).verdict).toBe('fail');
  });

  test('must be shut on all of them where it should be shut', () => {
    const shut = checkOf({ host: 'time.example.test', uses: [{ ...usual, expect: 'shut' }] });
    const checked = checkedOf(shut, at('192.0.2.5', dead), at('192.0.2.6'));
    const row = judgeRow(rowOf([shut]), [checked], 'service', noNews);
    expect(row.verdict).toBe('fail');
    expect(row.because).toMatch(/is open and should be shut/);
    expect(row.remedy).toBe('Close TCP 123 on 192.0.2.6.');
  });
});

describe('a role where any is enough', () => {
  const [first, second] = [checkOf({ host: '192.0.2.5' }), checkOf({ host: '192.0.2.6' })];
  const row = rowOf([first, second], { require: 'any' });

  test('passes with one good host, and tells of the others', () => {
    const bad = seen({ ...refused, address: '192.0.2.6', detail: 'nothing listens there (refused)' });
    const judged = judgeRow(row, [checkedOf(first, seen()), checkedOf(second, bad)], 'service', noNews);
    expect(judged.verdict).toBe('pass');
    expect([judged.because, ...judged.notes].join('\n')).toMatch(/192\.0\.2\.6:123\/tcp.*refused/s);
  });

  test('fails when every host fails', () => {
    const judged = judgeRow(row, [checkedOf(first, refused), checkedOf(second, refused)], 'service', noNews);
    expect(judged.verdict).toBe('fail');
  });

  test('wants all needs of the good host to hold', () => {
    const other = checkOf({ host: '192.0.2.5', port: 124 });
    const checked = [checkedOf(first, seen()), checkedOf(other, refused), checkedOf(second, refused)];
    expect(judgeRow(row, checked, 'service', noNews).verdict).toBe('fail');
  });
});

describe('an advisory need', () => {
  const main = checkOf({ probe: 'ntp', transport: 'udp' });
  const advice = checkOf({ uses: [{ ...usual, level: 'advisory', note: 'NTP has no TCP.' }] });

  test.for([...outcomes])('that ends in %s never makes its row worse', (outcome) => {
    const checked = [
      checkedOf(main, seen()),
      checkedOf(advice, seen({ outcome, stage: 'connect', detail: 'so it was' })),
    ];
    const row = judgeRow(rowOf([main, advice]), checked, 'service', noNews);
    expect(row).toMatchObject({ verdict: 'pass', remedy: null });
    expect(row.notes).toEqual([
      outcome === 'answered'
        ? 'TCP 123, which is advisory, answers'
        : 'TCP 123 is advisory and may be ignored (so it was): NTP has no TCP.',
    ]);
  });

  test('does not turn its row to a warning with a warning of its own', () => {
    const checked = [checkedOf(main, seen()), checkedOf(advice, seen({ warnings: ['slow'] }))];
    const row = judgeRow(rowOf([main, advice]), checked, 'service', noNews);
    expect(row.verdict).toBe('pass');
    expect(row.notes.join('\n')).toContain('slow');
  });

  test('alone leaves its row at pass', () => {
    expect(judgeRow(rowOf([advice]), [checkedOf(advice, refused)], 'service', noNews).verdict).toBe('pass');
  });

  test('leaves the failure of its row with the need that failed', () => {
    const checked = [checkedOf(main, silence), checkedOf(advice, refused)];
    expect(judgeRow(rowOf([main, advice]), checked, 'service', noNews)).toMatchObject({ verdict: 'unverified' });
  });
});

describe('silence on UDP', () => {
  const check = checkOf({ transport: 'udp', probe: 'syslog', port: 514 });

  test('is unverified, and says that it proves nothing', () => {
    const row = judgeRow(rowOf([check]), [checkedOf(check, silence)], 'service', noNews);
    expect(row.verdict).toBe('unverified');
    expect(row.because).toMatch(/^silence on UDP proves nothing: .*no answer to 3 datagrams in 5 s$/);
    expect(row.remedy).toMatch(/^Allow UDP 514 from this machine/);
  });

  test('tells what other checks learned about the host', () => {
    const news = new HostSigns();
    news.add(checkOf(), seen());
    const row = judgeRow(rowOf([check]), [checkedOf(check, silence)], 'service', news);
    expect(row.because).toMatch(/; the host is alive: it answers on other ports$/);
  });
});

test.for<Skip>([
  { reason: 'other-vantage', because: 'it starts elsewhere', remedy: 'run it there' },
  { reason: 'role-is-empty', because: 'no host', remedy: 'add one' },
  { reason: 'not-applicable', because: 'the fact says so', remedy: null },
  { reason: 'not-selected', because: 'it was not asked for', remedy: null },
])('a row that is skipped for $reason says so', (skip) => {
  const row = judgeRow(rowOf([], { skip }), [], 'service', noNews);
  const { because, remedy } = skip;
  expect(row).toMatchObject({ verdict: 'skipped', skip: skip.reason, because, remedy, checks: [] });
});

test('a row whose every host is this machine itself is not applicable', () => {
  const check = checkOf({ host: 'xs1.example.test' });
  const row = judgeRow(rowOf([check]), [checkedOf(check)], 'service', noNews);
  expect(row).toMatchObject({ verdict: 'skipped', skip: 'not-applicable', checks: [] });
  expect(row.notes).toEqual(['xs1.example.test is this machine itself and was left out']);
});

test('warnings are told as notes, and the first one as the reason', () => {
  const check = checkOf();
  const warned = seen({ warnings: ['the certificate expires in 9 days'], notes: ['2 datagrams were needed'] });
  const row = judgeRow(
    rowOf([check], { notes: ['a note of the plan'] }),
    [checkedOf(check, warned)],
    'service',
    noNews,
  );
  expect(row).toMatchObject({ verdict: 'warn' });
  expect(row.because).toMatch(/the certificate expires in 9 days/);
  expect(row.notes.join('\n')).toMatch(/a note of the plan\n.*2 datagrams were needed/s);
});

test('the row says what it is, whatever became of it', () => {
  const check = checkOf();
  const requirement = requirementOf({ id: 'ntp', section: 'ports', purpose: 'time' });
  const row = judgeRow(rowOf([check], { requirement }), [checkedOf(check, seen())], 'service', noNews);
  const { from, to } = requirement;
  expect(row).toMatchObject({ id: 'ntp', section: 'ports', from, to, purpose: 'time', ports: '123' });
});

test('a failure names its layer first, whatever the outcome, the stage and the hint', () => {
  for (const outcome of outcomes) {
    for (const stage of [null, ...stages]) {
      for (const hint of [null, ...hints]) {
        const check = checkOf();
        const observation = seen({ outcome, stage, hint });
        const row = judgeRow(rowOf([check]), [checkedOf(check, observation)], 'service', noNews);
        expect(row.because).toMatch(/./);
        if (row.verdict === 'pass') continue;
        expect(row.because?.startsWith(`${layerOf(observation)}: `)).toBe(true);
        expect(row.remedy).toMatch(/./);
      }
    }
  }
});

test('a check of another row is a defect, not a verdict', () => {
  const check = checkOf({ uses: [{ ...usual, row: 'dns' }] });
  expect(() => judgeRow(rowOf([check]), [checkedOf(check, seen())], 'service', noNews)).toThrow(RangeError);
});

test('an address of a name is told in the id, what the site gave as an address is not', () => {
  expect(reportId(checkOf(), seen())).toBe('tcp/192.0.2.5:123/tcp');
  const named = checkOf({ host: 'a.example.test' });
  expect(reportId(named, seen({ address: '192.0.2.9' }))).toBe('tcp/a.example.test:123/tcp@192.0.2.9');
  expect(reportId(named, seen({ address: null }))).toBe('tcp/a.example.test:123/tcp');
  expect(reportId({ ...named, viaProxy: true }, seen({ address: '192.0.2.9' }))).toBe('tcp/a.example.test:123/tcp');
});
