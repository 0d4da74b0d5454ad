/**
 * The LDAP ping: a search for the Netlogon attribute in one datagram, and the introduction of a controller in answer to it.
 * MS-ADTS sections 6.3.1.1 (NtVer), 6.3.1.2 (flags), 6.3.1.9 (the response) and 6.3.3 (the ping); RFC 4511 for the rest.
 */
import type { ProbeIo } from '../model/probe.ts';
import { accepting } from './datagram.ts';
import { application, context, DerReader, encode, encodeInteger, encodeText, tags } from './der.ts';
import { decodeName } from './dns-name.ts';
import { DecodeError, Reader } from './reader.ts';
import { printable } from './text.ts';

const searchRequest = application(3);
const searchEntry = application(4);
const searchDone = application(5);
const baseObject = 0;
const neverDereference = 0;
const timeLimitSeconds = 5;

const maxMessages = 4;
const maxAttributes = 8;
const attribute = 'Netlogon';

/** NETLOGON_NT_VERSION_5 and _5EX, as raw little-endian bytes: as text the server falls back to the form of NT 4. */
const ntVer = Uint8Array.from([0x06, 0, 0, 0]);

/** The opcodes of the form we ask for. Nobody is named in the request, so "unknown user" is as good. */
export const opcodes = { response: 23, paused: 24, userUnknown: 25 } as const;

const roleFlags = [
  [0x1, 'pdc'],
  [0x4, 'global-catalog'],
  [0x8, 'ldap'],
  [0x10, 'directory'],
  [0x20, 'kdc'],
  [0x40, 'time'],
  [0x80, 'closest'],
  [0x100, 'writable'],
  [0x200, 'reliable-time'],
] as const;

/** What a controller says about itself. */
export interface Netlogon {
  readonly opcode: number;
  readonly flags: number;
  readonly forest: string;
  readonly domain: string;
  readonly hostname: string;
  readonly netbiosDomain: string;
  readonly netbiosName: string;
  readonly site: string;
  /** The site of our own address; "" when the directory has no subnet for it. */
  readonly clientSite: string;
}

export interface PingReply {
  readonly messageId: number;
  readonly netlogon: Netlogon | null;
  /** Of the SearchResultDone, where the datagram has one. */
  readonly resultCode: number | null;
  readonly diagnostic: string;
}

/*
   LDAPMessage   ::= SEQUENCE { messageID, protocolOp }
   SearchRequest ::= [APPLICATION 3] SEQUENCE { baseObject, scope, derefAliases, sizeLimit, timeLimit, typesOnly, filter,
                                                attributes }
   filter: and [0] { equalityMatch [3] { attribute, value } … }
*/
export function encodePing(messageId: number, domain?: string): Uint8Array {
  const named = domain === undefined ? [] : [equals('DnsDomain', Buffer.from(domain))];
  const request = encode(
    searchRequest,
    encode(tags.octetString),
    encodeInteger(baseObject, tags.enumerated),
    encodeInteger(neverDereference, tags.enumerated),
    encodeInteger(0),
    encodeInteger(timeLimitSeconds),
    encode(tags.boolean, Uint8Array.of(0)),
    encode(context(0), ...named, equals('NtVer', ntVer)),
    encode(tags.sequence, encodeText(attribute, tags.octetString)),
  );
  return encode(tags.sequence, encodeInteger(messageId), request);
}

/** One datagram: the entry and the "done", in one message each; the entry is missing when nothing matched. */
export function decodePingReply(bytes: Uint8Array): PingReply {
  const reader = new DerReader(bytes);
  let messageId: number | undefined;
  let netlogon: Netlogon | null = null;
  let resultCode: number | null = null;
  let diagnostic = '';
  for (let i = 0; i < maxMessages && !(i > 0 && reader.isDone); i++) {
    const at = reader.offset;
    const message = reader.enter(tags.sequence);
    const id = message.integer();
    if (messageId !== undefined && id !== messageId) throw new DecodeError(`message ${id} after ${messageId}`, at);
    messageId = id;
    const entry = message.enterIf(searchEntry);
    if (entry) {
      const value = decodeEntry(entry);
      if (value) netlogon = decodeNetlogon(value);
      continue;
    }
    const done = message.enter(searchDone);
    resultCode = done.integer(tags.enumerated);
    done.skip();
    diagnostic = printable(done.octets());
  }
  if (messageId === undefined || (netlogon === null && resultCode === null)) {
    throw new DecodeError('neither a Netlogon value nor a result', reader.offset);
  }
  return { messageId, netlogon, resultCode, diagnostic };
}

/*
   NETLOGON_SAM_LOGON_RESPONSE_EX, little-endian, names packed as in DNS relative to its start:
   | opcode 2 | sbz 2 | flags 4 | DomainGuid 16 | DnsForestName, DnsDomainName, DnsHostName, NetbiosDomainName,
   NetbiosComputerName, UserName, DcSiteName, ClientSiteName | NtVersion 4 | LmNtToken 2 | Lm20Token 2 |
*/
export function decodeNetlogon(value: Uint8Array): Netlogon {
  const reader = new Reader(value);
  const opcode = reader.uint16le();
  if (!Object.values<number>(opcodes).includes(opcode))
    throw new DecodeError(`opcode ${opcode} is no answer to a ping`, 0);
  reader.bytes(2);
  const flags = reader.uint32le();
  reader.bytes(16);
  let offset = value.length - reader.remaining;
  const nextName = (): string => {
    const { name, next } = decodeName(value, offset);
    offset = next;
    return name;
  };
  const [forest, domain, hostname, netbiosDomain, netbiosName] = [
    nextName(),
    nextName(),
    nextName(),
    nextName(),
    nextName(),
  ];
  nextName(); // the user's
  return {
    opcode,
    flags,
    forest,
    domain,
    hostname,
    netbiosDomain,
    netbiosName,
    site: nextName(),
    clientSite: nextName(),
  };
}

/** Roles of a controller by their names. */
export const rolesOf = ({ flags }: Netlogon): string[] =>
  roleFlags.filter(([bit]) => (flags & bit) !== 0).map(([, role]) => role);

/** `port`: where it is not the one that is being checked. */
export async function ping(io: ProbeIo, domain: string | undefined, port?: number): Promise<PingReply> {
  // 0 is for the server's own announcements.
  const messageId = new Reader(io.random(2)).uint16() || 1;
  const accepts = accepting(decodePingReply, (reply) => reply.messageId === messageId);
  const { bytes } = await io.exchange(encodePing(messageId, domain), accepts, {
    maxSends: 2,
    ...(port !== undefined && { port }),
  });
  return decodePingReply(bytes);
}

function equals(name: string, value: Uint8Array): Uint8Array {
  return encode(context(3), encodeText(name, tags.octetString), encode(tags.octetString, value));
}

/** SearchResultEntry ::= [APPLICATION 4] SEQUENCE { objectName, attributes SEQUENCE OF { type, vals SET OF value } }. */
function decodeEntry(entry: DerReader): Uint8Array | undefined {
  entry.octets();
  const attributes = entry.enter(tags.sequence);
  for (let i = 0; i < maxAttributes && !attributes.isDone; i++) {
    const one = attributes.enter(tags.sequence);
    const type = printable(one.octets());
    const values = one.enter(tags.set);
    if (type.toLowerCase() === attribute.toLowerCase()) return values.octets();
  }
  return undefined;
}
