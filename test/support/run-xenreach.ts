/** Runs xenreach as a user would: from the checkout, in a process of its own, on a machine of the lab if one is named. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Report, ReportCheck } from '../../src/model/report.ts';
import { on } from './netns.ts';

export interface Ran {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
}

export interface RunOptions {
  readonly namespace?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What runs it, with less than we may. */
  readonly wrap?: readonly string[];
  /** Standard input. */
  readonly input?: string;
  /** It is killed after this; the test then sees the signal. */
  readonly limitMs?: number;
  /** Hands out the process, for tests that send signals. */
  readonly onStart?: (kill: (signal: NodeJS.Signals) => void) => void;
  /** Called with all of standard output, whenever more has come. */
  readonly onOutput?: (stdout: string, kill: (signal: NodeJS.Signals) => void) => void;
}

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

export function runXenreach(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const started = performance.now();
  const [program, ...rest] = on(options.namespace ?? null, [...(options.wrap ?? []), process.execPath, main, ...args]);
  // What vitest sets for its workers is not what a user has.
  const { NODE_OPTIONS: _, NODE_ENV: __, VITEST: ___, ...inherited } = process.env;
  const env = { ...inherited, NO_COLOR: '1', ...options.env };
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, {
      cwd: options.cwd,
      env,
      timeout: options.limitMs ?? 50_000,
      killSignal: 'SIGKILL',
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => {
      stdout.push(chunk);
      options.onOutput?.(Buffer.concat(stdout).toString('utf8'), (signal) => void child.kill(signal));
    });
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.on('error', reject);
    child.on('close', (exitCode, signal) => {
      const text = (chunks: readonly Buffer[]): string => Buffer.concat(chunks).toString('utf8');
      resolve({
        exitCode,
        signal,
        stdout: text(stdout),
        stderr: text(stderr),
        durationMs: performance.now() - started,
      });
    });
    // A program that ends without reading its input is no trouble of ours.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
    options.onStart?.((signal) => child.kill(signal));
  });
}

/** One probe by hand, as the check of the report it prints. */
export async function probe(
  name: string,
  endpoint: string,
  args: readonly string[] = [],
  options: RunOptions = {},
): Promise<ReportCheck> {
  return printed(await runXenreach(['probe', name, endpoint, '--format', 'json', ...args], options)) as ReportCheck;
}

export const reportOf = (ran: Ran): Report => printed(ran) as Report;

function printed(ran: Ran): unknown {
  try {
    return JSON.parse(ran.stdout);
  } catch (cause) {
    const end = ran.signal ?? `exit code ${ran.exitCode}`;
    throw new Error(`not JSON (${end} after ${Math.round(ran.durationMs)} ms)\n${ran.stdout}\n${ran.stderr}`, {
      cause,
    });
  }
}
