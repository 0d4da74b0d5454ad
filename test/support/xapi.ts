/** Pools to discover: the embedded API on a unix socket and on TLS, fed by the record files of fixtures/xapi. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { X509Certificate } from 'node:crypto';
import { Caller, serve, type TcpPeer } from '../../src/lab/caller.ts';
import { makeSelfSigned, soundLeaf } from '../../src/lab/certificate.ts';
import { httpServer, type HttpRequest, type HttpResponse } from '../../src/lab/peers/http.ts';
import { overTls } from '../../src/lab/tls.ts';
import { Api, type ApiOptions, type ApiRecords } from '../../src/lab/xapi/api.ts';
import { answerCall } from '../../src/lab/xapi/http.ts';

export const pools = ['xenserver-8', 'xenserver-9', 'xcp-ng-8.3', 'citrix-hypervisor-8.2'] as const;
export type PoolName = (typeof pools)[number];

export function recordsOf(name: PoolName): ApiRecords {
  const { records } = JSON.parse(readFileSync(`fixtures/xapi/${name}.json`, 'utf8')) as { records: ApiRecords };
  return records;
}

export interface RunningXapi extends AsyncDisposable {
  readonly api: Api;
  /** Of the unix socket. */
  readonly path: string;
  /** Of TLS on 127.0.0.1. */
  readonly port: number;
  /** Of its certificate, SHA-256 in hex. */
  readonly fingerprint: string;
  readonly certificate: string;
}

/** `answer` goes before the API: a host that is not as it should be. */
export async function startXapi(
  options: ApiOptions,
  answer: (request: HttpRequest) => HttpResponse | undefined = () => undefined,
): Promise<RunningXapi> {
  const api = new Api(options);
  const web = httpServer((request) => answer(request) ?? answerCall(request, api) ?? { status: 404 });
  return startPeer(web, api);
}

/** Whatever `peer` does with a connection. */
export async function startPeer(peer: TcpPeer, api = new Api({ records: {} })): Promise<RunningXapi> {
  const folder = mkdtempSync(join(tmpdir(), 'xenreach-xapi-'));
  const path = join(folder, 'xapi');
  const shown = makeSelfSigned(soundLeaf('127.0.0.1', ['127.0.0.1']));
  const sockets = new Set<net.Socket>();
  const serverOf = (each: TcpPeer): net.Server =>
    net.createServer((socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      void serve(each, new Caller(socket));
    });
  const [local, secure] = [serverOf(peer), serverOf(overTls(() => shown, peer))];
  await new Promise<void>((resolve) => local.listen(path, resolve));
  await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
  return {
    api,
    path,
    port: (secure.address() as net.AddressInfo).port,
    fingerprint: new X509Certificate(shown.cert).fingerprint256.replaceAll(':', '').toLowerCase(),
    certificate: shown.cert,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await Promise.all([local, secure].map((server) => new Promise((resolve) => server.close(resolve))));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
