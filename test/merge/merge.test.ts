/** Reports of several vantages as one: who is believed of which row, who is missing, and that no order matters. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mergeReports } from '../../src/merge/merge.ts';
import { parseReport as readBack } from '../../src/load/report.ts';
import { UsageError } from '../../src/model/errors.ts';
import type { Report, ReportRow } from '../../src/model/report.ts';
import { anyParts, dayMs, inputOf, merged, now, reportOf, type ReportParts } from './reports.ts';

const row = (report: Report, id: string): ReportRow => report.rows.find((each) => each.id === id)!;
const vantages = (report: Report): string[] => report.merged!.map(({ vantage }) => vantage);
const second: ReportParts = { hostname: 'xs2', addresses: ['10.0.0.2'] };

describe('a join: neither order nor repetition nor grouping changes a byte', () => {
  /** Reports that say nothing of any row cannot be merged alone: another makes sure that something is said. */
  const anyReports = fc
    .array(anyParts, { minLength: 1, maxLength: 5 })
    .map((parts) => parts.map(reportOf).concat(reportOf({ hostname: 'sure' })));
  const text = (reports: readonly Report[]): string => JSON.stringify(merged(reports));
  /** As a file that is written and read again. */
  const stored = (report: Report): Report => readBack(JSON.stringify(report), 'merged.json');

  test('permutation', () => {
    const shuffled = anyReports.chain((reports) =>
      fc.tuple(fc.constant(reports), fc.shuffledSubarray(reports, { minLength: reports.length })),
    );
    fc.assert(
      fc.property(shuffled, ([reports, other]) => {
        expect(text(other)).toBe(text(reports));
      }),
    );
  });

  test('repetition', () => {
    fc.assert(
      fc.property(anyReports, (reports) => {
        expect(text([...reports, ...reports])).toBe(text(reports));
      }),
    );
  });

  test('grouping: a merge of merges is the merge of all', () => {
    fc.assert(
      fc.property(anyReports, fc.nat(), fc.nat(), (reports, at, from) => {
        const sure = reportOf({ hostname: 'sure' });
        const cut = at % (reports.length + 1);
        const again = from % (reports.length + 1);
        const groups = [reports.slice(0, cut), reports.slice(cut), reports.slice(again)];
        const merges = groups.map((group) => stored(merged([sure, ...group])));
        expect(text(merges)).toBe(text([sure, ...reports]));
        expect(text([stored(merged(merges.slice(1))), merges[0]!])).toBe(text([sure, ...reports]));
      }),
    );
  });

  test('a merged report alone stays what it is', () => {
    fc.assert(
      fc.property(anyReports, (reports) => {
        const once = merged(reports);
        expect(text([stored(once)])).toBe(JSON.stringify(once));
      }),
    );
  });

  test('names of vantages are each of one run, and lead every check', () => {
    fc.assert(
      fc.property(anyReports, (reports) => {
        const report = merged(reports);
        const names = vantages(report);
        expect(new Set(names).size).toBe(names.length);
        expect(new Set(report.checks.map(({ id }) => id)).size).toBe(report.checks.length);
        for (const { id } of report.checks) expect(names).toContain(id.slice(0, id.indexOf('>')));
      }),
    );
  });
});

