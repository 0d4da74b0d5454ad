/**
 * Rounds of a watch as fast as they go, by a clock that does not wait: 48 rows, a failure now and then, the first page every
 * hundred rounds. Prints one line of JSON: memory and descriptors early and at the end.
 *
 *     node --expose-gc test/bench/clients/watch-rounds.ts ROUNDS
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { prepare } from '../../../src/check/prepare.ts';
import { probes } from '../../../src/check/registry.ts';
import { selectionOf } from '../../../src/check/select.ts';
import { settingsFor } from '../../../src/check/settings.ts';
import { parseSite } from '../../../src/load/site.ts';
import { loadSpec } from '../../../src/load/spec.ts';
import { makeApp } from '../../../src/watch/app.ts';
import { History } from '../../../src/watch/history/history.ts';
import { Keeper } from '../../../src/watch/keeper.ts';
import { readConfig } from '../../../src/watch/load-config.ts';
import { Watch } from '../../../src/watch/watch.ts';
import { Door, portsSite, portsSpec, watchFolder } from '../../support/watching.ts';

const rounds = Number(process.argv[2] ?? 10_000);
const rowCount = 48;
const everyMs = 300_000;

const folder = watchFolder();
const [door, other] = [new Door(), new Door()];
await Promise.all([door.open(), other.open()]);
folder.put('spec.yaml', portsSpec(rowCount));
const hosts = Array.from({ length: rowCount }, () => '127.0.0.1');
const ports = hosts.map((_, i) => (i % 12 === 5 ? other.port : door.port));
const vantage = { hostname: 'here', addresses: ['127.0.0.1'] };
const spec = await loadSpec(join(folder.path, 'spec.yaml'), probes);
const site = await parseSite(portsSite(hosts, ports), 'site.yaml', spec);
const settings = settingsFor({ rate: 1_000_000, perHost: 64 }, site, vantage, probes);
const selection = selectionOf({}, spec, site);
const config = await readConfig(folder.put('watch.yaml', 'every: 5m\nconfirm: { runs: 2, recheck: 20s }\n'));
const subject = {
  config,
  spec,
  site,
  vantage,
  settings,
  prepare: (signal: AbortSignal) => prepare({ spec, site, vantage, selection }, settings.run, signal),
};
const clock = {
  wallMs: Date.now(),
  nowMs: 0,
  wall: () => clock.wallMs,
  now: () => clock.nowMs,
  wait: () => Promise.resolve(),
};
const file = join(folder.path, 'history.db');
const keeper = new Keeper(file, History.open(file), () => undefined);
const watch = new Watch(subject, { clock, keeper, say: () => undefined });
const stop = new AbortController();
await watch.begin(stop.signal);
const app = makeApp(watch, stop.signal);

const look = (): { rssMiB: number; heapMiB: number; fds: number } => {
  globalThis.gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  return { rssMiB: rss / 2 ** 20, heapMiB: heapUsed / 2 ** 20, fds: readdirSync('/proc/self/fd').length };
};

const began = performance.now();
let early = look();
for (let i = 1; i <= rounds; i += 1) {
  if (i % 500 === 0) await other.close();
  if (i > 500 && i % 500 === 5) await other.open();
  await watch.once(stop.signal);
  clock.wallMs += everyMs;
  clock.nowMs += everyMs;
  if (i % 100 === 0) await (await app.request('/', { headers: { host: 'localhost' } })).text();
  if (i === Math.ceil(rounds / 10)) early = look();
}
const late = look();
process.stdout.write(`${JSON.stringify({ rounds, seconds: (performance.now() - began) / 1000, early, late })}\n`);
stop.abort();
keeper.close();
folder[Symbol.dispose]();
process.exit(0);
