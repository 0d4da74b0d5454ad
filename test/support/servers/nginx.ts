/** nginx: a page over HTTP, the same over HTTPS with the given certificates, and one behind a password. */
import type { Certificate } from '../certificates.ts';
import { startServer, type Place, type Server } from '../servers.ts';

export interface NginxOptions {
  /** More TLS servers: their ports and certificates. */
  readonly others?: Readonly<Record<number, Certificate>>;
}

export function startNginx(place: Place, tls: Certificate, { others = {} }: NginxOptions = {}): Promise<Server> {
  const scratch = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const certificates = Object.entries({ 443: tls, ...others });
  return startServer(place, {
    name: 'nginx',
    listens: ['tcp/80', ...certificates.map(([port]) => `tcp/${port}`)],
    files: {
      'nginx.conf': `
daemon off;
master_process off;
pid nginx.pid;
events { }
http {
  access_log access.log;
  ${scratch.map((name) => `${name}_temp_path ${name};`).join(' ')}
  server { listen ${place.address}:80; location / { return 200 "xenreach lab\\n"; } }
  ${certificates.map(([port]) => tlsServer(`${place.address}:${port}`, port)).join('\n')}
}`,
      users: 'user:{PLAIN}secret\n',
      ...Object.fromEntries(
        certificates.flatMap(([port, { certificate, key }]) => [
          [`${port}.pem`, certificate],
          [`${port}.key`, key],
        ]),
      ),
    },
    script: 'exec nginx -p /run/xenreach -c nginx.conf -e stderr',
  });
}

function tlsServer(where: string, port: string): string {
  return `
  server {
    listen ${where} ssl;
    ssl_certificate ${port}.pem;
    ssl_certificate_key ${port}.key;
    location / { return 200 "xenreach lab\\n"; }
    location /locked { auth_basic "lab"; auth_basic_user_file users; }
  }`;
}
