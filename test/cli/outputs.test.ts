/** Reports go into what is there already, never in its place; what cannot be written is one sentence, and nobody else's. */
import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { smallSite, type SmallSite } from '../support/license-server.ts';
import { parseReport } from '../support/report-schema.ts';
import { runXenreach, type Ran, type RunOptions } from '../support/run-xenreach.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

const check = (small: SmallSite, args: readonly string[], options: RunOptions = {}): Promise<Ran> =>
  runXenreach(['check', ...args], { cwd: small.folder, ...options });

const read = (small: SmallSite, name: string): string => readFileSync(join(small.folder, name), 'utf8');
const leftovers = (small: SmallSite): string[] => readdirSync(small.folder).filter((name) => name.endsWith('.tmp'));

/** Through a shell, for what only one can do with streams. */
function inShell(small: SmallSite, line: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn('bash', ['-c', line], {
      cwd: small.folder,
      env: { ...process.env, NODE_OPTIONS: '', XENREACH: `${process.execPath} ${main}` },
    });
    const said = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk: Buffer) => (said.stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (said.stderr += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...said }));
  });
}

const sentence = /^xenreach: [^\n]*\n$/;

describe.concurrent('a report goes into', () => {
  test('the target of a link, also of one that leads nowhere yet', async () => {
    await using small = await smallSite();
    const real = small.file('real.json', 'old');
    symlinkSync('real.json', join(small.folder, 'link'));
    symlinkSync('new.json', join(small.folder, 'dangling'));
    const { exitCode } = await check(small, ['--output', 'json=link', '--output', 'json=dangling']);
    expect(exitCode).toBe(0);
    expect(lstatSync(join(small.folder, 'link')).isSymbolicLink()).toBe(true);
    expect(parseReport(readFileSync(real, 'utf8')).exitCode).toBe(0);
    expect(lstatSync(join(small.folder, 'dangling')).isSymbolicLink()).toBe(true);
    expect(parseReport(read(small, 'new.json')).exitCode).toBe(0);
  });

  test('a FIFO, whose reader gets it', async () => {
    await using small = await smallSite();
    await inShell(small, 'mkfifo fifo');
    const { code, stdout } = await inShell(
      small,
      '$XENREACH check --quiet --output json=fifo >/dev/null & cat fifo; wait $!',
    );
    expect([code, parseReport(stdout).exitCode]).toEqual([0, 0]);
    expect(lstatSync(join(small.folder, 'fifo')).isFIFO()).toBe(true);
  });

  test('a FIFO that nobody reads, which is told and holds nobody up', async () => {
    await using small = await smallSite();
    await inShell(small, 'mkfifo fifo');
    const { exitCode, stderr } = await check(small, ['--output', 'json=fifo', '--output', 'json=other.json']);
    expect(stderr).toBe('xenreach: the json report cannot be written to fifo (ENXIO): nobody reads from it\n');
    expect([exitCode, parseReport(read(small, 'other.json')).exitCode]).toEqual([3, 0]);
  });

  test('standard output by its name, whatever that is', async () => {
    await using small = await smallSite();
    const piped = await check(small, ['--format', 'nagios', '--output', 'json=/dev/stdout']);
    expect(parseReport(piped.stdout.slice(0, piped.stdout.lastIndexOf('}\n') + 2)).exitCode).toBe(0);
    await inShell(small, '$XENREACH check --format nagios --output json=/dev/stdout >out.txt');
    expect(read(small, 'out.txt')).toContain('xenreach.report/1');
  });

  test('standard output as F=-, instead of what --format names', async () => {
    await using small = await smallSite();
    const { stdout } = await check(small, ['--output', 'json=-']);
    expect(parseReport(stdout).exitCode).toBe(0);
    expect(existsSync(join(small.folder, '-'))).toBe(false);
    const both = await check(small, ['--output', 'json=-', '--format', 'text']);
    expect(both.exitCode).toBe(2);
    expect(both.stderr).toContain('a second report on standard output');
  });

  test('a file that is there, and it keeps its mode', async () => {
    await using small = await smallSite();
    chmodSync(small.file('private.json', 'old'), 0o600);
    await check(small, ['--output', 'json=private.json']);
    expect(parseReport(read(small, 'private.json')).exitCode).toBe(0);
    expect(statSync(join(small.folder, 'private.json')).mode & 0o7777).toBe(0o600);
  });
});

