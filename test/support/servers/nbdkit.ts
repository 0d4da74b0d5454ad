/** nbdkit with a disk in memory: plain, or for TLS alone. */
import { startServer, type Place, type Server } from '../servers.ts';

const certificate = `
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server-key.pem -out server-cert.pem \\
  -subj /CN=nbd.example.test -days 30 2> openssl.log
cp server-cert.pem ca-cert.pem`;

export const startNbdkit = (place: Place, { tls = false } = {}): Promise<Server> =>
  startServer(place, {
    name: 'nbdkit',
    listens: ['tcp/10809'],
    script: `${tls ? certificate : ''}
exec nbdkit -f -p 10809 -i ${place.address} ${tls ? '--tls=require --tls-certificates=/run/xenreach' : ''} memory 1M`,
  });
