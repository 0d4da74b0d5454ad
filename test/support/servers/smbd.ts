/** A stand-alone Samba file server in one of three configurations: as shipped, SMB1 only, and SMB 3.1.1 only with encryption. */
import { startServer, type Place, type Server } from '../servers.ts';

const moods = {
  default: '',
  'smb1-only': 'server min protocol = NT1\nserver max protocol = NT1',
  'encrypted-only': 'server min protocol = SMB3_11\nserver smb encrypt = required\nserver signing = mandatory',
} as const;

export function startSmbd(place: Place, mood: keyof typeof moods = 'default'): Promise<Server> {
  const folders = ['lock', 'state', 'cache', 'private', 'pid'];
  return startServer(place, {
    name: 'smbd',
    listens: ['tcp/139', 'tcp/445'],
    files: {
      'smb.conf': `
[global]
netbios name = FILES
server role = standalone server
interfaces = ${place.address}/24
bind interfaces only = yes
load printers = no
log level = 1
disable spoolss = yes
ncalrpc dir = /run/xenreach/ncalrpc
${folders.map((folder) => `${folder}${folder === 'private' ? ' dir' : ' directory'} = /run/xenreach/${folder}`).join('\n')}
${moods[mood]}
[share]
path = /run/xenreach/share`,
    },
    script: `
mkdir -p ${folders.join(' ')} share ncalrpc
exec smbd -F --no-process-group --debug-stdout -s smb.conf`,
  });
}
