/**
 * SNMP version 3, the discovery of the engine: a request without a user and without a credential, which every agent that
 * has version 3 in it answers with a report of its engine, whether or not anybody set it up. No community is guessed. RFC
 * 3414 section 4 (discovery), RFC 3412 section 6 (the message).
 */
import * as v from 'valibot';
import { answered } from '../src/model/outcome.ts';
import { defineProbe } from '../src/model/probe.ts';
import { accepting } from '../src/wire/datagram.ts';
import { DerReader, context, encode, encodeInteger, tags } from '../src/wire/der.ts';
import { DecodeError } from '../src/wire/reader.ts';

const version3 = 3;
const userBased = 3;
const maxMessageBytes = 65_507;
/** No authentication, no privacy, a report is wanted. */
const reportable = 4;
const report = context(8);
const getRequest = context(0);
const nothing = encode(tags.octetString);

/** 1.3.6.1.6.3.15.1.1.4.0, usmStatsUnknownEngineIDs: "that is not my engine, this is". RFC 3414 section 5. */
const unknownEngineIds = '2b060106030f01010400';

export interface EngineReport {
  readonly messageId: number;
  readonly engineId: Uint8Array;
  readonly boots: number;
  readonly timeSeconds: number;
  /** The object that is reported, as its bytes in hex. */
  readonly object: string;
}

/*
   SEQUENCE { version 3,
     SEQUENCE { message id, largest message, flags, security model },
     OCTET STRING { SEQUENCE { engine id, boots, time, user, authentication, privacy } },
     SEQUENCE { context engine id, context name, [0] GetRequest { request id, 0, 0, {} } } }
*/
export function encodeDiscovery(messageId: number): Uint8Array {
  const zero = encodeInteger(0);
  return encode(
    tags.sequence,
    encodeInteger(version3),
    encode(
      tags.sequence,
      encodeInteger(messageId),
      encodeInteger(maxMessageBytes),
      encode(tags.octetString, Uint8Array.of(reportable)),
      encodeInteger(userBased),
    ),
    encode(tags.octetString, encode(tags.sequence, nothing, zero, zero, nothing, nothing, nothing)),
    encode(
      tags.sequence,
      nothing,
      nothing,
      encode(getRequest, encodeInteger(messageId), zero, zero, encode(tags.sequence)),
    ),
  );
}

export function decodeReport(bytes: Uint8Array): EngineReport {
  const message = new DerReader(bytes).enter(tags.sequence);
  const version = message.integer();
  if (version !== version3) throw new DecodeError(`SNMP message version ${version}, not 3`, 2);
  const header = message.enter(tags.sequence);
  const messageId = header.integer();
  header.skip();
  header.skip();
  const model = header.integer();
  if (model !== userBased) throw new DecodeError(`security model ${model}, not the user-based one`, header.offset);
  const security = new DerReader(message.octets()).enter(tags.sequence);
  const engineId = security.octets();
  // RFC 3411 section 5: 5 to 32 bytes.
  if (engineId.length < 5 || engineId.length > 32) throw new DecodeError(`an engine id of ${engineId.length} bytes`, 0);
  const [boots, timeSeconds] = [security.integer(), security.integer()];
  const scoped = message.enter(tags.sequence);
  scoped.skip();
  scoped.skip();
  const pdu = scoped.enter(report);
  pdu.skip();
  pdu.skip();
  pdu.skip();
  const binding = pdu.enter(tags.sequence).enter(tags.sequence);
  const object = Buffer.from(binding.octets(0x06)).toString('hex');
  return { messageId, engineId, boots, timeSeconds, object };
}

export const snmp = defineProbe({
  transport: 'udp',
  port: 161,
  about: {
    title: 'SNMP',
    sends: 'one discovery of version 3 in 60 bytes: no user, no community, no credential',
    proves: 'an SNMP engine reports its id; not that any credential is good',
    leaves: 'one count of unknown engine ids',
    reference: 'RFC 3414',
  },
  options: v.strictObject({}),

  onSilence: ({ address }) =>
    `an agent without version 3, and one that does not serve this address, stay silent too: ask it from a machine that may, snmpget -v 3 ${address}`,

  async run(io) {
    const messageId = Buffer.from(io.random(4)).readUInt32BE() >>> 1;
    const reply = await io.exchange(
      encodeDiscovery(messageId),
      accepting(decodeReport, (heard) => heard.messageId === messageId),
    );
    const { engineId, boots, timeSeconds, object } = decodeReport(reply.bytes);
    if (object !== unknownEngineIds) io.note(`it reports another object than the discovery asks for (${object})`);
    const id = Buffer.from(engineId).toString('hex');
    return answered(`SNMP version 3, engine ${id}`, { engineId: id, boots, upSeconds: timeSeconds });
  },
});
