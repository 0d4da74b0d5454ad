/** The NRPE agent, for everybody or for nobody, with its anonymous TLS or without any. */
import { startServer, type Place, type Server } from '../servers.ts';

interface NrpeOptions {
  readonly allowed?: string;
  readonly tls?: boolean;
}

export const startNrpe = (place: Place, { allowed = '10.91.0.0/16', tls = true }: NrpeOptions = {}): Promise<Server> =>
  startServer(place, {
    name: 'nrpe',
    listens: ['tcp/5666'],
    files: {
      'nrpe.cfg': `log_file=/run/nrpe.log
pid_file=/run/nrpe.pid
server_port=5666
server_address=${place.address}
nrpe_user=nobody
nrpe_group=nogroup
allowed_hosts=${allowed}
`,
    },
    script: `exec nrpe -c /run/xenreach/nrpe.cfg ${tls ? '' : '-n'} -f`,
  });
