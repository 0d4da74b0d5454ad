/**
 * Network Block Device: the greeting of the fixed newstyle handshake, whether TLS is on offer, and an orderly goodbye. No
 * export is named: its name carries a session of the management API. The NBD protocol document, sections "Fixed newstyle
 * negotiation" and "Option types".
 */
import * as v from 'valibot';
import { endedAs } from '../src/model/errors.ts';
import { answered, declined } from '../src/model/outcome.ts';
import { defineProbe, type Conn, type ProbeIo } from '../src/model/probe.ts';
import { DecodeError, Reader } from '../src/wire/reader.ts';
import { printable } from '../src/wire/text.ts';

const greetingBytes = 18;
const magic = 'NBDMAGIC';
const optionMagic = Buffer.from('IHAVEOPT', 'latin1');
const oldstyleMagic = Buffer.from('0000420281861253', 'hex');
const replyMagic = 0x0003_e889_0455_65a9n;

/** Handshake flags, and our answer to them. */
const fixedNewstyle = 1;

const options = { abort: 2, startTls: 5 } as const;
const replies = { acknowledged: 1, firstError: 0x8000_0000 } as const;

/** Why a server says no to STARTTLS; all of them mean that it goes on in plain text. */
const maxReplyBytes = 4096;

/*
   server   | NBDMAGIC, 8 | IHAVEOPT, 8 | handshake flags, 2 |
*/
export function decodeGreeting(bytes: Uint8Array): number {
  const reader = new Reader(bytes);
  const start = reader.bytes(8);
  if (Buffer.from(start).toString('latin1') !== magic) throw new DecodeError(`not NBD: ${printable(start)}`, 0);
  const style = reader.bytes(8);
  if (oldstyleMagic.equals(style)) throw new DecodeError('an oldstyle NBD server, which knows no options', 8);
  if (!optionMagic.equals(style)) throw new DecodeError('neither oldstyle nor newstyle NBD', 8);
  return reader.uint16();
}

/*
   client   | client flags, 4 |, then | IHAVEOPT, 8 | option, 4 | length, 4 | data |
*/
function encodeOption(option: number): Uint8Array {
  const bytes = Buffer.alloc(16);
  optionMagic.copy(bytes);
  bytes.writeUInt32BE(option, 8);
  return bytes;
}

export interface OptionReply {
  readonly option: number;
  readonly type: number;
  readonly length: number;
}

/*
   server   | 0x3e889045565a9, 8 | option, 4 | reply type, 4 | length, 4 | data |
*/
export function decodeOptionReply(bytes: Uint8Array): OptionReply {
  const reader = new Reader(bytes);
  if (Buffer.from(reader.bytes(8)).readBigUInt64BE() !== replyMagic)
    throw new DecodeError('not a reply to an option', 0);
  const reply = { option: reader.uint32(), type: reader.uint32(), length: reader.uint32() };
  if (reply.length > maxReplyBytes) throw new DecodeError(`a reply of ${reply.length} bytes`, 16);
  return reply;
}

export const nbd = defineProbe({
  transport: 'tcp',
  port: 10_809,
  about: {
    title: 'Network Block Device',
    sends:
      'our flags, the question whether TLS is on offer, a TLS handshake where it is, and the option that ends the talk',
    proves: 'a newstyle NBD server answers an option; not that any disk can be read',
    client: 'the readers of changed blocks: they take the fixed newstyle, and TLS where the network wants it',
    leaves: 'one client that came and went; a XenServer host has room for sixteen at a time',
    reference: 'NBD protocol, proto.md',
  },
  options: v.strictObject({}),

  async run(io) {
    const conn = await io.connect();
    const greeting = await greetingFrom(conn);
    if (greeting === null) {
      return declined(
        'it closes the connection before its greeting',
        {},
        'A XenServer host does that while no network has the purpose nbd or insecure_nbd, while a network has both, and while its sixteen places are taken: look at xe network-list params=purpose.',
      );
    }
    const flags = decodeGreeting(greeting);
    if ((flags & fixedNewstyle) === 0) throw new DecodeError('a newstyle that is not fixed: it takes no options', 16);
    await conn.write(Buffer.concat([Uint8Array.of(0, 0, 0, fixedNewstyle), encodeOption(options.startTls)]));
    const reply = await readReply(conn, options.startTls);
    if (reply.type !== replies.acknowledged) {
      await conn.end(encodeOption(options.abort));
      return answered('NBD, without TLS', { tls: false });
    }
    const secured = await secure(io, conn);
    await secured.end(encodeOption(options.abort));
    return answered('NBD, with TLS', { tls: true });
  },
});

/** Null where the server hangs up without a byte. */
async function greetingFrom(conn: Conn): Promise<Uint8Array | null> {
  let first: Uint8Array;
  try {
    first = await conn.read(1);
  } catch (error) {
    if (endedAs(error, 'closed')) return null;
    throw error;
  }
  return Buffer.concat([first, await conn.read(greetingBytes - 1)]);
}

/** The certificate is the pool's own: who reads disks has it from the management API. */
const secure = (io: ProbeIo, conn: Conn): Promise<Conn> => io.secure(conn, { trust: 'observe' });

async function readReply(conn: Conn, asked: number): Promise<OptionReply> {
  const reply = decodeOptionReply(await conn.read(20));
  await conn.read(reply.length);
  if (reply.option !== asked) throw new DecodeError(`a reply to option ${reply.option}, not to ${asked}`, 8);
  if (reply.type !== replies.acknowledged && reply.type < replies.firstError)
    throw new DecodeError(`a reply of type ${reply.type} to an option that has none`, 12);
  return reply;
}
