/** dropbear, which sends its key exchange right behind its banner. */
import { startServer, type Place, type Server } from '../servers.ts';

export function startDropbear(place: Place): Promise<Server> {
  return startServer(place, {
    name: 'dropbear',
    listens: ['tcp/22'],
    script: `
dropbearkey -t ed25519 -f key
exec dropbear -F -E -s -r key -P dropbear.pid -p ${place.address}:22`,
  });
}
