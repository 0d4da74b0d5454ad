/**
 * Service records in a DNS answer, RFC 1035 section 4.1 and RFC 2782. The target may be compressed: RFC 2782 forbids it,
 * the DNS server inside Samba does it all the same, and c-ares calls such an answer bad as a whole.
 */
import { decodeName } from './dns-name.ts';
import { DecodeError, Reader } from './reader.ts';

const headerLength = 12;
const srv = 33;
const internet = 1;

/** A message over TCP holds no more than 64 KiB, and a record takes 19 bytes at the least. */
const maxRecords = 3600;

export interface ServiceRecord {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

export interface ServiceReply {
  readonly rcode: number;
  readonly records: readonly ServiceRecord[];
}

/* | id | RD | 1 question | 0 | 0 | 0 | name | type SRV | class IN |     two bytes each */
export function encodeServiceQuery(id: number, name: string): Uint8Array {
  const labels = name.replace(/\.$/, '').split('.');
  if (labels.some((label) => label.length === 0 || label.length > 63)) throw new RangeError(`no domain name: ${name}`);
  const packed = labels.flatMap((label) => [Uint8Array.of(label.length), Buffer.from(label, 'latin1')]);
  const header = Buffer.alloc(headerLength);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(0x0100, 2);
  header.writeUInt16BE(1, 4);
  return Uint8Array.from(Buffer.concat([header, ...packed, Uint8Array.of(0, 0, srv, 0, internet)]));
}

/* | id | flags, rcode 4 bits | questions | answers | … | question | (name | type | class | ttl 4 | length | data)* | … */
export function decodeServiceReply(bytes: Uint8Array, id: number): ServiceReply {
  const header = new Reader(bytes);
  const replyId = header.uint16();
  const flags = header.uint16();
  const questions = header.uint16();
  const answers = header.uint16();
  header.uint32();
  if (replyId !== id) throw new DecodeError(`id ${replyId} where ${id} was asked`, 0);
  if ((flags & 0x8000) === 0) throw new DecodeError('a question where an answer belongs', 2);
  if (questions > 1 || answers > maxRecords) throw new DecodeError(`${questions} questions, ${answers} answers`, 4);
  let at = headerLength;
  if (questions === 1) at = decodeName(bytes, at).next + 4;
  const records: ServiceRecord[] = [];
  for (let i = 0; i < answers; i++) {
    const { next } = decodeName(bytes, at);
    const fields = new Reader(bytes.subarray(next));
    const type = fields.uint16();
    fields.bytes(6);
    const length = fields.uint16();
    const data = new Reader(fields.bytes(length));
    at = next + 10 + length;
    if (type !== srv) continue;
    const [priority, weight, port] = [data.uint16(), data.uint16(), data.uint16()];
    records.push({ name: decodeName(bytes, at - length + 6).name, port, priority, weight });
  }
  return { rcode: flags & 0xf, records };
}
