/** What the benchmarks need beside this repository: C references made here, other programs from Debian. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { whyNotLive } from '../../support/netns.ts';

export const root = join(import.meta.dirname, '../../..');
const cache = join(root, 'node_modules/.cache/xenreach/bench');

/** Why this benchmark cannot run here, or undefined when it can. */
export const whyNot = (...programs: readonly string[]): string | undefined =>
  whyNotLive('gcc', 'taskset', ...programs) ?? undefined;

export type Reference = 'measure' | 'tcp-client' | 'tcp-server' | 'udp-client' | 'udp-server';

/** The program made of test/bench/c/NAME.c, compiled when its source is newer. */
export function reference(name: Reference): string {
  const source = join(import.meta.dirname, '../c', `${name}.c`);
  const program = join(cache, name);
  mkdirSync(cache, { recursive: true });
  if (!existsSync(program) || statSync(program).mtimeMs < statSync(source).mtimeMs)
    execFileSync('gcc', ['-O2', '-o', program, source]);
  return program;
}

/** A program of test/bench/clients, which prints one line of JSON. */
export const client = (name: string): string[] => [
  process.execPath,
  join(import.meta.dirname, '../clients', `${name}.ts`),
];

let built: string[] | undefined;

/** The program as it is shipped: compiled, not stripped at every start. */
export function xenreach(): string[] {
  built ??= build();
  return built;
}

function build(): string[] {
  const folder = join(cache, 'dist');
  const compiler = join(root, 'node_modules/.bin/tsc');
  execFileSync(compiler, ['-p', 'tsconfig.build.json', '--outDir', folder, '--declaration', 'false'], { cwd: root });
  return [process.execPath, join(folder, 'src/main.js')];
}

/** A file for a contender to read. */
export function put(name: string, text: string): string {
  const file = join(cache, name);
  mkdirSync(cache, { recursive: true });
  if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text);
  return file;
}
