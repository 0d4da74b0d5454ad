/** TigerVNC with a password. It shuts out a source after five connections that never authenticate. */
import { startServer, type Place, type Server } from '../servers.ts';

export function startTigervnc(place: Place): Promise<Server> {
  return startServer(place, {
    name: 'xtigervnc',
    listens: ['tcp/5900'],
    files: { password: Uint8Array.of(0xdb, 0xd8, 0x3c, 0xfd, 0x72, 0x7a, 0x14, 0x58) },
    script: `
mount -t tmpfs -o mode=1777 tmpfs /tmp
exec Xtigervnc :5 -rfbport 5900 -interface ${place.address} -geometry 64x64 -SecurityTypes VncAuth -PasswordFile password`,
  });
}
