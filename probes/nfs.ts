/**
 * Network File System: the null call of the version a storage repository would mount. A server with other versions says
 * which in the same round trip. No export is mounted and none is listed. RFC 5531; RFC 1813 (NFS 3), RFC 7530 (NFS 4).
 */
import * as v from 'valibot';
import { answered, declined, type Answer } from '../src/model/outcome.ts';
import { defineTwins, type ProbeIo } from '../src/model/probe.ts';
import { callOver, refusalOfAll, type RpcReply } from '../src/wire/rpc.ts';

const nfsProgram = 100_003;

const NfsVersion = v.picklist([3, 4]);
type NfsVersion = v.InferOutput<typeof NfsVersion>;
type Options = v.GenericSchema<{ version?: NfsVersion | undefined }, { version: NfsVersion }>;

const versionOr = (usual: NfsVersion): Options => v.strictObject({ version: v.optional(NfsVersion, usual) });

export const { tcp: nfs, udp: nfsUdp } = defineTwins(
  {
    port: 2049,
    about: {
      sends: 'the null call of NFS 3 or 4 without credentials, from an ordinary port',
      proves: 'a reply to our transaction id from a server that has that version of NFS; no export is looked at',
      leaves: 'nothing',
    },
    options: versionOr(4),

    async run(io, { transport }, { version }) {
      return judge(io, await callOver(transport, io, nullCall(version)), version);
    },
  },
  {
    tcp: {
      about: {
        title: 'Network File System',
        client:
          'the storage manager (`nfs.py` of xapi-project/sm): `mount -o proto=tcp,vers=3` or `4`; version 4 needs no rpcbind',
        reference: 'RFC 1813, RFC 7530, RFC 5531',
      },
    },
    udp: {
      about: {
        title: 'Network File System over UDP',
        proves: 'a reply to our transaction id from a server that has that version of NFS; many have UDP switched off',
        reference: 'RFC 1813, RFC 5531',
      },
      // NFS 4 is not defined over UDP, so who asks for UDP means version 3.
      options: versionOr(3),
    },
  },
);

const nullCall = (version: NfsVersion): { program: number; version: number; procedure: number } => ({
  program: nfsProgram,
  version,
  procedure: 0,
});

function judge(io: ProbeIo, reply: RpcReply, version: NfsVersion): Answer {
  const evidence = reply.status === 'PROG_MISMATCH' ? { lowestVersion: reply.low, highestVersion: reply.high } : {};
  const why = refusalOfAll(io, reply, 'NFS', version);
  if (why !== null) return declined(why, evidence);
  return answered(`NFS ${version} answers`, { version, ...evidence });
}
