/** istgt, which tells its targets only to those who authenticate with CHAP. */
import { startServer, type Place, type Server } from '../servers.ts';

export function startIstgt(place: Place): Promise<Server> {
  return startServer(place, {
    name: 'istgt',
    listens: ['tcp/3260'],
    files: {
      'istgt.conf': `
[Global]
  NodeBase "iqn.2026-01.test.lab"
  PidFile /run/xenreach/istgt.pid
  AuthFile /run/xenreach/auth.conf
  MediaDirectory /run/xenreach
  LogFacility "local7"
  DiscoveryAuthMethod CHAP
  DiscoveryAuthGroup AuthGroup1
[UnitControl]
  AuthMethod CHAP
  AuthGroup AuthGroup1
  Portal UC1 127.0.0.1:3261
  Netmask 127.0.0.1
[PortalGroup1]
  Portal DA1 ${place.address}:3260
[InitiatorGroup1]
  InitiatorName "ALL"
  Netmask ALL
[LogicalUnit1]
  TargetName disk1
  Mapping PortalGroup1 InitiatorGroup1
  AuthMethod CHAP
  AuthGroup AuthGroup1
  UnitType Disk
  LUN0 Storage /run/xenreach/disk1 4MB`,
      'auth.conf': '[AuthGroup1]\n  Auth "user" "secretsecret12"\n',
    },
    script: 'chmod 600 auth.conf\nexec istgt -D -c istgt.conf',
  });
}
