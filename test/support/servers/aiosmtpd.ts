/** aiosmtpd, a mail server in Python that prints what it takes and keeps nothing. */
import { startServer, type Place, type Server } from '../servers.ts';

export const startAiosmtpd = (place: Place, port = 25): Promise<Server> =>
  startServer(place, {
    name: 'aiosmtpd',
    listens: [`tcp/${port}`],
    env: { PYTHONUNBUFFERED: '1' },
    script: `exec /usr/bin/python3 -m aiosmtpd -n -c aiosmtpd.handlers.Debugging stdout -l ${place.address}:${port}`,
  });
