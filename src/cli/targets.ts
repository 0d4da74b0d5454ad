/** The two ways to write a report into the file system: as a whole file by rename, or into what is there already. */
import {
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  openSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeSync,
  type Stats,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { codeOf } from '../net/failure.ts';

/** The methods throw what the system says. */
export interface Target {
  write(bytes: Uint8Array): void;
  commit(): void;
  discard(): void;
}

/** How long a pipe may stay full before its reader counts as gone. */
const patienceMs = 10_000;
const { O_WRONLY, O_NONBLOCK, O_NOCTTY, O_APPEND } = constants;

/** A regular file: written under another name beside it, and renamed when it is whole. */
export function openFile(named: string, found: Stats | undefined): Target {
  const file = linkTarget(named);
  const { temporary, fd } = openTemporary(file);
  let isOpen = true;
  const discard = (): void => {
    if (!isOpen) return;
    isOpen = false;
    closeSync(fd);
    rmSync(temporary, { force: true });
  };
  return {
    write: (bytes) => writeAll(fd, bytes),
    commit: () => {
      const keeps = found === undefined || takesAfter(fd, found);
      reachDisk(fd);
      // Who may not give the new file to the old one's owner writes into the old one.
      if (keeps) renameSync(temporary, file);
      else copyFileSync(temporary, file);
      isOpen = false;
      closeSync(fd);
      if (!keeps) rmSync(temporary, { force: true });
    },
    discard,
  };
}

/** Mode and owner of the file that it replaces; false where that is not ours to give. */
function takesAfter(fd: number, { uid, gid, mode }: Stats): boolean {
  try {
    const made = fstatSync(fd);
    if (made.uid !== uid || made.gid !== gid) fchownSync(fd, uid, gid);
    fchmodSync(fd, mode & 0o7777);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EPERM' || isForbidden(error)) return false;
    throw error;
  }
}

/** Some file systems say only now that they are full. */
function reachDisk(fd: number): void {
  try {
    fsyncSync(fd);
  } catch (error) {
    if (!isForbidden(error)) throw error;
  }
}

/** Node's permission model knows paths, and has no open files done anything to but read and written. */
const isForbidden = (error: unknown): boolean => codeOf(error) === 'ERR_ACCESS_DENIED';

/**
 * A device, a pipe, or one of our own streams (`fd`). It is opened when there is something to write: who reads a pipe may
 * come later than we do.
 */
export function openStream(own: number | null, file: string): Target {
  let fd = own;
  return {
    write: (bytes) => {
      fd ??= openSync(file, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_APPEND);
      writeAll(fd, bytes);
    },
    commit: () => (own === null && fd !== null ? closeSync(fd) : undefined),
    discard: () => undefined,
  };
}

/** Where a link leads, also to a file that is not there yet. */
function linkTarget(file: string, links = 0): string {
  let to: string;
  try {
    to = readlinkSync(file);
  } catch {
    return file;
  }
  if (links >= 40) throw Object.assign(new Error('too many links'), { code: 'ELOOP' });
  return linkTarget(resolve(dirname(file), to), links + 1);
}

/** Nobody can guess its name and be there first, and one that a killed process left is in nobody's way. */
function openTemporary(file: string): { temporary: string; fd: number } {
  const random = Math.random().toString(36).slice(2).padEnd(12, '0');
  const temporary = join(dirname(file), `.${basename(file).slice(0, 40)}.${random}.tmp`);
  try {
    return { temporary, fd: openSync(temporary, 'wx', 0o644) };
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return openTemporary(file);
    throw error;
  }
}

function writeAll(fd: number, bytes: Uint8Array): void {
  let waitedMs = 0;
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(fd, bytes, at);
      waitedMs = 0;
    } catch (error) {
      if (codeOf(error) !== 'EAGAIN' || waitedMs >= patienceMs) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
      waitedMs += 10;
    }
  }
}
