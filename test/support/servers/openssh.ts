/** sshd that lets nobody in. */
import { startServer, type Place, type Server } from '../servers.ts';

export function startOpenssh(place: Place): Promise<Server> {
  return startServer(place, {
    name: 'sshd',
    listens: ['tcp/22'],
    files: { sshd_config: `ListenAddress ${place.address}\nHostKey /run/xenreach/key\nPidFile none\nUsePAM no\n` },
    script: `
mkdir -p /run/sshd
ssh-keygen -q -t ed25519 -N '' -f key
exec /usr/sbin/sshd -D -e -f /run/xenreach/sshd_config`,
  });
}
