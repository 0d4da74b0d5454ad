/** A client that knows nothing: bytes out, bytes back. */
import dgram from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';

const patienceMs = 3000;

/** What comes back for each message in turn, in hex; `minBytes` is how much of the last answer to wait for. */
export async function askTcp(
  host: string,
  port: number,
  messages: readonly string[],
  minBytes = 1,
  waitMs = patienceMs,
): Promise<readonly string[]> {
  const socket = net.connect({ host, port, autoSelectFamily: false });
  socket.on('error', () => undefined);
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(patienceMs) });
    const answers: string[] = [];
    for (const [i, message] of messages.entries()) {
      if (message !== '') socket.write(Buffer.from(message, 'hex'));
      // One message after the other.
      answers.push(await hear(socket, i === messages.length - 1 ? minBytes : 1, waitMs));
    }
    return answers;
  } finally {
    socket.destroy();
  }
}

/** At least so many bytes, or what came before the end. */
async function hear(socket: net.Socket, minBytes: number, waitMs: number): Promise<string> {
  const chunks: Buffer[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const onData = (chunk: Buffer): void => {
    chunks.push(chunk);
    if (Buffer.concat(chunks).length >= minBytes) resolve();
  };
  const timer = setTimeout(resolve, waitMs);
  socket.on('data', onData).once('close', resolve);
  if (!socket.destroyed) await promise;
  clearTimeout(timer);
  socket.off('data', onData).off('close', resolve);
  return Buffer.concat(chunks).toString('hex');
}

export interface UdpAnswer {
  readonly hex: string;
  readonly address: string;
}

/** The first datagram that comes back; undefined for silence. The socket is not connected: it hears everyone. */
export async function askUdp(
  host: string,
  port: number,
  message: string,
  waitMs = patienceMs,
): Promise<UdpAnswer | undefined> {
  const socket = dgram.createSocket('udp4');
  const { promise, resolve } = Promise.withResolvers<UdpAnswer | undefined>();
  socket.on('message', (datagram, from) => resolve({ hex: datagram.toString('hex'), address: from.address }));
  const timer = setTimeout(() => resolve(undefined), waitMs);
  socket.send(Buffer.from(message, 'hex'), port, host);
  const answer = await promise;
  clearTimeout(timer);
  socket.close();
  return answer;
}
