/**
 * The package as npm makes it: what is in it, what a tool thinks of it, and what its users do with it: install it in an
 * empty folder, call the program on each Node that it says it runs on, import it from JavaScript and TypeScript.
 */
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import own from '../package.json' with { type: 'json' };
import { startLab } from '../src/lab/index.ts';
import { specOf } from './bench/whole-check.ts';
import { cache } from './support/servers.ts';

const folder = mkdtempSync(join(tmpdir(), 'xenreach-package-'));
const consumer = join(folder, 'consumer');
const main = join(consumer, 'node_modules/xenreach/dist/src/main.js');
let tarball = '';

const run = (program: string, args: readonly string[], cwd = process.cwd()): string =>
  execFileSync(program, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 26 });

beforeAll(() => {
  // From a copy: the checkout's own `dist` is somebody else's.
  const checkout = join(folder, 'checkout');
  for (const name of run('git', ['ls-files', '-co', '--exclude-standard']).trimEnd().split('\n'))
    if (existsSync(name)) cpSync(name, join(checkout, name));
  run('ln', ['-s', join(process.cwd(), 'node_modules'), join(checkout, 'node_modules')]);
  const [{ filename }] = JSON.parse(run('npm', ['pack', '--json', '--silent'], checkout)) as [{ filename: string }];
  tarball = join(checkout, filename);
  mkdirSync(consumer);
  writeFileSync(join(consumer, 'package.json'), '{ "type": "module", "private": true }');
  run('npm', ['install', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', tarball], consumer);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('it holds what is built, the types, the tables, the schemas and the documents, and no test', () => {
  const names = run('tar', ['-tzf', tarball]).trimEnd().split('\n');
  const wanted = [
    'dist/src/main.js',
    'dist/src/index.js',
    'dist/src/index.d.ts',
    'specs/xenserver-8.yaml',
    'schema/report.schema.json',
    'docs/examples/check.js',
    'share/man/man1/xenreach.1',
    'share/bash-completion/completions/xenreach',
    'README.md',
    'CHANGELOG.md',
    'SECURITY.md',
    'LICENSE',
  ].map((name) => `package/${name}`);
  expect(names).toEqual(expect.arrayContaining(wanted));
  expect(names.filter((name) => /^package\/(?:test|fixtures|src|probes)\/|\.test\.|\.tar/.test(name))).toEqual([]);
});

test('publint finds nothing in it', () => {
  expect(run('node_modules/.bin/publint', ['run', tarball, '--strict'])).toContain('All good!');
});

const nodes: readonly (readonly [version: string, program: string])[] = [
  ...readFileSync('test/support/nodes.txt', 'utf8')
    .split('\n')
    .filter((line) => /^\d/.test(line))
    .map((line) => line.split(' ')[0]!)
    .map((version) => [version, join(cache, `node-${version}`)] as const),
  [process.versions.node, process.execPath],
];

test('each line of Node that the package says it runs on is tried', () => {
  expect(own.engines.node).toBe('^22.19.0 || ^24.0.0 || >=26.0.0');
  expect(nodes.map(([version]) => version.split('.')[0])).toEqual(['22', '24', '26']);
});

describe.for(nodes)('on Node %s', ([, program]) => {
  const told = (...argv: readonly string[]): { status: number | null; stdout: string; stderr: string } => {
    const { status, stdout, stderr } = spawnSync(program, [main, ...argv], {
      cwd: consumer,
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    });
    return { status, stdout, stderr };
  };

  test.skipIf(!existsSync(program))('version, spec, and the demo with TLS, a proxy and every protocol', () => {
    expect(told('--version')).toEqual({ status: 0, stdout: `${own.version}\n`, stderr: '' });
    expect(told('spec')).toMatchObject({ status: 0, stderr: '' });
    const { status, stdout, stderr } = told('demo', '--format', 'json');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ summary: { fail: 0, warn: 0 } });
  });

  test.skipIf(!existsSync(program))('a round of the watch, remembered, and nobody is warned of anything', () => {
    writeFileSync(join(consumer, 'port.yaml'), specOf('9-9'));
    const site = JSON.stringify({ name: 'host', vantage: ['prober'], roles: { server: '127.78.9.1' } });
    writeFileSync(join(consumer, 'host.yaml'), site);
    writeFileSync(join(consumer, 'watch.yaml'), `history: { file: 'history-${basename(program)}.db' }\n`);
    const watch = ['watch', '--once', '--config', 'watch.yaml', '--spec', './port.yaml', '--site', 'host.yaml'];
    expect(told(...watch, '--mode', 'path', '--format', 'json')).toMatchObject({ status: 0, stderr: '' });
    const { status, stdout, stderr } = told('history', '--config', 'watch.yaml', '--format', 'json');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ sources: [{ site: 'host', rows: [{ spans: [{ verdict: 'pass' }] }] }] });
  });

  test.skipIf(!existsSync(program))('20,000 connections, from threads', () => {
    const hosts = Array.from({ length: 20 }, (_, i) => `127.78.0.${i + 1}`);
    writeFileSync(join(consumer, 'ports.yaml'), specOf('20000-20999'));
    writeFileSync(
      join(consumer, 'hosts.yaml'),
      JSON.stringify({ name: 'hosts', vantage: ['prober'], roles: { server: hosts } }),
    );
    const files = ['--spec', './ports.yaml', '--site', 'hosts.yaml'];
    const { stdout } = told('check', ...files, '--rate', '1000000', '--mode', 'path', '--format', 'ndjson');
    expect(stdout.split('\n').filter((line) => line.includes('"outcome":"refused"'))).toHaveLength(20_000);
  });
});

