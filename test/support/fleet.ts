/** A fleet on loopback, as its users make one: its folder, its hub with the real server, its agents as processes. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as after } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { connectBus, type Bus, type Login } from '../../src/fleet/bus.ts';
import { inboxOf } from '../../src/fleet/layout.ts';
import { places } from '../../src/fleet/roster.ts';
import { runXenreach, type Ran } from './run-xenreach.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

export const hasServer = existsSync('/usr/sbin/nats-server');

/** Asks again until it is so. Throws with the last answer when it never is. */
export async function until<T>(
  what: string,
  ask: () => T | Promise<T>,
  isSo: (answer: T) => boolean,
  limitMs = 30_000,
): Promise<T> {
  const end = performance.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (isSo(answer)) return answer;
    if (performance.now() > end) throw new Error(`never: ${what}; last: ${JSON.stringify(answer)}`);
    await after(100);
  }
}

export interface Process {
  readonly pid: number;
  log(): string;
  kill(signal: NodeJS.Signals): Promise<void>;
  readonly ended: Promise<unknown>;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A port on loopback that can be closed and opened again, and keeps who comes: that is what proves a license server. */
export class OpenPort {
  #server: Server | null = null;
  readonly #sockets = new Set<Socket>();
  port = 0;

  async open(): Promise<void> {
    const server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve));
    this.port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    for (const socket of this.#sockets) socket.destroy();
    if (server) await new Promise((resolve) => server.close(resolve));
  }
}

export interface Presence {
  readonly site: string;
  readonly agent: string;
  readonly presence: string;
  readonly verdicts: Readonly<Record<string, number>> | null;
  readonly revision: number | null;
  readonly refused: string | null;
  readonly skewMs: number | null;
}

export class TestFleet {
  readonly folder: string;
  readonly port: number;
  readonly pages: number;
  readonly #running = new Set<Process>();

  static async make(): Promise<TestFleet> {
    const fleet = new TestFleet(mkdtempSync(join(tmpdir(), 'xenreach-fleet-')), await freePort(), await freePort());
    const made = await runXenreach(['fleet', 'init', fleet.path('fleet'), '--hub', `localhost:${fleet.port}`]);
    if (made.exitCode !== 0) throw new Error(made.stderr);
    fleet.put('every.yaml', 'every: 5s\nconfirm: { runs: 2, recheck: 1s }\n');
    fleet.put('hub.yaml', `listen: 127.0.0.1:${fleet.pages}\nhistory: { file: hub.db }\n`);
    return fleet;
  }

  private constructor(folder: string, port: number, pages: number) {
    this.folder = folder;
    this.port = port;
    this.pages = pages;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  put(name: string, text: string): string {
    writeFileSync(this.path(name), text, { mode: 0o600 });
    return this.path(name);
  }

  run(...words: readonly string[]): Promise<Ran> {
    return runXenreach(['fleet', ...words, '--fleet', this.path('fleet')]);
  }

  /** As its user does: the line that `add` prints is pasted, only to another folder. */
  async add(site: string, ...agents: readonly string[]): Promise<void> {
    const { stdout, stderr } = await this.run('add', site, ...agents, '--as', 'xenserver-host');
    const lines = stdout.trimEnd().split('\n');
    if (lines.length !== agents.length) throw new Error(stderr);
    for (const [i, agent] of agents.entries()) {
      const folder = this.path(`${site}-${agent}`);
      execFileSync('sh', ['-c', lines[i]!.replace('d=/etc/xenreach', `d=${folder}`)]);
      appendFileSync(join(folder, 'agent.yaml'), 'state: state\n');
    }
  }

  site(name: string, ports: readonly [number, number], more = ''): string {
    const roles = `{ citrix-license-server: { host: 127.0.0.1, ports: { '27000': ${ports[0]}, '7279': ${ports[1]} } } }`;
    return this.put(`${name}.yaml`, `name: ${name}\nroles: ${roles}\nnot-used: [external-domain]\n${more}`);
  }

  async push(...files: readonly string[]): Promise<Ran> {
    return this.run('push', ...files, '--config', this.path('every.yaml'));
  }

  async hub(): Promise<Process> {
    const hub = this.#start(['hub', '--fleet', this.path('fleet'), '--config', this.path('hub.yaml')]);
    await until(
      'the hub collects',
      () => hub.log(),
      (log) => log.includes('collects from'),
    );
    return hub;
  }

  agent(site: string, agent: string, env: Readonly<Record<string, string>> = {}): Process {
    return this.#start(['agent', '--config', this.path(`${site}-${agent}/agent.yaml`)], env);
  }

  async status(): Promise<Presence[]> {
    const { stdout, stderr } = await this.run('status', '--format', 'json');
    if (stdout === '') throw new Error(stderr);
    return (JSON.parse(stdout) as { agents: Presence[] }).agents;
  }

  /** The agents' outboxes: what the server has not acknowledged, and what it has. */
  outbox(site: string, agent: string): { readonly waiting: number; readonly sent: number } {
    const folder = this.path(`${site}-${agent}/state/outbox`);
    const count = (path: string): number => readdirSync(path).filter((name) => /^\d+\./.test(name)).length;
    return { waiting: count(folder), sent: count(join(folder, 'sent')) };
  }

  /** Of the hub's history. */
  ask(sql: string): Record<string, unknown>[] {
    const db = new DatabaseSync(this.path('hub.db'), { readOnly: true });
    try {
      return db.prepare(sql).all();
    } finally {
      db.close();
    }
  }

  serverPid(): number {
    return Number(readFileSync(join(places(this.path('fleet')).data, 'server.pid'), 'utf8').trim());
  }

  login(seedFile: string, inbox: string): Login {
    return {
      url: `tls://localhost:${this.port}`,
      ca: readFileSync(places(this.path('fleet')).authority, 'utf8'),
      seed: readFileSync(seedFile, 'utf8').trim(),
      inbox,
      name: 'test',
    };
  }

  agentLogin(site: string, agent: string): Login {
    return this.login(this.path(`${site}-${agent}/agent.key`), inboxOf.agent(site, agent));
  }

  operatorBus(): Promise<Bus> {
    return connectBus(this.login(places(this.path('fleet')).operatorKey, inboxOf.operator));
  }

  /** Ends all that it started. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#running].map((each) => each.kill('SIGTERM')));
    try {
      process.kill(this.serverPid(), 'SIGKILL');
    } catch {
      // The hub ended it.
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  #start(args: readonly string[], more: Readonly<Record<string, string>> = {}): Process {
    const { NODE_OPTIONS: _, NODE_ENV: __, VITEST: ___, ...env } = process.env;
    const child: ChildProcess = spawn('setpriv', ['--pdeathsig', 'KILL', process.execPath, main, ...args], {
      env: { ...env, NO_COLOR: '1', ...more },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (data: Buffer) => (output += data.toString()));
    const ended = once(child, 'close');
    const started: Process = {
      pid: child.pid!,
      log: () => output,
      ended,
      kill: async (signal) => {
        child.kill(signal);
        await ended;
      },
    };
    this.#running.add(started);
    void ended.then(() => this.#running.delete(started));
    return started;
  }
}
