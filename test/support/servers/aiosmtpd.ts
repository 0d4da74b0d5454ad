/** aiosmtpd, a mail server in Python that keeps nothing. */
import { startServer, type Place, type Server } from '../servers.ts';

export const startAiosmtpd = (place: Place): Promise<Server> =>
  startServer(place, {
    name: 'aiosmtpd',
    listens: ['tcp/25'],
    script: `exec /usr/bin/python3 -m aiosmtpd -n -c aiosmtpd.handlers.Sink -l ${place.address}:25`,
  });
