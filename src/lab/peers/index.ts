/** The peer that answers each probe, by the probe's name. A test runs every probe against its own. */
import type { Listeners } from '../../net/listeners.ts';
import { soundLeaf, type Authority, type Credentials } from '../certificate.ts';
import type { Peer } from '../peer.ts';
import { directory, zoneAt } from '../shared.ts';
import { overTls } from '../tls.ts';
import { dnsServer } from './dns.ts';
import { mute } from './faults.ts';
import { httpServer } from './http.ts';
import { vendorWeb } from './https.ts';
import { iscsiTarget } from './iscsi.ts';
import { kdc } from './kerberos.ts';
import { kpasswd } from './kpasswd.ts';
import { cldapResponder, ldapServer } from './ldap.ts';
import { nbdServer } from './nbd.ts';
import { nameServer } from './netbios-name.ts';
import { sessionService } from './netbios-session.ts';
import { startFiler } from './nfs-dynamic.ts';
import { nfs } from './nfs.ts';
import { nrpeAgent } from './nrpe.ts';
import { ntpServer } from './ntp.ts';
import { rdpServer } from './rdp.ts';
import { rfbServer } from './rfb.ts';
import { rpcServer } from './rpc.ts';
import { portMapper } from './rpcbind.ts';
import { smbServer } from './smb.ts';
import { mailServer } from './smtp.ts';
import { snmpAgent } from './snmp.ts';
import { sshServer } from './ssh.ts';
import { xapiHost } from './xapi.ts';

export interface PeerContext {
  readonly listeners: Listeners;
  /** Signs what a client verifies. */
  readonly authority: Authority;
  /** Where the peer listens. */
  readonly address: string;
}

type MakePeer = (context: PeerContext) => Peer | Promise<Peer>;

const dns: MakePeer = ({ address }) => dnsServer(zoneAt(address));
const kerberos: MakePeer = () => kdc(directory);
const password: MakePeer = () => kpasswd(directory);
const filer: MakePeer = () => rpcServer(nfs(3, 4));
const mapper: MakePeer = ({ address }) => rpcServer(portMapper(address, []));
const signed = ({ authority, address }: PeerContext): Credentials => authority.issue(soundLeaf(address));

export const peers: Readonly<Record<string, MakePeer>> = {
  cldap: () => ({ udp: cldapResponder(directory) }),
  dns,
  'dns-tcp': dns,
  http: () => ({ tcp: httpServer(() => ({ status: 200 })) }),
  https: (context) => ({ tcp: vendorWeb(() => signed(context)) }),
  iscsi: () => ({ tcp: iscsiTarget({ targets: ['iqn.2026-01.example.lab:sr1'] }) }),
  kerberos,
  'kerberos-tcp': kerberos,
  kpasswd: password,
  'kpasswd-tcp': password,
  ldap: () => ({ tcp: ldapServer(directory) }),
  ldaps: (context) => ({ tcp: overTls(() => signed(context), ldapServer(directory)) }),
  nbd: () => ({ tcp: nbdServer }),
  'netbios-name': () => ({ udp: nameServer(directory) }),
  'netbios-session': () => ({ tcp: sessionService(smbServer('FS1')) }),
  nfs: filer,
  'nfs-dynamic': async ({ listeners, address }) => (await startFiler(listeners, address)).rpcbind,
  'nfs-udp': filer,
  nrpe: (context) => ({ tcp: overTls(() => signed(context), nrpeAgent) }),
  ntp: () => ntpServer(),
  rdp: () => ({ tcp: rdpServer('WIN1') }),
  rfb: () => ({ tcp: rfbServer }),
  rpcbind: mapper,
  'rpcbind-udp': mapper,
  smb: () => ({ tcp: smbServer('FS1') }),
  smtp: () => ({ tcp: mailServer }),
  snmp: () => ({ udp: snmpAgent }),
  ssh: () => ({ tcp: sshServer('OpenSSH_9.2p1') }),
  syslog: () => mute,
  tcp: () => mute,
  tls: (context) => ({ tcp: overTls(() => signed(context), mute.tcp) }),
  udp: () => mute,
  xapi: ({ address }) => ({ tcp: xapiHost({ uuid: '6d1f9a52-6b1c-4c6e-9d0f-0a7d6c2b5e11', address }) }),
};
