/**
 * Nagios Remote Plugin Executor: the one query that every agent answers by itself, with its version. TLS comes first as a rule,
 * often without a certificate (anonymous Diffie-Hellman). There is no standard; include/common.h of NRPE has the packet.
 */
import * as v from 'valibot';
import { endedAs } from '../src/model/errors.ts';
import { answered, declined } from '../src/model/outcome.ts';
import { defineProbe } from '../src/model/probe.ts';
import { DecodeError, Reader } from '../src/wire/reader.ts';
import { printable } from '../src/wire/text.ts';

/** With the two bytes that a C compiler pads the structure with. */
const packetBytes = 1036;
const textAt = 10;
const textBytes = 1024;

const version2 = 2;
const types = { query: 1, response: 2 } as const;

/** Answered by the agent itself; no command of its configuration is run. */
const ownCheck = '_NRPE_CHECK';

const turnedAway =
  'An agent hangs up on an address that it is not told to allow: look at allowed_hosts in its nrpe.cfg, and at its log.';

/*
   | version, 2 | type, 2 | CRC-32 of the packet with this field zero, 4 | result, 2 | text with a final NUL, 1024 | padding, 2 |
*/
export function encodeQuery(): Uint8Array {
  const bytes = Buffer.alloc(packetBytes);
  bytes.writeInt16BE(version2, 0);
  bytes.writeInt16BE(types.query, 2);
  bytes.write(ownCheck, textAt, 'latin1');
  bytes.writeUInt32BE(checksum(bytes), 4);
  return bytes;
}

export interface NrpeResponse {
  readonly result: number;
  readonly text: string;
}

export function decodeResponse(bytes: Uint8Array): NrpeResponse {
  const reader = new Reader(bytes);
  const [version, type, crc] = [reader.uint16(), reader.uint16(), reader.uint32()];
  if (version !== version2) throw new DecodeError(`NRPE packet version ${version}, not 2`, 0);
  if (type !== types.response) throw new DecodeError(`a packet of type ${type}, which is no response`, 2);
  const result = reader.uint16();
  const text = reader.bytes(textBytes);
  const zeroed = Buffer.from(bytes);
  zeroed.writeUInt32BE(0, 4);
  if (checksum(zeroed) !== crc) throw new DecodeError('the checksum is wrong', 4);
  const end = text.indexOf(0);
  return { result, text: printable(end < 0 ? text : text.subarray(0, end)) };
}

/** That of zlib and Ethernet. */
const checksum = (bytes: Uint8Array): number => process.getBuiltinModule('node:zlib').crc32(bytes);

export const nrpe = defineProbe({
  transport: 'tcp',
  port: 5666,
  about: {
    title: 'Nagios NRPE',
    sends: 'a TLS handshake that takes a server without a certificate too, and the query _NRPE_CHECK',
    proves: 'an NRPE agent that takes queries from this address tells its version; no command is run',
    client: 'check_nrpe: packets of version 2, TLS up to 1.2 with the anonymous ciphers',
    leaves: 'one connection in its log',
    reference: 'include/common.h of NRPE',
  },
  options: v.strictObject({
    /** As its configuration has it (`ssl_version`, the option -n of the agent). */
    tls: v.optional(v.boolean(), true),
  }),

  async run(io, _target, { tls }) {
    const plain = await io.connect();
    const conn = tls ? await unlessHungUp(() => io.secure(plain, { trust: 'observe', allowsAnonymous: true })) : plain;
    if (conn === null)
      return declined('it accepts the connection and hangs up during the TLS handshake', {}, turnedAway);
    await conn.write(encodeQuery());
    // With a session it has taken us already; without one its first byte says so.
    const first = tls ? await conn.read(1) : await unlessHungUp(() => conn.read(1));
    if (first === null) return declined('it accepts the connection and hangs up without a word', {}, turnedAway);
    const { result, text } = decodeResponse(Buffer.concat([first, await conn.read(packetBytes - 1)]));
    await conn.end();
    if (!/^NRPE\b/.test(text)) io.note('it answers for itself with other words than NRPE and its version');
    return answered(text === '' ? 'NRPE' : text, { result, text });
  },
});

/** Null where the agent closes the connection before a word of its own. */
async function unlessHungUp<T>(talk: () => Promise<T>): Promise<T | null> {
  try {
    return await talk();
  } catch (error) {
    if (endedAs(error, 'closed')) return null;
    throw error;
  }
}
