/**
 * rpcbind, the port mapper of ONC RPC: the null call proves it, its list of programs is evidence. The list is asked for
 * over TCP alone, because over UDP it is a known amplifier.
 * RFC 1833; RFC 5531.
 */
import * as v from 'valibot';
import { answered, declined, type Answer } from '../src/model/outcome.ts';
import { defineTwins, type ProbeIo } from '../src/model/probe.ts';
import { further, isTrouble } from '../src/wire/further.ts';
import { callInDatagram, callOnStream, refusal, type RpcReply } from '../src/wire/rpc.ts';
import { listRegistrations, programNames, rpcbindProgram, type Registration } from '../src/wire/rpcbind.ts';

const version = 2;
const nfs = 100_003;
const nullCall = { program: rpcbindProgram, version, procedure: 0 };

/** Evidence is for people and scripts, not a copy of the server's memory. */
const maxListed = 64;

export const { tcp: rpcbind, udp: rpcbindUdp } = defineTwins(
  {
    port: 111,
    about: {
      sends: 'the null call of rpcbind version 2 without credentials: 40 bytes',
      proves: 'a reply to our transaction id from an RPC server that has rpcbind',
      leaves: 'nothing',
    },
    options: v.strictObject({}),

    async run(io, { transport, address }) {
      return transport === 'udp' ? judge(io, await callInDatagram(io, nullCall)) : askForList(io, address);
    },
  },
  {
    tcp: {
      about: {
        title: 'rpcbind (port mapper)',
        sends: 'the null call of rpcbind version 2 without credentials, then DUMP, on one connection',
        proves:
          'a reply to our transaction id from an RPC server that has rpcbind; that it lists its programs, or a warning',
        client:
          'the storage manager (`nfs.py` of xapi-project/sm): `rpcinfo -s` (DUMP of version 4, 3 or 2) must name NFS 3 before it is mounted; NFS 4 needs no rpcbind',
        reference: 'RFC 1833, RFC 5531',
      },
    },
    udp: { about: { title: 'rpcbind (port mapper) over UDP', reference: 'RFC 1833, RFC 5531' } },
  },
);

async function askForList(io: ProbeIo, address: string): Promise<Answer> {
  const conn = await io.connect();
  const answer = judge(io, await callOnStream(io, conn, nullCall));
  if (answer.outcome === 'declined') {
    await conn.end();
    return answer;
  }
  const listing = await further(io, () => listRegistrations(io, conn, address));
  await conn.end();
  if (isTrouble(listing) || listing.registrations === null) {
    const why = isTrouble(listing) ? listing.message : listing.because;
    io.warn(`rpcbind does not list its programs (${why}): before it mounts NFS 3 the storage manager wants the list`);
    return answer;
  }
  const count = listing.registrations.length;
  tellNfs(io, listing.registrations);
  if (count > maxListed) io.note(`of ${count} registrations the first ${maxListed} are listed`);
  const programs = listing.registrations.slice(0, maxListed).map(describe);
  return answered(`rpcbind answers, ${count} registrations`, { programs });
}

/** A server that has other versions of rpcbind than ours is still rpcbind. */
function judge(io: ProbeIo, reply: RpcReply): Answer {
  if (reply.status === 'AUTH_ERROR') {
    io.warn(`it refuses callers without credentials (${reply.why}), as the storage manager's rpcinfo is one`);
    return answered('an RPC server that wants credentials');
  }
  if (reply.status === 'PROG_MISMATCH') {
    return answered(`rpcbind ${reply.low} to ${reply.high} answers`);
  }
  const why = refusal(reply, 'rpcbind', version);
  if (why !== null) return declined(why);
  return answered('rpcbind answers');
}

/** The storage manager mounts NFS 3 only where `rpcinfo -s` names it. */
function tellNfs(io: ProbeIo, registrations: readonly Registration[]): void {
  if (registrations.length === 0 || registrations.some(({ program, version: has }) => program === nfs && has === 3))
    return;
  io.note('NFS 3 is not among its programs: the storage manager will not mount NFS 3 from here');
}

function describe({ program, version: registered, netid, port }: Registration): Record<string, string | number | null> {
  return { program, name: programNames.get(program) ?? null, version: registered, transport: netid, port };
}
