/**
 * A password service that accepts no ticket: each well-formed request gets its KRB-ERROR, anything else silence (UDP) or a
 * closed connection (TCP). RFC 3244 section 2.
 */
import type { Peer } from '../peer.ts';
import { elements, integer, join, octets, sequence, text, tlv, uint16 } from '../wire.ts';
import { generalString, krbError, serveFramed, type Answer, type KerberosOptions } from './kerberos.ts';

const tags = { apReq: 0x6e, krbPriv: 0x75 };
const genericError = 60;
const passwordVersion = 1;

export function kpasswd(options: KerberosOptions): Required<Peer> {
  const answer: Answer = (request) => refuseChange(request, options);
  return { udp: answer, tcp: (caller) => serveFramed(caller, answer) };
}

/** length, version, length of the AP-REQ (16 bits each), AP-REQ, KRB-PRIV */
function refuseChange(request: Buffer, options: KerberosOptions): Buffer | undefined {
  const [total, version, apLength] = [0, 2, 4].map((at) => request.readUInt16BE(at));
  const [apReq, krbPriv] = elements(request.subarray(6));
  const isWellFormed = total === request.length && version === passwordVersion && apReq?.whole.length === apLength;
  if (!isWellFormed || apReq?.tag !== tags.apReq || krbPriv?.tag !== tags.krbPriv) return undefined;
  const sname = sequence(
    tlv(0xa0, integer(1)),
    tlv(0xa1, sequence(generalString('kadmin'), generalString('changepw'))),
  );
  const error = krbError(options, genericError, [
    tlv(0xa9, generalString(options.realm)),
    tlv(0xaa, sname),
    tlv(0xac, octets(join(uint16(3), text('Failed reading application request')))),
  ]);
  return join(uint16(6 + error.length), uint16(passwordVersion), uint16(0), error);
}
