/** An NRPE agent that answers for its version, and no other query. include/common.h of NRPE. */
import { crc32 } from 'node:zlib';
import type { TcpPeer } from '../caller.ts';
import { join, text, uint16, uint32, zeros } from '../wire.ts';

const packetBytes = 1036;
const version2 = 2;
const response = 2;

export const nrpeAgent: TcpPeer = async (caller) => {
  const query = await caller.read(packetBytes);
  const asked = query.toString('latin1', 10, query.indexOf(0, 10));
  if (asked !== '_NRPE_CHECK') return;
  const answer = text('NRPE v4.1.0');
  const packet = (sum: number): Buffer =>
    join(uint16(version2), uint16(response), uint32(sum), uint16(0), answer, zeros(packetBytes - 10 - answer.length));
  caller.write(packet(crc32(packet(0))));
};
