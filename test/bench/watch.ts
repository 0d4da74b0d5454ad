/**
 * What watching costs: the processor's seconds a day for the embedded site (48 rows, every protocol) and for a pool of 64
 * hosts (512 connections), each every five minutes, from rounds that come quicker; and what 10,000 rounds leave behind.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { startLab } from '../../src/lab/index.ts';
import { Door, portsSite, portsSpec, watchFolder, type WatchFolder } from '../support/watching.ts';
import { atMost, type Benchmark } from './kit/benchmark.ts';
import { client, xenreach } from './kit/tools.ts';

const roundsADay = 288;
const lookMs = 60_000;
/** Clock ticks of proc(5). */
const ticksASecond = 100;
const rounds = 10_000;

interface Cost {
  readonly cpuSecondsADay: number;
  readonly rssMiB: number;
}

interface Left {
  readonly early: { readonly rssMiB: number; readonly heapMiB: number; readonly fds: number };
  readonly late: { readonly rssMiB: number; readonly heapMiB: number; readonly fds: number };
}

export const watch: Benchmark = {
  name: 'watch',
  about: 'processor and memory of a watch: 48 rows, a pool of 64, and 10,000 rounds at speed',
  async run() {
    const lab = await startLab({ broken: false });
    const [, place = ''] = /trust: \["?(.+?)\/authority\.pem/.exec(lab.site) ?? [];
    using folder = watchFolder();
    const site = join(place, 'site.yaml');
    execFileSync('tee', [site], { input: lab.site, stdio: ['pipe', 'ignore', 'inherit'] });
    const embedded = await costOf(folder, ['--site', site, '--timeout', '2s']);
    await lab.close();
    const pool = await costOfPool();
    const [program, ...args] = client('watch-rounds');
    const left = JSON.parse(
      execFileSync(program!, ['--expose-gc', ...args, `${rounds}`], { encoding: 'utf8' }),
    ) as Left;
    return {
      figures: [
        atMost('CPU seconds a day, 48 rows every 5 min', embedded.cpuSecondsADay, 120),
        atMost('its RSS in MiB', embedded.rssMiB, 150),
        atMost('CPU seconds a day, pool of 64 every 5 min', pool.cpuSecondsADay, 240),
        atMost('its RSS in MiB', pool.rssMiB, 200),
        atMost('MiB of heap that rounds 1,000 to 10,000 add', left.late.heapMiB - left.early.heapMiB, 10),
        atMost('MiB of RSS likewise', left.late.rssMiB - left.early.rssMiB, 60),
        atMost('descriptors likewise', left.late.fds - left.early.fds, 0),
      ],
    };
  },
};

async function costOfPool(): Promise<Cost> {
  using folder = watchFolder();
  const members = Array.from({ length: 64 }, (_, i) => `127.0.1.${i + 1}`);
  // Of each row its own, or they would be one endpoint.
  const doors = Array.from({ length: 8 }, () => new Door('0.0.0.0'));
  await Promise.all(doors.map((door) => door.open()));
  const site = JSON.parse(portsSite(doors.map(() => '127.0.0.1'))) as { roles: Record<string, unknown> };
  for (const [i, { port }] of doors.entries())
    site.roles[`server-${i + 1}`] = members.map((host) => ({ host, ports: { [9001 + i]: port } }));
  const files = [
    '--site',
    folder.put('site.yaml', JSON.stringify(site)),
    '--spec',
    folder.put('spec.yaml', portsSpec(doors.length)),
  ];
  const cost = await costOf(folder, files);
  await Promise.all(doors.map((door) => door.close()));
  return cost;
}

/** Rounds every five seconds; the time between two of them is charged as well, as often as it comes in a day. */
async function costOf(folder: WatchFolder, args: readonly string[]): Promise<Cost> {
  const config = folder.put('watch.yaml', 'every: 5s\nlisten: 127.0.0.1:0\nhistory: { file: history.db }\n');
  const [program, ...rest] = xenreach();
  const child = spawn(program!, [...rest, 'watch', '--config', config, '--quiet', ...args], { stdio: 'inherit' });
  const gone = once(child, 'exit');
  await sleep(15_000);
  const [before, roundsBefore] = [cpuSecondsOf(child.pid!), roundsOf(folder)];
  await sleep(lookMs);
  const [cpu, made] = [cpuSecondsOf(child.pid!) - before, roundsOf(folder) - roundsBefore];
  const rssMiB = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024;
  child.kill('SIGTERM');
  await gone;
  return { cpuSecondsADay: (cpu / made) * roundsADay, rssMiB };
}

function cpuSecondsOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [utime, stime] = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return (Number(utime) + Number(stime)) / ticksASecond;
}

function roundsOf({ path }: WatchFolder): number {
  const db = new DatabaseSync(join(path, 'history.db'), { readOnly: true });
  const found = db.prepare('SELECT count(*) AS n FROM run').get();
  db.close();
  return Number(found?.['n']);
}
