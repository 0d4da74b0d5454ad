/** TLS on a connection that a peer already has: the handshake, then another peer inside. */
import { tlsServer, type ChooseCredentials, type TlsOptions } from '../net/tls-server.ts';
import { Caller, serve, type TcpPeer } from './caller.ts';

export function overTls(choose: ChooseCredentials, inner: TcpPeer, options: TlsOptions = {}): TcpPeer {
  const handshake = tlsServer(choose, (socket) => void serve(inner, new Caller(socket)), options);
  return async (caller) => {
    handshake(caller.handOver());
    await caller.closed();
  };
}
