/**
 * A key distribution centre that knows no principal but its own krbtgt: each well-formed request gets its KRB-ERROR,
 * anything else silence (UDP) or a closed connection (TCP). RFC 4120 sections 5.4.1, 5.9.1, 7.2.1 and 7.2.2.
 */
import type { Caller } from '../caller.ts';
import type { Peer } from '../peer.ts';
import { inside, integer, sequence, text, tlv, uint32, join, type Element } from '../wire.ts';

const tags = { asReq: 0x6a, krbError: 0x7e };
const codes = { clientUnknown: 6, serviceUnknown: 7 };

export interface KerberosOptions {
  readonly realm: string;
  /** How far this clock is from the true time. */
  readonly offsetMs?: number;
}

export type Answer = (request: Buffer) => Buffer | undefined;

export function kdc(options: KerberosOptions): Required<Peer> {
  const answer: Answer = (request) => refuseTicket(request, options);
  return { udp: answer, tcp: (caller) => serveFramed(caller, answer) };
}

/** Each message behind its length in four bytes, whose highest bit is reserved. */
export async function serveFramed(caller: Caller, answer: Answer): Promise<void> {
  const length = (await caller.read(4)).readUInt32BE();
  const reply = answer(await caller.read(length));
  if (!reply) return undefined;
  caller.write(join(uint32(reply.length), reply));
  return serveFramed(caller, answer);
}

/** AS-REQ ::= [APPLICATION 10] SEQUENCE { pvno [1], msg-type [2], padata [3], req-body [4] } */
function refuseTicket(request: Buffer, options: KerberosOptions): Buffer | undefined {
  const message = inside(inside(request, tags.asReq)?.value ?? Buffer.alloc(0), 0x30);
  if (!message || numberIn(message, 0xa1) !== 5 || numberIn(message, 0xa2) !== 10) return undefined;
  const body = inside(inside(message.value, 0xa4)?.value ?? Buffer.alloc(0), 0x30);
  const [cname, realm, sname] = [0xa1, 0xa2, 0xa3].map((tag) => body && inside(body.value, tag)?.value);
  if (!realm || !sname) return undefined;
  const ticketGranter = sequence(
    tlv(0xa0, integer(1)),
    tlv(0xa1, sequence(generalString('krbtgt'), generalString(options.realm))),
  );
  const isKnown = cname?.equals(ticketGranter) === true;
  return krbError(options, isKnown ? codes.serviceUnknown : codes.clientUnknown, [
    ...(cname ? [tlv(0xa7, realm), tlv(0xa8, cname)] : []),
    tlv(0xa9, realm),
    tlv(0xaa, sname),
    tlv(0xab, generalString(isKnown ? 'SERVER_NOT_FOUND' : 'CLIENT_NOT_FOUND')),
  ]);
}

/** KRB-ERROR ::= [APPLICATION 30] SEQUENCE { pvno [0], msg-type [1], stime [4], susec [5], error-code [6], ... } */
export function krbError({ offsetMs = 0 }: KerberosOptions, code: number, rest: readonly Buffer[]): Buffer {
  const now = new Date(Date.now() + offsetMs);
  const stime = now.toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  const fields = [
    tlv(0xa0, integer(5)),
    tlv(0xa1, integer(30)),
    tlv(0xa4, tlv(0x18, text(stime))),
    tlv(0xa5, integer(now.getUTCMilliseconds() * 1000)),
    tlv(0xa6, integer(code)),
  ];
  return tlv(tags.krbError, sequence(...fields, ...rest));
}

function numberIn(message: Element, tag: number): number | undefined {
  return inside(inside(message.value, tag)?.value ?? Buffer.alloc(0), 0x02)?.value.at(-1);
}

export const generalString = (value: string): Buffer => tlv(0x1b, text(value));
