/**
 * The Dockerfile, really built, on a base image that is made here, and what is built, run as a container would: as its user,
 * on a read-only root, and without a shell. Where buildah cannot work the tests say so.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import own from '../../package.json' with { type: 'json' };
import { path, whyNotLive } from '../support/netns.ts';

interface Config {
  readonly Entrypoint: readonly string[];
  readonly User: string;
  readonly Env: readonly string[];
}

const image = 'localhost/xenreach';
const base = 'localhost/node:26-slim';
const cached = join(homedir(), '.npm');

function whyNoContainer(): string | null {
  const why = whyNotLive('buildah', '/bin/busybox');
  if (why !== null) return why;
  if (process.arch !== 'x64') return `the base image is made for x86-64, this is ${process.arch}`;
  return existsSync(join(cached, '_cacache')) ? null : 'npm has cached no packages, and a build is to need no network';
}

const why = whyNoContainer();

describe.skipIf(why !== null)(`the image${why === null ? '' : ` (not built here: ${why})`}`, () => {
  let folder: string;
  let root: string;
  let config: Config;

  const buildah = (...args: readonly string[]): string =>
    execFileSync('buildah', [...options(), ...args], {
      encoding: 'utf8',
      stdio: 'pipe',
      maxBuffer: 1 << 26,
      env: { ...process.env, PATH: path },
    });
  const options = (): string[] => [
    '--storage-driver',
    'vfs',
    '--root',
    join(folder, 'store'),
    '--runroot',
    join(folder, 'run'),
  ];

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'xenreach-image-'));
    const files = join(folder, 'base');
    mkdirSync(files);
    const script = ['test/support/base-image.sh', files, realpathSync(process.execPath), base, ...options()];
    execFileSync('sh', script, { stdio: 'pipe', env: { ...process.env, PATH: path } });
    // What the setup fetched before is not fetched again.
    writeFileSync(join(folder, 'npmrc'), 'offline=true\ncache=/npm-cache\n');
    const volumes = [`${cached}:/npm-cache`, `${join(folder, 'npmrc')}:/usr/local/etc/npmrc:ro`].flatMap((each) => [
      '-v',
      each,
    ]);
    buildah(
      'bud',
      '--isolation',
      'chroot',
      '--pull-never',
      ...volumes,
      '--build-arg',
      `NODE=${base}`,
      '-t',
      image,
      '.',
    );
    const container = buildah('from', '--pull-never', image).trim();
    root = buildah('mount', container).trim();
    ({ config } = (JSON.parse(buildah('inspect', '--type', 'image', image)) as { OCIv1: { config: Config } }).OCIv1);
  }, 240_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** A read-only root with a temporary folder, in which there is no shell, as the image's user. */
  const run = (...args: readonly string[]): { status: number | null; stdout: string; stderr: string } => {
    const script = [
      'mount --bind "$ROOT" "$ROOT" && mount -o remount,bind,ro "$ROOT"',
      'mount -t tmpfs tmpfs "$ROOT/tmp" && mount -t tmpfs tmpfs "$ROOT/bin"',
      'exec "$@"',
    ].join(' && ');
    const { Entrypoint, User, Env } = config;
    expect(User).toBe('node');
    const chroot = ['/usr/sbin/chroot', '--userspec=1000:1000', root, ...Entrypoint, ...args];
    const argv = ['--mount', 'sh', '-ec', script, 'sh', 'env', '-i', ...Env, ...chroot];
    const told = spawnSync('unshare', argv, { encoding: 'utf8', env: { PATH: path, ROOT: root }, timeout: 50_000 });
    return { status: told.status, stdout: told.stdout, stderr: told.stderr };
  };

  test('runs as nobody in particular, on a read-only root, without a shell', () => {
    expect(run('--version')).toEqual({ status: 0, stdout: `${own.version}\n`, stderr: '' });
    const { status, stdout } = run('demo', '--no-color');
    expect(stdout).toMatch(/\nPASS: 48 pass\. Exit 0/);
    expect(status).toBe(0);
  });

  test('holds what the program loads, and neither sources nor compilers', () => {
    const has = (name: string): boolean => existsSync(join(root, 'opt/xenreach', name));
    expect(['dist/src/main.js', 'specs', 'node_modules/pino', 'LICENSE'].filter((name) => !has(name))).toEqual([]);
    expect(
      ['src', 'test', 'node_modules/typescript', 'node_modules/rolldown', 'node_modules/vitest'].filter(has),
    ).toEqual([]);
  });
});
