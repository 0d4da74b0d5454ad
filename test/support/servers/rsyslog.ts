/** rsyslogd collecting UDP messages into the file "messages". */
import { startServer, type Place, type Server } from '../servers.ts';

export function startRsyslog(place: Place): Promise<Server> {
  return startServer(place, {
    name: 'rsyslogd',
    listens: ['udp/514'],
    files: {
      'rsyslog.conf': `
global(workDirectory="/run/xenreach")
module(load="imudp")
input(type="imudp" ${place.address === '*' ? '' : `address="${place.address}" `}port="514")
action(type="omfile" file="/run/xenreach/messages")`,
      messages: '',
    },
    script: 'exec rsyslogd -n -iNONE -f /run/xenreach/rsyslog.conf',
  });
}
