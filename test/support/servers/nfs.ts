/** rpcbind, nfs-ganesha (NFS 3 and 4, mountd, nlockmgr) and rpc.statd: one NAS with all its dynamic ports. */
import { startServer, type Place, type Server } from '../servers.ts';

export interface NfsOptions {
  readonly versions?: '3, 4' | '4';
}

export function startNfs(place: Place, { versions = '3, 4' }: NfsOptions = {}): Promise<Server> {
  return startServer(place, {
    name: 'nfs',
    listens: ['tcp/111', 'udp/111', 'tcp/2049', 'tcp/662'],
    files: {
      'ganesha.conf': `
NFS_CORE_PARAM {
  Protocols = ${versions};
  Bind_addr = ${place.address};
  MNT_Port = 20048;
  NLM_Port = 32803;
  Enable_RQUOTA = false;
}
NFSv4 { RecoveryBackend = fs; RecoveryRoot = /run/xenreach; Grace_Period = 5; Graceless = true; }
EXPORT {
  Export_Id = 1; Path = /run/xenreach/exported; Pseudo = /exported; Access_Type = RW; Squash = No_root_squash;
  FSAL { Name = VFS; }
}
LOG { Default_Log_Level = WARN; }`,
    },
    script: `
mkdir -p exported statd/sm statd/sm.bak /run/rpcbind
mount -t tmpfs tmpfs /var/lib/nfs
mkdir -p /var/lib/nfs/ganesha
rpcbind -f -w &
until rpcinfo -p ${place.address} > /dev/null 2>&1; do sleep 0.02; done
rpc.statd -F -d -p 662 -o 663 -P /run/xenreach/statd &
exec ganesha.nfsd -F -L STDERR -f ganesha.conf -p ganesha.pid`,
  });
}
