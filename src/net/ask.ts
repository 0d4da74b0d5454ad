/** One message to one port, and the answer to it: how a responder finds out that it is ready, and how it asks back. */
import dgram from 'node:dgram';
import { connect } from 'node:net';
import { familyOfAddress } from '../model/address.ts';
import type { Transport } from '../model/probe.ts';
import { framed } from '../wire/pair.ts';

export interface Question {
  readonly transport: Transport;
  readonly address: string;
  readonly port: number;
  readonly message: Uint8Array;
  /** How often a datagram is sent. */
  readonly sends: number;
  readonly timeoutMs: number;
}

/** Resolves with the first answer, or undefined when none comes in time. Never rejects. */
export async function ask(question: Question): Promise<Uint8Array | undefined> {
  const { promise, resolve } = Promise.withResolvers<Uint8Array | undefined>();
  const end = question.transport === 'tcp' ? askStream(question, resolve) : askDatagram(question, resolve);
  const timer = setTimeout(() => resolve(undefined), question.timeoutMs);
  const answer = await promise;
  clearTimeout(timer);
  end();
  return answer;
}

type Resolve = (answer: Uint8Array | undefined) => void;

function askDatagram({ address, port, message, sends, timeoutMs }: Question, resolve: Resolve): () => void {
  const socket = dgram.createSocket(familyOfAddress(address) === 6 ? 'udp6' : 'udp4');
  let left = sends;
  const send = (): void => {
    if (left === 0) return;
    left -= 1;
    socket.send(message, (error) => void (error && resolve(undefined)));
  };
  const again = setInterval(send, timeoutMs / (sends + 1));
  socket.on('error', () => resolve(undefined)).on('message', resolve);
  socket.connect(port, address, send);
  return () => {
    clearInterval(again);
    socket.close();
  };
}

function askStream({ address, port, message }: Question, resolve: Resolve): () => void {
  const socket = connect({ host: address, port, family: familyOfAddress(address), autoSelectFamily: false });
  let received = Buffer.alloc(0);
  socket.on('error', () => resolve(undefined)).on('close', () => resolve(undefined));
  socket.on('connect', () => socket.write(framed(message)));
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    if (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) resolve(received.subarray(2));
  });
  return () => socket.destroy();
}
