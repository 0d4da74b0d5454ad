/**
 * The system's files below a folder: `/`, a mounted disk, an unpacked status report. Links stay below that folder, wherever
 * they point; only regular files of bounded size are read, and one that is no text is told.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../../net/failure.ts';

export interface SystemFiles {
  /** Empty where it is not there, or not for us. */
  text(path: string): string;
  /** Names in a folder, sorted. */
  names(path: string): readonly string[];
  /** Paths of the folder's files whose names end so. */
  list(folder: string, ending: string): readonly string[];
  /** May anybody run it? */
  isExecutable(path: string): boolean;
  /** What could not be read, each with why. */
  readonly trouble: readonly string[];
}

const maxBytes = 1 << 20;
const maxNames = 1000;
const maxLinks = 40;

export function systemFiles(root: string): SystemFiles {
  const trouble: string[] = [];
  const attempt = <T>(path: string, read: (real: string) => T, otherwise: T): T => {
    try {
      return read(within(root, path));
    } catch (error) {
      const code = codeOf(error);
      if (code === 'EACCES' || code === 'EPERM') trouble.push(`/${path} may not be read by this user`);
      else if (code !== undefined && !quiet.has(code)) trouble.push(`/${path} cannot be read (${code})`);
      return otherwise;
    }
  };
  const names = (path: string): readonly string[] =>
    attempt(path, (real) => readdirSync(real).toSorted().slice(0, maxNames), []);
  return {
    trouble,
    names,
    text: (path) => {
      const bytes = attempt(path, readBounded, undefined);
      if (bytes === undefined) return '';
      if (bytes.length <= maxBytes && !bytes.includes(0)) return bytes.toString('utf8');
      trouble.push(`/${path} is ${bytes.includes(0) ? 'no text' : 'larger than 1 MiB'} and was left out`);
      return '';
    },
    list: (folder, ending) =>
      names(folder)
        .filter((name) => name.endsWith(ending) && !name.startsWith('.'))
        .map((name) => `${folder}/${name}`),
    isExecutable: (path) => attempt(path, (real) => (lstatSync(real).mode & 0o111) !== 0, false),
  };
}

const quiet = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP']);

/** The path with every link followed, none of them out of the root. */
function within(root: string, path: string): string {
  const steps = path.split('/');
  const way: string[] = [];
  for (let links = 0; steps.length > 0;) {
    const step = steps.shift()!;
    if (step === '' || step === '.') continue;
    if (step === '..') {
      way.pop();
      continue;
    }
    const to = linkAt(join(root, ...way, step));
    if (to === undefined) {
      way.push(step);
      continue;
    }
    links += 1;
    if (links > maxLinks) throw Object.assign(new Error('too many links'), { code: 'ELOOP' });
    if (to.startsWith('/')) way.length = 0;
    steps.unshift(...to.split('/'));
  }
  return join(root, ...way);
}

function linkAt(path: string): string | undefined {
  return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined;
}

function readBounded(path: string): Buffer | undefined {
  // To open a device can do something, and a pipe waits.
  if (!lstatSync(path).isFile()) return undefined;
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  try {
    if (!fstatSync(descriptor).isFile()) return undefined;
    const bytes = Buffer.alloc(maxBytes + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read) {
      read = readSync(descriptor, bytes, length, bytes.length - length, null);
    }
    return bytes.subarray(0, length);
  } finally {
    closeSync(descriptor);
  }
}

/** Lines without their comments and blanks around them. */
export const linesOf = (text: string, comment = /^\s*[#;].*|\s#.*/): readonly string[] =>
  text
    .split(/\r?\n/)
    .slice(0, 20_000)
    .map((line) => line.slice(0, 4096).replace(comment, '').trim())
    .filter((line) => line !== '');

export interface Entry {
  readonly section: string;
  readonly key: string;
  readonly value: string;
}

/** Files of sections: [section], then key = value; keys and sections in lower case. */
export function entriesOf(text: string): readonly Entry[] {
  let section = '';
  return linesOf(text, /^\s*[#;].*/).flatMap((line): Entry[] => {
    const [, name] = /^\[\s*([^\]]+?)\s*\]/.exec(line) ?? [];
    if (name !== undefined) section = name.toLowerCase();
    const [, key, value] = /^([^=[]+?)\s*=\s*(.*)$/.exec(line) ?? [];
    return key === undefined || value === undefined ? [] : [{ section, key: key.toLowerCase(), value }];
  });
}
