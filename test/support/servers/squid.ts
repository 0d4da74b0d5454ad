/** squid as a CONNECT proxy to port 443, with basic and digest authentication (user, secret) unless it is left open. */
import { createHash } from 'node:crypto';
import { startServer, type Place, type Server } from '../servers.ts';

export interface SquidOptions {
  readonly schemes?: readonly ('basic' | 'digest')[];
  /** Names it will not connect to. */
  readonly blocked?: readonly string[];
}

const schemeLines = {
  basic: 'auth_param basic program /usr/lib/squid/basic_ncsa_auth /run/xenreach/basic\nauth_param basic realm lab',
  digest:
    'auth_param digest program /usr/lib/squid/digest_file_auth -c /run/xenreach/digest\nauth_param digest realm lab',
};

export function startSquid(
  place: Place,
  { schemes = ['basic', 'digest'], blocked = [] }: SquidOptions = {},
): Promise<Server> {
  const users = schemes.length > 0;
  return startServer(place, {
    name: 'squid',
    listens: ['tcp/3128'],
    files: {
      'squid.conf': `
http_port ${place.address}:3128
cache_effective_user proxy
pid_filename none
cache_log /dev/null
access_log none
cache deny all
pinger_enable off
shutdown_lifetime 0 seconds
connect_timeout 2 seconds
dns_timeout 2 seconds
${schemes.map((scheme) => schemeLines[scheme]).join('\n')}
acl tunnel method CONNECT
acl https port 443
acl blocked dstdomain ${['blocked.test', ...blocked].join(' ')}
${users ? 'acl users proxy_auth REQUIRED' : ''}
http_access deny tunnel !https
http_access deny blocked
http_access allow ${users ? 'users' : 'all'}
http_access deny all`,
      digest: `user:lab:${createHash('md5').update('user:lab:secret').digest('hex')}\n`,
    },
    script: `
echo "user:$(openssl passwd -apr1 secret)" > basic
exec squid -n xenreach -N -d 1 -f /run/xenreach/squid.conf`,
  });
}
