/** Plans run in this process, for the tests of the run floor: what was observed, in the order of the plan. */
import type { Observation } from '../../src/model/outcome.ts';
import type { Check } from '../../src/model/plan.ts';
import type { Probe } from '../../src/model/probe.ts';
import type { Stats } from '../../src/model/report.ts';
import { run, type RunControl, type RunSettings } from '../../src/run/run.ts';
import { probes } from './sites.ts';

export interface Observed {
  readonly stats: Stats;
  readonly byCheck: ReadonlyMap<string, readonly Observation[]>;
  /** Checks whose every address is this machine's own. */
  readonly selves: readonly string[];
  readonly bugs: readonly unknown[];
  readonly ms: number;
  /** Of the only check there is. */
  readonly only: Observation;
}

export interface Running {
  readonly control: RunControl;
  readonly observed: Promise<Observed>;
}

const ordinary: RunSettings = {
  concurrency: 64,
  perHost: 64,
  rate: 2000,
  timeoutMs: 1000,
  retries: 1,
  family: 'any',
  sourceAddress: undefined,
  proxy: null,
  trust: [],
  ownAddresses: [],
  probes,
};

export function start(checks: readonly Check[], settings: Partial<RunSettings> = {}): Running {
  const began = performance.now();
  const byCheck = new Map<string, Observation[]>(checks.map(({ id }) => [id, []]));
  const ended = new Set<string>();
  const selves: string[] = [];
  const bugs: unknown[] = [];
  const control = run(
    checks,
    { ...ordinary, ...settings },
    {
      onObservation: ({ check: { id }, observation, isLast }) => {
        if (ended.has(id)) throw new Error(`${id} was told again after its end`);
        byCheck.get(id)!.push(observation);
        if (isLast) ended.add(id);
      },
      onSelf: ({ check: { id } }) => {
        ended.add(id);
        selves.push(id);
      },
      onBug: (_check, error) => void bugs.push(error),
    },
  );
  const observed = control.done.then((stats): Observed => {
    const untold = checks.filter(({ id }) => !ended.has(id));
    if (untold.length > 0) throw new Error(`never told: ${untold.map(({ id }) => id).join(', ')}`);
    const only = byCheck.values().next().value?.[0];
    return { stats, byCheck, selves, bugs, ms: performance.now() - began, only: only! };
  });
  return { control, observed };
}

export const observedOf = (checks: readonly Check[], settings: Partial<RunSettings> = {}): Promise<Observed> =>
  start(checks, settings).observed;

/** A probe that does what a test says, under the name `stub`. */
export const stub = (does: Probe['run'], parts: Partial<Probe> = {}): Readonly<Record<string, Probe>> => ({
  ...probes,
  stub: { ...probes['ssh']!, ...parts, run: does },
});
