#!/usr/bin/env node
/**
 * Starts the built program from what V8 kept of an earlier run. Node's own compile cache keeps a module as it was loaded,
 * without the functions that ran since; with them, a check of one TCP row starts in 50 ms instead of 68. They lie beside
 * Node's cache, for each command its own. Only CommonJS can be kept, so that is what rolldown.config.ts makes of the program.
 */
import { keepCompiled } from './compile-cache.ts';

// An import would make everything that these export, promises and streams too: 4 ms.
const { closeSync, fstatSync, openSync, readFileSync, renameSync, writeFileSync } = process.getBuiltinModule('node:fs');
const { createRequire } = process.getBuiltinModule('node:module');
const { basename, join } = process.getBuiltinModule('node:path');
const { Script } = process.getBuiltinModule('node:vm');

type Load = (name: string) => object;
type Body = (exports: object, require: Load, module: { exports: object }, file: string, folder: string) => void;

const program = './program.cjs';
const dayMs = 86_400_000;
const fromPackages = createRequire(import.meta.filename);
const modules = new Map<string, { exports: object }>();

/** Undefined where nothing is to be kept. Its name holds the version of Node, the flags of V8 and the user. */
const folder = keepCompiled();
const [command = ''] = process.argv.slice(2);
/** What was compiled here, by the file that is to keep it. */
const compiled = new Map<string, InstanceType<typeof Script>>();

process.on('exit', (exitCode) => {
  // A slip of the pen or a look at the help runs too little to be worth keeping.
  if (exitCode !== 2 && !process.argv.includes('--help') && !process.argv.includes('-h')) compiled.forEach(keep);
});

load(program);

function load(name: string): object {
  if (!name.startsWith('./')) return fromPackages(name);
  const known = modules.get(name);
  if (known) return known.exports;
  const module = { exports: {} };
  modules.set(name, module);
  const file = join(import.meta.dirname, name);
  bodyOf(file, name)(module.exports, load, module, file, import.meta.dirname);
  return module.exports;
}

function bodyOf(file: string, name: string): Body {
  // All but the first file have a hash of their content in their name, so that names what was kept of it.
  const kept = folder !== undefined && name !== program && /^[a-z]+$/.test(command);
  const place = kept ? join(folder, `${basename(file)}.${command}`) : undefined;
  const cachedData = place === undefined ? undefined : keptIn(place);
  const script = new Script(
    `(function (exports, require, module, __filename, __dirname) {${readFileSync(file, 'latin1')}\n})`,
    {
      filename: file,
      cachedData,
    },
  );
  if (place !== undefined && (cachedData === undefined || script.cachedDataRejected === true))
    compiled.set(place, script);
  // It is the function that is written above.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return script.runInThisContext() as Body;
}

/** Nothing when somebody else wrote it: it would be run as it is. Nor after a day: other options run other functions. */
function keptIn(place: string): Buffer | undefined {
  try {
    const descriptor = openSync(place, 'r');
    try {
      const { uid, mtimeMs } = fstatSync(descriptor);
      return uid === process.geteuid?.() && Date.now() - mtimeMs < dayMs ? readFileSync(descriptor) : undefined;
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return undefined;
  }
}

/** Whole or not at all, also when the power fails: V8 believes what it reads. */
function keep(script: InstanceType<typeof Script>, place: string): void {
  const temporary = `${place}.${process.pid}`;
  try {
    writeFileSync(temporary, script.createCachedData(), { mode: 0o600, flag: 'wx', flush: true });
    renameSync(temporary, place);
  } catch {
    // A full disk or a folder that may not be written costs the next start 15 ms, and nobody anything else.
  }
}
