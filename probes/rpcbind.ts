/**
 * rpcbind, the port mapper of ONC RPC: the null call proves it, its list of programs is evidence. The list is asked for
 * over TCP alone; `rpcbind-udp` is content with the null call, because over UDP the list is a known amplifier.
 * RFC 1833; RFC 5531.
 */
import * as v from 'valibot';
import type { Answer } from '../src/model/outcome.ts';
import { defineProbe } from '../src/model/probe.ts';
import { callInDatagram, callOnStream, refusal, type RpcReply } from '../src/wire/rpc.ts';
import { listRegistrations, programNames, rpcbindProgram, type Registration } from '../src/wire/rpcbind.ts';

const version = 2;
const nullCall = { program: rpcbindProgram, version, procedure: 0 };

/** Evidence is for people and scripts, not a copy of the server's memory. */
const maxListed = 64;

export const rpcbind = defineProbe({
  transport: 'tcp',
  port: 111,
  about: {
    title: 'rpcbind (port mapper)',
    sends: 'the null call of rpcbind version 2 without credentials, then DUMP, on one connection',
    proves: 'a reply to our transaction id from an RPC server that has rpcbind',
    leaves: 'nothing',
    reference: 'RFC 1833, RFC 5531',
  },
  options: v.strictObject({}),

  async run(io, target) {
    const conn = await io.connect();
    const answer = judge(await callOnStream(io, conn, nullCall));
    if (answer.outcome === 'declined') {
      await conn.end();
      return answer;
    }
    const listing = await listRegistrations(io, conn, target.address);
    await conn.end();
    if (listing.registrations === null) {
      io.note(`rpcbind does not list its programs: ${listing.because}`);
      return answer;
    }
    const count = listing.registrations.length;
    if (count > maxListed) io.note(`of ${count} registrations the first ${maxListed} are listed`);
    const programs = listing.registrations.slice(0, maxListed).map(describe);
    return { outcome: 'answered', detail: `rpcbind answers, ${count} registrations`, evidence: { programs } };
  },
});

export const rpcbindUdp = defineProbe({
  transport: 'udp',
  port: 111,
  about: {
    title: 'rpcbind (port mapper) over UDP',
    sends: 'the null call of rpcbind version 2 without credentials: 40 bytes',
    proves: 'a reply to our transaction id from an RPC server that has rpcbind',
    leaves: 'nothing',
    reference: 'RFC 1833, RFC 5531',
  },
  options: v.strictObject({}),

  async run(io) {
    return judge(await callInDatagram(io, nullCall));
  },
});

/** A server that has other versions of rpcbind than ours is still rpcbind. */
function judge(reply: RpcReply): Answer {
  if (reply.status === 'PROG_MISMATCH') {
    return { outcome: 'answered', detail: `rpcbind ${reply.low} to ${reply.high} answers`, evidence: {} };
  }
  const why = refusal(reply, 'rpcbind', version);
  if (why !== null) return { outcome: 'declined', detail: why, evidence: {} };
  return { outcome: 'answered', detail: 'rpcbind answers', evidence: {} };
}

function describe({ program, version: registered, netid, port }: Registration): Record<string, string | number | null> {
  return { program, name: programNames.get(program) ?? null, version: registered, transport: netid, port };
}
