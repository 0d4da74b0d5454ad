/**
 * Kerberos key distribution centre, over UDP and over TCP: asks for a ticket for a principal that does not exist, without
 * any credential. Any answer, "unknown principal" above all, proves that the KDC reads and answers requests, and has its
 * clock. The realm in the answer is only an echo of ours, so a KDC is asked further questions until it has told our realm
 * from another. RFC 4120 sections 5.4.1 (KDC-REQ), 5.4.2 (KDC-REP) and 7.2 (transports).
 */
import * as v from 'valibot';
import { answered, declined, type Answer } from '../src/model/outcome.ts';
import { defineTwins, type ProbeIo, type Reply } from '../src/model/probe.ts';
import { clockOffsetMs, compareClocks, kerberosSkewMs } from '../src/wire/clock.ts';
import { wantsCredentials } from '../src/wire/credentials.ts';
import { accepting } from '../src/wire/datagram.ts';
import { application, context, DerReader, encode, encodeInteger, encodeText, tags } from '../src/wire/der.ts';
import { further, isTrouble } from '../src/wire/further.ts';
import {
  decodeError,
  decodeLength,
  decodePrincipal,
  decodeText,
  encodeLength,
  encodePrincipal,
  expectHeader,
  type KrbError,
  nameTypes,
  pvno,
  responseTooBig,
  clientUnknown,
  preauthenticationRequired,
  serviceUnavailable,
  wrongRealm,
} from '../src/wire/kerberos.ts';
import { DecodeError, Reader } from '../src/wire/reader.ts';

/** Always this name, so that an administrator can filter it out of the audit log. */
const principal = 'xenreach-probe';

/** Cannot exist (RFC 6761); any KDC answers for it. */
const impossibleRealm = 'XENREACH.INVALID';

const asRequest = 10;
const asReply = 11;
const asReplyMessage = application(asReply);

/** No realm has it, so a KDC that knows the client can only say that it does not know the service. */
const impossibleService = ['xenreach-probe', 'none'];

const renewableOk = Uint8Array.from([0, 0, 0, 0, 0x10]);
const till = '20370913024805Z';

/** AES-256, AES-128, RC4. */
const encryptionTypes = [18, 17, 23];

export type KdcReply =
  | { readonly ticket: false; readonly error: KrbError }
  | { readonly ticket: true; readonly realm: string };

/*
   AS-REQ ::= [APPLICATION 10] SEQUENCE { pvno [1], msg-type [2], padata [3]?, req-body [4] SEQUENCE {
     kdc-options [0], cname [1], realm [2], sname [3], from [4]?, till [5], rtime [6]?, nonce [7], etype [8] } }
*/
interface Wanted {
  readonly realm: string;
  readonly client: readonly string[];
  readonly service: readonly string[];
}

function encodeRequest({ realm, client, service }: Wanted, nonce: number): Uint8Array {
  const body = encode(
    tags.sequence,
    encode(context(0), encode(tags.bitString, renewableOk)),
    encode(context(1), encodePrincipal(nameTypes.principal, client)),
    encode(context(2), encodeText(realm)),
    encode(context(3), encodePrincipal(nameTypes.serviceInstance, service)),
    encode(context(5), encodeText(till, tags.generalizedTime)),
    encode(context(7), encodeInteger(nonce)),
    encode(context(8), encode(tags.sequence, ...encryptionTypes.map((type) => encodeInteger(type)))),
  );
  return encode(
    application(asRequest),
    encode(
      tags.sequence,
      encode(context(1), encodeInteger(pvno)),
      encode(context(2), encodeInteger(asRequest)),
      encode(context(4), body),
    ),
  );
}

/** A KRB-ERROR, or AS-REP ::= [APPLICATION 11] SEQUENCE { pvno [0], msg-type [1], padata [2]?, crealm [3], cname [4], … }. */
export function decodeReply(bytes: Uint8Array): KdcReply {
  const reader = new DerReader(bytes);
  if (!reader.sees(asReplyMessage)) return { ticket: false, error: decodeError(bytes) };
  const message = reader.enter(asReplyMessage).enter(tags.sequence);
  expectHeader(message, 0, asReply);
  message.enterIf(context(2));
  const realm = decodeText(message.enter(context(3)));
  decodePrincipal(message.enter(context(4)));
  return { ticket: true, realm };
}

