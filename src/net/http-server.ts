/** The one HTTP server of this program: fetch handlers behind a port, with bounds on how long a client may take. */
import { createServer as createSecureServer } from 'node:https';
import type { Server } from 'node:http';
import type { Credentials } from './tls-server.ts';

export interface HttpServer {
  readonly port: number;
  /** Open connections are ended too. */
  close(): Promise<void>;
}

export interface HttpServerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly tls: Credentials | null;
  readonly fetch: (request: Request) => Response | Promise<Response>;
}

/** Headers in that time, or the connection ends. */
const headersMs = 10_000;
/** A whole request, also one that brings a report. */
const requestMs = 60_000;
const mostConnections = 256;

/** Rejects with the system's error where the port cannot be had. */
export async function serveHttp({ host, port, tls, fetch }: HttpServerOptions): Promise<HttpServer> {
  const { serve } = await import('@hono/node-server');
  const limits = {
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    connectionsCheckingInterval: 5000,
    maxHeaderSize: 16_384,
  };
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const server = serve(
    {
      fetch,
      hostname: host,
      port,
      overrideGlobalObjects: false,
      ...(tls
        ? { createServer: createSecureServer, serverOptions: { ...limits, ...tls, minVersion: 'TLSv1.2' as const } }
        : { serverOptions: limits }),
    },
    (address) => resolve(address.port),
  );
  server.on('error', reject);
  server.maxConnections = mostConnections;
  const bound = await promise;
  return {
    port: bound,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        // Plain and secure servers of HTTP/1 have it; the type knows those of HTTP/2 too.
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion
        (server as Server).closeAllConnections();
      }),
  };
}
