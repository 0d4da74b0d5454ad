/**
 * Kerberos password change, over UDP and over TCP: a well-formed request whose ticket and message are all zeros, so it can
 * change nothing. The server cannot decrypt it and says so, which proves that it reads and answers requests. To less
 * than the whole form (no KRB-PRIV, another version) servers are silent. RFC 3244 section 2.
 */
import * as v from 'valibot';
import { answered, type Answer, type Evidence } from '../src/model/outcome.ts';
import { defineTwins, type Reply } from '../src/model/probe.ts';
import { accepting } from '../src/wire/datagram.ts';
import { application, context, DerReader, encode, encodeInteger, encodeText, tags } from '../src/wire/der.ts';
import { decodeError, encodePrincipal, errorMessage, type KrbError, nameTypes, pvno } from '../src/wire/kerberos.ts';
import { DecodeError, Reader } from '../src/wire/reader.ts';
import { printable } from '../src/wire/text.ts';
import { exchangeOverTcp, Realm, realmNamed } from './kerberos.ts';

const headerLength = 6;
const changePassword = 0x0001;
const setPassword = 0xff80;

const service = ['kadmin', 'changepw'];
const apRequest = 14;
const privateMessage = 21;
const aes256 = 18;
const zeros = new Uint8Array(64);

const resultNames = ['success', 'malformed', 'hard error', 'authentication error', 'soft error', 'access denied'];

export interface KpasswdReply {
  readonly error: KrbError;
  readonly resultCode: number | null;
  readonly text: string | null;
}

/*
   | total length | version | AP-REQ length | AP-REQ … | KRB-PRIV … |      two bytes each, then DER

   AP-REQ   ::= [APPLICATION 14] SEQUENCE { pvno [0], msg-type [1], ap-options [2], ticket [3], authenticator [4] }
   Ticket   ::= [APPLICATION 1]  SEQUENCE { tkt-vno [0], realm [1], sname [2], enc-part [3] }
   KRB-PRIV ::= [APPLICATION 21] SEQUENCE { pvno [0], msg-type [1], enc-part [3] }
*/
function encodeRequest(realm: string): Uint8Array {
  const sealed = encode(
    tags.sequence,
    encode(context(0), encodeInteger(aes256)),
    encode(context(2), encode(tags.octetString, zeros)),
  );
  const ticket = message(
    1,
    encode(context(0), encodeInteger(pvno)),
    encode(context(1), encodeText(realm)),
    encode(context(2), encodePrincipal(nameTypes.serviceInstance, service)),
    encode(context(3), sealed),
  );
  const request = message(
    apRequest,
    encode(context(0), encodeInteger(pvno)),
    encode(context(1), encodeInteger(apRequest)),
    encode(context(2), encode(tags.bitString, new Uint8Array(5))),
    encode(context(3), ticket),
    encode(context(4), sealed),
  );
  const priv = message(
    privateMessage,
    encode(context(0), encodeInteger(pvno)),
    encode(context(1), encodeInteger(privateMessage)),
    encode(context(3), sealed),
  );
  const header = Buffer.alloc(headerLength);
  header.writeUInt16BE(headerLength + request.length + priv.length, 0);
  header.writeUInt16BE(changePassword, 2);
  header.writeUInt16BE(request.length, 4);
  return Buffer.concat([header, request, priv]);
}

/** A KRB-ERROR behind a header with an empty AP-REP, or bare; its e-data is a result code and a text. */
export function decodeReply(bytes: Uint8Array): KpasswdReply {
  const error = decodeError(new DerReader(bytes).sees(errorMessage) ? bytes : unwrap(bytes));
  if (error.data.length < 2) return { error, resultCode: null, text: error.text };
  const resultCode = new Reader(error.data).uint16();
  return { error, resultCode, text: printable(error.data.subarray(2)) || error.text };
}

const Options = v.strictObject({
  /** Without one: a realm that cannot exist, which servers answer for as well. */
  realm: v.optional(Realm),
});

const about = {
  sends: 'one password change request that no server can decrypt: its ticket and its message are zeros',
  proves: 'an error in answer to it, from the service kadmin/changepw; the realm in it is only ours given back',
  client: 'winbind of Samba 4, when it joins and when it changes the password of the machine account',
  leaves: 'one error line in the log; no account is named, so none can be locked',
};

export const { udp: kpasswd, tcp: kpasswdTcp } = defineTwins(
  {
    port: 464,
    about,
    options: Options,

    async run(io, { transport }, options) {
      const request = encodeRequest(requestedRealm(options));
      if (transport === 'tcp') return judge(await exchangeOverTcp(io, request));
      return judge(await io.exchange(request, accepting(decodeReply, isOurs)));
    },
  },
  {
    udp: { about: { title: 'Kerberos password change over UDP', reference: 'RFC 3244' } },
    tcp: { about: { title: 'Kerberos password change over TCP', reference: 'RFC 3244' } },
  },
);

function judge(reply: Reply): Answer {
  const decoded = decodeReply(reply.bytes);
  if (!isOurs(decoded))
    throw new DecodeError(`an error from ${decoded.error.service.join('/')}, not kadmin/changepw`, 0);
  const { error, resultCode, text } = decoded;
  const evidence: Evidence = {
    errorCode: error.code,
    errorName: error.name,
    realm: error.realm,
    resultCode,
    result: resultCode === null ? null : (resultNames[resultCode] ?? null),
    text,
    // Some servers give whole seconds, so the kerberos probe compares the clocks.
    serverTime: new Date(error.serverTimeMs).toISOString(),
  };
  const why = text === null ? error.name : `${error.name}: ${text}`;
  return answered(`rejects the empty request, as it should (${why})`, evidence);
}

/** Heimdal cannot tell which service was meant and names none. */
function isOurs({ error }: KpasswdReply): boolean {
  return error.service.length === 0 || error.service.join('/').toLowerCase() === service.join('/');
}

function unwrap(bytes: Uint8Array): Uint8Array {
  const reader = new Reader(bytes);
  const length = reader.uint16();
  if (length !== bytes.length) throw new DecodeError(`a length of ${length} in ${bytes.length} bytes`, 0);
  const version = reader.uint16();
  if (version !== changePassword && version !== setPassword) throw new DecodeError(`version ${version}`, 2);
  const apReplyLength = reader.uint16();
  if (apReplyLength !== 0) throw new DecodeError(`an AP-REP of ${apReplyLength} bytes to a ticket of zeros`, 4);
  return reader.bytes(reader.remaining);
}

function message(type: number, ...fields: readonly Uint8Array[]): Uint8Array {
  return encode(application(type), encode(tags.sequence, ...fields));
}

function requestedRealm(options: v.InferOutput<typeof Options>): string {
  return realmNamed(options.realm);
}
