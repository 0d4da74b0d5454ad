/**
 * What rpcbind (portmap) says about who listens where: DUMP by versions 2 and 4, GETPORT by version 2. SET, UNSET and
 * CALLIT are never sent. RFC 1833 sections 2 (versions 3 and 4) and 3 (version 2).
 */
import { NetError } from '../model/errors.ts';
import type { Conn, ProbeIo, Transport } from '../model/probe.ts';
import { further, isTrouble } from './further.ts';
import { DecodeError, Reader } from './reader.ts';
import { callOnStream, refusal, type RpcCall, type RpcReply } from './rpc.ts';
import { encodeWords, readOpaque } from './xdr.ts';

export const rpcbindProgram = 100_000;
const getport = 3;
const dump = 4;

const maxRegistrations = 1024;
const maxTextBytes = 255;

/** Version 2 numbers transports as IP does. */
const ipProtocols = { tcp: 6, udp: 17 };
const netidOf = new Map(Object.entries(ipProtocols).map(([netid, number]) => [number, netid]));

/** The programs around NFS, by the names that rpcinfo prints. */
export const programNames: ReadonlyMap<number, string> = new Map([
  [rpcbindProgram, 'rpcbind'],
  [100_003, 'nfs'],
  [100_005, 'mountd'],
  [100_011, 'rquotad'],
  [100_021, 'nlockmgr'],
  [100_024, 'status'],
  [100_227, 'nfs_acl'],
]);

export interface Registration {
  readonly program: number;
  readonly version: number;
  /** `tcp` and `udp`, and from version 4 also `tcp6` and `udp6`. */
  readonly netid: string;
  readonly port: number;
}

/** Version 2: a list of (1, program, version, IP protocol, port), ended by 0. */
export function decodeDump2(results: Uint8Array): readonly Registration[] {
  return readList(results, (reader) => {
    const program = reader.uint32();
    const version = reader.uint32();
    const netid = netidOf.get(reader.uint32());
    const port = readPort(reader);
    return netid === undefined || port === 0 ? null : { program, version, netid, port };
  });
}

/** Version 4: a list of (1, program, version, netid, universal address, owner), ended by 0. */
export function decodeDump4(results: Uint8Array): readonly Registration[] {
  return readList(results, (reader) => {
    const program = reader.uint32();
    const version = reader.uint32();
    const netid = readText(reader);
    const address = readText(reader);
    readText(reader);
    if (!/^(?:tcp|udp)6?$/.test(netid)) return null;
    const port = portOf(address);
    return port === 0 ? null : { program, version, netid, port };
  });
}

/** A universal address ends in the two bytes of the port: 192.0.2.1.78.80 is port 20048, and so is ::1.78.80. */
export function portOf(universalAddress: string): number {
  const [, high, low] = /\.(\d{1,3})\.(\d{1,3})$/.exec(universalAddress) ?? [];
  const port = Number(high) * 256 + Number(low);
  if (!(port <= 65_535) || Number(low) > 255) throw new DecodeError('not a universal address', 0);
  return port;
}

export type Listing =
  | { readonly registrations: readonly Registration[] }
  | { readonly registrations: null; readonly because: string };

/** What the first version may take of the time, so that a server that is silent to it can be asked by the other. */
const firstShare = 0.3;

/**
 * Everything that is registered. Version 2 is spoken everywhere but knows only IPv4, so an IPv6 target is asked by
 * version 4 first. The other is asked where the first is turned down, hung up on, or not answered: rpcinfo, which the
 * storage manager runs, is content with either. Over TCP alone: over UDP this call is a known amplifier.
 */
export async function listRegistrations(io: ProbeIo, conn: Conn, address: string): Promise<Listing> {
  const [first, second] = address.includes(':') ? [byVersion4, byVersion2] : [byVersion2, byVersion4];
  try {
    const reply = await io.within(firstShare, () => first(io, conn));
    return reply.registrations === null ? await second(io, conn) : reply;
  } catch (error) {
    if (!(error instanceof NetError) || !isUnanswered(error)) throw error;
    const reply = await further(io, async () => second(io, await io.connect()));
    if (isTrouble(reply)) throw error;
    return reply;
  }
}

/** The peer that took our connection had nothing to say to the question. */
export const isUnanswered = ({ failure }: NetError): boolean =>
  failure.stage === 'exchange' && (failure.outcome === 'timeout' || failure.outcome === 'closed');

/** The ports of a few programs by GETPORT. It answers for any version, so the one we name is only a guess. */
export async function lookUpPorts(
  ask: (call: RpcCall) => Promise<RpcReply>,
  programs: readonly { readonly program: number; readonly version: number }[],
  transport: Transport,
): Promise<Listing> {
  const registrations: Registration[] = [];
  for (const { program, version } of programs) {
    const args = encodeWords(program, version, ipProtocols[transport], 0);
    // One at a time: a burst is what rate limits are for.
    const reply = await ask({ program: rpcbindProgram, version: 2, procedure: getport, args });
    if (reply.status !== 'SUCCESS') return turnedDown(reply, 2);
    const port = readPort(new Reader(reply.results));
    if (port !== 0) registrations.push({ program, version, netid: transport, port });
  }
  return { registrations };
}

const byVersion2 = async (io: ProbeIo, conn: Conn): Promise<Listing> =>
  listing(await callOnStream(io, conn, { program: rpcbindProgram, version: 2, procedure: dump }), 2, decodeDump2);

const byVersion4 = async (io: ProbeIo, conn: Conn): Promise<Listing> =>
  listing(await callOnStream(io, conn, { program: rpcbindProgram, version: 4, procedure: dump }), 4, decodeDump4);

function listing(reply: RpcReply, version: number, decode: (results: Uint8Array) => readonly Registration[]): Listing {
  if (reply.status === 'SUCCESS') return { registrations: decode(reply.results) };
  return turnedDown(reply, version);
}

const turnedDown = (reply: RpcReply, version: number): Listing => ({
  registrations: null,
  because: refusal(reply, 'rpcbind', version) ?? reply.status,
});

function readPort(reader: Reader): number {
  const port = reader.uint32();
  if (port > 65_535) throw new DecodeError(`no such port: ${port}`, 0);
  return port;
}

function readList(results: Uint8Array, readEntry: (reader: Reader) => Registration | null): readonly Registration[] {
  const reader = new Reader(results);
  const registrations: Registration[] = [];
  for (let count = 0; ; count += 1) {
    const more = reader.uint32();
    if (more === 0) return registrations;
    if (more !== 1) throw new DecodeError(`${more} where a list goes on (1) or ends (0)`, 0);
    if (count === maxRegistrations) throw new DecodeError(`more than ${maxRegistrations} registrations`, 0);
    const entry = readEntry(reader);
    if (entry) registrations.push(entry);
  }
}

const readText = (reader: Reader): string => Buffer.from(readOpaque(reader, maxTextBytes)).toString('latin1');
