/** tgtd with one target open to everybody. */
import { startServer, type Place, type Server } from '../servers.ts';

export const tgtTarget = 'iqn.2026-01.test.lab:disk1';

export async function startTgt(place: Place): Promise<Server> {
  const server = await startServer(place, {
    name: 'tgtd',
    listens: ['tcp/3260'],
    script: `mkdir -p /run/tgtd\nexec tgtd -f -t 1 --iscsi portal=${place.address}:3260`,
  });
  const tgtadm = (...args: readonly string[]): string =>
    server.exec(['tgtadm', '--lld', 'iscsi', '--mode', 'target', '--tid', '1', ...args]);
  tgtadm('--op', 'new', '-T', tgtTarget);
  tgtadm('--op', 'bind', '-I', 'ALL');
  return server;
}
