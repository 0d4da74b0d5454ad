/**
 * Contenders run in turn, round after round, each in a fresh namespace with servers of its own: what else the machine does
 * then hits all of them alike. Ratios and processor time are steady; rates are not.
 */
import { spawn } from 'node:child_process';
import { on } from '../../support/netns.ts';
import { makeSpace, type Space } from './space.ts';
import { reference } from './tools.ts';

export interface Contender {
  readonly name: string;
  readonly argv: readonly string[];
  /** Not held to one processor. */
  readonly isFree?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

/** One run: the whole process as the system saw it, and what it printed. */
export interface Run {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly peakMiB: number;
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Its last line of output, when that is JSON: it may know better when its work began. */
  readonly told: Readonly<Record<string, number>>;
}

export interface Contest {
  readonly rounds: number;
  readonly contenders: readonly Contender[];
  /** Makes the ground for one run. */
  readonly prepare?: (space: Space) => Promise<void>;
}

export async function contest({ rounds, contenders, prepare }: Contest): Promise<Map<string, Run[]>> {
  const runs = new Map<string, Run[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    // Another one begins each round, so that nobody always follows the same neighbour.
    const order = contenders.map((_, i) => contenders[(i + round) % contenders.length]!);
    for (const contender of order) {
      await using space = makeSpace();
      await prepare?.(space);
      runs.get(contender.name)!.push(await race(space.name, contender));
    }
  }
  return runs;
}

/** Runs one contender to its end. */
export async function race(space: string | null, { argv, isFree = false, env = {} }: Contender): Promise<Run> {
  const [program, ...args] = on(space, [...(isFree ? [] : ['taskset', '-c', '0']), reference('measure'), ...argv]);
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    env: { ...process.env, NODE_COMPILE_CACHE: undefined, ...env },
  });
  const [stdout, stderr, measured] = await Promise.all(
    [child.stdout, child.stderr, child.stdio[3] as NodeJS.ReadableStream].map(text),
  );
  if (!measured) throw new Error(`${program} could not be measured: ${stderr}`);
  const cost = JSON.parse(measured) as {
    wallMs: number;
    userMs: number;
    systemMs: number;
    peakMiB: number;
    exitCode: number;
  };
  if (cost.exitCode !== 0) throw new Error(`${argv.join(' ')} ended with ${cost.exitCode}: ${stderr}`);
  return {
    wallMs: cost.wallMs,
    cpuMs: cost.userMs + cost.systemMs,
    peakMiB: cost.peakMiB,
    exitCode: cost.exitCode,
    stdout: stdout ?? '',
    stderr: stderr ?? '',
    told: lastLine(stdout ?? ''),
  };
}

async function text(stream: NodeJS.ReadableStream | null): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream ?? []) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function lastLine(stdout: string): Readonly<Record<string, number>> {
  const line = stdout.trimEnd().split('\n').at(-1) ?? '';
  return line.startsWith('{') && line.endsWith('}') ? (JSON.parse(line) as Record<string, number>) : {};
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}
