/** The smallest site there is: one host with one open port on loopback, and a folder of its own for files. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Socket } from 'node:net';
import { listening, vacantPort, type Listening } from './real-io.ts';
import { runXenreach, type Ran, type RunOptions } from './run-xenreach.ts';

export interface SmallSite extends AsyncDisposable {
  readonly folder: string;
  /** The site file. */
  readonly site: string;
  readonly text: string;
  readonly server: Listening;
  /** Writes a file into the folder and returns its path. */
  file(name: string, content: string | Uint8Array): string;
}

/** Rows license-initial and license-checkout; nothing else of the spec applies. */
export async function smallSite(
  serve: (socket: Socket) => unknown = (socket) => socket.resume(),
  more = '',
): Promise<SmallSite> {
  const folder = mkdtempSync(join(tmpdir(), 'xenreach-cli-'));
  const server = await listening(serve);
  const file = (name: string, content: string | Uint8Array): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const text = `name: small
not-used: [external-domain]
roles:
  citrix-license-server: { host: 127.0.0.1, ports: { "27000": ${server.port}, "7279": ${server.port} } }
${more}`;
  const site = file('site.yaml', text);
  const dispose = async (): Promise<void> => {
    rmSync(folder, { recursive: true, force: true });
    await server[Symbol.asyncDispose]();
  };
  return { folder, site, text, server, file, [Symbol.asyncDispose]: dispose };
}

/** A second host where nothing listens. */
export async function withRefusal(small: SmallSite): Promise<string> {
  const port = await vacantPort();
  const hosts = `citrix-license-server: [{ host: 127.0.0.1, ports: { "27000": ${small.server.port} } }, { host: 127.0.0.2, ports: { "27000": ${port} } }]`;
  return small.file('refusal.yaml', small.text.replace(/citrix-license-server:.*/, hosts));
}

export const check = (small: SmallSite, args: readonly string[], options: RunOptions = {}): Promise<Ran> =>
  runXenreach(['check', ...args], { cwd: small.folder, ...options });
