/**
 * One run at a time, by a file that says whose it is. A process that died leaves its file behind: whoever finds that its
 * owner is gone takes it over. A process number is used again, so the owner's start is part of its name.
 */
import { closeSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { UsageError } from '../model/errors.ts';
import { troubleText } from './trouble.ts';

/** How long somebody may take to take over; it is a few system calls. */
const takeoverMs = 10_000;

export interface Lock {
  release(): void;
}

/** The lock, or who has it. Throws a UsageError where no file can be made. */
export function takeLock(file: string, named = `--lock ${file}`): Lock | string {
  if (create(file, named)) return held(file);
  const owner = ownerOf(file);
  if (owner !== null && isAlive(owner)) return `another run holds ${file}: process ${owner.pid}`;
  return takeOver(file, named) ? held(file) : `another run has just taken ${file}`;
}

interface Owner {
  readonly pid: number;
  /** Of the process, in the kernel's ticks; empty where the system does not tell. */
  readonly start: string;
}

function held(file: string): Lock {
  const release = (): void => {
    process.off('exit', release);
    if (ownerOf(file)?.pid === process.pid) rmSync(file, { force: true });
  };
  process.on('exit', release);
  return { release };
}

/** Only one of several who see the same dead owner gets past the second file. */
function takeOver(file: string, named: string): boolean {
  const guard = `${file}.takeover`;
  const found = statSync(guard, { throwIfNoEntry: false });
  if (found && Date.now() - found.mtimeMs > takeoverMs) rmSync(guard, { force: true });
  if (!create(guard, named)) return false;
  try {
    const owner = ownerOf(file);
    if (owner !== null && isAlive(owner)) return false;
    rmSync(file, { force: true });
    return create(file, named);
  } finally {
    rmSync(guard, { force: true });
  }
}

/** False when it is there already. */
function create(file: string, named: string): boolean {
  try {
    const descriptor = openSync(file, 'wx', 0o644);
    writeSync(descriptor, `${process.pid} ${startOf(process.pid)}\n`);
    closeSync(descriptor);
    return true;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EEXIST') return false;
    throw new UsageError(`${named} cannot be made ${troubleText(cause)}`, { cause });
  }
}

/** Null where the file is gone, or says nothing of an owner. */
function ownerOf(file: string): Owner | null {
  const [, pid, start = ''] = /^(\d{1,10}) (\d*)$/m.exec(readOrEmpty(file)) ?? [];
  return pid === undefined ? null : { pid: Number(pid), start };
}

function isAlive({ pid, start }: Owner): boolean {
  const now = startOf(pid);
  if (start !== '' && now !== '') return start === now;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // It is there, and not ours to signal.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** proc(5): the 22nd field of stat; the second is the command in brackets, and may hold anything. */
function startOf(pid: number): string {
  const text = readOrEmpty(`/proc/${pid}/stat`);
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
