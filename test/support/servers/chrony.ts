/** chronyd as a server that never touches this machine's clock: synchronised to itself, or to nothing. */
import { startServer, type Place, type Server } from '../servers.ts';

export function startChrony(place: Place, { isSynchronised = true } = {}): Promise<Server> {
  return startServer(place, {
    name: 'chronyd',
    listens: ['udp/123'],
    files: {
      'chrony.conf': `
allow all
bindaddress ${place.address}
cmdport 0
bindcmdaddress /
pidfile /run/xenreach/chronyd.pid
${isSynchronised ? 'local stratum 8' : ''}`,
    },
    script: 'exec chronyd -d -x -u root -f /run/xenreach/chrony.conf',
  });
}
