/** What a benchmark is, and what it tells. */
import { median, type Run } from './contest.ts';

export interface Benchmark {
  readonly name: string;
  readonly about: string;
  run(effort: Effort): Promise<Told>;
}

export interface Effort {
  readonly rounds: number;
  /** 1 is the work of the table in docs/performance.md; less is for a quick look. */
  readonly scale: number;
}

export type Told =
  | { readonly skipped: string }
  | { readonly figures: readonly Figure[]; readonly table?: readonly Line[] };

/** One number with its target. */
export interface Figure {
  readonly of: string;
  readonly figure: number;
  readonly target: string;
  readonly met: boolean;
  /** What a saved run had (`--compare`). */
  readonly was?: number;
}

/** A contender's medians, with the spread of its rate. */
export interface Line {
  readonly name: string;
  readonly rate: number;
  readonly from: number;
  readonly to: number;
  /** Seconds of processor time for 10,000 of what is counted. */
  readonly cpuPer10k: number;
  readonly peakMiB: number;
  readonly note: string;
  readonly was?: { readonly rate: number; readonly cpuPer10k: number };
}

export const atLeast = (of: string, figure: number, bound: number): Figure => ({
  of,
  figure: rounded(figure),
  target: `>= ${bound}`,
  met: figure >= bound,
});

export const atMost = (of: string, figure: number, bound: number): Figure => ({
  of,
  figure: rounded(figure),
  target: `<= ${bound}`,
  met: figure <= bound,
});

export function linesOf(
  runs: ReadonlyMap<string, readonly Run[]>,
  count: number,
  note: (name: string) => string = () => '',
): Line[] {
  return [...runs].map(([name, each]) => {
    const rates = each.map((run) => rateOf(run, count));
    return {
      name,
      rate: Math.round(median(rates)),
      from: Math.round(Math.min(...rates)),
      to: Math.round(Math.max(...rates)),
      cpuPer10k: rounded((median(each.map(cpuOf)) / count) * 10),
      peakMiB: Math.round(median(each.map(({ peakMiB }) => peakMiB))),
      note: note(name),
    };
  });
}

/** Of each round by itself, then the median: a busy moment spoils a round, not the ratio. */
export function ratio(
  runs: ReadonlyMap<string, readonly Run[]>,
  of: string,
  to: string,
  what: (run: Run) => number,
): number {
  const [ours = [], theirs = []] = [runs.get(of), runs.get(to)];
  return median(ours.map((run, i) => what(run) / what(theirs[i]!)));
}

/** A contender that says how long its work took is not charged its start. */
export const wallOf = (run: Run): number => run.told['wallMs'] ?? run.wallMs;
export const cpuOf = (run: Run): number => run.told['cpuMs'] ?? run.cpuMs;
export const rateOf = (run: Run, count: number): number => (count / wallOf(run)) * 1000;
export const speed = (run: Run): number => 1 / wallOf(run);

const rounded = (value: number): number => Number(value.toPrecision(4));
