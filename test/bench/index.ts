/** The list of benchmarks, in the order of docs/performance.md. */
import type { Benchmark } from './kit/benchmark.ts';
import { tcpClosed } from './tcp-closed.ts';
import { tcpOpen } from './tcp-open.ts';

export const benchmarks: readonly Benchmark[] = [tcpOpen, tcpClosed];