/** The realm as the domain's DNS name, in either case; Active Directory writes it in capitals. */
export const Realm = v.pipe(v.string(), v.regex(/^[\x21-\x7e]{1,255}$/, 'a realm is a name such as CORP.EXAMPLE.TEST'));

const Options = v.strictObject({
  /** Without one: a realm that cannot exist, which any KDC answers for as well. */
  realm: v.optional(Realm),
  /** Beyond this the answer is a warning. */
  maxSkewMs: v.optional(v.pipe(v.number(), v.minValue(0)), kerberosSkewMs),
});
type Options = v.InferOutput<typeof Options>;

const about = {
  sends:
    'one request for a ticket (AS-REQ) for the principal xenreach-probe, without pre-authentication; with a realm configured the same for a realm that cannot exist, and to a KDC that does not tell the two apart one for krbtgt of the realm and a service that does not exist',
  proves:
    'a KRB-ERROR or a ticket; with a realm configured, that the KDC knows it, for the realm in an error is only an echo; the clocks differ by less than Kerberos allows',
  client:
    'winbind with the Kerberos library of the control domain: a KDC from the SRV records of the domain, UDP, then TCP where the answer is too big; pre-authentication wanted is an answer like any other',
  leaves:
    'one to three "client not found" lines in the KDC log (event 4768 on Windows, which is not asked for krbtgt); no password is tried, so none can be locked',
};

export const { udp: kerberos, tcp: kerberosTcp } = defineTwins(
  {
    port: 88,
    about,
    options: Options,

    async run(io, { transport }, options) {
      const ask: Ask = (wanted) => {
        const message = encodeRequest(wanted, newNonce(io));
        if (transport === 'tcp') return exchangeOverTcp(io, message);
        return io.exchange(
          message,
          accepting(decodeReply, (reply) => isFor(reply, wanted)),
        );
      };
      return interview(io, options, ask);
    },
  },
  {
    udp: { about: { title: 'Kerberos over UDP', reference: 'RFC 4120, 7.2.1' } },
    tcp: { about: { title: 'Kerberos over TCP', reference: 'RFC 4120, 7.2.2' } },
  },
);

type Ask = (wanted: Wanted) => Promise<Reply>;

async function interview(io: ProbeIo, options: Options, ask: Ask): Promise<Answer> {
  const realm = requestedRealm(options);
  const wanted = strangerOf(realm);
  const reply = await ask(wanted);
  const decoded = decodeFor(reply, wanted);
  const answer = judge(io, decoded, reply, options);
  if (answer.outcome === 'declined' || options.realm === undefined || decoded.ticket) return answer;
  // The KDC gives these answers before it looks at the realm; the answer over TCP will tell.
  if (decoded.error.code === responseTooBig || decoded.error.code === serviceUnavailable) return answer;
  const found = await further(io, () => knowsRealm(realm, ask));
  if (found === false) return notFor(realm, 'it does not know krbtgt of that realm');
  if (isTrouble(found)) {
    io.warn(
      `whether it serves ${realm} cannot be told, it gives back any realm that it is asked for (${found.message})`,
    );
  }
  return answer;
}

/** Active Directory answers a foreign realm with its own; other KDCs look the client up, whatever the realm. */
async function knowsRealm(realm: string, ask: Ask): Promise<boolean> {
  const elsewhere = strangerOf(impossibleRealm);
  const other = decodeFor(await ask(elsewhere), elsewhere);
  if (!other.ticket && other.error.code === wrongRealm) return true;
  // The one account that every realm has: a principal of two parts in MIT and Heimdal, of one in Samba.
  for (const client of [['krbtgt', realm], ['krbtgt']]) {
    const wanted = { realm, client, service: impossibleService };
    // The second name is asked for only where the first is unknown.
    const own = decodeFor(await ask(wanted), wanted);
    if (own.ticket || own.error.code !== clientUnknown) return own.ticket || own.error.code !== wrongRealm;
  }
  return false;
}

