/**
 * The programs beside NFS 3 that live on ports of the server's choosing: mountd, nlockmgr (locks) and status (lock
 * recovery). rpcbind says where they are; each must answer its null call there, on the transport under test.
 * RFC 1813 appendices I and II; RFC 1833.
 */
import * as v from 'valibot';
import { endedAs, NetError } from '../src/model/errors.ts';
import { answered, declined, type Evidence } from '../src/model/outcome.ts';
import { defineProbe, type ProbeIo, type Target } from '../src/model/probe.ts';
import { further, isTrouble } from '../src/wire/further.ts';
import { DecodeError } from '../src/wire/reader.ts';
import { callInDatagram, callOnStream, callOver, refusalOfAll } from '../src/wire/rpc.ts';
import { isUnanswered, listRegistrations, lookUpPorts, type Listing, type Registration } from '../src/wire/rpcbind.ts';

/** Without the first two no NFS 3 repository can be used; without the third, locks are lost when the server restarts. */
const programs = [
  { name: 'mountd', program: 100_005, version: 3, isNeeded: true },
  { name: 'nlockmgr', program: 100_021, version: 4, isNeeded: true },
  { name: 'status', program: 100_024, version: 1, isNeeded: false },
] as const;

/** When TCP 111 is shut like this there is still time to ask over UDP; after a timeout there is none. */
const shut = ['refused', 'closed'] as const;

/** The list may take this share of the time; then the ports are asked for one by one. */
const listShare = 0.6;

const maxShown = 4;

interface Endpoint {
  readonly name: string;
  readonly program: number;
  readonly version: number;
  readonly port: number;
}

export const nfsDynamic = defineProbe({
  transport: 'either',
  port: 111,
  about: {
    title: 'NFS 3 companions on dynamic ports',
    sends:
      'DUMP to rpcbind over TCP (GETPORT where it is not answered, over UDP where TCP is shut), then null calls to mountd 3, nlockmgr 4 and status 1',
    proves: 'each of them answers on the port that rpcbind names for it',
    client:
      'the NFS 3 client of the kernel, run by the storage manager (`nfs.py` of xapi-project/sm): mountd 3 and nlockmgr 4 on the transport of the mount (TCP); `showmount -e` is content with mountd 3 as well',
    leaves: 'nothing',
    reference: 'RFC 1833, RFC 1813',
  },
  options: v.strictObject({}),

  async run(io, target) {
    const transport = target.transport.toUpperCase();
    const listing = await askRpcbind(io, target).catch((error: unknown) => {
      io.note('the ports of mountd, nlockmgr and status are not known before rpcbind runs: nothing is said about them');
      throw error;
    });
    if (listing.registrations === null) {
      return declined(`rpcbind does not say where mountd is: ${listing.because}`);
    }
    const endpoints = findEndpoints(listing.registrations, target);
    const portsOf = (name: string): number[] => endpoints.filter((one) => one.name === name).map(({ port }) => port);
    io.record({ ports: Object.fromEntries(programs.map(({ name }) => [name, portsOf(name)])) });

    for (const text of unused(listing.registrations, endpoints)) io.note(text);
    const absent = programs.filter(({ name }) => portsOf(name).length === 0);
    const needed = absent.filter(({ isNeeded }) => isNeeded).map(({ name }) => name);
    if (needed.length > 0) {
      const versioned = programs
        .filter(({ name }) => needed.includes(name))
        .map(({ name, version }) => `${name} ${version}`);
      return declined(`rpcbind knows no ${versioned.join(' and no ')} on ${transport}`);
    }
    for (const { name } of absent)
      io.warn(`rpcbind knows no ${name} on ${transport}: locks will not survive a restart`);

    for (const endpoint of endpoints) {
      const what = `${endpoint.name} on ${transport} port ${endpoint.port}`;
      // One socket at a time.
      const why = await naming(what, () => askEndpoint(io, target, endpoint)).catch((error: unknown) => {
        io.record(failedAt(endpoint));
        throw error;
      });
      if (why !== null) return declined(`${what}: ${why}`, failedAt(endpoint));
    }
    const found = endpoints.map(({ name, port }) => `${name} ${port}`).join(', ');
    return answered(`all answer on ${transport}: ${found}`);
  },
});

