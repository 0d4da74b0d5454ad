/** A newstyle NBD server without TLS, up to the end of the options. The NBD protocol document, "Fixed newstyle negotiation". */
import type { Caller, TcpPeer } from '../caller.ts';
import { fromHex, join, text, uint16, uint32 } from '../wire.ts';

const abort = 2;
const acknowledged = 1;
const refusedByPolicy = 0x8000_0002;

export const nbdServer: TcpPeer = async (caller) => {
  caller.write(join(text('NBDMAGICIHAVEOPT'), uint16(3)));
  await caller.read(4);
  await options(caller);
};

async function options(caller: Caller): Promise<void> {
  const head = await caller.read(16);
  const option = head.readUInt32BE(8);
  await caller.read(head.readUInt32BE(12));
  const type = option === abort ? acknowledged : refusedByPolicy;
  caller.write(join(fromHex('0003e889 045565a9'), uint32(option), uint32(type), uint32(0)));
  return option === abort ? undefined : options(caller);
}
