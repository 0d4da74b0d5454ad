/** `xenreach merge`: five vantages of the embedded site as one picture, and what cannot be merged. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Report } from '../../src/model/report.ts';
import { writePoolReports } from '../support/pool-reports.ts';
import { runMain } from '../support/run-main.ts';
import { parseReport } from '../support/report-schema.ts';
import { runXenreach } from '../support/run-xenreach.ts';

const folder = mkdtempSync(join(tmpdir(), 'xenreach-merge-'));
const vantages = [
  ['xenserver-host'],
  ['xencenter'],
  ['windows-vm'],
  ['wlb-appliance', 'management-client'],
  ['pvs-server', 'pvs-target-device'],
] as const;
const fileOf = (name: string): string => join(folder, `${name}.json`);
const files = vantages.map(([role]) => fileOf(role));

beforeAll(async () => {
  await Promise.all(
    vantages.map(async (roles) => {
      const as = roles.flatMap((role) => ['--as', role]);
      await runXenreach(['demo', ...as, '--timeout', '4s', '--output', `json=${fileOf(roles[0])}`]);
    }),
  );
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

describe('five vantages of the embedded site', () => {
  test('have all 48 rows, and leave none to another vantage', async () => {
    const { exitCode, stdout, stderr } = await runMain(['merge', ...files, '--format', 'json']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const report = parseReport(stdout);
    expect(report.rows).toHaveLength(48);
    expect(report.rows.filter(({ skip }) => skip !== null)).toEqual([]);
    expect(report.merged).toHaveLength(5);
    for (const { coverage, sources } of report.rows) {
      expect(coverage).toEqual({ have: 1, of: 1, missing: [] });
      expect(sources).toHaveLength(1);
    }
    // Six are datagrams that nobody answers, which the responder of the embedded site proves.
    expect(report.summary).toMatchObject({ pass: 48, unverified: 0, fail: 0, skipped: 0 });
  });

  test('in any order, twice, and in groups: not a byte differs', async () => {
    const all = await runMain(['merge', ...files, '--format', 'json']);
    const some = join(folder, 'some.json');
    await runMain(['merge', ...files.slice(2), '--format', 'text', '--output', `json=${some}`]);
    const backwards = await runMain(['merge', ...files.toReversed(), some, ...files, '--format', 'json']);
    expect(backwards.stdout).toBe(all.stdout);
    const grouped = await runMain(['merge', some, ...files.slice(0, 2), '--format', 'json']);
    expect(grouped.stdout).toBe(all.stdout);
  });

  test('without one of them its rows say who is missing', async () => {
    const { stdout } = await runMain(['merge', files[0]!, '--format', 'json']);
    const row = parseReport(stdout).rows.find(({ id }) => id === 'xencenter-ssh');
    expect(row).toMatchObject({ verdict: 'skipped', skip: 'other-vantage', because: 'no report from a xencenter' });
    expect(row?.remedy).toContain('xenreach check --as xencenter');
  });

  test('--max-age makes old ones count no more; --fail-on unverified gates on it', async () => {
    const old = join(folder, 'old.json');
    const report = JSON.parse(readFileSync(files[1]!, 'utf8')) as Report;
    writeFileSync(old, JSON.stringify({ ...report, startedAt: '2026-01-01T00:00:00.000Z' }));
    const args = ['merge', old, '--fail-on', 'unverified', '--format', 'json'];
    const stale = await runMain(args);
    expect(stale.exitCode).toBe(1);
    expect(parseReport(stale.stdout).rows.find(({ id }) => id === 'xencenter-ssh')).toMatchObject({
      verdict: 'unverified',
      because: expect.stringContaining('is older than --max-age; it was pass'),
    });
    expect((await runMain([...args, '--max-age', '9999d'])).exitCode).toBe(0);
  });

  test('is not judged again as if it were one run', async () => {
    const all = join(folder, 'all.json');
    await runMain(['merge', ...files, '--format', 'text', '--output', `json=${all}`]);
    const { exitCode, stderr } = await runMain(['judge', all]);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('judge those that it was made of')]);
  });

  test('--baseline compares two pictures', async () => {
    const baseline = join(folder, 'baseline.json');
    await runMain(['merge', files[0]!, '--format', 'text', '--output', `json=${baseline}`]);
    const { stdout } = await runMain(['merge', ...files, '--baseline', baseline, '--format', 'json']);
    expect(parseReport(stdout).changes?.rows).toContainEqual({
      id: 'xencenter-ssh',
      was: 'skipped',
      now: 'pass',
      kind: 'changed',
    });
  });
});

test('the reports of 64 hosts with 506 checks each take less than 300 MB', async () => {
  const pool = writePoolReports(join(folder, 'pool'));
  const out = join(folder, 'pool.json');
  const main = new URL('../../src/cli/main.ts', import.meta.url).href;
  const args = ['merge', ...pool, '--max-age', '9999d', '--quiet', '--output', `json=${out}`];
  const program = `process.exitCode = await (await import('${main}')).main(${JSON.stringify(args)});
    process.stdout.write(String(process.resourceUsage().maxRSS));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program]);
  expect(Number(stdout) / 1024).toBeLessThan(300);
  const report = JSON.parse(readFileSync(out, 'utf8')) as Report;
  expect(report.summary.checks).toBe(64 * 506);
  expect(report.rows.find(({ id }) => id === 'pool-management')?.coverage).toEqual({ have: 64, of: 64, missing: [] });
});

describe('what cannot be merged ends in 2, with nothing on standard output', () => {
  const put = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const changed = (changes: object): string =>
    JSON.stringify({ ...(JSON.parse(readFileSync(files[0]!, 'utf8')) as object), ...changes });

  test.for([
    ['no file', () => [], /merge takes reports/],
    ['a file that is not there', () => ['nowhere.json'], /nowhere\.json: there is no such file/],
    ['a cut report', () => [put('cut.json', '{"schema":')], /is cut short/],
    ['what is no report', () => [put('other.json', '{"schema":"x/1"}')], /is no report of xenreach/],
    [
      'a newer schema',
      () => [put('newer.json', '{"schema":"xenreach.report/2"}')],
      /does not know; it reads xenreach\.report\/1/,
    ],
    [
      'another site',
      () => [files[1]!, put('site.json', changed({ site: { name: 'fra', origin: 'file' } }))],
      /is of the site "fra"/,
    ],
    ['another mode', () => [files[1]!, put('mode.json', changed({ mode: 'path' }))], /--mode service/],
    [
      'another spec',
      () => [
        files[1]!,
        put('spec.json', changed({ spec: { id: 'mine', revision: '1', sha256: 'b'.repeat(64), rows: 48 } })),
      ],
      /of the spec mine .* xenserver-8/,
    ],
  ] as const)('%s', async ([, args, words]) => {
    const { exitCode, stdout, stderr } = await runMain(['merge', ...args(), '--format', 'json']);
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(words);
  });

  test('an age that is none', async () => {
    const { exitCode, stderr } = await runMain(['merge', files[0]!, '--max-age', 'soon']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('--max-age soon is no duration');
  });

  test('a report from the future is merged, and told', async () => {
    const ahead = put('ahead.json', changed({ startedAt: '2999-01-01T00:00:00.000Z' }));
    const { exitCode, stderr } = await runMain(['merge', ahead, '--format', 'json']);
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('one of the two clocks is wrong')]);
  });
});
