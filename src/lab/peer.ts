/** Who answers behind a port number of the lab, and how the port is opened for it. */
import type { Addresses, DatagramService, Listeners } from '../net/listeners.ts';
import { Caller, serve, type TcpPeer } from './caller.ts';

/** What answers a datagram; undefined is silence. */
export type UdpPeer = DatagramService;

/** A transport that is not there is refused. */
export interface Peer {
  readonly tcp?: TcpPeer;
  readonly udp?: UdpPeer;
}

/** Opens one free port number for the peer, the same on every address. */
export function openPeer(listeners: Listeners, addresses: Addresses, { tcp, udp }: Peer): Promise<number> {
  return listeners.open(addresses, {
    ...(tcp && { tcp: (socket) => void serve(tcp, new Caller(socket)) }),
    ...(udp && { udp }),
  });
}
