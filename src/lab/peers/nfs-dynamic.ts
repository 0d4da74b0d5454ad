/** An NFS filer: its rpcbind names ports that are really open, except mountd's when that is asked for. */
import type { Listeners } from '../../net/listeners.ts';
import { openPeer, type Peer } from '../peer.ts';
import { mountd, nfs, nlockmgr, programs, status } from './nfs.ts';
import { rpcServer, type Program } from './rpc.ts';
import { portMapper } from './rpcbind.ts';

export interface Filer {
  /** The peer for port 111. */
  readonly rpcbind: Required<Peer>;
  readonly nfsPort: number;
}

export async function startFiler(listeners: Listeners, address: string, isMountdMissing = false): Promise<Filer> {
  const start = (program: Program): Promise<number> => openPeer(listeners, address, rpcServer(program));
  const nfsPort = await start(nfs(3, 4));
  const mountdPort = isMountdMissing ? await listeners.vacant(address) : await start(mountd);
  const registrations = [
    { program: programs.nfs, versions: [3, 4], port: nfsPort },
    { program: programs.mountd, versions: [1, 3], port: mountdPort },
    { program: programs.nlockmgr, versions: [3, 4], port: await start(nlockmgr) },
    { program: programs.status, versions: [1], port: await start(status) },
  ];
  return { rpcbind: rpcServer(portMapper(address, registrations)), nfsPort };
}
