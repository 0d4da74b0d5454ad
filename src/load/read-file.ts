/** Reads a file that somebody named on the command line or in a site: bounded, whatever kind of file it is. */
import { closeSync, openSync, readSync } from 'node:fs';
import { UsageError } from '../model/errors.ts';

export const maxFileBytes = 4 * 1024 * 1024;

/** Room for what such files usually hold; it doubles. 4 MiB to begin with were 5 ms for each file. */
const usualBytes = 64 * 1024;

const why: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file; check the name',
  EISDIR: 'is a directory; give a file in it',
  EACCES: 'may not be read; check its permissions',
};

export function readFile(file: string): Uint8Array {
  let bytes = Buffer.alloc(usualBytes);
  let length = 0;
  try {
    const descriptor = openSync(file, 'r');
    try {
      for (let read = -1; read !== 0 && length <= maxFileBytes; length += read) {
        if (length === bytes.length) bytes = Buffer.concat([bytes], length * 2);
        read = readSync(descriptor, bytes, length, bytes.length - length, null);
      }
    } finally {
      closeSync(descriptor);
    }
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    throw new UsageError(`${file}: ${why[code] ?? `cannot be read (${code})`}`, { cause });
  }
  if (length > maxFileBytes) throw tooLarge(file);
  return new Uint8Array(bytes.subarray(0, length));
}

export const tooLarge = (file: string): UsageError =>
  new UsageError(`${file}: is larger than 4 MiB; give a smaller file`);
