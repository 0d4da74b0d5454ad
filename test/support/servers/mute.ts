/** Listens on UDP ports of every address and never says a word, as services of an unpublished protocol do to strangers. */
import { startServer, type Place, type Server } from '../servers.ts';

export function startMute(place: Place, ports: readonly number[]): Promise<Server> {
  return startServer(place, {
    name: 'mute',
    listens: ports.map((port) => `udp/${port}` as const),
    files: {
      'mute.mjs': `
import { createSocket } from 'node:dgram';
for (const port of ${JSON.stringify(ports)}) createSocket('udp6').bind(port, '::');`,
    },
    script: `exec ${process.execPath} mute.mjs`,
  });
}
