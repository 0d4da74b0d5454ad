/** `xenreach check` as a user runs it: exit codes, reports and where they go, interruptions, closed pipes. */
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { check, smallSite, withRefusal, type SmallSite } from '../support/license-server.ts';
import { vacantPort } from '../support/real-io.ts';
import { parseLines, parseReport, type ReportJson } from '../support/report-schema.ts';
import { patienceMs } from '../support/patience.ts';

/** Syslog over UDP: silence, which proves nothing. */
const withSilence = (small: SmallSite): string =>
  small.file(
    'silence.yaml',
    small.text.replace(/citrix-license-server:.*/, `syslog-server: { host: 127.0.0.1, ports: { "514": 9 } }`),
  );

const rowsBy = ({ rows }: ReportJson): Record<string, string | null> =>
  Object.fromEntries(rows.filter(({ skip }) => skip === null).map(({ id, verdict }) => [id, verdict]));

/** An nfs server that accepts and stays mute. */
const muteNfs = ({ text, server }: SmallSite): string =>
  text.replace(/citrix-license-server:.*/, `nfsv4-server: { host: 127.0.0.1, ports: { "2049": ${server.port} } }`);

describe.concurrent('the exit code', () => {
  test('is 0 when every row passes, with the report on standard output and nothing on standard error', async () => {
    await using small = await smallSite();
    const { exitCode, stdout, stderr } = await check(small, ['--format', 'json']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const report = parseReport(stdout);
    expect(report).toMatchObject({
      site: { name: 'small', origin: 'file' },
      spec: { id: 'xenserver-8', rows: 48 },
      vantage: { roles: ['xenserver-host'] },
      mode: 'service',
      complete: true,
      exitCode: 0,
      summary: { verdict: 'pass', pass: 2, skipped: 46, checks: 1 },
    });
    expect(rowsBy(report)).toEqual({ 'license-initial': 'pass', 'license-checkout': 'pass' });
    // One endpoint, two rows: asked once.
    expect(small.server.sockets).toHaveLength(1);
  });

  test('is 1 when a row fails, and 0 for the same in path mode', async () => {
    await using small = await smallSite();
    const site = await withRefusal(small);
    const row = ['--site', site, '--row', 'license-initial', '--format', 'json'];
    const [service, path] = await Promise.all([check(small, row), check(small, [...row, '--mode', 'path'])]);
    expect([service.exitCode, path.exitCode]).toEqual([1, 0]);
    const report = parseReport(service.stdout);
    expect(rowsBy(report)).toEqual({ 'license-initial': 'fail' });
    expect(report.rows.find(({ id }) => id === 'license-initial')?.because).toMatch(
      /^service: 127\.0\.0\.2:\d+\/tcp: /,
    );
    expect(parseReport(path.stdout)).toMatchObject({ mode: 'path', exitCode: 0, summary: { verdict: 'pass' } });
  });

  test('is by --fail-on for what is milder', async () => {
    await using small = await smallSite((socket) => socket.end());
    const codes = await Promise.all(
      ['fail', 'unverified', 'warn'].map(async (failOn) => (await check(small, ['--fail-on', failOn])).exitCode),
    );
    // Accepted and closed at once is a warning.
    expect(codes).toEqual([0, 0, 1]);
  });

  test('is 3 when the deadline passes, with what was learned', async () => {
    await using small = await smallSite();
    const site = small.file('mute.yaml', muteNfs(small));
    const args = ['--site', site, '--deadline', '400ms', '--timeout', '20s', '--format', 'json'];
    const { exitCode, stdout, durationMs } = await check(small, args);
    expect(exitCode).toBe(3);
    expect(durationMs).toBeLessThan(patienceMs);
    const report = parseReport(stdout);
    expect(report).toMatchObject({ complete: false, exitCode: 3, summary: { verdict: 'unverified', unverified: 1 } });
    expect(report.checks).toMatchObject([{ outcome: 'aborted', detail: "the run's deadline of 0.4 s passed" }]);
  });

  test('is 1 where both hold: a row fails and the run is incomplete', async () => {
    await using small = await smallSite();
    const refused = `nfsv3-server: { host: 127.0.0.2, ports: { "111": ${await vacantPort()}, "2049": ${await vacantPort()} } }`;
    const site = small.file('both.yaml', muteNfs(small).replace('roles:\n', `roles:\n  ${refused}\n`));
    const args = ['--site', site, '--deadline', '3s', '--timeout', '20s', '--format', 'json'];
    const { exitCode, stdout } = await check(small, args);
    expect(parseReport(stdout)).toMatchObject({ complete: false, exitCode: 1 });
    expect(exitCode).toBe(1);
  });
});

describe.concurrent('an interruption', () => {
  test.for(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const)(
    'by %s gives a complete partial report and 3',
    async (signal) => {
      let kill: ((signal: NodeJS.Signals) => void) | undefined;
      await using small = await smallSite(() => kill?.(signal));
      const site = small.file('mute.yaml', muteNfs(small));
      const args = ['--site', site, '--timeout', '20s', '--output', 'json=report.json', '--format', 'ndjson'];
      const ran = await check(small, args, { onStart: (given) => (kill = given) });
      expect(ran).toMatchObject({ exitCode: 3, signal: null, stderr: '' });
      expect(ran.durationMs).toBeLessThan(patienceMs);
      const report = parseReport(readFileSync(join(small.folder, 'report.json'), 'utf8'));
      expect(report).toMatchObject({ complete: false, exitCode: 3 });
      expect(report.checks).toMatchObject([{ outcome: 'aborted', detail: `the run was interrupted (${signal})` }]);
      const lines = parseLines(ran.stdout);
      expect(lines.map(({ type }) => type).filter((type) => type !== 'row')).toEqual(['start', 'check', 'end']);
      expect(lines.filter(({ type }) => type === 'row')).toHaveLength(48);
      expect(readdirSync(small.folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    },
  );

  test('a second time ends at once, and leaves no file behind', async () => {
    await using small = await smallSite();
    mkdirSync(join(small.folder, 'out'));
    const site = small.file('mute.yaml', muteNfs(small));
    let kill: ((signal: NodeJS.Signals) => void) | undefined;
    const running = check(small, ['--site', site, '--timeout', '20s', '--output', 'json=out/report.json'], {
      onStart: (given) => (kill = given),
    });
    while (small.server.sockets.length === 0) await sleep(10);
    kill?.('SIGINT');
    kill?.('SIGINT');
    const { exitCode, signal } = await running;
    // Both may come before the first is obeyed, or the first one's report is already out.
    expect([3, 130]).toContain(exitCode ?? signal);
  });
});

describe.concurrent('reports', () => {
  test('of every format come from one run, whole and under their own names', async () => {
    await using small = await smallSite();
    small.file('report.json', 'old');
    const formats = ['text', 'json', 'ndjson', 'junit', 'prometheus', 'nagios', 'html', 'markdown'];
    const outputs = formats.flatMap((format) => ['--output', `${format}=report.${format}`]);
    const { exitCode, stdout } = await check(small, [...outputs, '--format', 'nagios']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/OK/);
    const names = readdirSync(small.folder).filter((name) => name !== 'site.yaml');
    expect(names.toSorted()).toEqual(formats.map((format) => `report.${format}`).toSorted());
    const read = (format: string): string => readFileSync(join(small.folder, `report.${format}`), 'utf8');
    const report = parseReport(read('json'));
    expect(parseLines(read('ndjson')).at(0)).toMatchObject({ type: 'start', startedAt: report.startedAt });
    expect(read('junit')).toMatch(/^<\?xml /);
    expect(read('html')).toMatch(/^<!doctype html>/i);
    expect(read('prometheus')).toMatch(/^# HELP /m);
    expect(read('text')).toMatch(/license-initial/);
    expect(read('nagios')).toBe(stdout);
    expect(statSync(join(small.folder, 'report.json')).mode & 0o777).toBe(0o644 & ~process.umask());
    expect(small.server.sockets).toHaveLength(1);
  });

  test('in ndjson come as they happen: start, checks, rows, end', async () => {
    await using small = await smallSite();
    const { stdout } = await check(small, ['--format', 'ndjson']);
    const lines = parseLines(stdout);
    expect([lines[0]?.type, lines.at(-1)?.type]).toEqual(['start', 'end']);
    expect(lines.filter(({ type }) => type === 'check')).toHaveLength(1);
    const rows = lines.flatMap((line) => (line.type === 'row' ? [line.id] : []));
    expect([rows.length, new Set(rows).size]).toEqual([48, 48]);
    const checkAt = lines.findIndex(({ type }) => type === 'check');
    const rowAt = lines.findIndex((line) => line.type === 'row' && line.id === 'license-initial');
    expect(rowAt).toBeGreaterThan(checkAt);
  });

  test('in the plugin format of monitoring have its exit codes', async () => {
    await using small = await smallSite();
    const site = await withRefusal(small);
    const bad = await check(small, ['--site', site, '--row', 'license-initial', '--format', 'nagios']);
    expect(bad.exitCode).toBe(2);
    expect(bad.stdout.split('\n')[0]).toMatch(/CRITICAL.*\|/);
    const unknown = await check(small, ['--site', withSilence(small), '--timeout', '200ms', '--format', 'nagios']);
    expect(['0 OK', '3 UNKNOWN', '1 WARNING', '2 CRITICAL']).toContain(
      `${unknown.exitCode} ${/OK|UNKNOWN|WARNING|CRITICAL/.exec(unknown.stdout)?.[0]}`,
    );
  });

  test('are without colour, control characters and progress in a pipe', async () => {
    await using small = await smallSite();
    const { stdout, stderr } = await check(small, ['--verbose']);
    expect(stderr).toBe('');
    // oxlint-disable-next-line no-control-regex -- they are what it is about
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  test('stay apart from logs, which go to standard error', async () => {
    await using small = await smallSite();
    const { stdout, stderr } = await check(small, ['--format', 'json', '--log-level', 'debug']);
    expect(parseReport(stdout).exitCode).toBe(0);
    const logged = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { check?: string });
    expect(logged.some((entry) => entry.check?.startsWith('tcp/127.0.0.1:') === true)).toBe(true);
  });
});

test.concurrent('a site on standard input is checked like a file', async () => {
  await using small = await smallSite();
  const { exitCode, stdout } = await check(small, ['--site', '-', '--format', 'json'], { input: small.text });
  expect(exitCode).toBe(0);
  expect(parseReport(stdout).summary.pass).toBe(2);
});

test.concurrent('a site is found in the folder, and its JSON is as good as YAML', async () => {
  await using small = await smallSite();
  const { port } = small.server;
  const roles = { 'citrix-license-server': { host: '127.0.0.1', ports: { 27000: port, 7279: port } } };
  const site = small.file('site.json', JSON.stringify({ roles, 'not-used': ['external-domain'] }));
  const { exitCode, stdout } = await check(small, ['--site', site, '--format', 'json']);
  expect(exitCode).toBe(0);
  expect(parseReport(stdout).site).toEqual({ name: 'site', origin: 'file' });
});

describe.concurrent('a reader that has seen enough', () => {
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
  const piped = (small: SmallSite, line: string): Promise<{ code: number | null; stderr: string; stdout: string }> =>
    new Promise((resolve) => {
      const script = `"${process.execPath}" "${main}" ${line} | head -1; exit "\${PIPESTATUS[0]}"`;
      const child = spawn('bash', ['-c', script], { cwd: small.folder });
      const told = { stdout: '', stderr: '' };
      child.stdout.on('data', (chunk: Buffer) => (told.stdout += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => (told.stderr += chunk.toString()));
      child.on('close', (code) => resolve({ code, ...told }));
    });

  test('of a long plan ends it quietly', async () => {
    await using small = await smallSite();
    const many = Array.from({ length: 400 }, (_, i) => `host-${i}.example.test`).join(', ');
    small.file('big.yaml', `roles: { xenserver-host: [${many}] }\n`);
    const { code, stderr, stdout } = await piped(small, 'plan --site big.yaml --format json');
    expect({ stderr, stdout }).toEqual({ stderr: '', stdout: '{\n' });
    expect(code).toBe(0);
  });

  test('of a check ends it quietly', async () => {
    await using small = await smallSite();
    const { stderr, stdout } = await piped(small, 'check --format ndjson');
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchObject({ type: 'start' });
  });
});
