/** One DNS question for service records, over TCP: the answer comes whole, however many records, and from the right address. */
import { connect } from 'node:net';
import { parseHostPort } from '../model/address.ts';
import { decodeServiceReply, encodeServiceQuery, type ServiceReply } from '../wire/dns-srv.ts';
import { crypto } from './crypto.ts';

/** `server` is ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT, as c-ares writes them. Rejects with the system's own errors. */
export async function askServices(server: string, name: string, signal: AbortSignal): Promise<ServiceReply> {
  const id = crypto().randomInt(0x1_0000);
  const query = encodeServiceQuery(id, name);
  const socket = connect({ ...endpointOf(server), autoSelectFamily: false, signal });
  const received: Buffer[] = [];
  let length = 0;
  try {
    socket.write(Buffer.concat([Uint8Array.of(query.length >> 8, query.length & 0xff), query]));
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      received.push(chunk);
      length += chunk.length;
      const bytes = length >= 2 ? Buffer.concat(received) : undefined;
      const wanted = bytes ? bytes.readUInt16BE(0) : Infinity;
      if (bytes && length >= wanted + 2) return decodeServiceReply(bytes.subarray(2, wanted + 2), id);
    }
    throw Object.assign(new Error('the DNS server closed the connection'), { code: 'ECONNRESET' });
  } finally {
    socket.destroy();
  }
}

function endpointOf(server: string): { host: string; port: number } {
  const { host, port = 53 } = parseHostPort(server) ?? { host: server };
  return { host, port };
}
