/** No XenServer host comes as a Debian package: the embedded site's own peer stands in for its web server. */
import { startServer, type Place, type Server } from '../servers.ts';

const lab = new URL('../../../src/lab/', import.meta.url).href;

export function startXapi(place: Place): Promise<Server> {
  const { address } = place;
  return startServer(place, {
    name: 'xapi',
    listens: ['tcp/80', 'tcp/443'],
    files: {
      'xapi.mjs': `
import { createServer } from 'node:net';
import { Caller, serve } from '${lab}caller.ts';
import { xapiHost, xapiInsecure } from '${lab}peers/xapi.ts';
const secure = xapiHost({ uuid: '5f3c7c5e-0d5e-4c57-9d4b-3b0f6f8a9c11', address: '${address}' });
for (const [port, peer] of [[80, xapiInsecure()], [443, secure]]) {
  createServer((socket) => void serve(peer, new Caller(socket))).listen(port, '${address}');
}`,
    },
    script: `exec ${process.execPath} xapi.mjs`,
  });
}
