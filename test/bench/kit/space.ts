/** A fresh network namespace for every run: loopback of its own, no TIME_WAIT and no port of the run before. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { on } from '../../support/netns.ts';

export interface Space extends AsyncDisposable {
  readonly name: string;
  /** Starts a server and resolves when it has said that it is ready. It ends with the space. */
  serve(argv: readonly string[], options?: ServeOptions): Promise<void>;
}

export interface ServeOptions {
  /** What it prints when it listens; the first output by default. */
  readonly ready?: string;
  /** Of the two ends the server has the last processor, the contender the first. */
  readonly pinned?: boolean;
}

const serverProcessor = '1';
const patienceMs = 10_000;
let made = 0;

/** `commands` are for `ip -batch` inside it. */
export function makeSpace(commands: readonly string[] = []): Space {
  const name = `xb-${process.pid}-${(made += 1)}`;
  const ends: (() => Promise<void>)[] = [];
  ip([`netns add ${name}`]);
  ip(['link set lo up', ...commands], name);
  return {
    name,
    serve: async (argv, { ready, pinned = true } = {}) => {
      const [program, ...args] = on(name, pinned ? ['taskset', '-c', serverProcessor, ...argv] : argv);
      const server = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
      const gone = once(server, 'exit');
      ends.push(async () => {
        server.kill('SIGKILL');
        await gone;
      });
      await new Promise<void>((resolve, reject) => {
        let said = '';
        const listen = (chunk: Buffer): void => {
          said += chunk.toString();
          if (ready === undefined || said.includes(ready)) resolve();
        };
        server.stdout.on('data', listen);
        server.stderr.on('data', listen);
        server.on('error', reject);
        setTimeout(
          () => reject(new Error(`${argv[0]} was not ready in ${patienceMs} ms: ${said}`)),
          patienceMs,
        ).unref();
        void gone.then(() => reject(new Error(`${argv[0]} ended before it was ready: ${said}`)));
      });
    },
    [Symbol.asyncDispose]: async () => {
      for (const end of ends) await end();
      ip([`netns del ${name}`]);
    },
  };
}

export function ip(commands: readonly string[], space?: string): void {
  const where = space === undefined ? [] : ['-n', space];
  execFileSync('ip', [...where, '-batch', '-'], { input: commands.join('\n'), stdio: ['pipe', 'ignore', 'inherit'] });
}
