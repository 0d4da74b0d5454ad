/**
 * Starts a real server on a machine of the lab. Each runs in a sandbox of its own: private mount, process, IPC and host
 * name spaces, an empty /run and /dev/shm, its own folder at /run/xenreach. Nothing of the system's configuration or
 * state is touched, and one signal ends all of it: when the first process of the sandbox dies, the kernel ends the rest.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { exec, on, path } from './netns.ts';

/** Where a server listens: a host of the lab, or an address of this machine itself. */
export interface Place {
  readonly namespace: string | null;
  readonly address: string;
}

export interface Recipe {
  readonly name: string;
  /** Text files, by their path below /run/xenreach. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** Shell commands inside the sandbox, the last of which stays in the foreground. */
  readonly script: string;
  /** It is ready when all of these are open: "tcp/53". */
  readonly listens: readonly string[];
  readonly hostname?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly limitMs?: number;
}

export interface Server extends AsyncDisposable {
  /** Its folder, as this machine sees it. */
  readonly folder: string;
  /** What it printed. */
  log(): string;
  /** What a file in its folder holds now. */
  read(file: string): string;
  /** Runs a command inside the sandbox. */
  exec(argv: readonly string[]): string;
  stop(): Promise<void>;
}

/** Where .ci/setup unpacks what Debian does not install beside its rival, and tests keep what is slow to make. */
export const cache = join(import.meta.dirname, '../../node_modules/.cache/xenreach');

const sandbox = ['unshare', '--mount', '--pid', '--ipc', '--uts', '--fork', '--kill-child', '--mount-proc'];

const prelude = `
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs tmpfs /dev/shm
mkdir -p /run/lock /run/xenreach
mount --bind "$XENREACH_FOLDER" /run/xenreach
cd /run/xenreach
`;

// Number one stays a shell of root's: the kernel would forget whom to kill with whom once that process changed its user.
const epilogue = `
sh -ec "$XENREACH_SCRIPT" &
wait $!
`;

export async function startServer(place: Place, recipe: Recipe): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), `xenreach-${recipe.name}-`));
  chmodSync(folder, 0o755);
  for (const [name, content] of Object.entries(recipe.files ?? {})) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  const hostname = recipe.hostname === undefined ? '' : `hostname ${recipe.hostname}\n`;
  const [program, ...args] = on(place.namespace, [...sandbox, 'sh', '-ec', prelude + hostname + epilogue]);
  // Should the test run itself be killed, the kernel ends the server with it.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', program, ...args], {
    env: {
      PATH: path,
      LC_ALL: 'C',
      HOME: '/run/xenreach',
      ...recipe.env,
      XENREACH_FOLDER: folder,
      XENREACH_SCRIPT: recipe.script,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close');
  let output = '';
  const listen = (chunk: Buffer): void => void (output = (output + chunk.toString('latin1')).slice(-65_536));
  child.stdout.on('data', listen);
  child.stderr.on('data', listen);

  const server: Server = {
    folder,
    log: () => output,
    read: (file) => readFileSync(join(folder, file), 'utf8'),
    exec: (argv) => exec(null, ['nsenter', '--target', String(firstProcess(child.pid)), '--all', ...argv]),
    // Nothing it could tidy up outlives it, so it is not asked first.
    stop: async () => {
      child.kill('SIGKILL');
      await closed;
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
    [Symbol.asyncDispose]: () => server.stop(),
  };

  const limitMs = recipe.limitMs ?? 50_000;
  const deadline = performance.now() + limitMs;
  const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null;
  while (!isReady(child.pid, place, recipe.listens)) {
    if (isOver() || performance.now() > deadline) {
      const why = isOver() ? 'ended at once' : `did not open ${recipe.listens.join(', ')} in ${limitMs} ms`;
      // The last turn.
      await server.stop();
      throw new Error(`${recipe.name} ${why}\n${output.slice(-4000)}`);
    }
    // A bounded wait.
    await sleep(20);
  }
  return server;
}

/**
 * Looks the open ports up in the server's own network namespace. A connection would prove no more, and some servers
 * count connections that say nothing against their source.
 */
function isReady(pid: number | undefined, place: Place, listens: readonly string[]): boolean {
  try {
    const inside = readlinkSync(`/proc/${pid}/ns/net`);
    if (place.namespace !== null && inside !== `net:[${statSync(`/run/netns/${place.namespace}`).ino}]`) return false;
    return listens.every((socket) => isOpen(pid, socket));
  } catch {
    return false;
  }
}

/** The table's columns are `sl local_address rem_address st …`; a listening TCP socket is 0A, an unconnected UDP one 07. */
function isOpen(pid: number | undefined, socket: string): boolean {
  const [transport, port] = socket.split('/');
  const hexPort = Number(port).toString(16).padStart(4, '0').toUpperCase();
  const state = transport === 'tcp' ? '0A' : '07';
  const line = new RegExp(`^ *\\d+: [0-9A-F]+:${hexPort} [0-9A-F:]+ ${state} `, 'm');
  return ['', '6'].some((family) => line.test(readFileSync(`/proc/${pid}/net/${transport}${family}`, 'latin1')));
}

/** The process that is number one inside the sandbox. */
function firstProcess(pid: number | undefined): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ')[0]);
}
