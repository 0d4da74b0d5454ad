/** squid as a CONNECT proxy to port 443, with basic and digest authentication (user, secret) unless it is left open. */
import { createHash } from 'node:crypto';
import type { Certificate } from '../certificates.ts';
import { startServer, type Place, type Server } from '../servers.ts';

export interface SquidOptions {
  readonly schemes?: readonly ('basic' | 'digest')[];
  /** Names it will not connect to. */
  readonly blocked?: readonly string[];
  /** Port 3129 is spoken to in TLS, with this certificate. */
  readonly tls?: Certificate;
}

const schemeLines = {
  basic: 'auth_param basic program /usr/lib/squid/basic_ncsa_auth /run/xenreach/basic\nauth_param basic realm lab',
  digest:
    'auth_param digest program /usr/lib/squid/digest_file_auth -c /run/xenreach/digest\nauth_param digest realm lab',
};

export function startSquid(
  place: Place,
  { schemes = ['basic', 'digest'], blocked = [], tls }: SquidOptions = {},
): Promise<Server> {
  const users = schemes.length > 0;
  return startServer(place, {
    name: 'squid',
    listens: ['tcp/3128', ...(tls ? ['tcp/3129'] : [])],
    files: {
      'squid.conf': `
http_port ${place.address}:3128
${tls ? `https_port ${place.address}:3129 tls-cert=/run/xenreach/own.pem tls-key=/run/xenreach/own.key` : ''}
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
      ...(tls && { 'own.pem': tls.certificate, 'own.key': tls.key }),
      digest: `user:lab:${createHash('md5').update('user:lab:secret').digest('hex')}\n`,
    },
    script: `
echo "user:$(openssl passwd -apr1 secret)" > basic
exec squid -n xenreach -N -d 1 -f /run/xenreach/squid.conf`,
  });
}