describe('a row is judged by the sources that could check it', () => {
  test('each role by its own vantage, and no row is left to another', () => {
    const report = merged([
      reportOf(),
      reportOf({ hostname: 'pc', addresses: ['10.0.0.7'], roles: ['xencenter'] }),
      reportOf({ hostname: 'wlb', addresses: ['10.0.0.8'], roles: ['wlb-appliance'] }),
    ]);
    expect(report.rows.map(({ id, verdict }) => `${id} ${verdict}`)).toEqual([
      'ntp pass',
      'pool-management pass',
      'xencenter-ssh pass',
      'wlb-metrics pass',
    ]);
    expect(row(report, 'xencenter-ssh')).toMatchObject({
      sources: [{ vantage: 'pc', verdict: 'pass' }],
      coverage: { have: 1, of: 1, missing: [] },
      checks: ['pc>tcp/10.0.0.1:22/xencenter-ssh'],
    });
    expect(report).toMatchObject({ complete: true, exitCode: 0, summary: { verdict: 'pass', skipped: 0, checks: 4 } });
  });

  test('the worst over the hosts of its role, and who that is', () => {
    const bad = reportOf({ ...second, rows: { ntp: { verdict: 'fail', because: 'no reply here' } } });
    const report = merged([reportOf(), bad]);
    expect(row(report, 'ntp')).toMatchObject({
      verdict: 'fail',
      because: '1 of 2, xs2: no reply here',
      remedy: 'Mend ntp on xs2.',
      coverage: { have: 2, of: 2, missing: [] },
      sources: [
        { vantage: 'xs1', verdict: 'pass' },
        { vantage: 'xs2', verdict: 'fail' },
      ],
    });
    expect(report.exitCode).toBe(1);
  });

  test('where all are told to do the same, it is said once, of all of them', () => {
    const failing = { ntp: { verdict: 'fail' } } as const;
    const report = merged([reportOf({ rows: failing }), reportOf({ ...second, rows: failing })]);
    expect(row(report, 'ntp')).toMatchObject({
      because: 'all 2: it is fail',
      remedy: 'Mend ntp on xs1, xs2.',
    });
    expect(report.causes).toMatchObject([
      { kind: 'row', checks: ['xs1>tcp/10.0.0.5:22/ntp', 'xs2>tcp/10.0.0.5:22/ntp'] },
    ]);
  });

  test('a rule that several rows want is asked for every machine that misses it', () => {
    const failing = { ntp: { verdict: 'fail', hosts: ['10.0.0.9'] } } as const;
    const shared = { ...failing, 'pool-management': { verdict: 'fail', hosts: ['10.0.0.9'] } } as const;
    const report = merged([reportOf({ rows: shared }), reportOf({ ...second, rows: shared })]);
    expect(report.causes).toMatchObject([
      {
        kind: 'host',
        rows: ['ntp', 'pool-management'],
        remedy: 'Ask the firewall team to allow TCP 22 from xs1, xs2 to 10.0.0.9, and the answers back.',
      },
    ]);
  });

  test('what the site is like is known from any of them', () => {
    const without = { skip: 'not-applicable', because: 'the site says it is not used' } as const;
    const report = merged([reportOf({ rows: { 'wlb-metrics': without } })]);
    expect(row(report, 'wlb-metrics')).toMatchObject({
      verdict: 'skipped',
      skip: 'not-applicable',
      because: without.because,
    });
  });

  test('the newest run of a machine speaks for it, row by row', () => {
    const old = reportOf({ rows: { ntp: { verdict: 'fail' } } });
    const onlyNtp = {
      ntp: { verdict: 'pass' },
      'pool-management': { skip: 'not-selected' },
      'xencenter-ssh': { skip: 'not-selected' },
      'wlb-metrics': { skip: 'not-selected' },
    } as const;
    const report = merged([old, reportOf({ startedAt: '2026-11-25T11:30:00.000Z', rows: onlyNtp })]);
    expect(row(report, 'ntp')).toMatchObject({ verdict: 'pass', coverage: { have: 1, of: 1 } });
    expect(row(report, 'pool-management')).toMatchObject({ verdict: 'pass' });
    expect(vantages(report)).toEqual(['xs1 (2026-11-25T11:00:00.000Z)', 'xs1 (2026-11-25T11:30:00.000Z)']);
  });

  test('two machines that are both called localhost are two', () => {
    const report = merged([
      reportOf({ hostname: 'localhost' }),
      reportOf({ hostname: 'localhost', addresses: ['10.0.0.2'], rows: { ntp: { verdict: 'fail' } } }),
    ]);
    expect(vantages(report)).toEqual(['localhost (10.0.0.1)', 'localhost (10.0.0.2)']);
    expect(row(report, 'ntp')).toMatchObject({ verdict: 'fail', coverage: { have: 2, of: 2 } });
  });
});

