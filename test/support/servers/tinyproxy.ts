/** tinyproxy as a CONNECT proxy to port 443, with basic authentication (user, secret) unless it is left open. */
import { startServer, type Place, type Server } from '../servers.ts';

export function startTinyproxy(place: Place, { wantsUser = true } = {}): Promise<Server> {
  return startServer(place, {
    name: 'tinyproxy',
    listens: ['tcp/8888'],
    files: {
      'tinyproxy.conf': `
Listen ${place.address}
Port 8888
Timeout 30
MaxClients 20
ConnectPort 443
${wantsUser ? 'BasicAuth user secret' : ''}`,
    },
    script: 'exec tinyproxy -d -c /run/xenreach/tinyproxy.conf',
  });
}
