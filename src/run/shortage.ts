/** What this machine may have too little of, when that is why nothing was learned of a target, and when to try again. */
import type { Observation } from '../model/outcome.ts';
import { nothingTried } from './attempt.ts';
import type { Job } from './job.ts';

export interface Shortage {
  readonly detail: string;
  /** Retrying sooner cannot succeed. */
  readonly leastPauseMs: number;
}

const shortages = {
  sockets: {
    detail: 'this machine had no descriptors, ports or buffers left for it, again and again',
    leastPauseMs: 0,
  },
  // The kernel gives no place away that was confirmed in the last five seconds.
  neighbours: {
    detail:
      "this machine's neighbour table is full: fewer hosts of its own link at a time, or a higher net.ipv4.neigh.default.gc_thresh3",
    leastPauseMs: 5000,
  },
} as const satisfies Record<string, Shortage>;

/** How often a check is taken up again, and the first pause, which doubles. */
export const mostPutBacks = 8;
const firstPauseMs = 100;

export const pauseMs = ({ leastPauseMs }: Shortage, putBacks: number): number =>
  Math.max(leastPauseMs, firstPauseMs * 2 ** putBacks);

/** `observation` is undefined when a system call said that there was nothing left. */
export function shortageOf(
  observation: Observation | undefined,
  startedMs: number,
  neighbours: { overflowedSince(startedMs: number): boolean },
): Shortage | undefined {
  if (!observation) return shortages.sockets;
  const isNobody = observation.outcome === 'timeout' || observation.hint === 'host-down';
  return isNobody && neighbours.overflowedSince(startedMs) ? shortages.neighbours : undefined;
}

/** What is observed in the end, when no try found enough. */
export const exhausted = ({ check, address }: Job, { detail }: Shortage): Observation => ({
  ...nothingTried(check, { outcome: 'local', stage: null, detail }),
  address,
});
