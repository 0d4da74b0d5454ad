/**
 * What proves that packets came to a port which a service holds, without touching it: the collector's log has the marked
 * message; the connection table has an entry, which the kernel makes once its own rules let the packet in; a capture saw it
 * at the interface, before those rules. In this order: the first proves most.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { canonicalHost } from '../model/address.ts';
import type { Asked, Port, Proof } from '../wire/pair.ts';
import type { Sighting } from './answers.ts';
import { BoundedMap } from './limits.ts';

export interface WitnessOptions {
  readonly held: readonly Port[];
  readonly logs: readonly string[];
  readonly usesConntrack: boolean;
  readonly captures: boolean;
  /** The addresses of this machine. */
  readonly addresses: readonly string[];
}

/** Something that came to a held port. */
export interface Found extends Port {
  readonly proof: Proof;
  /** Null where a log says only that it came. */
  readonly source: string | null;
  readonly sourcePort: number | null;
  readonly mark: string | null;
  seen: number;
  /** The check that it was told to: a later one is not proven by what an earlier one sent. */
  toldTo: string | null;
}

const table = '/proc/net/nf_conntrack';
const mostLogBytes = 4 * 1024 * 1024;
const mostFound = 10_000;
const everyMs = 2000;
const captureReadyMs = 3000;
/** What was there when the responder started. */
const beforeUs = 'nobody';

export class Witnesses {
  /** Why one of them cannot look, for a person. */
  readonly trouble: string[] = [];
  /** Resolves when a capture has begun, or ended. */
  ready: Promise<void> = Promise.resolve();
  readonly #options: WitnessOptions;
  readonly #found = new BoundedMap<string, Found>(mostFound);
  readonly #logs: { readonly file: string; readonly fd: number; at: number; rest: string }[] = [];
  readonly #own: ReadonlySet<string>;
  readonly #timers: NodeJS.Timeout[] = [];
  #conntrackText = (): string => '';
  #hasConntrack = false;
  #capture: ChildProcess | undefined;
  /** Of what the capture printed, the line that is not whole yet. */
  #captured = '';

