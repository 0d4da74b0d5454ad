/**
 * Windows file sharing, directly over TCP: negotiates a dialect and leaves before anybody would log on. A client may take
 * one dialect only (`mount.cifs -o vers=3.0`): that is then offered alone, and what else the server speaks is evidence. A
 * server that hangs up on SMB2 is asked once more in SMB1, on a new connection: it is alive then, but too old. MS-SMB2
 * sections 3.2.4.2.2 (client) and 3.3.5.4 (server).
 */
import * as v from 'valibot';
import { endedAs } from '../src/model/errors.ts';
import { answered, declined, type Answer, type Evidence } from '../src/model/outcome.ts';
import { type Conn, defineProbe, type ProbeIo } from '../src/model/probe.ts';
import { clockOffsetMs } from '../src/wire/clock.ts';
import { further, isTrouble } from '../src/wire/further.ts';
import {
  decodeFrameLength,
  decodeReply,
  encodeNegotiate,
  encodeNegotiate30,
  encodeSmb1Negotiate,
  notSupported,
} from '../src/wire/smb.ts';
import type { Negotiated, SmbReply } from '../src/wire/smb.ts';

/** The dialect that may be wanted alone. */
const alone = '3.0';

export const smb = defineProbe({
  transport: 'tcp',
  port: 445,
  about: {
    title: 'SMB file service',
    sends:
      'one SMB2 negotiate offering 2.0.2 to 3.1.1, and with `dialect=3.0` before it one offering 3.0 alone; where the server hangs up on them, one SMB1 negotiate, each on a new connection',
    proves: 'the server takes one of our dialects; with `dialect=3.0` that one',
    client:
      'winbind of Samba 4, which takes SMB 2.0.2 to 3.1.1; with `dialect=3.0` the storage manager (`SMBSR.py` of xapi-project/sm: `mount.cifs -o vers=3.0`)',
    leaves: 'nothing: it ends before a session is set up',
    reference: 'MS-SMB2 2.2.3',
  },
  options: v.strictObject({
    /** `3.0`: the client takes no other. */
    dialect: v.optional(v.picklist(['any', alone]), 'any'),
  }),

  async run(io, _target, { dialect }) {
    const open = (): Promise<Conn> => io.connect();
    return dialect === 'any' ? negotiate(io, await open(), open) : negotiate30(io, open);
  },
});

async function negotiate30(io: ProbeIo, open: () => Promise<Conn>): Promise<Answer> {
  const first = await unlessClosed(ask(await open(), encodeNegotiate30(io.random(16))));
  if (first?.kind === 'status' && first.status !== notSupported) return judge(io, first);
  if (first?.kind !== 'dialect' || first.negotiated.dialect !== alone) {
    const other = await offerAll(io, await open(), open);
    return without30(other, other.kind === 'dialect' ? evidenceOf(io, other.negotiated) : {});
  }
  io.record(evidenceOf(io, first.negotiated));
  const all = await further(io, async () => ask(await open(), encodeNegotiate(io.random(16), io.random(32))));
  if (isTrouble(all)) io.note(`what else it speaks than SMB 3.0 is not known: ${all.message}`);
  if (isTrouble(all) || all.kind !== 'dialect') return accept(io, first.negotiated);
  const { dialect } = all.negotiated;
  const answer = accept(io, all.negotiated);
  return dialect === alone ? answer : { ...answer, detail: `takes SMB 3.0; the newest is ${answer.detail}` };
}

/** On a connection where SMB may start; `reopen` gives another one like it. Any of our dialects will do. */
export async function negotiate(io: ProbeIo, conn: Conn, reopen: () => Promise<Conn>): Promise<Answer> {
  return judge(io, await offerAll(io, conn, reopen));
}

async function offerAll(io: ProbeIo, conn: Conn, reopen: () => Promise<Conn>): Promise<SmbReply> {
  const reply = await unlessClosed(ask(conn, encodeNegotiate(io.random(16), io.random(32))));
  return reply ?? ask(await reopen(), encodeSmb1Negotiate());
}

async function ask(conn: Conn, request: Uint8Array): Promise<SmbReply> {
  await conn.write(request);
  const reply = decodeReply(await conn.read(decodeFrameLength(await conn.read(4))));
  await conn.end();
  return reply;
}

/** A server may answer a dialect that it does not know by hanging up: the one failure that is a reply. */
async function unlessClosed(asked: Promise<SmbReply>): Promise<SmbReply | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (endedAs(error, 'closed')) return undefined;
    throw error;
  }
}

/** The server speaks SMB, but not the wanted dialect. */
function without30(reply: SmbReply, evidence: Evidence): Answer {
  if (reply.kind === 'status' || (reply.kind === 'smb1' && reply.dialect === null)) {
    return declined(`an SMB server, but it shares no dialect with us (${nameOf(reply)})`, evidence);
  }
  const isNewer =
    reply.kind === 'dialect' && (reply.negotiated.dialect === '3.1.1' || reply.negotiated.dialect === '3.0.2');
  const spoken = isNewer ? `speaks SMB ${nameOf(reply)}` : `speaks nothing newer than ${nameOf(reply)}`;
  return declined(
    `the server ${spoken} but does not take SMB 3.0, and its clients here mount with that alone`,
    evidence,
    isNewer
      ? 'Let the file server take SMB 3.0 (its lowest dialect is set higher: `server min protocol` of Samba, `Smb2DialectMin` of Windows).'
      : 'Enable SMB 3.0 on the file server (`server max protocol` of Samba, `Smb2DialectMax` of Windows).',
  );
}

function nameOf(reply: SmbReply): string {
  if (reply.kind === 'dialect') return reply.negotiated.dialect;
  return reply.kind === 'status' ? reply.name : `SMB1 (${reply.dialect ?? 'none'})`;
}

function judge(io: ProbeIo, reply: SmbReply): Answer {
  if (reply.kind === 'dialect') return accept(io, reply.negotiated);
  if (reply.kind === 'status') {
    const why = reply.status === notSupported ? 'it shares no dialect with us' : 'it refuses to negotiate';
    return declined(`an SMB server, but ${why} (${reply.name})`);
  }
  if (reply.dialect === null) {
    return declined('an SMB1 server that shares no dialect with us');
  }
  io.warn('the server speaks SMB1 only, which current clients no longer speak: enable SMB 2 or 3 on the server');
  return answered(`SMB1 (${reply.dialect})`, { dialect: reply.dialect });
}

function accept(io: ProbeIo, negotiated: Negotiated): Answer {
  const { dialect, encryption } = negotiated;
  const detail = `SMB ${dialect}, signing ${signingOf(negotiated)}, ${encryption ?? 'no encryption'}`;
  return answered(detail, evidenceOf(io, negotiated));
}

function evidenceOf(io: ProbeIo, negotiated: Negotiated): Evidence {
  const { dialect, encryption, serverGuid, systemTimeMs } = negotiated;
  const clock =
    systemTimeMs === null
      ? { systemTime: null, offsetMs: null }
      : { systemTime: new Date(systemTimeMs).toISOString(), offsetMs: clockOffsetMs(systemTimeMs, io.now()) };
  return { dialect, signing: signingOf(negotiated), encryption, serverGuid, ...clock };
}

const signingOf = ({ isSigningEnabled, isSigningRequired }: Negotiated): string =>
  isSigningRequired ? 'required' : isSigningEnabled ? 'enabled' : 'off';
