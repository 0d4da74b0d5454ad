/** xrdp, with the security layer of choice. */
import type { Certificate } from '../certificates.ts';
import { startServer, type Place, type Server } from '../servers.ts';

export function startXrdp(
  place: Place,
  tls: Certificate,
  securityLayer: 'negotiate' | 'tls' | 'rdp' = 'negotiate',
): Promise<Server> {
  return startServer(place, {
    name: 'xrdp',
    listens: ['tcp/3389'],
    files: {
      'xrdp.ini': `
[Globals]
ini_version=1
fork=true
port=tcp://${place.address}:3389
security_layer=${securityLayer}
crypt_level=high
certificate=/run/xenreach/tls.pem
key_file=/run/xenreach/tls.key
ssl_protocols=TLSv1.2, TLSv1.3
[Logging]
LogLevel=WARNING
EnableSyslog=false
LogFile=/run/xenreach/xrdp.log
[Xorg]
name=Xorg
lib=libxup.so`,
      'tls.pem': tls.certificate,
      'tls.key': tls.key,
    },
    script: 'mkdir -p /run/xrdp/sockdir\nexec xrdp --nodaemon --config /run/xenreach/xrdp.ini',
  });
}
