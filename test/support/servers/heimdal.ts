/** Heimdal kdc and kpasswdd for LAB.TEST. Its password service speaks UDP only. */
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { cache, startServer, type Place, type Server } from '../servers.ts';

const tree = join(cache, 'heimdal/usr');
export const heimdalKdc = join(tree, 'lib/heimdal-servers/kdc');

export function startHeimdal(place: Place): Promise<Server> {
  return startServer(place, {
    name: 'heimdal',
    listens: ['tcp/88', 'udp/88', 'udp/464'],
    env: { LD_LIBRARY_PATH: globSync(join(tree, 'lib/*-linux-gnu')).join(':'), KRB5_CONFIG: '/run/xenreach/krb5.conf' },
    files: {
      'krb5.conf': `
[libdefaults]
 default_realm = LAB.TEST
[kdc]
 database = { dbname = /run/xenreach/heimdal
  realm = LAB.TEST
  acl_file = /run/xenreach/kadmind.acl
  mkey_file = /run/xenreach/mkey
  log_file = /run/xenreach/log }
[logging]
 default = STDERR`,
    },
    script: `
mkdir -p /run/xenreach/var/heimdal-kdc && mount --bind /run/xenreach/var /var/lib
${tree}/bin/kadmin.heimdal -l init --realm-max-ticket-life=1d --realm-max-renewable-life=1d LAB.TEST
${heimdalKdc} --addresses=${place.address} &
exec ${tree}/lib/heimdal-servers/kpasswdd --addresses=${place.address}`,
  });
}
