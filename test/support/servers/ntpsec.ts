/** ntpd of NTPsec, without the right to set a clock. It takes every address, so it wants a machine of its own. */
import { join } from 'node:path';
import { cache, startServer, type Place, type Server } from '../servers.ts';

export const ntpd = join(cache, 'ntpsec/usr/sbin/ntpd');

export function startNtpsec(place: Place, { isSynchronised = true } = {}): Promise<Server> {
  return startServer(place, {
    name: 'ntpd',
    listens: ['udp/123'],
    // An orphan vouches for its own clock after a second or two; anything else takes minutes to leave INIT.
    files: { 'ntp.conf': isSynchronised ? 'tos orphan 6 orphanwait 1\n' : 'server 192.0.2.123\n' },
    script: `exec setpriv --bounding-set -sys_time ${ntpd} -n -g -c /run/xenreach/ntp.conf`,
  });
}
