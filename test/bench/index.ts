/** The list of benchmarks, in the order of docs/performance.md. */
import type { Benchmark } from './kit/benchmark.ts';
import { blackHoles } from './black-holes.ts';
import { deadline } from './deadline.ts';
import { dns } from './dns.ts';
import { fleet } from './fleet.ts';
import { latency } from './latency.ts';
import { memory } from './memory.ts';
import { merge } from './merge.ts';
import { neighbours } from './neighbours.ts';
import { plan } from './plan.ts';
import { prober } from './prober.ts';
import { stall } from './stall.ts';
import { start } from './start.ts';
import { syscalls } from './syscalls.ts';
import { tcpClosed } from './tcp-closed.ts';
import { tcpOpen } from './tcp-open.ts';
import { tls } from './tls.ts';
import { udp } from './udp.ts';
import { watch } from './watch.ts';
import { wholeCheck } from './whole-check.ts';

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
  dns,
  prober,
  memory,
  fleet,
  merge,
  neighbours,
  syscalls,
  plan,
  start,
  watch,
];
