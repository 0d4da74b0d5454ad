/** After 400 days of watching the file is small, the pages are quick, and the process is no larger. */
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeHistory } from '../support/make-history.ts';
import {
  Door,
  portsSite,
  portsSpec,
  startWatching,
  watchFolder,
  type Watching,
  type WatchFolder,
} from '../support/watching.ts';

const rowCount = 48;
let folder: WatchFolder;
let watching: Watching;
const doors = Array.from({ length: rowCount }, () => new Door());

beforeAll(async () => {
  folder = watchFolder();
  await Promise.all(doors.map((door) => door.open()));
  const ports = doors.map(({ port }) => port);
  folder.put('spec.yaml', portsSpec(rowCount));
  folder.put(
    'site.yaml',
    portsSite(
      ports.map(() => '127.0.0.1'),
      ports,
    ),
  );
  folder.put('watch.yaml', 'site: site.yaml\nlisten: 127.0.0.1:0\nhistory: { file: history.db }\n');
  makeHistory(join(folder.path, 'history.db'), {
    days: 400,
    rows: ports.map((_, i) => `row-${i + 1}`),
    endpoints: ports.map((port) => `tcp/127.0.0.1:${port}`),
    site: 'ports-site',
  });
  // As it is shipped: what types cost at a start from the sources is nobody's memory.
  execFileSync('node_modules/.bin/rolldown', ['-c', 'rolldown.config.ts', '-d', join(folder.path, 'dist/src')], {
    stdio: 'pipe',
  });
  for (const name of ['package.json', 'specs', 'node_modules']) symlinkSync(resolve(name), join(folder.path, name));
  watching = await startWatching(
    ['--config', join(folder.path, 'watch.yaml'), '--spec', join(folder.path, 'spec.yaml')],
    {
      program: join(folder.path, 'dist/src/main.js'),
    },
  );
});

afterAll(async () => {
  watching?.signal('SIGKILL');
  await watching?.ended;
  await Promise.all(doors.map((door) => door.close()));
  folder?.[Symbol.dispose]();
});

test('the file has less than 100 MB', () => {
  expect(statSync(join(folder.path, 'history.db')).size / 1e6).toBeLessThan(100);
});

/** The quickest of some: what else this machine does is not what is measured. */
async function quickestMs(path: string): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 8; i += 1) {
    const began = performance.now();
    const answer = await fetch(watching.url + path);
    await answer.text();
    times.push(performance.now() - began);
    expect(answer.status).toBe(200);
  }
  return Math.min(...times);
}

test.for([
  ['/', 100],
  ['/row/row-7', 200],
  ['/runs', 200],
] as const)('%s is there in less than %i ms', async ([path, mostMs]) => {
  expect(await quickestMs(path)).toBeLessThan(mostMs);
});

test('a row has the figures of 30 days', async () => {
  const text = await (await fetch(`${watching.url}/row/row-7`)).text();
  expect(text).toMatch(/How long answers take[^]*class="chart"/);
  expect(text).toMatch(/The last 30 d/);
});

test('the process holds less than 150 MiB', () => {
  const [, kib] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${watching.pid}/status`, 'utf8')) ?? [];
  expect(Number(kib) / 1024).toBeLessThan(150);
});
