/** BIND, authoritative for lab.test and for a root of its own; it resolves nothing else. */
import { startServer, type Place, type Server } from '../servers.ts';
import { zone } from './zone.ts';

/** `records`: more of lab.test, in the master file's own syntax. */
export function startBind9(place: Place, records: readonly string[] = []): Promise<Server> {
  return startServer(place, {
    name: 'named',
    listens: ['tcp/53', 'udp/53'],
    files: {
      'named.conf': `
options {
  directory "/run/xenreach"; pid-file none; session-keyfile "/run/xenreach/session.key";
  listen-on { ${place.address}; }; listen-on-v6 { ${place.namespace === null ? 'none' : 'any'}; };
  recursion no; dnssec-validation no;
};
controls { };
zone "lab.test" { type primary; file "lab.test"; };
zone "." { type primary; file "root"; };`,
      'lab.test': `$TTL 60\n${[...zone(place.address), ...records].join('\n')}\n`,
      root: '$TTL 60\n. SOA ns.lab.test. root.lab.test. 1 60 60 60 60\n. NS ns.lab.test.\nlab.test. NS ns.lab.test.\n',
    },
    script: 'exec named -g -n 1 -c /run/xenreach/named.conf',
  });
}
