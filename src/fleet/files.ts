/** Files that are whole or not there, and secrets that others cannot read. */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { readSecret } from '../load/read-file.ts';
import { UsageError } from '../model/errors.ts';

/** On the disk when it returns, under its name or not at all. */
export function writeFileWhole(file: string, data: string | Uint8Array, mode: number): void {
  const temporary = join(dirname(file), `.${basename(file)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const descriptor = openSync(temporary, 'wx', mode);
    try {
      const bytes = typeof data === 'string' ? Buffer.from(data) : data;
      for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** One line that nobody else on the machine may read; systemd hands credentials over to root's or the user's group. */
export function readSeed(file: string): string {
  const found = statSync(file, { throwIfNoEntry: false });
  const isOwnGroup = found?.gid === 0 || found?.gid === process.getegid?.();
  if (found && ((found.mode & 0o006) !== 0 || (!isOwnGroup && (found.mode & 0o060) !== 0)))
    throw new UsageError(
      `${file}: others on this machine can read it (mode ${(found.mode & 0o777).toString(8).padStart(4, '0')}); chmod 600 ${file}`,
    );
  return readSecret(file, 'key', { folders: undefined });
}
