/** The program as it is shipped: built, beside its specs, and away from the checkout. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { probes } from '../src/check/registry.ts';
import { loadSpec } from '../src/load/spec.ts';
import { specOf } from './bench/whole-check.ts';

const folder = mkdtempSync(join(tmpdir(), 'xenreach-built-'));
const dist = join(folder, 'dist/src');
const xenreach = (...argv: readonly string[]): string =>
  execFileSync(process.execPath, [join(dist, 'main.js'), ...argv], {
    cwd: folder,
    encoding: 'utf8',
    stdio: 'pipe',
    maxBuffer: 1 << 25,
  });

beforeAll(() => {
  execFileSync('node_modules/.bin/rolldown', ['-c', 'rolldown.config.ts', '-d', dist], { stdio: 'pipe' });
  for (const name of ['package.json', 'specs']) cpSync(name, join(folder, name), { recursive: true });
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

test('its version is the one of the package.json above it', () => {
  expect(xenreach('--version')).toBe(`${/"version": "(.+)"/.exec(readFileSync('package.json', 'utf8'))?.[1]}\n`);
});

test('the spec that it was built with is the one that the YAML holds', async () => {
  expect(JSON.parse(readFileSync(join(dist, 'xenserver-8.json'), 'utf8'))).toEqual(
    await loadSpec('xenserver-8', probes),
  );
});

test('the responder for machines without Node is in it', () => {
  const site = join(folder, 'collector.yaml');
  writeFileSync(site, 'roles: { syslog-server: 192.0.2.9 }\n');
  const printed = xenreach('respond', '--site', site, '--as', 'syslog-server', '--for', '2m', '--print', 'python');
  expect(printed).toContain(
    `WANTED = json.loads('{"ports":[["udp",514,["syslog"]]],"roles":["syslog-server"],"for":120,"from":[],"sources":[]}')`,
  );
});

test('the embedded site and the packages are found, and nobody is warned of anything', () => {
  symlinkSync(join(process.cwd(), 'node_modules'), join(folder, 'node_modules'));
  const rows = ['telemetry', 'dc-ldap', 'dns'].flatMap((row) => ['--row', row]);
  const { status, stderr } = spawnSync(process.execPath, [join(dist, 'main.js'), 'demo', ...rows], {
    encoding: 'utf8',
  });
  expect(status).toBe(0);
  // That is the discovery of the embedded pool, and all.
  expect(stderr).toMatch(/^xenreach: discovery: XAPI at \S+ knows xenserver-host \(1\).*\n$/);
});

test('whoever changes the YAML of the package gets what it says', () => {
  expect(xenreach('spec')).toContain('XenServer 8 connectivity requirements');
  const yaml = join(folder, 'specs/xenserver-8.yaml');
  appendFileSync(yaml, '\nmistake: true\n');
  expect(() => xenreach('spec')).toThrow('unknown key "mistake"');
});

test('what was compiled is kept for the next start, and made anew where it is not whole', () => {
  const cache = join(folder, 'cache');
  const env = { ...process.env, NODE_COMPILE_CACHE: cache };
  const list = (): string =>
    execFileSync(process.execPath, [join(dist, 'main.js'), 'probe', '--list'], { encoding: 'utf8', env });
  const kept = (): string[] => globSync(join(cache, '*/check-*.probe'));
  const told = list();
  const [file = 'nothing'] = kept();
  const { ino, size } = statSync(file);
  expect(list()).toBe(told);
  expect(statSync(file).ino).toBe(ino);
  utimesSync(file, 0, 0);
  expect(list()).toBe(told);
  expect(statSync(file).mtimeMs).toBeGreaterThan(Date.now() - 60_000);
  writeFileSync(file, 'not what V8 wrote');
  expect(list()).toBe(told);
  expect(statSync(file).size).toBeGreaterThan(size / 2);
  expect(kept()).toEqual([file]);
});

test('a start loads what it uses: the version no command, a check of TCP neither TLS nor cryptography', () => {
  const spec = join(folder, 'one-port.yaml');
  const site = join(folder, 'one-host.yaml');
  const loaded = join(folder, 'loaded.cjs');
  writeFileSync(spec, specOf('9-9'));
  writeFileSync(site, 'name: host\nvantage: [prober]\nroles: { server: 127.77.1.1 }\n');
  writeFileSync(
    loaded,
    `const fs = require('node:fs'), { readFileSync } = fs, opened = [];
     fs.readFileSync = (file, ...rest) => (opened.push(String(file)), readFileSync(file, ...rest));
     require('node:module').syncBuiltinESMExports();
     process.on('exit', () => fs.writeSync(2, [...opened, ...process.moduleLoadList].join('\\n')));`,
  );
  const start = (...args: string[]): string =>
    spawnSync(process.execPath, ['-r', loaded, join(dist, 'main.js'), ...args], { encoding: 'utf8' }).stderr;
  const version = start('--version');
  expect(version).toMatch(/dist\/src\/start-/);
  expect(version).not.toMatch(/dist\/src\/check-|NativeModule os$/m);
  const check = start('check', '--spec', spec, '--site', site);
  expect(check).toMatch(/dist\/src\/check-/);
  expect(check).not.toMatch(
    /dist\/src\/(?:discover|pairs|respond|responder|place)-|NativeModule (?:tls|crypto|dgram|timers\/promises)$/m,
  );
});

test('it is kept where nobody else can write, or not at all', () => {
  const startAt = (home: string): string[] => {
    const env = { PATH: process.env['PATH'], HOME: home };
    execFileSync(process.execPath, [join(dist, 'main.js'), 'probe', '--list'], { stdio: 'pipe', env });
    return globSync(join(home, '.cache/xenreach/*/check-*.probe'));
  };
  const [own, shared] = [join(folder, 'own'), join(folder, 'shared')];
  mkdirSync(own);
  expect(startAt(own)).toHaveLength(1);
  mkdirSync(join(shared, '.cache/xenreach'), { recursive: true });
  chmodSync(join(shared, '.cache/xenreach'), 0o777);
  expect(startAt(shared)).toEqual([]);
});

test('a plan of 20,000 connections is told to the last one, from threads where there are processors for them', () => {
  const spec = join(folder, 'ports.yaml');
  const site = join(folder, 'hosts.yaml');
  const hosts = Array.from({ length: 20 }, (_, i) => `127.77.0.${i + 1}`);
  writeFileSync(spec, specOf('20000-20999'));
  writeFileSync(site, JSON.stringify({ name: 'hosts', vantage: ['prober'], roles: { server: hosts } }));
  const options = ['--spec', spec, '--site', site, '--rate', '1000000', '--mode', 'path', '--format', 'ndjson'];
  const lines = xenreach('check', ...options)
    .trimEnd()
    .split('\n');
  const told = lines.filter((line) => line.includes('"outcome":'));
  expect(told).toHaveLength(20_000);
  expect(told.filter((line) => line.includes('"local"') || line.includes('"aborted"'))).toEqual([]);
});

test('the licenses of what is inside lie beside it', () => {
  expect(readFileSync(join(dist, 'licenses.txt'), 'utf8')).toMatch(/^valibot\n\nMIT License[^]+\nyaml\n\nCopyright/);
});