const strangerOf = (realm: string): Wanted => ({ realm, client: [principal], service: ['krbtgt', realm] });

function decodeFor(reply: Reply, wanted: Wanted): KdcReply {
  const decoded = decodeReply(reply.bytes);
  if (!isFor(decoded, wanted)) throw new DecodeError(`the answer is not for realm ${wanted.realm}`, 0);
  return decoded;
}

/** One message each way, with its length in front. */
export async function exchangeOverTcp(io: ProbeIo, message: Uint8Array): Promise<Reply> {
  const conn = await io.connect();
  const sentAtMs = io.now();
  await conn.write(encodeLength(message));
  const bytes = await conn.read(decodeLength(await conn.read(4)));
  const receivedAtMs = io.now();
  await conn.end();
  return { bytes, sentAtMs, receivedAtMs };
}

function judge(io: ProbeIo, decoded: KdcReply, reply: Reply, options: Options): Answer {
  const realm = requestedRealm(options);
  if (decoded.ticket) {
    io.record({ realm: decoded.realm });
    return answered(`the KDC gave ${principal}@${decoded.realm} a ticket`);
  }
  const { error } = decoded;
  const { serverTime, offsetMs } = clockOf(error, reply);
  io.record({
    errorCode: error.code,
    errorName: error.name,
    realm: error.realm,
    serverTime,
    offsetMs,
    text: error.text,
  });

  if (error.code === wrongRealm && options.realm !== undefined) {
    const other = [error.clientRealm, error.realm].find(
      (name) => name !== null && name !== '' && !sameName(name, realm),
    );
    return notFor(realm, other === undefined ? 'it says so' : `it names ${other}`);
  }
  const side = offsetMs > 0 ? 'ahead of' : 'behind';
  const effect = Math.abs(offsetMs) > kerberosSkewMs ? 'will refuse logons' : 'refuses logons from 5 min on';
  const limits = { warnBeyondMs: options.maxSkewMs };
  compareClocks(
    io,
    offsetMs,
    limits,
    (by) => `the KDC's clock is ${by} ${side} this machine's: Kerberos ${effect}, set both by NTP`,
  );
  if (error.code === responseTooBig) io.note('the KDC has more to say than fits a datagram and asks for TCP');
  if (error.code === serviceUnavailable) io.warn('the KDC answers but calls its service unavailable');
  if (error.code === preauthenticationRequired) wantsCredentials(io, 'pre-authentication', 'that it gives a ticket is');
  return answered(`the KDC answers (${error.name}), clock offset ${offsetMs} ms`);
}

const notFor = (realm: string, why: string): Answer =>
  declined(
    `not a KDC for ${realm}, ${why}`,
    {},
    `Ask a domain controller of ${realm}, or correct the domain in the site.`,
  );

/** How far the server's clock is ahead of ours, seen from the middle of the exchange. */
function clockOf(error: KrbError, reply: Reply): { readonly serverTime: string; readonly offsetMs: number } {
  const offsetMs = clockOffsetMs(error.serverTimeMs, (reply.sentAtMs + reply.receivedAtMs) / 2);
  return { serverTime: new Date(error.serverTimeMs).toISOString(), offsetMs };
}

/** An error echoes the realm and the service that were asked for; a KDC of another realm names that one. */
function isFor(reply: KdcReply, { realm, service }: Wanted): boolean {
  if (reply.ticket) return sameName(reply.realm, realm);
  const { error } = reply;
  if (error.code === wrongRealm) return true;
  return sameName(error.realm, realm) || sameName(error.service.join('/'), service.join('/'));
}

function requestedRealm(options: Options): string {
  return realmNamed(options.realm);
}

/** As Active Directory writes it; a domain's DNS name may end in a dot. */
export const realmNamed = (realm = impossibleRealm): string => realm.replace(/(?<=.)\.$/, '').toUpperCase();

/** 31 bits: some servers read the nonce as a signed number. */
function newNonce(io: ProbeIo): number {
  return new Reader(io.random(4)).uint32() & 0x7fff_ffff;
}

const sameName = (a: string, b: string): boolean => a.toUpperCase() === b.toUpperCase();
