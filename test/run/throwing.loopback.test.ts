/**
 * A defect anywhere ends the check and nothing else: each step of every probe of the healthy lab throws once, in the probe
 * and within the net floor below it. The check is told as a defect, and no socket, timer or descriptor is left of it.
 */
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import { startLab } from '../../src/lab/index.ts';
import { decodeProxyUrl } from '../../src/load/proxy-url.ts';
import { parseSite } from '../../src/load/site.ts';
import { readTrust } from '../../src/load/trust.ts';
import type { Check } from '../../src/model/plan.ts';
import type { Probe, ProbeIo } from '../../src/model/probe.ts';
import { makePlan } from '../../src/plan/plan.ts';
import type { RunSettings } from '../../src/run/run.ts';
import { observedOf } from '../support/run-plan.ts';
import { elsewhere, everySource, probes, xenserver8 } from '../support/sites.ts';

const ioSteps = [
  'connect',
  'ask',
  'secure',
  'exchange',
  'resolve',
  'closesWithin',
  'record',
  'warn',
  'note',
  'random',
  'now',
];
const connSteps = ['write', 'read', 'readUntil', 'readSome', 'end'];
const mostSteps = 60;

class Planted extends TypeError {}

type Step = (...args: unknown[]) => unknown;

/** Counts the steps of one attempt, its own calls within the floor too, and throws at the one that is its turn. */
function arm(io: ProbeIo, turn: number): void {
  let count = 0;
  const plant = (owner: object, steps: readonly string[]): void => {
    for (const step of steps) {
      const usual: unknown = Reflect.get(owner, step);
      if (typeof usual !== 'function') continue;
      const counted: Step = (...args) => {
        if (++count === turn) throw new Planted(`at step ${turn}, ${step}`);
        const result: unknown = Reflect.apply(usual, owner, args);
        return result instanceof Promise ? result.then(armed) : result;
      };
      Reflect.set(owner, step, counted);
    }
  };
  const armed = (value: unknown): unknown => {
    if (typeof value === 'object' && value !== null && 'readUntil' in value) plant(value, connSteps);
    return value;
  };
  plant(io, ioSteps);
}

const throwing = (turn: number): Readonly<Record<string, Probe>> =>
  Object.fromEntries(
    Object.entries(probes).map(([name, probe]) => {
      // Without the short way: that has no ProbeIo.
      const rest = { ...probe };
      delete rest.answerOnConnect;
      const run: Probe['run'] = (io, target, options) => {
        arm(io, turn);
        return probe.run(io, target, options);
      };
      return [name, { ...rest, run }];
    }),
  );

/** What keeps a process alive, or would; the test runner's own timers come and go. */
const resources = (): Record<string, number> =>
  Object.fromEntries(
    [...Map.groupBy(process.getActiveResourcesInfo(), (name) => name)]
      .map(([name, all]): [string, number] => [name, all.length])
      .filter(([name]) => /^(?:TCP|UDP|DNS|TLS|QUERY|GETADDR|Pipe)/.test(name)),
  );

const descriptors = (): number => readdirSync('/proc/self/fd').length;

/** One check for each probe, through a proxy and direct; peers that are silent by design have no steps to throw at. */
function varied(checks: readonly Check[]): Check[] {
  const silent = new Set(['udp', 'syslog']);
  const kinds = Map.groupBy(checks, ({ probe, viaProxy, transport }) => `${probe} ${transport} ${viaProxy}`);
  return [...kinds.values()].flatMap(([first]) => (first && !silent.has(first.probe) ? [first] : []));
}

test('every step of every probe', async () => {
  const lab = await startLab({ broken: false });
  const site = await parseSite(lab.site, 'lab', xenserver8);
  const selection = { as: everySource, rows: [], sections: [], roles: [] };
  const { checks } = makePlan({ spec: xenserver8, site, vantage: elsewhere, selection, probes });
  const { host, port } = decodeProxyUrl(site.proxy!.url);
  const settings: Partial<RunSettings> = {
    proxy: { host, port },
    trust: readTrust(site.trust),
    timeoutMs: 1000,
    retries: 0,
  };
  const chosen = varied(checks);
  expect(new Set(chosen.map(({ probe }) => probe)).size).toBeGreaterThan(20);
  const before = { resources: resources(), descriptors: descriptors() };
  const isLeft = (): boolean =>
    descriptors() !== before.descriptors || !isDeepStrictEqual(resources(), before.resources);
  try {
    let left: readonly Check[] = chosen;
    let turn = 0;
    // One step after the other, for the probes that have so many.
    while (left.length > 0 && turn < mostSteps) {
      turn += 1;
      const { byCheck, bugs } = await observedOf(left, { ...settings, probes: throwing(turn) });
      const thrown = left.filter(({ id }) => byCheck.get(id)?.some(({ detail }) => detail.includes('a defect')));
      expect(bugs.filter((bug) => !(bug instanceof Planted))).toEqual([]);
      for (let i = 0; i < 100 && isLeft(); i += 1) await sleep(20);
      expect({ turn, resources: resources(), descriptors: descriptors() }).toEqual({ turn, ...before });
      left = thrown;
    }
    expect(left).toEqual([]);
    expect(turn).toBeGreaterThan(8);
  } finally {
    await lab.close();
  }
});
