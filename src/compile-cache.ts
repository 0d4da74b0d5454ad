/**
 * Where compiled code is kept between starts: 100 ms of each from source, 30 of each built. V8 runs what it finds there as it
 * is, so it must be a folder that nobody else can write to. Node's own choice, a folder in /tmp that whoever comes first may
 * make, is none for a program that root runs from cron.
 */

// Imports would make everything that these export, promises and streams too: 4 ms.
const { lstatSync, mkdirSync } = process.getBuiltinModule('node:fs');
const { enableCompileCache, getCompileCacheDir } = process.getBuiltinModule('node:module');
const { isAbsolute, join } = process.getBuiltinModule('node:path');

/** Group and others may write. */
const shared = 0o022;

/** The folder of this version of Node, or undefined where nothing can be kept: then each start takes its time. */
export function keepCompiled(): string | undefined {
  const { NODE_COMPILE_CACHE: chosen = '', XDG_CACHE_HOME: caches = '', HOME: home = '' } = process.env;
  const folder = chosen === '' ? ownFolder(join(caches === '' ? join(home, '.cache') : caches, 'xenreach')) : chosen;
  if (folder === undefined) return undefined;
  enableCompileCache(folder);
  return getCompileCacheDir();
}

function ownFolder(folder: string): string | undefined {
  if (!isAbsolute(folder)) return undefined;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { uid, mode } = lstatSync(folder);
    // Under sudo, HOME may be somebody else's.
    const isOurs = process.geteuid === undefined || (uid === process.geteuid() && (mode & shared) === 0);
    return isOurs ? folder : undefined;
  } catch {
    return undefined;
  }
}
