/** x11vnc showing a virtual screen to everybody. */
import { startServer, type Place, type Server } from '../servers.ts';

export function startX11vnc(place: Place): Promise<Server> {
  return startServer(place, {
    name: 'x11vnc',
    listens: ['tcp/5900'],
    script: `
mount -t tmpfs -o mode=1777 tmpfs /tmp
Xvfb :7 -screen 0 64x64x16 -nolisten tcp &
until [ -S /tmp/.X11-unix/X7 ]; do sleep 0.02; done
exec x11vnc -display :7 -rfbport 5900 -listen ${place.address} -forever -nopw -noipv6 -noshm -q`,
  });
}
