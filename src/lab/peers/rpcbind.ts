/** The port mapper: program, version and transport to port. RFC 1833 sections 2 and 3. */
import { join, uint32 } from '../wire.ts';
import { string, type Program } from './rpc.ts';

const rpcbind = 100_000;
const protocols = { tcp: 6, udp: 17 };

export interface Registration {
  readonly program: number;
  readonly versions: readonly number[];
  readonly port: number;
}

/** Every registration is on both transports, as a filer does it. */
export function portMapper(address: string, registrations: readonly Registration[]): Program {
  const rows = registrations.flatMap(({ program, versions, port }) =>
    versions.flatMap((version) =>
      (['tcp', 'udp'] as const).map((transport) => ({ program, version, transport, port })),
    ),
  );
  const universal = (port: number): Buffer => string(`${address}.${port >> 8}.${port & 0xff}`);
  const dump = (): Buffer =>
    join(
      ...rows.map((row) => join(...[1, row.program, row.version, protocols[row.transport], row.port].map(uint32))),
      uint32(0),
    );
  /** The version is not looked at: that is how it is done. */
  const getPort = (args: Buffer): Buffer => {
    const [program, protocol] = [args.readUInt32BE(0), args.readUInt32BE(8)];
    return uint32(rows.find((row) => row.program === program && protocols[row.transport] === protocol)?.port ?? 0);
  };
  const dumpUniversal = (): Buffer =>
    join(
      ...rows.map((row) =>
        join(
          uint32(1),
          uint32(row.program),
          uint32(row.version),
          string(row.transport),
          universal(row.port),
          string('superuser'),
        ),
      ),
      uint32(0),
    );
  const getAddress = (args: Buffer): Buffer => {
    const netid = args.toString('latin1', 12, 12 + args.readUInt32BE(8));
    const row = rows.find((one) => one.program === args.readUInt32BE(0) && one.transport === netid);
    return row ? universal(row.port) : string('');
  };
  return {
    number: rpcbind,
    low: 2,
    high: 4,
    procedures: (version) =>
      version === 2
        ? new Map([
            [3, getPort],
            [4, dump],
          ])
        : new Map([
            [3, getAddress],
            [4, dumpUniversal],
          ]),
  };
}
