/** The list of benchmarks, in the order of docs/performance.md. */
import type { Benchmark } from './kit/benchmark.ts';
import { tcpOpen } from './tcp-open.ts';
import { tcpClosed } from './tcp-closed.ts';
import { wholeCheck } from './whole-check.ts';
import { blackHoles } from './black-holes.ts';
import { latency } from './latency.ts';
import { stall } from './stall.ts';
import { deadline } from './deadline.ts';
import { udp } from './udp.ts';
import { tls } from './tls.ts';
import { memory } from './memory.ts';
import { syscalls } from './syscalls.ts';

export const benchmarks: readonly Benchmark[] = [
  tcpOpen,
  tcpClosed,
  wholeCheck,
  blackHoles,
  latency,
  stall,
  deadline,
  udp,
  tls,
  memory,
  syscalls,
];
