/**
 * What a late connection says of the SYNs before it. They go out at 0, 1, 2, 3, 4 s and then ever more slowly; kernels before
 * 6.5 send at 0, 1, 3, 7 s. The kernel counts them: a connection that was late while none was sent again was only read
 * late, by a process that had no time, or a machine that stood still.
 */
import { counter, readOrEmpty } from './proc.ts';

const everyMs = 1000;
/** A connection is given up long before. */
const samplesKept = 600;

interface Sample {
  readonly atMs: number;
  readonly count: number;
}

/** The machine's count, looked at once a second while connections begin: a late one is held against the count at its start. */
export class SynRetransmits {
  readonly #count: () => number;
  #samples: Sample[] = [];

  constructor(count = countedByKernel) {
    this.#count = count;
  }

  /** A connection begins at `startedMs` (of performance.now). */
  begin(startedMs: number): void {
    const last = this.#samples.at(-1);
    if (last && startedMs - last.atMs < everyMs) return;
    this.#samples.push({ atMs: startedMs, count: this.#count() });
    if (this.#samples.length > samplesKept) this.#samples = this.#samples.slice(samplesKept / 2);
  }

  /** What is to be noted of a connection that began at `startedMs` and took so long, if anything. */
  noteFor(startedMs: number, connectMs: number): string | undefined {
    const expected = expectedRetransmits(connectMs);
    if (expected === 0) return undefined;
    const before = this.#samples.findLast(({ atMs }) => atMs <= startedMs);
    const lost = before ? Math.min(expected, this.#count() - before.count) : 0;
    if (lost <= 0) return undefined;
    return `answered after ${(connectMs / 1000).toFixed(1)} s and ${lost} SYN ${lost === 1 ? 'retransmit' : 'retransmits'}`;
  }
}

function expectedRetransmits(connectMs: number): number {
  const seconds = Math.floor(connectMs / 1000 + 0.01);
  if (seconds < 1) return 0;
  return isLinear() ? Math.min(seconds, 5) : Math.floor(Math.log2(seconds + 1));
}

const isLinear = (): boolean => Number(readOrEmpty('/proc/sys/net/ipv4/tcp_syn_linear_timeouts')) > 0;

const countedByKernel = (): number => counter(readOrEmpty('/proc/net/netstat'), 'TcpExt', 'TCPSynRetrans');
