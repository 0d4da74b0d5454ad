/**
 * Reads files within bounds, whatever kind of file it is. What the command line names is read wherever it lies, a pipe too;
 * what a site names may come from a stranger, so it is a regular file that lies where files of sites may lie.
 */
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  readlinkSync,
  readSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { isAbsolute, relative } from 'node:path';
import { UsageError } from '../model/errors.ts';

export const maxFileBytes = 4 * 1024 * 1024;
const maxSecretBytes = 1024;

/** Room for what such files usually hold; it doubles. */
const firstBytes = 64 * 1024;

/** How long the writer of a pipe may say nothing. */
const patienceMs = 10_000;
const { O_RDONLY, O_NONBLOCK, O_NOCTTY } = constants;

const why: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file; check the name',
  EISDIR: 'is a directory; give a file in it',
  EACCES: 'may not be read; check its permissions',
  ERR_ACCESS_DENIED: 'is not allowed by --allow-fs-read of Node',
  EAGAIN: 'is a pipe that nothing comes from',
};

/** Which files a site may name. */
export interface NamedFiles {
  /** What they must lie below; undefined where a program and no file says what is read. */
  readonly folders: readonly string[] | undefined;
}

/** A file of the command line, or of the program itself. */
export function readFile(file: string, maxBytes = maxFileBytes): Uint8Array {
  return opened(file, (descriptor) => {
    const isPipe = fstatSync(descriptor).isFIFO();
    const bytes = readAll(file, descriptor, maxBytes);
    if (isPipe && bytes.length === 0) throw new UsageError(`${file}: is a pipe that nobody writes to`);
    return bytes;
  });
}

/** A file that a site names: `what` says where in the site (`trust`, `spec`). */
export function readNamedFile(file: string, what: string, named: NamedFiles, maxBytes = maxFileBytes): Uint8Array {
  const name = `${what} ${file}`;
  // Looked at before it is opened too: to open a device can do something.
  if (isIrregular(file)) throw notRegular(name);
  return opened(
    name,
    (descriptor) => {
      if (!fstatSync(descriptor).isFile()) throw notRegular(name);
      refuseOutside(name, realPathOf(descriptor, file), named);
      return readAll(name, descriptor, maxBytes);
    },
    file,
  );
}

/** One line; the editor's newline at its end is none of it. Nothing of it is ever told. */
export function readSecret(file: string, what: string, named: NamedFiles): string {
  const name = `${what} ${file}`;
  const secret = Buffer.from(readNamedFile(file, what, named, maxSecretBytes))
    .toString('utf8')
    .replace(/\r?\n$/, '');
  if (secret === '') throw new UsageError(`${name}: is empty; it holds the password in one line`);
  if (/[\0\r\n]/.test(secret))
    throw new UsageError(`${name}: is not one line of text; it holds the password and nothing else`);
  return secret;
}

/** A file of the system that may not be there, or not for us. */
export function readTextIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Where a file of a site lies, as a plan shows it: null where it may lie there. */
export function outsideText(file: string, { folders }: NamedFiles): string | null {
  if (folders === undefined || folders.some((folder) => isBelow(realPath(file), realPath(folder)))) return null;
  return `it does not lie below ${folders.join(' or ')}; add --allow-files ${folderOf(file)} if you trust the site with it`;
}

function refuseOutside(name: string, real: string, { folders }: NamedFiles): void {
  if (folders === undefined || folders.some((folder) => isBelow(real, realPath(folder)))) return;
  throw new UsageError(
    `${name}: a site names files below its own folder only (${folders[0]}); if you trust it with this one, add --allow-files ${folderOf(real)}`,
  );
}

function opened<T>(name: string, read: (descriptor: number) => T, file = name): T {
  try {
    const descriptor = openSync(file, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    try {
      return read(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    throw new UsageError(
      file === name
        ? `${name}: ${why[code] ?? `cannot be read (${code})`}`
        : `${name} cannot be read: ${why[code] ?? code}`,
      { cause },
    );
  }
}

function readAll(name: string, descriptor: number, maxBytes: number): Uint8Array {
  let bytes = Buffer.alloc(Math.min(firstBytes, maxBytes + 1));
  let length = 0;
  for (let read = -1; read !== 0 && length <= maxBytes; length += read) {
    if (length === bytes.length) bytes = Buffer.concat([bytes], length * 2);
    read = readSome(descriptor, bytes, length);
  }
  if (length > maxBytes) throw tooLarge(name, maxBytes);
  return new Uint8Array(bytes.subarray(0, length));
}

/** A pipe whose writer has nothing to say yet is asked again. */
function readSome(descriptor: number, bytes: Buffer, at: number): number {
  for (let waitedMs = 0; ; waitedMs += 10) {
    try {
      return readSync(descriptor, bytes, at, bytes.length - at, null);
    } catch (error) {
      const isWaiting = error instanceof Error && 'code' in error && error.code === 'EAGAIN' && waitedMs < patienceMs;
      if (!isWaiting) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}

function isIrregular(file: string): boolean {
  try {
    const found = statSync(file);
    return !found.isFile() && !found.isDirectory();
  } catch {
    // To open it says why.
    return false;
  }
}

/** Of what is open, where the system tells it: the name may lead elsewhere by now. */
function realPathOf(descriptor: number, file: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return realPath(file);
  }
}

function realPath(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}

function isBelow(file: string, folder: string): boolean {
  const way = relative(folder, file);
  return way !== '' && way !== '..' && !way.startsWith('../') && !isAbsolute(way);
}

const folderOf = (file: string): string => file.slice(0, Math.max(1, file.lastIndexOf('/')));

const notRegular = (name: string): UsageError => new UsageError(`${name}: is no regular file`);

export const tooLarge = (file: string, maxBytes = maxFileBytes): UsageError =>
  new UsageError(
    `${file}: is larger than ${maxBytes >= 1024 * 1024 ? `${maxBytes / 1024 / 1024} MiB` : `${maxBytes} bytes`}; give a smaller file`,
  );
