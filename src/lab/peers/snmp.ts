/** An SNMP agent that knows nobody and tells its engine to whoever asks for it. RFC 3414 section 4. */
import type { UdpPeer } from '../peer.ts';
import { elements, fromHex, inside, integer, join, octets, sequence, tlv } from '../wire.ts';

const engine = fromHex('80001f88 80 0102030405060708');
/** usmStatsUnknownEngineIDs.0 */
const unknownEngines = tlv(0x06, fromHex('2b060106030f01010400'));
const report = 0xa8;
const counter = 0x41;

export const snmpAgent: UdpPeer = (datagram) => {
  const message = inside(datagram, 0x30);
  if (!message) return undefined;
  const [version, header] = elements(message.value);
  if (!version || !header || version.value.readUInt8() !== 3) return undefined;
  const [messageId] = elements(header.value);
  if (!messageId) return undefined;
  const binding = sequence(unknownEngines, tlv(counter, fromHex('01')));
  return sequence(
    version.whole,
    sequence(messageId.whole, integer(65_507), octets(fromHex('00')), integer(3)),
    octets(sequence(octets(engine), integer(1), integer(60), octets(''), octets(''), octets(''))),
    sequence(octets(engine), octets(''), tlv(report, join(messageId.whole, integer(0), integer(0), sequence(binding)))),
  );
};
