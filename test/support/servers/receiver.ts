/** Takes HTTP POSTs on a port and prints each body as a line behind "got ". */
import { startServer, type Place, type Server } from '../servers.ts';

export interface Receiver extends Server {
  /** What came, oldest first. */
  received(): unknown[];
}

export async function startReceiver(place: Place, port: number): Promise<Receiver> {
  const server = await startServer(place, {
    name: 'receiver',
    listens: [`tcp/${port}`],
    files: {
      'receiver.mjs': `
import { createServer } from 'node:http';
createServer((request, response) => {
  let body = '';
  request.on('data', (chunk) => (body += chunk));
  request.on('end', () => {
    console.log('got ' + body);
    response.writeHead(204).end();
  });
}).listen(${port}, '::');`,
    },
    script: `exec ${process.execPath} receiver.mjs`,
  });
  const received = (): unknown[] =>
    server
      .log()
      .split('\n')
      .flatMap((line): unknown[] => (line.startsWith('got ') ? [JSON.parse(line.slice(4))] : []));
  return Object.assign(server, { received });
}
