/**
 * Network File System: the null call of the version a storage repository would mount. A server with other versions says
 * which in the same round trip. No export is mounted and none is listed. RFC 5531; RFC 1813 (NFS 3), RFC 7530 (NFS 4).
 */
import * as v from 'valibot';
import type { Answer } from '../src/model/outcome.ts';
import { defineProbe, type ProbeIo } from '../src/model/probe.ts';
import { callInDatagram, callOnStream, refusalOfAll, type RpcReply } from '../src/wire/rpc.ts';

const nfsProgram = 100_003;

const NfsVersion = v.picklist([3, 4]);
type NfsVersion = v.InferOutput<typeof NfsVersion>;

export const nfs = defineProbe({
  transport: 'tcp',
  port: 2049,
  about: {
    title: 'Network File System',
    sends: 'the null call of NFS 3 or 4 without credentials, from an ordinary port',
    proves: 'a reply to our transaction id from a server that has that version of NFS; no export is looked at',
    client:
      'the storage manager (`nfs.py` of xapi-project/sm): `mount -o proto=tcp,vers=3` or `4`; version 4 needs no rpcbind',
    leaves: 'nothing',
    reference: 'RFC 1813, RFC 7530, RFC 5531',
  },
  options: v.strictObject({ version: v.optional(NfsVersion, 4) }),

  async run(io, _target, { version }) {
    const conn = await io.connect();
    const reply = await callOnStream(io, conn, nullCall(version));
    await conn.end();
    return judge(io, reply, version);
  },
});

export const nfsUdp = defineProbe({
  transport: 'udp',
  port: 2049,
  about: {
    title: 'Network File System over UDP',
    sends: 'the null call of NFS 3 or 4 without credentials: 40 bytes',
    proves: 'a reply to our transaction id from a server that has that version of NFS; many have UDP switched off',
    leaves: 'nothing',
    reference: 'RFC 1813, RFC 5531',
  },
  // NFS 4 is not defined over UDP, so version 3 is what somebody who asks has in mind.
  options: v.strictObject({ version: v.optional(NfsVersion, 3) }),

  async run(io, _target, { version }) {
    return judge(io, await callInDatagram(io, nullCall(version)), version);
  },
});

const nullCall = (version: NfsVersion): { program: number; version: number; procedure: number } => ({
  program: nfsProgram,
  version,
  procedure: 0,
});

function judge(io: ProbeIo, reply: RpcReply, version: NfsVersion): Answer {
  const evidence = reply.status === 'PROG_MISMATCH' ? { lowestVersion: reply.low, highestVersion: reply.high } : {};
  const why = refusalOfAll(io, reply, 'NFS', version);
  if (why !== null) return { outcome: 'declined', detail: why, evidence };
  return { outcome: 'answered', detail: `NFS ${version} answers`, evidence: { version, ...evidence } };
}
