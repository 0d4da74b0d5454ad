/** This machine's own trouble with a file or a stream, in words. */
import { codeOf } from '../net/failure.ts';

const words: Readonly<Record<string, string>> = {
  ERR_ACCESS_DENIED: 'Node was not started with --allow-fs-write for it',
  EACCES: 'you may not write there',
  EAGAIN: 'its reader takes nothing more',
  EDQUOT: 'your quota of its file system is used up',
  EEXIST: 'something of that name is in the way',
  EFBIG: 'it would be larger than a file may be',
  EIO: 'its device fails',
  EISDIR: 'it is a folder; name a file in it',
  ELOOP: 'its links lead in a circle',
  EMFILE: 'too many files are open',
  ENOENT: 'its folder is not there',
  ENOSPC: 'no room is left on its file system',
  ENOTDIR: 'its folder is a file',
  ENXIO: 'nobody reads from it',
  EPERM: 'you may not write there',
  EPIPE: 'its reader went away',
  EROFS: 'its file system is read-only',
};

/** "(ENOSPC): no room is left on its file system" */
export function troubleText(error: unknown): string {
  const code = codeOf(error);
  if (code === undefined) return `(${error instanceof Error ? error.message : String(error)})`;
  return words[code] === undefined ? `(${code})` : `(${code}): ${words[code]}`;
}

/** A system call said no, outside every check: this machine's trouble, and no defect of ours. */
export const isSystemError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error &&
  ('syscall' in error || codeOf(error) === 'ERR_ACCESS_DENIED') &&
  codeOf(error) !== undefined;