  constructor(options: WitnessOptions) {
    this.#options = options;
    this.#own = new Set(options.addresses.map(canonicalHost));
    if (options.held.every(({ transport }) => transport === 'tcp')) return;
    for (const file of options.logs) this.#openLog(file);
    if (options.usesConntrack) this.#openConntrack();
    // Flows of before prove nothing of now.
    if (this.#hasConntrack) this.#readConntrack();
    for (const one of this.found) one.toldTo = beforeUs;
    if (options.captures) this.#openCapture();
    this.#timers.push(setInterval(() => this.look(), everyMs).unref());
  }

  /** Those that can look. */
  get names(): readonly string[] {
    const names = this.#logs.map(({ file }) => `log ${file}`);
    if (this.#hasConntrack) names.push('conntrack');
    return this.#capture ? [...names, 'capture'] : names;
  }

  get found(): readonly Found[] {
    return [...this.#found.values()].filter(({ toldTo }) => toldTo !== beforeUs);
  }

  look(): void {
    for (const log of this.#logs) this.#readLog(log);
    if (this.#hasConntrack) this.#readConntrack();
  }

  /** What is known now of packets from there to a held port, and was not told to another check. */
  sighting(source: string, { transport, port, mark }: Asked, nonce: string): Sighting | undefined {
    if (!this.#options.held.some((one) => one.transport === transport && one.port === port)) return undefined;
    this.look();
    const marked = mark.toString(16).padStart(8, '0');
    const found = this.found.filter(
      (one) =>
        one.transport === transport &&
        one.port === port &&
        (one.toldTo ?? nonce) === nonce &&
        (one.proof === 'log' ? mark !== 0 && one.mark === marked : one.source === source),
    );
    for (const one of found) one.toldTo = nonce;
    for (const proof of ['log', 'conntrack', 'capture'] as const) {
      const seen = found.filter((one) => one.proof === proof).reduce((sum, one) => sum + one.seen, 0);
      if (seen > 0) return { proof, seen, bytes: 0 };
    }
    return undefined;
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
    const capture = this.#capture;
    this.#capture = undefined;
    capture?.kill();
    for (const { fd } of this.#logs) closeSync(fd);
    this.#logs.length = 0;
  }

  #note(parts: Omit<Found, 'toldTo'>): void {
    const found: Found = { ...parts, toldTo: null };
    const key = JSON.stringify([found.proof, found.transport, found.port, found.source, found.sourcePort, found.mark]);
    const known = this.#found.get(key);
    if (known && found.proof === 'capture') known.seen += 1;
    if (!known) this.#found.set(key, found);
  }

  /** From its end on: what was there before says nothing. */
  #openLog(file: string): void {
    try {
      const fd = openSync(file, 'r');
      this.#logs.push({ file, fd, at: fstatSync(fd).size, rest: '' });
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
      if (code !== 'ENOENT') this.trouble.push(`the log ${file} cannot be read (${code})`);
    }
  }

  #readLog(log: { readonly fd: number; at: number; rest: string }): void {
    const { size } = fstatSync(log.fd);
    if (size < log.at) log.at = 0;
    if (size - log.at > mostLogBytes) log.at = size - mostLogBytes;
    const bytes = Buffer.alloc(size - log.at);
    const length = readSync(log.fd, bytes, 0, bytes.length, log.at);
    log.at += length;
    const text = log.rest + bytes.toString('latin1', 0, length);
    log.rest = text.slice(-64);
    for (const [, mark = ''] of text.matchAll(/connectivity probe ([0-9a-f]{8})\b/g)) {
      // The message does not say to which of a collector's ports it came.
      for (const { transport, port } of this.#options.held)
        if (transport === 'udp')
          this.#note({ transport, port, proof: 'log', source: null, sourcePort: null, mark, seen: 1 });
    }
  }

  #openConntrack(): void {
    try {
      readFileSync(table, 'utf8');
      this.#conntrackText = () => readFileSync(table, 'utf8');
      this.#hasConntrack = true;
    } catch {
      this.#pollConntrack();
    }
  }

  /** Kernels without the file have a program that asks them. */
  #pollConntrack(): void {
    let text = '';
    this.#conntrackText = () => text;
    // Two lists make one look; entries of the last one are known by then.
    const list = (family: string): void => {
      const child = spawn('conntrack', ['-L', '-p', 'udp', '-f', family], { stdio: ['ignore', 'pipe', 'ignore'] });
      let printed = '';
      child.stdout.on('data', (chunk: Buffer) => (printed = (printed + chunk.toString('latin1')).slice(-mostLogBytes)));
      child
        .on('error', () => undefined)
        .on('close', (code) => {
          this.#hasConntrack ||= code === 0;
          text = (text + printed).slice(-mostLogBytes);
        });
    };
    const both = (): void => ['ipv4', 'ipv6'].forEach(list);
    both();
    this.#timers.push(setInterval(both, everyMs).unref());
  }

  #readConntrack(): void {
    for (const [, transport, source = '', destination = '', sport, dport] of this.#conntrackText().matchAll(
      /\b(udp|tcp)\s+\d+ \d+ (?:[A-Z_]+ )?src=(\S+) dst=(\S+) sport=(\d+) dport=(\d+)/g,
    )) {
      const port = Number(dport);
      const isHeld = this.#options.held.some((one) => one.transport === transport && one.port === port);
      if (!isHeld || !this.#own.has(canonicalHost(destination))) continue;
      const found = { transport: 'udp', port, proof: 'conntrack', mark: null, seen: 1 } as const;
      this.#note({ ...found, source: canonicalHost(source), sourcePort: Number(sport) });
    }
  }

  #openCapture(): void {
    const ports = this.#options.held
      .filter(({ transport }) => transport === 'udp')
      .map(({ port }) => `dst port ${port}`);
    const child = spawn('tcpdump', ['-i', 'any', '-Q', 'in', '-n', '-l', '-q', `udp and (${ports.join(' or ')})`], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ready = promise;
    const tooLate = setTimeout(resolve, captureReadyMs);
    child.stderr.on('data', (chunk: Buffer) => (chunk.includes('listening') ? resolve() : undefined));
    child.on('error', () => this.trouble.push('tcpdump is not here'));
    child.on('close', () => {
      if (this.#capture) this.trouble.push('tcpdump ended: --capture sees nothing');
      this.#capture = undefined;
      resolve();
    });
    void promise.then(() => clearTimeout(tooLate));
    child.stdout.on('data', (chunk: Buffer) => {
      const lines = (this.#captured + chunk.toString('latin1')).split('\n');
      this.#captured = lines.pop()!.slice(0, 1000);
      for (const [, source = '', sport, port] of lines.join('\n').matchAll(/IP6? (\S+)\.(\d+) > \S+\.(\d+):/g)) {
        const found = { transport: 'udp', port: Number(port), proof: 'capture', mark: null, seen: 1 } as const;
        this.#note({ ...found, source: canonicalHost(source), sourcePort: Number(sport) });
      }
    });
    this.#capture = child;
  }
}
