/** What the benchmarks need beside this repository: C references made here, other programs from Debian. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { whyNotLive } from '../../support/netns.ts';

const root = join(import.meta.dirname, '../../..');
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
export const client = (name: string): string[] => [process.execPath, join(built(), 'test/bench/clients', `${name}.js`)];

/** The program as it is shipped. */
export const xenreach = (): string[] => [process.execPath, join(bundled(), 'main.js')];

let bundle: string | undefined;

function bundled(): string {
  if (bundle !== undefined) return bundle;
  bundle = join(cache, 'package/dist/src');
  const config = join(root, 'rolldown.config.ts');
  execFileSync(join(root, 'node_modules/.bin/rolldown'), ['-c', config, '-d', bundle], { cwd: root, stdio: 'pipe' });
  borrow(join(cache, 'package'));
  return bundle;
}

let folder: string | undefined;

/** Compiled: stripping types at every start would cost 160 ms and 20 MB that no user pays. */
function built(): string {
  if (folder !== undefined) return folder;
  folder = join(cache, 'dist');
  const include = ['src', 'probes', 'test/bench/clients'].map((name) => join(root, name));
  const compilerOptions = { rootDir: root, outDir: folder, emitDeclarationOnly: false, declaration: false };
  const project = put(
    'tsconfig.json',
    JSON.stringify({ extends: join(root, 'tsconfig.build.json'), compilerOptions, include, files: [] }),
  );
  execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', project, '--noEmitOnError', 'false'], { stdio: 'inherit' });
  borrow(folder);
  return folder;
}

/** What the program looks for above itself. */
function borrow(into: string): void {
  for (const name of ['specs', 'package.json']) {
    if (!existsSync(join(into, name))) symlinkSync(join(root, name), join(into, name));
  }
}

/** A file for a contender to read. */
export function put(name: string, text: string): string {
  const file = join(cache, name);
  mkdirSync(cache, { recursive: true });
  if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text);
  return file;
}
