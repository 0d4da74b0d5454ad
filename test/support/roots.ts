/** Small file systems for the portable folder: what a program finds there, and nothing else. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, linkSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { on, path } from './netns.ts';

export const busybox = '/usr/bin/busybox';
const applets = ['sh', 'readlink', 'uname'];

/** A folder with a static shell and, by hard links, a copy of the portable folder at `/opt/xen reach`. */
export function makeRoot(root: string, bundle: string, files: Readonly<Record<string, string>> = {}): string {
  mkdirSync(join(root, 'bin'), { recursive: true });
  mkdirSync(join(root, 'opt'));
  copyFileSync(busybox, join(root, 'bin/busybox'));
  chmodSync(root, 0o755);
  for (const applet of applets) linkSync(join(root, 'bin/busybox'), join(root, 'bin', applet));
  execFileSync('cp', ['-al', bundle, join(root, 'opt/xen reach')]);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return root;
}

export interface InRoot {
  readonly namespace?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly user?: number;
  /** What `uname -m` says there. */
  readonly machine?: string;
}

export interface Told {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command in the root, with no variable but what is given; /proc is there where the root has a place for it. */
export function inRoot(
  root: string,
  argv: readonly string[],
  { namespace, env = {}, user = 0, machine = 'x86_64' }: InRoot = {},
): Told {
  const hasProc = existsSync(join(root, 'proc')) && !existsSync(join(root, 'proc/sys'));
  const script = `${hasProc ? 'mount -t proc proc "$ROOT/proc"' : ':'}; exec "$@"`;
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const chroot = ['/usr/sbin/chroot', `--userspec=${user}:${user}`, root, ...argv];
  const shell = [
    'unshare',
    '--mount',
    'sh',
    '-c',
    script,
    'sh',
    'setarch',
    machine,
    'env',
    '-i',
    ...variables,
    ...chroot,
  ];
  const [program, ...args] = on(namespace ?? null, shell);
  const options = { encoding: 'utf8', maxBuffer: 1 << 26, timeout: 50_000, env: { PATH: path, ROOT: root } } as const;
  const { status, stdout, stderr } = spawnSync(program, args, options);
  return { status, stdout, stderr };
}
