/** Listens on TCP ports of every address and lets whoever connects go again. */
import { startServer, type Place, type Server } from '../servers.ts';

export function startPorts(place: Place, ports: readonly number[]): Promise<Server> {
  return startServer(place, {
    name: 'ports',
    listens: ports.map((port) => `tcp/${port}` as const),
    files: {
      'ports.mjs': `
import { createServer } from 'node:net';
for (const port of ${JSON.stringify(ports)}) createServer((socket) => socket.on('error', () => undefined).end()).listen(port, '::');`,
    },
    script: `exec ${process.execPath} ports.mjs`,
  });
}
