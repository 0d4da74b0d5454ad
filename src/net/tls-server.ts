/** TLS on a connection that was accepted already: the handshake, with the certificate that the client's name asks for. */
import type { Socket } from 'node:net';
import { createSecureContext, createServer, type TlsOptions } from 'node:tls';

export type { TlsOptions };

/** A PEM chain (the leaf first) and its key. */
export interface Credentials {
  readonly cert: string;
  readonly key: string;
}

/** Which certificate to show for the name that the client asks for; '' when it asks for none. */
export type ChooseCredentials = (servername: string) => Credentials;

/** A client that stops in the middle of a handshake is let go after this. */
const handshakeTimeoutMs = 10_000;

/** Gives `accept` every connection whose handshake succeeded; the others are closed. */
export function tlsServer(
  choose: ChooseCredentials,
  accept: (socket: Socket) => void,
  options: TlsOptions = {},
): (socket: Socket) => void {
  const contexts = new Map<string, ReturnType<typeof createSecureContext>>();
  const contextOf = (servername: string): ReturnType<typeof createSecureContext> => {
    const context = contexts.get(servername) ?? createSecureContext({ ...choose(servername) });
    contexts.set(servername, context);
    return context;
  };
  const server = createServer({
    ...choose(''),
    ...options,
    handshakeTimeout: handshakeTimeoutMs,
    SNICallback: (servername, done) => done(null, contextOf(servername.toLowerCase())),
  });
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  server.on('secureConnection', accept);
  return (socket) => void server.emit('connection', socket);
}