describe('who is missing proves nothing', () => {
  const itself = ['10.0.0.1 is this machine itself and was left out'];

  test('a member that others check and that sent no report makes its rows unverified, and is named with the command', () => {
    const report = merged([
      reportOf({ rows: { 'pool-management': { hosts: ['10.0.0.2', 'xs3.example.test'], notes: itself } } }),
    ]);
    expect(row(report, 'ntp')).toMatchObject({
      verdict: 'unverified',
      because: 'no report from 10.0.0.2, xs3.example.test; xs1 says pass',
      remedy:
        'Run `xenreach check --as xenserver-host --output json=xenserver-host.json` on 10.0.0.2, xs3.example.test, and merge what it writes too.',
      coverage: { have: 1, of: 3, missing: ['10.0.0.2', 'xs3.example.test'] },
    });
    expect(report.exitCode).toBe(0);
  });

  test('a member is known by its name, by its address, and by an address that its name has', () => {
    const hosts = { 'pool-management': { hosts: ['10.0.0.2', 'xs3.example.test'] } } as const;
    const report = merged([
      reportOf({ rows: hosts }),
      reportOf(second),
      reportOf({ hostname: 'xs3', addresses: ['10.0.0.3'] }),
    ]);
    expect(row(report, 'ntp')).toMatchObject({ verdict: 'pass', coverage: { have: 3, of: 3, missing: [] } });
  });

  test('a failure stays a failure, and the coverage says who is missing', () => {
    const report = merged([
      reportOf({ rows: { ntp: { verdict: 'fail' }, 'pool-management': { hosts: ['10.0.0.2'], notes: itself } } }),
    ]);
    expect(row(report, 'ntp')).toMatchObject({
      verdict: 'fail',
      because: '1 of 2, xs1: it is fail',
      coverage: { have: 1, of: 2, missing: ['10.0.0.2'] },
    });
  });

  test('a machine that is none of the hosts stands in for them, until one of them reports itself', () => {
    const hosts = { 'pool-management': { hosts: ['10.0.0.2', '10.0.0.3'] } } as const;
    const standIn = reportOf({ hostname: 'probe', addresses: ['10.0.0.99'], rows: hosts });
    const alone = merged([standIn]);
    expect(row(alone, 'ntp')).toMatchObject({ verdict: 'pass', coverage: { have: 1, of: 1, missing: [] } });
    const both = merged([standIn, reportOf({ ...second, rows: { 'pool-management': { hosts: ['10.0.0.3'] } } })]);
    expect(row(both, 'ntp')).toMatchObject({
      verdict: 'unverified',
      coverage: { have: 2, of: 3, missing: ['10.0.0.3'] },
    });
  });

  test('where nobody is known to play the role, the row is left to another vantage, and says to which', () => {
    const report = merged([reportOf()]);
    expect(row(report, 'xencenter-ssh')).toMatchObject({
      verdict: 'skipped',
      skip: 'other-vantage',
      because: 'no report from a xencenter',
      coverage: { have: 0, of: 1, missing: ['xencenter'] },
    });
  });

  test('what is older than --max-age counts no more, good or bad, and says what it was', () => {
    const old = reportOf({ ...second, startedAt: '2026-11-24T11:59:00.000Z', rows: { ntp: { verdict: 'fail' } } });
    const report = merged([reportOf(), old]);
    expect(report.merged).toMatchObject([
      { vantage: 'xs1', stale: false, ageMs: 0 },
      { vantage: 'xs2', stale: true, ageMs: 23 * 3_600_000 + 60_000 },
    ]);
    expect(row(report, 'ntp')).toMatchObject({
      verdict: 'unverified',
      because: 'the report of xs2 from 2026-11-24T11:59:00.000Z is older than --max-age; it was fail; xs1 says pass',
      coverage: { have: 1, of: 2, missing: ['xs2'] },
    });
    // What is too old is no cause of a failure; that it is, is one thing to mend.
    expect(report.causes).toMatchObject([
      {
        kind: 'vantage',
        text: 'the report of xs2 from 2026-11-24T11:59:00.000Z is older than --max-age',
        rows: ['ntp', 'pool-management'],
        checks: [],
        remedy: expect.stringContaining('on xs2, and merge'),
      },
    ]);
    expect(row(merged([reportOf(), old], 2 * dayMs), 'ntp').verdict).toBe('fail');
  });

  test('a run that was cut short makes the picture incomplete', () => {
    const cut = reportOf({ rows: { ntp: { verdict: 'unverified', outcome: 'local' } } });
    expect(merged([cut])).toMatchObject({ complete: false, exitCode: 3 });
  });
});

describe('what makes no one picture is refused, in words', () => {
  const refused = (...reports: readonly Report[]): string => {
    try {
      mergeReports(
        reports.map((report) => inputOf(report)),
        { now, maxAgeMs: dayMs },
      );
    } catch (error) {
      if (error instanceof UsageError) return error.message;
      throw error;
    }
    return '';
  };
  const good = reportOf();

  test.for([
    [
      'another spec',
      { ...good, spec: { ...good.spec, sha256: 'b'.repeat(64) } },
      /different requirements make no one picture/,
    ],
    ['another site', { ...good, site: { name: 'fra', origin: 'file' } }, /is of the site "fra", \S+ of "lon"/],
    ['another mode', { ...good, mode: 'path' }, /was made in path mode, .*judge \S+ --mode service/],
    ['other rows', { ...good, rows: good.rows.slice(1) }, /has other rows/],
    ['a row twice', { ...good, rows: [...good.rows, good.rows[0]!] }, /the row "ntp" twice|has other rows/],
  ] as const)('%s', ([, other, words]) => {
    expect(refused(good, other)).toMatch(words);
  });

  test('a plan', () => {
    const checks = good.checks.map((check) => Object.assign({}, check, { outcome: null, verdict: null }));
    expect(refused({ ...good, exitCode: null, checks })).toMatch(/is the report of a plan/);
  });

  test('a merged report whose parts do not belong together', () => {
    const one = merged([good]);
    const rows = one.rows.map((each) =>
      Object.assign({}, each, { sources: [{ ...each.sources?.[0], vantage: 'who' }] }),
    );
    expect(refused({ ...one, rows })).toMatch(/has a word of "who", which is none of its vantages/);
    expect(refused({ ...one, merged: [...one.merged!, ...one.merged!] })).toMatch(/two vantages of one name/);
  });

  test('nothing at all', () => {
    expect(refused()).toMatch(/merge takes reports/);
    expect(refused(reportOf({ roles: [] }))).toMatch(/no report says anything about a row/);
  });
});
