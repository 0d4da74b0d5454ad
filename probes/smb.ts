/**
 * Windows file sharing, directly over TCP: negotiates a dialect and leaves before anybody would log on. Tells dialect,
 * signing, encryption and the server's clock. A server that hangs up on SMB2 is asked once more in SMB1, on a new
 * connection: it is alive then, but too old for XenServer. MS-SMB2 sections 3.2.4.2.2 (client) and 3.3.5.4 (server).
 */
import * as v from 'valibot';
import { NetError } from '../src/model/errors.ts';
import type { Answer } from '../src/model/outcome.ts';
import { type Conn, defineProbe, type ProbeIo } from '../src/model/probe.ts';
import { decodeFrameLength, decodeReply, encodeNegotiate, encodeSmb1Negotiate, notSupported } from '../src/wire/smb.ts';
import type { Negotiated, SmbReply } from '../src/wire/smb.ts';

/** XenServer mounts SMB storage with version 3.0. */
const olderThan3 = new Set(['2.0.2', '2.1']);

export const smb = defineProbe({
  transport: 'tcp',
  port: 445,
  about: {
    title: 'SMB file service',
    sends:
      'one SMB2 negotiate offering 2.0.2 to 3.1.1; where the server hangs up on it, one SMB1 negotiate on a new connection',
    proves: 'the server chose one of our dialects',
    leaves: 'nothing: it ends before a session is set up',
    reference: 'MS-SMB2 2.2.3',
  },
  options: v.strictObject({}),

  run: async (io) => negotiate(io, await io.connect(), () => io.connect()),
});

/** On a connection where SMB may start; `reopen` gives another one like it. */
export async function negotiate(io: ProbeIo, conn: Conn, reopen: () => Promise<Conn>): Promise<Answer> {
  let reply: SmbReply;
  try {
    reply = await ask(conn, encodeNegotiate(io.random(16), io.random(32)));
  } catch (error) {
    // Hanging up without a word is how a server that knows only SMB1 answers SMB2: the one failure that is a reply.
    if (!(error instanceof NetError) || error.failure.outcome !== 'closed') throw error;
    reply = await ask(await reopen(), encodeSmb1Negotiate());
  }
  return judge(io, reply);
}

async function ask(conn: Conn, request: Uint8Array): Promise<SmbReply> {
  await conn.write(request);
  const reply = decodeReply(await conn.read(decodeFrameLength(await conn.read(4))));
  await conn.end();
  return reply;
}

function judge(io: ProbeIo, reply: SmbReply): Answer {
  if (reply.kind === 'dialect') return accept(io, reply.negotiated);
  if (reply.kind === 'status') {
    const why = reply.status === notSupported ? 'it shares no dialect with us' : 'it refuses to negotiate';
    return { outcome: 'declined', detail: `an SMB server, but ${why} (${reply.name})`, evidence: {} };
  }
  if (reply.dialect === null) {
    return { outcome: 'declined', detail: 'an SMB1 server that shares no dialect with us', evidence: {} };
  }
  io.warn('the server speaks SMB1 only, XenServer mounts SMB storage with SMB 3.0: enable SMB 3 on the server');
  return { outcome: 'answered', detail: `SMB1 (${reply.dialect})`, evidence: { dialect: reply.dialect } };
}

function accept(io: ProbeIo, negotiated: Negotiated): Answer {
  const { dialect, isSigningEnabled, isSigningRequired, encryption, serverGuid, systemTimeMs } = negotiated;
  const signing = isSigningRequired ? 'required' : isSigningEnabled ? 'enabled' : 'off';
  const clock =
    systemTimeMs === null
      ? { systemTime: null, offsetMs: null }
      : { systemTime: new Date(systemTimeMs).toISOString(), offsetMs: Math.round(systemTimeMs - io.now()) };
  if (olderThan3.has(dialect)) {
    io.note(`the server's newest dialect is ${dialect}, XenServer mounts SMB storage with SMB 3.0`);
  }
  return {
    outcome: 'answered',
    detail: `SMB ${dialect}, signing ${signing}, ${encryption ?? 'no encryption'}`,
    evidence: { dialect, signing, encryption, serverGuid, ...clock },
  };
}
