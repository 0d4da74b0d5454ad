/** A responder on a machine of the lab, as its user starts it: this program's own, or the Python file that it prints. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Pair, Receipts } from '../../src/model/pair.ts';
import { linksUp, on, path, type Host } from './netns.ts';
import { runXenreach } from './run-xenreach.ts';

export const kinds = ['node', 'python'] as const;
export type Kind = (typeof kinds)[number];

export interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running extends AsyncDisposable {
  readonly pairFile: string;
  readonly pair: Pair;
  readonly child: ChildProcess;
  /** As ever: a signal, and what it printed by its end. */
  stop(signal?: NodeJS.Signals): Promise<Ended>;
  readonly ended: Promise<Ended>;
  receipts(): Promise<Receipts>;
}

export interface RespondOptions {
  readonly kind?: Kind;
  readonly roles: readonly string[];
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** A program that becomes the one named after it. */
  readonly by?: readonly string[];
}

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
/** Debian's own, whatever else is in the path. */
export const python = '/usr/bin/python3';

export async function startResponder(host: Host, site: object, options: RespondOptions): Promise<Running> {
  const { kind = 'node', roles, args = [] } = options;
  await linksUp(host);
  const folder = mkdtempSync(join(tmpdir(), 'xenreach-respond-'));
  const [siteFile, pairFile, script] = ['site.yaml', 'pair.json', 'respond.py'].map((name) => join(folder, name));
  writeFileSync(siteFile!, JSON.stringify({ name: 'lab', ...site }));
  const as = roles.flatMap((role) => ['--as', role]);
  const own = ['--pair-file', pairFile!, '--format', 'json', ...args];
  let argv = [process.execPath, main, 'respond', '--site', siteFile!, ...as, ...own];
  if (kind === 'python') {
    const printed = await runXenreach(['respond', '--site', siteFile!, ...as, '--print', 'python'], { cwd: folder });
    if (printed.exitCode !== 0) throw new Error(printed.stderr);
    writeFileSync(script!, printed.stdout);
    argv = [python, script!, ...own];
  }
  const { NODE_OPTIONS: _, NODE_ENV: __, VITEST: ___, ...inherited } = process.env;
  const [program, ...rest] = on(host.namespace, [...(options.by ?? []), ...argv]);
  const child = spawn(program, rest, {
    env: { ...inherited, PATH: path, NO_COLOR: '1', ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = once(child, 'close').then(([exitCode]): Ended => {
    rmSync(folder, { recursive: true, force: true });
    return { exitCode: exitCode as number | null, stdout, stderr };
  });
  const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null;
  for (let i = 0; i < 1000 && !existsSync(pairFile!) && !isOver(); i += 1) await sleep(20);
  if (!existsSync(pairFile!)) {
    child.kill('SIGKILL');
    throw new Error(`no pair came: ${stdout}\n${stderr}`);
  }
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> => {
    if (!isOver()) child.kill(signal);
    return ended;
  };
  return {
    pairFile: pairFile!,
    pair: JSON.parse(readFileSync(pairFile!, 'utf8')) as Pair,
    child,
    stop,
    ended,
    receipts: async () => JSON.parse((await stop('SIGINT')).stdout) as Receipts,
    [Symbol.asyncDispose]: async () => void (await stop('SIGKILL')),
  };
}
