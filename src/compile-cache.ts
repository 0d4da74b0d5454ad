/**
 * Where compiled code is kept between starts, which takes a good part of each. V8 runs what it finds there as it is, so it
 * must be a folder that nobody else can write to, nor put another one in its place: every folder above it is the user's or
 * root's, too. Node's own choice, a folder in /tmp that whoever comes first may make, is unsafe for a program that root runs
 * from cron; so is the home of another user that sudo may leave in HOME.
 */

// Imports would make everything that these export, promises and streams too: 4 ms.
const { lstatSync, mkdirSync, realpathSync } = process.getBuiltinModule('node:fs');
const { enableCompileCache, getCompileCacheDir } = process.getBuiltinModule('node:module');
const { dirname, isAbsolute, join } = process.getBuiltinModule('node:path');

/** Group and others may write; in a sticky folder (/tmp) they may all the same not touch what is not theirs. */
const shared = 0o022;
const sticky = 0o1000;

/** The folder of this version of Node, or undefined where nothing can be kept: then each start takes its time. */
export function keepCompiled(): string | undefined {
  const { NODE_COMPILE_CACHE: chosen = '', XDG_CACHE_HOME: caches = '', HOME: home = '' } = process.env;
  const folder = chosen === '' ? ownFolder(caches, home) : keptBySafe(chosen);
  if (folder === undefined) return undefined;
  enableCompileCache(folder);
  return getCompileCacheDir();
}

function ownFolder(caches: string, home: string): string | undefined {
  const base = caches === '' ? home : caches;
  if (!isAbsolute(base)) return undefined;
  try {
    // A home that is not there, or is not ours, gets no folder from us.
    if (caches === '' && !isOurs(home)) return undefined;
    if (caches === '') return made(made(realpathSync(home), '.cache'), 'xenreach');
    return made(existing(caches), 'xenreach');
  } catch {
    return undefined;
  }
}

/** XDG_CACHE_HOME may have to be made, but not the way to it. */
function existing(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return made(realpathSync(dirname(folder)), folder.slice(dirname(folder).length).replaceAll('/', ''));
  }
}

/** A folder in one that is safe, made where it is missing; throws where either is not. */
function made(folder: string, name: string): string {
  if (!isSafe(folder)) throw new Error(`${folder} is not safe`);
  try {
    mkdirSync(join(folder, name), { mode: 0o700 });
  } catch {
    // It is there, as a rule.
  }
  const real = realpathSync(join(folder, name));
  if (!isSafe(real) || !isOurs(real)) throw new Error(`${real} is not safe`);
  return real;
}

/** Node uses the folder that the user chose, whatever it is; what we keep beside it asks for a safe one. */
function keptBySafe(chosen: string): string | undefined {
  try {
    const real = realpathSync(chosen);
    return isSafe(real) && isOurs(real) ? real : undefined;
  } catch {
    return undefined;
  }
}

function isOurs(folder: string): boolean {
  return process.geteuid === undefined || lstatSync(folder).uid === process.geteuid();
}

/** Of a real path: nobody but root and the user can change what stands at it. */
function isSafe(folder: string): boolean {
  if (process.geteuid === undefined) return true;
  const { uid, mode } = lstatSync(folder);
  const isShared = (mode & shared) !== 0 && (mode & sticky) === 0;
  if ((uid !== 0 && uid !== process.geteuid()) || isShared) return false;
  return dirname(folder) === folder || isSafe(dirname(folder));
}
