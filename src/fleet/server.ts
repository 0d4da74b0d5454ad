/**
 * The server of the bus, when nobody runs one: found on the PATH, started in the hub's folder, started again when it ends,
 * told to read its config when that changes. One that an earlier hub left behind is taken over.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { readTextIfThere } from '../load/read-file.ts';
import { UsageError } from '../model/errors.ts';
import { isOlder } from './bus.ts';
import { writeFileWhole } from './files.ts';
import { oldestServer } from './layout.ts';
import { hubPlaces } from './roster.ts';
import { jetstreamConfig } from './server-config.ts';

const program = 'nats-server';
const [againMs, longestAgainMs, lookMs, endMs] = [500, 30_000, 1000, 8000];

export interface ServerParts {
  readonly folder: string;
  readonly say: (text: string) => void;
  readonly stop: AbortSignal;
}

/** Resolves when the server has ended, after the signal. Throws a UsageError where there is none that will do. */
export function superviseServer({ folder, say, stop }: ServerParts): Promise<void> {
  const path = findServer();
  const version = versionOf(path);
  if (isOlder(version, oldestServer))
    throw new UsageError(`${path} is ${version}, which is too old: ${oldestServer} is the first that will do`);
  const place = hubPlaces(folder);
  mkdirSync(place.data, { recursive: true, mode: 0o700 });
  writeFileWhole(place.jetstream, jetstreamConfig(version), 0o644);
  return keepRunning({ path, folder, say, stop });
}

/** Also where daemons are, which is not on everybody's PATH. */
function findServer(): string {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/usr/local/sbin'];
  const found = folders.map((folder) => join(folder || '.', program)).find((file) => existsSync(file));
  if (found !== undefined) return found;
  throw new UsageError(
    `there is no ${program} on the PATH: install it (Debian's package is called so), or name a server of your own: --nats tls://NAME:4222`,
  );
}

/** "nats-server: v2.9.10" */
function versionOf(path: string): string {
  const told = execFileSync(path, ['--version'], { encoding: 'utf8', timeout: 5000 });
  return /v(\d+\.\d+\.\d+)/.exec(told)?.[1] ?? '0';
}

async function keepRunning({ path, folder, say, stop }: ServerParts & { readonly path: string }): Promise<void> {
  const pidFile = join(hubPlaces(folder).data, 'server.pid');
  let waitMs = againMs;
  while (!stop.aborted) {
    const left = leftBehind(pidFile);
    const began = performance.now();
    const server = left === null ? started(path, folder, pidFile) : adopted(left);
    if (left !== null) say(`${program} (process ${left}) runs already, and is taken over`);
    const why = await watched(server, folder, stop);
    if (stop.aborted) return;
    if (performance.now() - began > longestAgainMs) waitMs = againMs;
    say(`${program} ended (${why}); it is started again in ${waitMs / 1000} s`);
    await after(waitMs, undefined, { signal: stop }).catch(() => undefined);
    waitMs = Math.min(longestAgainMs, waitMs * 2);
  }
}

interface Server {
  readonly pid: number;
  /** Why it ended. */
  readonly ended: Promise<string>;
}

function started(path: string, folder: string, pidFile: string): Server {
  const child = spawn(path, ['-c', 'nats.conf', '-P', pidFile], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  return { pid: child.pid ?? 0, ended: endOf(child, join(folder, 'data/server.log')) };
}

/** Its log is a file: to write into the pipe of a hub that was killed would end it too. */
async function endOf(child: ChildProcess, log: string): Promise<string> {
  let last = '';
  child.stderr?.on('data', (data: Buffer) => (last = (last + data.toString('utf8')).slice(-2000)));
  return new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) => {
      const fault = `${readTextIfThere(log).slice(-2000)}\n${last}`
        .split('\n')
        .findLast((line) => /\[(?:FTL|ERR)\]|nats-server:/.test(line));
      resolve(fault?.replace(/^.*?\[(?:FTL|ERR)\] /, '') ?? signal ?? `exit ${code}`);
    });
  });
}

/** The process of an earlier hub that was killed; null where there is none. */
function leftBehind(pidFile: string): number | null {
  const pid = Number(readTextIfThere(pidFile).trim());
  if (!Number.isSafeInteger(pid) || pid < 2) return null;
  const words = readTextIfThere(`/proc/${pid}/cmdline`).split('\0');
  return words.includes(pidFile) && (words[0] ?? '').endsWith(program) ? pid : null;
}

/** It is nobody's child that we hear of: it is looked at again and again. */
function adopted(pid: number): Server {
  const ended = (async (): Promise<string> => {
    while (isAlive(pid)) await after(200);
    return 'it was not our child';
  })();
  return { pid, ended };
}

/** Until it ends by itself, or has been ended. */
async function watched({ pid, ended }: Server, folder: string, stop: AbortSignal): Promise<string> {
  const { config } = hubPlaces(folder);
  let seen = stampOf(config);
  const look = setInterval(() => {
    const now = stampOf(config);
    if (now !== seen) tell(pid, 'SIGHUP');
    seen = now;
  }, lookMs);
  let last: NodeJS.Timeout | undefined;
  const end = (): void => {
    tell(pid, 'SIGTERM');
    last = setTimeout(() => tell(pid, 'SIGKILL'), endMs);
  };
  stop.addEventListener('abort', end, { once: true });
  if (stop.aborted) end();
  try {
    return await ended;
  } finally {
    clearTimeout(last);
    clearInterval(look);
    stop.removeEventListener('abort', end);
  }
}

function stampOf(file: string): string {
  try {
    const { mtimeMs, ino } = statSync(file);
    return `${mtimeMs} ${ino}`;
  } catch {
    return '';
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.startsWith('Z') !== true;
  } catch {
    return false;
  }
}

function tell(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended already.
  }
}
