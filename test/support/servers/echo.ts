/** Listens on one port of every address: TCP connections are accepted and left alone, datagrams come back. */
import { startServer, type Place, type Server } from '../servers.ts';

export function startEcho(place: Place, port: number): Promise<Server> {
  return startServer(place, {
    name: 'echo',
    listens: [`tcp/${port}`, `udp/${port}`],
    files: {
      'echo.mjs': `
import { createServer } from 'node:net';
import { createSocket } from 'node:dgram';
createServer((socket) => socket.on('error', () => undefined)).listen(${port}, '::');
const socket = createSocket('udp6');
socket.on('message', (message, from) => socket.send(message.length > 0 ? message : 'empty', from.port, from.address));
socket.bind(${port}, '::');`,
    },
    script: `exec ${process.execPath} echo.mjs`,
  });
}
