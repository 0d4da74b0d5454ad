/** A watch in a process of its own, as its user starts it, and a small site of plain TCP ports for it to look at. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { on } from './netns.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** Rows `row-1`, `row-2`…, each to a role of its own, by a plain connection. */
export function portsSpec(count: number): string {
  const numbers = Array.from({ length: count }, (_, i) => i + 1);
  const rows = numbers.map(
    (n) => `
  - { id: row-${n}, section: ports, source: { table: t, row: ${n} }, from: prober, to: server-${n}, purpose: 'Port ${n} is needed.',
      needs: [{ probe: tcp, ports: [${9000 + n}] }] }`,
  );
  return `
id: ports
title: Ports
revision: '1'
source: { title: Ports, product: none, sha256: '${'0'.repeat(64)}' }
sections: { ports: Ports }
roles: { prober: { title: Prober }, ${numbers.map((n) => `server-${n}: { title: Server }`).join(', ')} }
facts: {}
rows:${rows.join('')}
`;
}

/** `hosts`: of each row, in order; `ports`: the ones in use instead of 9001, 9002… */
export const portsSite = (hosts: readonly string[], ports: readonly number[] = []): string =>
  JSON.stringify({
    name: 'ports-site',
    vantage: ['prober'],
    roles: Object.fromEntries(
      hosts.map((host, i) => [
        `server-${i + 1}`,
        ports[i] === undefined ? { host } : { host, ports: { [9001 + i]: ports[i] } },
      ]),
    ),
  });

/** A port on loopback that can be closed and opened again. */
export class Door {
  readonly #host: string;
  #server: Server | null = null;
  port = 0;

  constructor(host = '127.0.0.1') {
    this.#host = host;
  }

  async open(): Promise<void> {
    const server = createServer((socket) => socket.on('error', () => undefined).end());
    await new Promise<void>((resolve) => server.listen(this.port, this.#host, resolve));
    this.port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server) await new Promise((resolve) => server.close(resolve));
  }
}

export interface WatchFolder extends Disposable {
  readonly path: string;
  /** Writes a file into it, for its owner alone, and resolves its path. */
  put(name: string, text: string): string;
}

export function watchFolder(): WatchFolder {
  const path = mkdtempSync(join(tmpdir(), 'xenreach-watch-'));
  return {
    path,
    put: (name, text) => {
      writeFileSync(join(path, name), text, { mode: 0o600 });
      return join(path, name);
    },
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

export interface Watching {
  /** Without a slash at its end. */
  readonly url: string;
  readonly pid: number;
  log(): string;
  signal(name: NodeJS.Signals): void;
  /** Resolves when the process is gone. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
}

/** Starts one and waits until its pages are there. Throws with what it printed when it ends instead. */
export async function startWatching(
  args: readonly string[],
  { namespace = null, program: file = main }: { readonly namespace?: string | null; readonly program?: string } = {},
): Promise<Watching> {
  const [program, ...rest] = on(namespace, [process.execPath, file, 'watch', ...args]);
  const { NODE_OPTIONS: _, NODE_ENV: __, VITEST: ___, ...env } = process.env;
  // Should the test run itself be killed, the kernel ends it too.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', program, ...rest], {
    env: { ...env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const { promise: isUp, resolve: up } = Promise.withResolvers<string | null>();
  const listen = (chunk: Buffer): void => {
    output += chunk.toString('utf8');
    const [, url] = /; (https?:\/\/\S+)\/; history in/.exec(output) ?? [];
    if (url !== undefined) up(url);
  };
  child.stdout.on('data', listen);
  child.stderr.on('data', listen);
  const ended = once(child, 'close').then(([code, signal]) => {
    up(null);
    return { code: code as number | null, signal: signal as NodeJS.Signals | null };
  });
  const url = await isUp;
  if (url === null) throw new Error(`xenreach watch ended at once\n${output}`);
  return { url, pid: child.pid!, log: () => output, signal: (name) => void child.kill(name), ended };
}
