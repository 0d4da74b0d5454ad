/**
 * Remote Framebuffer (VNC): the server's twelve-byte greeting, and nothing of ours. TigerVNC counts every connection
 * that does not authenticate and shuts an address out after five, so we ask no more than we need and know its refusal
 * when we see it. RFC 6143 sections 7.1.1 and 7.1.2.
 */
import { answered, declined } from '../src/model/outcome.ts';
import * as v from 'valibot';
import { defineProbe, type Conn } from '../src/model/probe.ts';
import { printable } from '../src/wire/text.ts';
import { DecodeError, Reader } from '../src/wire/reader.ts';

const greetingBytes = 12;
const maxReasonBytes = 512;

/** A refusal comes together with the greeting; a slow line has this long. */
const refusalWithinMs = 200;

/** "RFB 003.008\n": the highest version the server speaks. */
export function decodeGreeting(bytes: Uint8Array): string {
  const [, major, minor] = /^RFB (\d{3})\.(\d{3})\n$/.exec(Buffer.from(bytes).toString('latin1')) ?? [];
  if (major === undefined || minor === undefined) throw new DecodeError(`not an RFB greeting: ${printable(bytes)}`, 0);
  return `${Number(major)}.${Number(minor)}`;
}

export const rfb = defineProbe({
  transport: 'tcp',
  port: 5900,
  about: {
    title: 'VNC (Remote Framebuffer)',
    sends: 'nothing: the server speaks first',
    proves: 'an RFB greeting; not that anybody can log in',
    leaves: 'one unauthenticated connection; TigerVNC shuts an address out for some seconds after five in a row',
    reference: 'RFC 6143',
  },
  options: v.strictObject({}),

  async run(io) {
    const conn = await io.connect();
    const start = await conn.read(4);
    if (Buffer.from(start).toString('latin1') !== 'RFB ')
      throw new DecodeError(`not an RFB greeting: ${printable(start)}`, 0);
    const version = decodeGreeting(Buffer.concat([start, await conn.read(greetingBytes - start.length)]));
    // A server that shuts us out says so at once, in the form of version 3.3: type 0 and a reason. Then it hangs up.
    const isRefusal = version === '3.3' && (await io.closesWithin(conn, refusalWithinMs));
    const reason = isRefusal ? await readReason(conn) : null;
    await conn.end();
    if (reason !== null) {
      return declined(`the server refuses this address: ${reason}`, { version, reason });
    }
    return answered(`RFB ${version}`, { version });
  },
});

/*
   | security type, 4: 0 | reason: length, text |
*/
async function readReason(conn: Conn): Promise<string> {
  const reader = new Reader(await conn.read(8));
  const type = reader.uint32();
  if (type !== 0) throw new DecodeError(`security type ${type} before the connection closed`, greetingBytes);
  const length = reader.uint32();
  if (length > maxReasonBytes) throw new DecodeError(`a reason of ${length} bytes`, greetingBytes + 4);
  return printable(await conn.read(length));
}
