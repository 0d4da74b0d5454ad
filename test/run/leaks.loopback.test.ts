/** After a run nothing of it is left: no socket, no timer, no descriptor, also when it was stopped in the middle. */
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import { startLab } from '../../src/lab/index.ts';
import { parseSite } from '../../src/load/site.ts';
import { readTrust } from '../../src/load/trust.ts';
import type { Check } from '../../src/model/plan.ts';
import { makePlan } from '../../src/plan/plan.ts';
import type { RunSettings } from '../../src/run/run.ts';
import { start } from '../support/run-plan.ts';
import { elsewhere, everySource, probes, xenserver8 } from '../support/sites.ts';

/** What keeps a process alive, or would; the lab's own listeners are there before and after. */
const resources = (): Record<string, number> =>
  Object.fromEntries(
    [...Map.groupBy(process.getActiveResourcesInfo(), (name) => name)]
      .map(([name, all]): [string, number] => [name, all.length])
      // The test runner's own timers come and go.
      .filter(([name]) => /^(?:TCP|UDP|DNS|TLS|QUERY|GETADDR|Pipe)/.test(name)),
  );

const descriptors = (): number => readdirSync('/proc/self/fd').length;

interface Prepared extends AsyncDisposable {
  readonly checks: readonly Check[];
  readonly settings: Partial<RunSettings>;
}

async function prepared(broken: boolean): Promise<Prepared> {
  const lab = await startLab({ broken });
  const site = await parseSite(lab.site, 'lab', xenserver8);
  const selection = { as: everySource, rows: [], sections: [], roles: [] };
  const { checks } = makePlan({ spec: xenserver8, site, vantage: elsewhere, selection, probes });
  const { hostname: host, port } = new URL(site.proxy!.url);
  const settings = { proxy: { host, port: Number(port) }, trust: readTrust(site.trust), timeoutMs: 700, retries: 1 };
  return { checks, settings, [Symbol.asyncDispose]: () => lab.close() };
}

/** The lab's ends of what we closed go a moment later. */
async function settled(wanted: () => boolean): Promise<void> {
  for (let i = 0; i < 100 && !wanted(); i += 1) await sleep(20);
}

describe.for([
  ['the healthy site', false],
  ['the broken site', true],
] as const)('on %s', ([, broken]) => {
  test.for([
    ['to its end', undefined],
    ['and stopped at once', 0],
    ['and stopped in the middle', 60],
  ] as const)('run %s', async ([, stopAfterMs]) => {
    await using lab = await prepared(broken);
    const before = { resources: resources(), descriptors: descriptors() };
    const { control, observed } = start(lab.checks, lab.settings);
    if (stopAfterMs !== undefined) {
      await sleep(stopAfterMs);
      control.stop('enough');
    }
    const { bugs, byCheck } = await observed;
    await settled(() => descriptors() === before.descriptors && isDeepStrictEqual(resources(), before.resources));
    expect(bugs).toEqual([]);
    expect(byCheck.size).toBe(lab.checks.length);
    expect(resources()).toEqual(before.resources);
    expect(descriptors()).toBe(before.descriptors);
    expect(control.inFlight()).toBe(0);
  });
});