async function askRpcbind(io: ProbeIo, target: Target): Promise<Listing> {
  try {
    return await naming('rpcbind on TCP', () => askOverTcp(io, target));
  } catch (error) {
    // A server may offer rpcbind over UDP alone, which fails only the row about port 111 itself.
    if (!endedAs(error, ...shut)) throw error;
    const lookUp = (): Promise<Listing> => lookUpPorts((call) => callInDatagram(io, call), programs, target.transport);
    const listing = await further(io, lookUp, listShare);
    if (isTrouble(listing)) throw error;
    io.note(`${error.message}: asked over UDP instead`);
    return listing;
  }
}

/** Asks for the list; where that is not answered, for the ports one by one, as the mount does. */
async function askOverTcp(io: ProbeIo, target: Target): Promise<Listing> {
  const conn = await io.connect();
  try {
    const listing = await io.within(listShare, () => listRegistrations(io, conn, target.address));
    await conn.end();
    return listing;
  } catch (error) {
    if (!(error instanceof NetError) || !isUnanswered(error)) throw error;
    const listing = await further(
      io,
      async () => {
        const another = await io.connect();
        const found = await lookUpPorts((call) => callOnStream(io, another, call), programs, target.transport);
        await another.end();
        return found;
      },
      listShare,
    );
    if (isTrouble(listing)) throw error;
    io.note('rpcbind does not answer for its whole list: asked for each port');
    return listing;
  }
}

/** Where each program has the version that NFS 3 uses. */
function findEndpoints(registrations: readonly Registration[], target: Target): readonly Endpoint[] {
  const netid = netidFor(registrations, target);
  return programs.flatMap(({ name, program, version }): Endpoint[] => {
    const mine = registrations.find((one) => one.program === program && one.version === version && one.netid === netid);
    return mine ? [{ name, program, version, port: mine.port }] : [];
  });
}

/** Version 2 of rpcbind cannot name IPv6. */
function netidFor(registrations: readonly Registration[], { address, transport }: Target): string {
  const hasIpv6 = registrations.some(({ netid }) => netid.endsWith('6'));
  return address.includes(':') && hasIpv6 ? `${transport}6` : transport;
}

/** Other versions may have ports of their own. NFS 3 does not use them, so a firewall may stop them. */
function unused(registrations: readonly Registration[], endpoints: readonly Endpoint[]): string[] {
  return endpoints.flatMap(({ name, program, version, port }) => {
    const others = registrations.filter((one) => one.program === program && one.version !== version);
    const ports = [...new Set(others.map((one) => one.port))].filter((one) => one !== port);
    const isElsewhere = !registrations.some(
      (one) => one.program === program && one.version === version && ports.includes(one.port),
    );
    if (ports.length === 0 || !isElsewhere) return [];
    const shown = ports.slice(0, maxShown).join(', ');
    return [`other versions of ${name} than ${version} are on port ${shown}: NFS 3 does not use them`];
  });
}

async function askEndpoint(io: ProbeIo, { transport }: Target, endpoint: Endpoint): Promise<string | null> {
  const { name, program, version, port } = endpoint;
  const call = { program, version, procedure: 0 };
  return refusalOfAll(io, await callOver(transport, io, call, { port }), name, version);
}

/** The remedy is about this port, not about rpcbind's. */
const failedAt = ({ name, port }: Endpoint): Evidence => ({ failed: { service: name, port } });

/** This check asks several ports of one host, so a failure says which one it met. */
async function naming<T>(what: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof NetError) {
      throw new NetError({ ...error.failure, detail: `${what}: ${error.failure.detail}` }, { cause: error });
    }
    if (error instanceof DecodeError) error.message = `${what}: ${error.message}`;
    throw error;
  }
}
