/** OpenLDAP with one empty suffix, plain and TLS. */
import type { Certificate } from '../certificates.ts';
import { startServer, type Place, type Server } from '../servers.ts';

export function startSlapd(place: Place, tls: Certificate, { wantsBind = false } = {}): Promise<Server> {
  return startServer(place, {
    name: 'slapd',
    listens: ['tcp/389', 'tcp/636'],
    files: {
      'slapd.conf': `
include /etc/ldap/schema/core.schema
pidfile /run/xenreach/slapd.pid
argsfile /run/xenreach/slapd.args
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCertificateFile /run/xenreach/tls.pem
TLSCertificateKeyFile /run/xenreach/tls.key
${wantsBind ? 'require authc\ndisallow bind_anon' : ''}
database mdb
suffix "dc=lab,dc=test"
directory /run/xenreach`,
      'tls.pem': tls.certificate,
      'tls.key': tls.key,
    },
    script: `exec slapd -d 320 -f slapd.conf -h 'ldap://${place.address} ldaps://${place.address}'`,
  });
}
