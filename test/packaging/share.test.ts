/** The man page and the completions have every command and option, and are what their readers take. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { putShare, shareFiles } from '../../packaging/share.ts';
import type { Command } from '../../src/cli/command.ts';
import { commands } from '../../src/cli/index.ts';
import { durationMs, parseLine } from '../../src/cli/options.ts';
import { xenserver8 } from '../support/sites.ts';

const folder = mkdtempSync(join(tmpdir(), 'xenreach-share-'));
const files = await shareFiles();
const all = await Promise.all(
  Object.entries(commands).map(async ([name, load]): Promise<[string, Command]> => [name, await load()]),
);
const bash = join(folder, 'bash-completion/completions/xenreach');

beforeAll(() => putShare(folder));
afterAll(() => rmSync(folder, { recursive: true }));

const isHere = (program: string): boolean => existsSync(`/usr/bin/${program}`);

/** What a real bash would offer for the last word. */
function offered(...words: readonly string[]): string[] {
  const script = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _xenreach; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const printed = execFileSync('bash', ['-c', script, 'bash', bash, 'xenreach', ...words], { encoding: 'utf8' });
  return printed.split('\n').filter((word) => word !== '');
}

test('bash is offered every command, and of each every option', () => {
  expect(offered('')).toEqual(expect.arrayContaining(all.map(([name]) => name)));
  for (const [name, { options }] of all) expect(offered(name, '--')).toEqual(options.map((option) => `--${option}`));
  expect(offered('che')).toEqual(['check']);
  expect(offered('check', '--conc')).toEqual(['--concurrency']);
});

test('bash is offered the values of an option', () => {
  expect(offered('check', '--mode', '')).toEqual(['service', 'path']);
  expect(offered('check', '--row', 'ad-k')).toEqual(['ad-kerberos', 'ad-kpasswd']);
  expect(offered('check', '--row', '')).toEqual(xenserver8.rows.map(({ id }) => id));
  expect(offered('check', '--format', 'j')).toEqual(['json', 'junit']);
  expect(offered('check', '--site', './package.j')).toEqual(['./package.json']);
  expect(offered('probe', 'kerb')).toEqual(['kerberos', 'kerberos-tcp']);
});

test('the man page and the other shells have them too', () => {
  const man = files['man/man1/xenreach.1'] ?? '';
  const zsh = files['zsh/site-functions/_xenreach'] ?? '';
  const fish = files['fish/vendor_completions.d/xenreach.fish'] ?? '';
  for (const [name, { options }] of all) {
    const page = man.slice(man.indexOf(`.SS ${name}`));
    const lines = fish.split('\n').filter((line) => line.includes(`__fish_seen_subcommand_from ${name}'`));
    const section = zsh.slice(zsh.indexOf(`\n    ${name})`), zsh.indexOf(';;', zsh.indexOf(`\n    ${name})`)));
    for (const option of options) {
      expect(page).toContain(`.B \\-\\-${option.replaceAll('-', '\\-')}`);
      expect(lines.some((line) => line.includes(` -l ${option} `))).toBe(true);
      expect(section).toMatch(new RegExp(`\\*--${option}[=[]`));
    }
  }
});

test.skipIf(!isHere('man'))('man reads its page without a warning', () => {
  const told = spawnSync(
    'man',
    ['--warnings', '-E', 'UTF-8', '-l', '-Tutf8', '-Z', join(folder, 'man/man1/xenreach.1')],
    { encoding: 'utf8' },
  );
  expect({ status: told.status, stderr: told.stderr }).toEqual({ status: 0, stderr: '' });
});

test.for([
  ['shellcheck', ['-s', 'bash', bash]],
  ['zsh', ['-n', join(folder, 'zsh/site-functions/_xenreach')]],
  ['fish', ['--no-execute', join(folder, 'fish/vendor_completions.d/xenreach.fish')]],
] as const)('%s finds nothing wrong', ([program, args], { skip }) => {
  skip(!isHere(program), `${program} is not installed`);
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
});

test.for(['systemd/xenreach.service', 'systemd/xenreach-watch.service', 'cron/xenreach'])(
  'the command line in %s is one that there is',
  async (name) => {
    const [, words = ''] = /\/opt\/xenreach\/xenreach (.+)/.exec(files[name] ?? '') ?? [];
    const [command = '', ...argv] = words.split(' ');
    const { options } = await commands[command]!();
    const { values, positionals } = parseLine(argv, options, command);
    expect(positionals).toEqual([]);
    if (command === 'check') expect(durationMs(values.deadline ?? '', 'deadline')).toBe(300_000);
  },
);
