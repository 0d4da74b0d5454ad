/** MIT krb5kdc and kadmind for LAB.TEST: Kerberos on 88 and password changes on 464, both on UDP and TCP. */
import { globSync } from 'node:fs';
import { startServer, type Place, type Server } from '../servers.ts';

export interface MitOptions {
  /** Larger UDP replies become KRB_ERR_RESPONSE_TOO_BIG. */
  readonly maxDatagram?: number;
  /** How far its clock is off, as libfaketime writes it: "-10m". */
  readonly clock?: string;
}

export const [faketime = '/usr/lib/faketime/libfaketime.so.1'] = globSync('/usr/lib/*/faketime/libfaketime.so.1');

export function startMitKerberos(place: Place, { maxDatagram = 4096, clock }: MitOptions = {}): Promise<Server> {
  const { address } = place;
  return startServer(place, {
    name: 'krb5kdc',
    listens: ['tcp/88', 'udp/88', 'tcp/464', 'udp/464'],
    env: { KRB5_CONFIG: '/run/xenreach/krb5.conf', KRB5_KDC_PROFILE: '/run/xenreach/kdc.conf' },
    files: {
      'krb5.conf':
        '[libdefaults]\n default_realm = LAB.TEST\n dns_lookup_kdc = false\n dns_canonicalize_hostname = false\n',
      'kdc.conf': `
[kdcdefaults]
 kdc_listen = ${address}:88
 kdc_tcp_listen = ${address}:88
 kdc_max_dgram_reply_size = ${maxDatagram}
[realms]
 LAB.TEST = {
  database_name = /run/xenreach/principal
  key_stash_file = /run/xenreach/stash
  acl_file = /run/xenreach/kadm5.acl
  kadmind_listen = ${address}:749
  kpasswd_listen = ${address}:464
 }
[logging]
 default = STDERR`,
      'kadm5.acl': '',
    },
    script: `
kdb5_util create -s -r LAB.TEST -P master
${clock === undefined ? '' : `LD_PRELOAD=${faketime} FAKETIME=${clock}`} krb5kdc -n -r LAB.TEST -P /run/xenreach/krb5kdc.pid &
exec kadmind -nofork -r LAB.TEST -P /run/xenreach/kadmind.pid`,
  });
}