describe('the examples of the documents', () => {
  const spawned = (args: readonly string[]): Promise<{ stdout: string; stderr: string }> =>
    promisify(execFile)(process.execPath, args, { cwd: consumer });
  beforeAll(() => cpSync('docs/examples', join(consumer, 'examples'), { recursive: true }));

  test('their types hold', () => {
    const config = {
      compilerOptions: {
        module: 'nodenext',
        target: 'es2024',
        strict: true,
        noEmit: true,
        types: ['node'],
        skipLibCheck: false,
        typeRoots: [join(process.cwd(), 'node_modules/@types')],
        exactOptionalPropertyTypes: true,
        checkJs: true,
      },
      include: ['examples'],
    };
    writeFileSync(join(consumer, 'tsconfig.json'), JSON.stringify(config));
    const { status, stdout } = spawnSync(join(process.cwd(), 'node_modules/.bin/tsc'), ['-p', consumer], {
      encoding: 'utf8',
    });
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
  });

  test('they run, in JavaScript and in TypeScript', async () => {
    const lab = await startLab({ broken: false });
    try {
      // Beside its certificate: a site names files of its own folder only.
      const [, place = ''] = /trust: \["?(.+?)\/authority\.pem/.exec(lab.site) ?? [];
      const site = join(place, 'site.yaml');
      writeFileSync(site, lab.site);
      const programs = ['check.js', 'events.ts'].map((name) => spawned([`examples/${name}`, site]));
      const [checked, followed] = await Promise.all(programs);
      expect(checked?.stdout).toMatch(/^(?:pass|warn|unverified): \d+ pass, 0 fail\n$/);
      expect(JSON.parse(readFileSync(join(consumer, 'report.json'), 'utf8'))).toMatchObject({
        schema: 'xenreach.report/1',
      });
      expect(followed?.stdout).toMatch(/^checking .+ from .+\n(?: {2}.+\n)+/);
      expect(followed?.stderr).toBe('');
    } finally {
      await lab.close();
    }
  });

  test('a probe of one\u2019s own asks a server of one\u2019s own', async () => {
    const server = createServer(
      (socket) => void socket.end('220 mail.example.test ESMTP\r\n').on('error', () => undefined),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const { stdout, stderr } = await spawned(['examples/own-probe.ts', '127.0.0.1', String(port)]);
    server.close();
    expect({ stdout, stderr }).toEqual({
      stdout: `smtp/127.0.0.1:${port}: answered: 220 mail.example.test ESMTP\n`,
      stderr: '',
    });
  });
});
