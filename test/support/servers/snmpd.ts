/** snmpd of Net-SNMP with a community of version 2 and no user of version 3. */
import { startServer, type Place, type Server } from '../servers.ts';

export const startSnmpd = (place: Place): Promise<Server> =>
  startServer(place, {
    name: 'snmpd',
    listens: ['udp/161'],
    files: { 'snmpd.conf': `agentaddress udp:${place.address}:161\nrocommunity public\n` },
    script: 'exec snmpd -f -Lo -C -c /run/xenreach/snmpd.conf -p /run/snmpd.pid --persistentDir=/run/xenreach/state',
  });
