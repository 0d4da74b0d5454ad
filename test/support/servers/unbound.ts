/** unbound as a resolver whose upstreams are dead: it knows lab.test by heart, and cannot resolve the rest. */
import { startServer, type Place, type Server } from '../servers.ts';
import { zone } from './zone.ts';

/** `refuses`: it answers everybody with a refusal, in twelve bytes. */
export function startUnbound(place: Place, { refuses = false } = {}): Promise<Server> {
  return startServer(place, {
    name: 'unbound',
    listens: ['tcp/53', 'udp/53'],
    files: {
      'unbound.conf': `
server:
  interface: ${place.address}
  access-control: 0.0.0.0/0 ${refuses ? 'refuse' : 'allow'}
  username: ""
  chroot: ""
  directory: "/run/xenreach"
  pidfile: "/run/xenreach/unbound.pid"
  use-syslog: no
  do-daemonize: no
  num-threads: 1
  module-config: "iterator"
  do-not-query-localhost: no
  local-zone: "lab.test." static
${zone(place.address)
  .map((record) => `  local-data: '${record}'`)
  .join('\n')}
remote-control:
  control-enable: no
forward-zone:
  name: "."
  forward-addr: 192.0.2.53`,
    },
    script: 'exec unbound -d -c /run/xenreach/unbound.conf',
  });
}
