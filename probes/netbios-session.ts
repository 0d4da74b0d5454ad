/**
 * NetBIOS session service: file sharing as it was before it had a port of its own. Opens a session to any file server
 * (*SMBSERVER), then negotiates SMB on it. RFC 1002 sections 4.3 (packets) and 5.3 (the service).
 */
import { declined } from '../src/model/outcome.ts';
import * as v from 'valibot';
import { type Conn, defineProbe } from '../src/model/probe.ts';
import { encodeNetbiosName, suffixes } from '../src/wire/netbios-name.ts';
import { DecodeError, Reader } from '../src/wire/reader.ts';
import { negotiate } from './smb.ts';

const headerLength = 4;
const sessionRequest = 0x81;
const positive = 0x82;
const negative = 0x83;
const retarget = 0x84;

const bodyLengths = new Map([
  [positive, 0],
  [negative, 1],
  [retarget, 6],
]);

const reasons = new Map([
  [0x80, 'not listening on the called name'],
  [0x81, 'not listening for the calling name'],
  [0x82, 'called name not present'],
  [0x83, 'called name present, but insufficient resources'],
  [0x8f, 'unspecified error'],
]);

export type SessionResponse =
  | { readonly kind: 'positive' }
  | { readonly kind: 'negative'; readonly reason: string }
  | { readonly kind: 'retarget'; readonly address: string; readonly port: number };

/* | type | flags | length 2 | called name 34 | calling name 34 | */
function encodeSessionRequest(): Uint8Array {
  const called = encodeNetbiosName('*SMBSERVER', suffixes.fileServer);
  const calling = encodeNetbiosName('XENREACH', suffixes.workstation);
  return Buffer.concat([Uint8Array.of(sessionRequest, 0, 0, called.length + calling.length), called, calling]);
}

/** How many bytes follow the first four. */
export function decodeBodyLength(header: Uint8Array): number {
  const reader = new Reader(header);
  const type = reader.uint8();
  reader.uint8();
  const length = reader.uint16();
  const expected = bodyLengths.get(type);
  if (expected === undefined) throw new DecodeError(`session packet type 0x${type.toString(16)}`, 0);
  if (length !== expected) throw new DecodeError(`${length} bytes in a packet that has ${expected}`, 2);
  return length;
}

export function decodeResponse(header: Uint8Array, body: Uint8Array): SessionResponse {
  const reader = new Reader(body);
  if (header[0] === negative) {
    const code = reader.uint8();
    return { kind: 'negative', reason: reasons.get(code) ?? `error 0x${code.toString(16)}` };
  }
  if (header[0] === retarget) return { kind: 'retarget', address: reader.bytes(4).join('.'), port: reader.uint16() };
  return { kind: 'positive' };
}

export const netbiosSession = defineProbe({
  transport: 'tcp',
  port: 139,
  about: {
    title: 'NetBIOS session service',
    sends: 'one session request to *SMBSERVER from XENREACH, then the SMB2 negotiate of the smb probe',
    proves: 'the session is granted and the server chose one of our dialects',
    client:
      'winbind of Samba 4, which takes SMB 2.0.2 to 3.1.1; storage is mounted on port 445 alone, with SMB 3.0 (the `smb` probe)',
    leaves: 'nothing: it ends before a session is set up in SMB',
    reference: 'RFC 1002, 4.3',
  },
  options: v.strictObject({}),

  async run(io) {
    const conn = await io.connect();
    const response = await requestSession(conn);
    if (response.kind === 'positive') {
      io.record({ session: 'granted' });
      return negotiate(io, conn, async () => {
        const another = await io.connect();
        await requestSession(another);
        return another;
      });
    }
    await conn.end();
    if (response.kind === 'negative') {
      return declined(`no session: ${response.reason}`, { session: response.reason });
    }
    const elsewhere = `${response.address}:${response.port}`;
    return declined(`no session here: the server points to ${elsewhere}, which is not followed`, {
      session: 'retarget',
      elsewhere,
    });
  },
});

async function requestSession(conn: Conn): Promise<SessionResponse> {
  await conn.write(encodeSessionRequest());
  const header = await conn.read(headerLength);
  const length = decodeBodyLength(header);
  return decodeResponse(header, length === 0 ? new Uint8Array() : await conn.read(length));
}
