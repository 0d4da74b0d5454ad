/**
 * Large plans through all of `xenreach check --format ndjson`, on ports that refuse: the mesh of a pool of 64 hosts and a
 * fleet of 1,000 sites with 48 rows each. Then a black hole, and the system's own count of the sockets that are open.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { on } from '../support/netns.ts';
import { drop } from './black-holes.ts';
import { atLeast, atMost, type Benchmark } from './kit/benchmark.ts';
import { race } from './kit/contest.ts';
import { makeSpace } from './kit/space.ts';
import { put, whyNot, xenreach } from './kit/tools.ts';

const places = 256;

interface Size {
  readonly name: string;
  readonly hosts: number;
  readonly rows: number;
}

const sizes: readonly Size[] = [
  { name: 'mesh of 64 hosts', hosts: 64, rows: 63 },
  { name: '250 sites', hosts: 250, rows: 48 },
  { name: '1,000 sites', hosts: 1000, rows: 48 },
];

export const fleet: Benchmark = {
  name: 'fleet',
  about: 'a mesh of 64 hosts and 1,000 sites of 48 rows through all of the program; sockets counted by the system',
  async run() {
    const skipped = whyNot();
    if (skipped !== undefined) return { skipped };
    const runs = [];
    for (const size of sizes) runs.push({ size, ...(await checkAll(size)) });
    const [, quarter, whole] = runs;
    const wrong = runs.reduce((sum, { size, refused }) => sum + Math.abs(size.hosts * size.rows - refused), 0);
    const more = ((whole!.run.peakMiB - quarter!.run.peakMiB) / 36_000) * 1024;
    const sockets = await countSockets();
    return {
      figures: [
        atMost('checks told wrongly or not at all', wrong, 0),
        atMost('KiB that a check more adds to the peak', more, 4),
        atMost('peak of 1,000 sites in MiB', whole!.run.peakMiB, 256),
        atMost(`sockets open at once, --concurrency ${places}`, sockets, places),
        atLeast('the same, so that the count is known to count', sockets, places / 2),
      ],
      table: runs.map(({ size, run }) => ({
        name: size.name,
        rate: Math.round(((size.hosts * size.rows) / run.wallMs) * 1000),
        from: 0,
        to: 0,
        cpuPer10k: Number(((run.cpuMs / (size.hosts * size.rows)) * 10).toPrecision(3)),
        peakMiB: Math.round(run.peakMiB),
        note: `${size.hosts * size.rows} checks, the whole process`,
      })),
    };
  },
};

async function checkAll(size: Size): Promise<{ run: Awaited<ReturnType<typeof race>>; refused: number }> {
  await using space = makeSpace();
  const lines = put('fleet.ndjson', '');
  const argv = [...command('127.2', size), '--rate', '1000000'];
  // Its exit code is 1: everything is refused.
  const run = await race(space.name, { name: size.name, argv: ['sh', '-c', `"$0" "$@" > ${lines} || true`, ...argv] });
  const refused = readFileSync(lines, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('{"type":"check"') && line.includes('"outcome":"refused"'));
  return { run, refused: refused.length };
}

/** The most sockets among the descriptors of the program, looked at every few milliseconds. */
async function countSockets(): Promise<number> {
  await using space = makeSpace();
  drop(space, '');
  const argv = [...command('198.18', { name: 'silent', hosts: 1000, rows: 1 }), '--timeout', '1s'];
  const [program, ...args] = on(space.name, [...argv, '--concurrency', `${places}`]);
  // No pipes: Node makes them of sockets.
  const child = spawn(program, args, { stdio: 'ignore' });
  const gone = once(child, 'exit');
  let most = 0;
  while (child.exitCode === null) {
    most = Math.max(most, socketsOf(child.pid!));
    await sleep(5);
  }
  await gone;
  return most;
}

function socketsOf(pid: number): number {
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).filter((fd) => isSocket(`${folder}/${fd}`)).length;
  } catch {
    return 0; // it has ended
  }
}

function isSocket(path: string): boolean {
  try {
    return readlinkSync(path).startsWith('socket:');
  } catch {
    return false; // closed while we looked
  }
}

function command(network: string, { hosts, rows }: Size): string[] {
  const spec = put(`fleet-${rows}-spec.yaml`, specOf(rows));
  const addresses = Array.from({ length: hosts }, (_, i) => `${network}.${Math.floor(i / 250)}.${(i % 250) + 1}`);
  const site = put(
    `fleet-${network}-${hosts}-site.yaml`,
    JSON.stringify({ name: 'fleet', vantage: ['prober'], roles: { server: addresses } }),
  );
  return [...xenreach(), 'check', '--spec', spec, '--site', site, '--format', 'ndjson'];
}

const specOf = (rows: number): string => `
id: fleet
title: Fleet
revision: '1'
source: { title: Fleet, product: none, sha256: '${'0'.repeat(64)}' }
sections: { ports: Ports }
roles: { prober: { title: Prober }, server: { title: Server } }
facts: {}
rows:
${Array.from({ length: rows }, (_, i) => rowOf(i)).join('')}`;

const rowOf = (i: number): string => `  - id: row-${i}
    section: ports
    source: { table: none, row: ${i + 1} }
    from: prober
    to: server
    purpose: a port
    needs: [{ probe: tcp, ports: [${10_000 + i}] }]
`;
