/**
 * How many threads beside this one open bare connections. A thread takes time and memory to start, and this one launches
 * many thousand connections a second by itself, so it takes both many of them and a high rate until threads pay. From the
 * fifth on they do not: then the pool, and whoever judges and reports, takes the time. Measured in docs/performance.md.
 */
import { availableParallelism } from 'node:os';
import type { Check } from '../model/plan.ts';
import type { Probe } from '../model/probe.ts';
import { answerOnConnect } from './job.ts';

export interface ThreadSettings {
  readonly probes: Readonly<Record<string, Probe>>;
  /** New checks a second. */
  readonly rate: number;
  /** Threads for bare connections beside this one. Absent: as many as pay. */
  readonly threads?: number | undefined;
}

const leastConnections = 20_000;
const leastRate = 20_000;
const mostThreads = 4;

export function threadsFor(checks: readonly Check[], { probes, rate, threads }: ThreadSettings): number {
  if (threads !== undefined) return threads;
  if (checks.length < leastConnections || rate < leastRate) return 0;
  // Node's permission model allows them or not; its type says nothing of a process without one.
  const { permission }: Partial<NodeJS.Process> = process;
  if (permission && !permission.has('worker')) return 0;
  let bare = 0;
  for (const check of checks) if (answerOnConnect(check, probes[check.probe])) bare += 1;
  return bare < leastConnections ? 0 : Math.min(availableParallelism() - 1, mostThreads);
}