describe.concurrent('what cannot be written', () => {
  test.for(['text', 'json', 'ndjson', 'nagios', 'html'])(
    'of %s, because standard output is full, is told once',
    async (format) => {
      await using small = await smallSite();
      const line = `$XENREACH check --format ${format} --output json=other.json >/dev/full`;
      const { code, stderr } = await inShell(small, line);
      expect([code, stderr]).toEqual([
        3,
        'xenreach: standard output cannot be written (ENOSPC): no room is left on its file system\n',
      ]);
      expect(parseReport(read(small, 'other.json')).exitCode).toBe(0);
      expect(leftovers(small)).toEqual([]);
    },
  );

  test.for(['spec', 'spec --format json', 'probe --list', '--help', '--version', 'plan --format json'])(
    'of `%s` is told too',
    async (args) => {
      await using small = await smallSite();
      const { code, stderr } = await inShell(small, `$XENREACH ${args} >/dev/full`);
      expect(code).toBe(3);
      expect(stderr).toMatch(sentence);
    },
  );

  test('does not keep the others from being written, nor the plugin from saying so', async () => {
    await using small = await smallSite();
    const args = ['--format', 'nagios', '--output', 'json=/dev/full', '--output', 'json=other.json'];
    const { exitCode, stdout, stderr } = await check(small, args);
    expect(exitCode).toBe(3);
    expect(stdout).toMatch(/^XENREACH UNKNOWN - the json report cannot be written to \/dev\/full \(ENOSPC\)[^\n]*\n$/);
    expect(stderr).toMatch(sentence);
    expect(parseReport(read(small, 'other.json')).exitCode).toBe(0);
  });

  test('because its folder vanished in the meantime, is told', async () => {
    let vanish = (): void => undefined;
    await using small = await smallSite(() => vanish());
    mkdirSync(join(small.folder, 'out'));
    vanish = () => rmSync(join(small.folder, 'out'), { recursive: true });
    const args = ['--output', 'json=out/report.json', '--output', 'ndjson=other.ndjson'];
    const { exitCode, stderr } = await check(small, args);
    expect([exitCode, stderr]).toEqual([
      3,
      'xenreach: the json report cannot be written to out/report.json (ENOENT): its folder is not there\n',
    ]);
    expect(read(small, 'other.ndjson')).toContain('"type":"end"');
  });

  test('because its reader has seen enough, changes neither the exit code nor the other reports', async () => {
    await using small = await smallSite((socket) => socket.end());
    const line =
      '$XENREACH check --fail-on warn --format ndjson --output json=other.json | head -c 1 >/dev/null; exit ${PIPESTATUS[0]}';
    expect(await inShell(small, line)).toEqual({ code: 1, stdout: '', stderr: '' });
    expect(parseReport(read(small, 'other.json')).exitCode).toBe(1);
  });

  test('standard error, changes nothing', async () => {
    await using small = await smallSite();
    const { code } = await inShell(small, '$XENREACH check --log-level debug --quiet 2>/dev/full');
    expect(code).toBe(0);
  });
});

describe.concurrent('a monitoring plugin in trouble of its own is UNKNOWN', () => {
  test.for([
    ['--site', 'none.yaml'],
    ['--row', 'nosuch'],
    ['--colour'],
    ['--output', 'json=none/last.json'],
    ['--row', 'ntp'],
  ])('%s %s', async (args) => {
    await using small = await smallSite();
    const { exitCode, stdout, stderr } = await check(small, [...args, '--format=nagios']);
    expect(exitCode).toBe(3);
    expect(stdout).toMatch(/^XENREACH UNKNOWN - [^|\n]+\n$/);
    expect(stderr).toMatch(/^xenreach: /);
  });
});

test('a file that a killed run left is in nobody’s way', async () => {
  await using small = await smallSite();
  const temporary = (): string[] => readdirSync(small.folder).filter((name) => name.startsWith('.report.json'));
  const seen = new Set<string>();
  for (let i = 0; i < 2; i++) {
    let kill = (): void => undefined;
    await using mute = await smallSite(() => kill());
    const options: RunOptions = { cwd: small.folder, onStart: (given) => (kill = () => given('SIGKILL')) };
    await runXenreach(['check', '--site', join(mute.folder, 'site.yaml'), '--output', 'json=report.json'], options);
    temporary().forEach((name) => seen.add(name));
  }
  expect(seen.size).toBe(2);
  expect((await check(small, ['--output', 'json=report.json'])).exitCode).toBe(0);
});

test('no signal opens a debugger', async () => {
  let kill: ((signal: NodeJS.Signals) => void) | undefined;
  await using small = await smallSite((socket) => {
    kill?.('SIGUSR1');
    setTimeout(() => socket.destroy(), 300);
  });
  const { exitCode, stderr } = await check(small, [], { onStart: (given) => (kill = given) });
  expect([exitCode, stderr]).toEqual([0, '']);
});
