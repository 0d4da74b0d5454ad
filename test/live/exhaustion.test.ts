/** A machine that runs out of descriptors or ports: the run slows down, ends right, and blames no target. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Report } from '../../src/model/report.ts';
import { exec, makeLab, on, setNames, whyNotLive, type Lab } from '../support/netns.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const ports = 300;

/** More at once than there is room for. */
const eager = ['--concurrency', '512', '--per-host', '512', '--rate', '100000'];

const listener = `
  for (let port = 10000; port < ${10_000 + ports}; port += 1)
    require('node:net').createServer((socket) => socket.on('error', () => {}).resume()).listen(port, '0.0.0.0');
  setTimeout(() => console.log('ready'), 200);`;

describe.skipIf(whyNotLive() !== null)('out of resources', () => {
  let lab: Lab<'server'>;
  let server: ChildProcess;
  let folder: string;

  beforeAll(async () => {
    lab = makeLab(['server']);
    folder = mkdtempSync(join(tmpdir(), 'xenreach-'));
    const [program, ...args] = on(lab.hosts.server.namespace, [process.execPath, '-e', listener]);
    server = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(server.stdout!, 'data');
  });

  afterAll(async () => {
    if (server !== undefined) {
      const gone = once(server, 'exit');
      server.kill('SIGKILL');
      await gone;
    }
    lab?.[Symbol.dispose]();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  test('64 descriptors and 300 endpoints at once', async () => {
    const report = await check([lab.hosts.server.address], `10000-${10_000 + ports - 1}`, 'ulimit -n 64', eager, 300);
    expect(outcomesOf(report)).toEqual({ answered: ports });
    expect(report.exitCode).toBe(0);
    expect(report.stats.maxInFlight).toBeGreaterThan(40);
  });

  test('64 descriptors, and nobody who asks for more: the pool keeps below them', async () => {
    const report = await check([lab.hosts.server.address], `10000-${10_000 + ports - 1}`, 'ulimit -n 64', [], 100);
    expect(outcomesOf(report)).toEqual({ answered: ports });
    expect(report.stats.maxInFlight).toBeLessThan(40);
  });

  test('200 local ports and 5,000 checks to one address and port', async () => {
    const { namespace } = lab.client;
    const settings =
      'echo 40000 40199 > /proc/sys/net/ipv4/ip_local_port_range; echo 0 > /proc/sys/net/ipv4/tcp_tw_reuse';
    exec(namespace, ['sh', '-ec', settings]);
    const names = Array.from({ length: 5000 }, (_, i) => `host-${i}.example.test`);
    setNames(lab.client, { hosts: names.map((name) => `${lab.hosts.server.address} ${name}\n`).join('') });
    const report = await check(names, '10000', 'true');
    expect(outcomesOf(report)).toEqual({ answered: names.length });
    expect(report.exitCode).toBe(0);
  });

  test('200 local ports held by somebody else for a while', async () => {
    const { namespace } = lab.client;
    const holder = `
      const { connect } = require('node:net');
      const held = Array.from({ length: 198 }, () => connect(10299, '${lab.hosts.server.address}').on('error', () => {}));
      held.at(-1).on('connect', () => console.log('held'));
      setTimeout(() => held.forEach((socket) => socket.resetAndDestroy()), 2000);`;
    exec(namespace, ['sh', '-ec', 'echo 41000 41199 > /proc/sys/net/ipv4/ip_local_port_range']);
    const [program, ...args] = on(namespace, [process.execPath, '-e', holder]);
    const held = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(held.stdout, 'data');
    const names = Array.from({ length: 40 }, (_, i) => `host-${i}.example.test`);
    const report = await check(names, '10299', 'true');
    expect(outcomesOf(report)).toEqual({ answered: names.length });
  });

  async function check(
    hosts: readonly string[],
    range: string,
    before: string,
    pace: readonly string[] = eager,
    lingerMs = 0,
  ): Promise<Report> {
    const spec = join(folder, 'spec.yaml');
    const site = join(folder, 'site.json');
    writeFileSync(spec, specOf(range, lingerMs));
    writeFileSync(site, JSON.stringify({ name: 'exhaustion', vantage: ['prober'], roles: { server: hosts } }));
    const args = ['check', '--spec', spec, '--site', site, '--format', 'json', ...pace];
    const script = ['sh', '-c', `${before}; exec "$0" "$@"`, process.execPath, main, ...args];
    const [program, ...rest] = on(lab.client.namespace, script);
    const { stdout } = await promisify(execFile)(program, rest, { timeout: 25_000, maxBuffer: 1 << 28 });
    return JSON.parse(stdout) as Report;
  }
});

function outcomesOf({ checks }: Report): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { outcome } of checks) counts[`${outcome}`] = (counts[`${outcome}`] ?? 0) + 1;
  return counts;
}

const specOf = (range: string, linger: number): string => `
id: exhaustion
title: Many endpoints
revision: '1'
source: { title: Many endpoints, product: none, sha256: '${'0'.repeat(64)}' }
sections: { ports: Ports }
roles: { prober: { title: Prober }, server: { title: Server } }
facts: {}
rows:
  - id: all
    section: ports
    source: { table: none, row: 1 }
    from: prober
    to: server
    purpose: every port
    needs: [{ probe: tcp, ports: [${range.includes('-') ? `'${range}'` : range}], options: { linger: ${linger} } }]
`;
