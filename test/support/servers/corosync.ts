/** corosync as one healthy node of a two-node cluster; knet binds 5405 only, and is mute to strangers. */
import { startServer, type Place, type Server } from '../servers.ts';

export function startCorosync(place: Place, transport: 'knet' | 'udpu' = 'knet'): Promise<Server> {
  return startServer(place, {
    name: 'corosync',
    listens: ['udp/5405'],
    files: {
      'corosync.conf': `
totem {
  version: 2
  cluster_name: lab
  transport: ${transport}
}
nodelist {
  node {
    name: one
    nodeid: 1
    ring0_addr: ${place.address}
  }
  node {
    name: two
    nodeid: 2
    ring0_addr: 10.91.0.99
  }
}
quorum {
  provider: corosync_votequorum
}
system {
  sched_rr: no
  move_to_root_cgroup: no
  state_dir: /run/xenreach
}
logging {
  to_stderr: yes
  to_syslog: no
}`,
    },
    script: 'exec corosync -f -c /run/xenreach/corosync.conf',
  });
}
