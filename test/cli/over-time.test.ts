/** One run after another: what changed, who runs now, and nothing to say where all is well. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseLines, parseReport } from '../support/report-schema.ts';
import { runXenreach } from '../support/run-xenreach.ts';
import { check, smallSite, withRefusal } from '../support/license-server.ts';

test('a baseline tells what newly fails, and gates on it', async () => {
  await using small = await smallSite();
  const baseline = join(small.folder, 'good.json');
  await check(small, ['--output', `json=${baseline}`]);
  const bad = join(small.folder, 'bad.json');
  const site = await withRefusal(small);
  const args = ['--site', site, '--baseline', baseline, '--fail-on', 'new'];
  const failing = await check(small, [...args, '--format', 'json', '--output', `json=${bad}`]);
  const report = parseReport(failing.stdout);
  expect(failing.exitCode).toBe(1);
  expect(report.changes?.rows).toMatchObject([
    { id: 'license-initial', was: 'pass', now: 'fail', kind: 'newly-failing' },
    { id: 'license-checkout', was: 'pass', now: 'fail', kind: 'newly-failing' },
  ]);
  expect(report.rows.find(({ id }) => id === 'license-initial')).toMatchObject({ was: 'pass' });

  // What failed already is no news.
  const again = await check(small, ['--site', site, '--baseline', bad, '--fail-on', 'new', '--format', 'ndjson']);
  expect(again.exitCode).toBe(0);
  expect(parseLines(again.stdout).filter((line) => line.type === 'row' && line.was === 'fail')).toHaveLength(2);

  const compared = await runXenreach(['diff', baseline, bad]);
  expect(compared.exitCode).toBe(1);
  expect(compared.stdout).toMatch(/newly failing license-initial \(pass -> fail\): service: /);
  expect(await runXenreach(['diff', bad, bad, '--quiet'])).toMatchObject({ exitCode: 0, stdout: '' });
  const recovered = await runXenreach(['diff', bad, baseline, '--format', 'json']);
  expect(recovered.exitCode).toBe(0);
  expect(JSON.parse(recovered.stdout)).toMatchObject({
    rows: [
      { id: 'license-initial', kind: 'recovered' },
      { id: 'license-checkout', kind: 'recovered' },
    ],
  });
});

test('--fail-on new without a baseline, and a baseline that is none, are told before anything is sent', async () => {
  await using small = await smallSite();
  expect(await check(small, ['--fail-on', 'new'])).toMatchObject({ exitCode: 2, stdout: '' });
  const broken = join(small.folder, 'broken.json');
  writeFileSync(broken, '{"schema":"xenreach.report/1"');
  const ran = await check(small, ['--baseline', broken]);
  expect([ran.exitCode, ran.stdout]).toEqual([2, '']);
  expect(ran.stderr).toContain('is cut short');
});

test('with --quiet nothing is printed where all is well', async () => {
  await using small = await smallSite();
  expect(await check(small, ['--quiet'])).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
});

test('a second run does not start beside the first, and says who runs', async () => {
  await using small = await smallSite();
  const lock = join(small.folder, 'lock');
  const holder = spawn('sleep', ['60']);
  writeFileSync(lock, `${holder.pid} ${startOf(holder.pid!)}\n`);
  const second = await check(small, ['--lock', lock]);
  expect([second.exitCode, second.stdout]).toEqual([3, '']);
  expect(second.stderr).toContain(`another run holds ${lock}: process ${holder.pid}`);
  const plugin = await check(small, ['--lock', lock, '--format', 'nagios']);
  expect([plugin.exitCode, /UNKNOWN/.test(plugin.stdout)]).toEqual([3, true]);

  holder.kill();
  await new Promise((resolve) => void holder.once('exit', resolve));
  const third = await check(small, ['--lock', lock]);
  expect([third.exitCode, existsSync(lock)]).toEqual([0, false]);
});

test('the number of a dead process that another one has now is not its lock', async () => {
  await using small = await smallSite();
  const lock = join(small.folder, 'lock');
  writeFileSync(lock, `${process.pid} 1\n`);
  expect((await check(small, ['--lock', lock])).exitCode).toBe(0);
});

/** proc(5), field 22. */
function startOf(pid: number): string {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}
