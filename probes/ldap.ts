/**
 * LDAP, plain and inside TLS: an anonymous search of the root DSE, the one entry that every directory shows to everybody.
 * It says whose directory this is, whether it is Active Directory, and whether it is a global catalog. RFC 4511 sections
 * 4.5 (search) and 4.4.1 (notice of disconnection); RFC 4512 section 5.1 (root DSE); MS-ADTS 3.1.1.3.2 (its attributes).
 */
import * as v from 'valibot';
import { endedAs } from '../src/model/errors.ts';
import { answered, declined, type Answer, type Evidence, type Json } from '../src/model/outcome.ts';
import type { Conn, ProbeIo } from '../src/model/probe.ts';
import { defineProbe } from '../src/model/probe.ts';
import { clockOffsetMs, compareClocks, kerberosSkewMs } from '../src/wire/clock.ts';
import { wantsCredentials } from '../src/wire/credentials.ts';
import { application, DerReader, tags } from '../src/wire/der.ts';
import { further, isTrouble } from '../src/wire/further.ts';
import { ping, rolesOf } from '../src/wire/ldap-ping.ts';
import { DecodeError } from '../src/wire/reader.ts';
import { printable } from '../src/wire/text.ts';
import { ServerName, Trust } from './tls.ts';

const messageId = 1;
const searchEntry = application(4);
const searchDone = application(5);
const searchReference = application(19);
const extendedResponse = application(24);
const responseName = 0x8a;
const noticeOfDisconnection = '1.3.6.1.4.1.1466.20036';

const maxMessageBytes = 128 * 1024;
const maxTotalBytes = 256 * 1024;
const maxAttributes = 64;
const maxValues = 256;
const maxValueLength = 8192;

const activeDirectory = '1.2.840.113556.1.4.800';

const attributes = [
  'namingContexts',
  'defaultNamingContext',
  'rootDomainNamingContext',
  'dnsHostName',
  'isGlobalCatalogReady',
  'supportedCapabilities',
  'supportedSASLMechanisms',
  'currentTime',
  'vendorName',
  'vendorVersion',
];

/** RFC 4511 section 4.1.9 and appendix A; what a directory may say to an anonymous search. */
const resultNames: Readonly<Record<number, string>> = {
  1: 'operationsError',
  2: 'protocolError',
  3: 'timeLimitExceeded',
  4: 'sizeLimitExceeded',
  7: 'authMethodNotSupported',
  8: 'strongerAuthRequired',
  10: 'referral',
  11: 'adminLimitExceeded',
  13: 'confidentialityRequired',
  32: 'noSuchObject',
  48: 'inappropriateAuthentication',
  49: 'invalidCredentials',
  50: 'insufficientAccessRights',
  51: 'busy',
  52: 'unavailable',
  53: 'unwillingToPerform',
  80: 'other',
};

/** With these results a directory asks the client to bind, as winbind does, or to speak TLS. */
const bindFirst = new Set([8, 13, 48, 49, 50]);

/** slapd says `unwillingToPerform`, Active Directory `operationsError`; both say why in their text. */
const wantsBind = (code: number, text: string): boolean =>
  bindFirst.has(code) || ((code === 1 || code === 53) && /\bauth|\bbind\b/i.test(text));

/** The LDAP ping goes to this port, whatever port is being checked. */
const pingPort = 389;

/** Attribute names in lower case: the server may spell them its own way. */
export type RootDse = ReadonlyMap<string, readonly string[]>;

export type LdapMessage =
  | { readonly kind: 'entry'; readonly attributes: RootDse }
  | { readonly kind: 'reference' }
  | { readonly kind: 'done' | 'disconnection'; readonly resultCode: number; readonly text: string };

export async function encodeSearch(): Promise<Uint8Array> {
  const { PresenceFilter, SearchRequest } = await import('ldapts');
  const filter = new PresenceFilter({ attribute: 'objectClass' });
  return Uint8Array.from(new SearchRequest({ messageId, scope: 'base', timeLimit: 5, filter, attributes }).write());
}

/** UnbindRequest, id 2. Without it servers log a lost connection. */
export const unbindRequest = Uint8Array.from([0x30, 0x05, 0x02, 0x01, 0x02, 0x42, 0x00]);

/*
   Read with the bounds of der.ts rather than with the codec that writes the request: that one reads a length that runs
   past its end without moving on, and so for ever.

   LDAPMessage  30 len { 02 01 id, operation [, controls] }
   entry        64 len { 04 len name, 30 len { 30 len { 04 len type, 31 len { 04 len value ... } } ... } }
   done         65 len { 0a 01 code, 04 len matched, 04 len text ... }
*/
export function decodeMessage(bytes: Uint8Array): LdapMessage {
  const message = new DerReader(bytes).enter(tags.sequence);
  const id = message.integer();
  if (message.sees(extendedResponse)) {
    const response = message.enter(extendedResponse);
    const result = decodeResult(response);
    const name = response.sees(responseName) ? printable(response.octets(responseName)) : '';
    if (id !== 0 || name !== noticeOfDisconnection) throw new DecodeError(`an extended response ${name}`, 0);
    return { kind: 'disconnection', ...result };
  }
  if (id !== messageId) throw new DecodeError(`message id ${id} where ${messageId} was asked`, 0);
  if (message.sees(searchReference)) return { kind: 'reference' };
  if (message.sees(searchDone)) return { kind: 'done', ...decodeResult(message.enter(searchDone)) };
  return { kind: 'entry', attributes: decodeEntry(message.enter(searchEntry)) };
}

const about = {
  sends: 'an anonymous search of the root DSE, then an unbind',
  proves:
    'a directory that shows its root DSE; with a domain configured, that it serves that domain. One that shows nothing before a bind is reached, and a note says what stays unproven',
  client:
    'winbind of Samba 4: a controller of the domain, a global catalog of the forest; it binds with the machine account, so anonymous access is not needed',
  leaves: 'an anonymous search and an unbind in a directory that logs operations',
} as const;

const domainOptions = {
  /** The Active Directory domain, or the DNS form of the suffix, that this directory must serve. */
  domain: v.optional(v.pipe(v.string(), v.nonEmpty(), v.maxLength(253))),
  /** It must be a global catalog: the domain is then any of the forest's. */
  globalCatalog: v.optional(v.boolean(), false),
};

export const ldap = defineProbe({
  transport: 'tcp',
  port: 389,
  about: { title: 'LDAP', ...about, reference: 'RFC 4511' },
  load: () => import('ldapts'),
  options: v.strictObject(domainOptions),

  async run(io, target, options) {
    try {
      return await search(io, await io.connect(), options);
    } catch (error) {
      if (!endedAs(error, 'refused') || !options.globalCatalog || target.port === pingPort) throw error;
      const answer = await notCatalog(io);
      if (!answer) throw error;
      return answer;
    }
  },
});

export const ldaps = defineProbe({
  transport: 'tcp',
  port: 636,
  about: { title: 'LDAP over TLS', ...about, reference: 'RFC 4513' },
  load: () => import('ldapts'),
  options: v.strictObject({ ...domainOptions, servername: ServerName, trust: Trust }),

  async run(io, _target, { trust, servername, ...options }) {
    const conn = await io.secure(await io.connect(), { trust, ...(servername !== undefined && { servername }) });
    return search(io, conn, options);
  },
});

/** Nothing listens on the port of global catalogs: that is right for a controller that says that it is none. */
async function notCatalog(io: ProbeIo): Promise<Answer | undefined> {
  const reply = await further(io, () => ping(io, undefined, pingPort));
  if (isTrouble(reply) || !reply.netlogon) return undefined;
  const { hostname, forest } = reply.netlogon;
  const roles = rolesOf(reply.netlogon);
  if (roles.includes('global-catalog')) return undefined;
  io.warn(`nothing listens here, and ${hostname} says that it is no global catalog: another controller has to be one`);
  return answered(`${hostname} is no global catalog`, { forest, roles });
}

interface Wanted {
  readonly domain?: string | undefined;
  readonly globalCatalog: boolean;
}

async function search(io: ProbeIo, conn: Conn, wanted: Wanted): Promise<Answer> {
  await conn.write(await encodeSearch());
  let rootDse: RootDse | undefined;
  for (let total = 0; total < maxTotalBytes;) {
    // The last message is a result.
    const bytes = await readMessage(conn);
    total += bytes.length;
    const message = decodeMessage(bytes);
    if (message.kind === 'entry') rootDse = message.attributes;
    if (message.kind !== 'done' && message.kind !== 'disconnection') continue;
    await conn.end(unbindRequest);
    const why = `${resultNames[message.resultCode] ?? `result ${message.resultCode}`}${message.text && `: ${message.text}`}`;
    if (message.kind === 'disconnection') return declined(`the directory ends the connection (${why})`);
    if (wantsBind(message.resultCode, message.text)) {
      wantsCredentials(io, 'a bind', 'the domain and what it serves are');
      return answered(`a directory that shows nothing before a bind (${why})`);
    }
    if (message.resultCode !== 0) return declined(`the directory answers but does not serve us (${why})`);
    if (!rootDse) return declined('the directory answers but shows no root DSE');
    return judge(io, rootDse, wanted);
  }
  throw new DecodeError(`no end of the search in ${maxTotalBytes} bytes`, maxTotalBytes);
}

function judge(io: ProbeIo, rootDse: RootDse, { domain, globalCatalog }: Wanted): Answer {
  const all = (name: string): readonly string[] => rootDse.get(name.toLowerCase()) ?? [];
  const one = (name: string): string | undefined => all(name)[0];
  const isActiveDirectory = all('supportedCapabilities').includes(activeDirectory);
  const contexts = all('namingContexts');
  const own = one('defaultNamingContext');
  const catalog = one('isGlobalCatalogReady');
  io.record({
    activeDirectory: isActiveDirectory,
    namingContexts: contexts.slice(0, 16).map((name) => printable(name)),
    saslMechanisms: all('supportedSASLMechanisms')
      .slice(0, 16)
      .map((name) => printable(name)),
    ...known('defaultNamingContext', own),
    ...known('forest', forestIn(one('rootDomainNamingContext'))),
    ...known('dnsHostName', one('dnsHostName')),
    ...known('vendorName', one('vendorName')),
    ...known('vendorVersion', one('vendorVersion')),
    ...(catalog !== undefined && { isGlobalCatalogReady: catalog === 'TRUE' }),
  });
  compareTimes(io, one('currentTime'));

  if (globalCatalog && catalog !== 'TRUE') return declined('the directory says it is not a global catalog');
  // A catalog serves the whole forest. A directory that is not Active Directory has suffixes, and no default one.
  const forest = [own, one('rootDomainNamingContext'), ...contexts];
  const served = (own === undefined || globalCatalog ? forest : [own]).filter((name) => name !== undefined);
  if (domain !== undefined && !served.some((name) => sameName(name, distinguishedName(domain)))) {
    const what = listed(served) || 'nothing that it names';
    return declined(`this ${isActiveDirectory ? 'controller' : 'directory'} serves ${what}, not ${domain}`);
  }
  const who = printable(one('dnsHostName') ?? 'a directory');
  return answered(`${who} serves ${listed(served) || 'its root DSE'}`);
}

const known = (name: string, value: string | undefined): Evidence =>
  value === undefined ? {} : { [name]: printable(value) satisfies Json };

/** One LDAPMessage with its tag and length, which says beforehand how much is to come. */
async function readMessage(conn: Conn): Promise<Uint8Array> {
  const head = await conn.read(2);
  const [tag, first] = [head[0]!, head[1]!];
  if (tag !== tags.sequence) throw new DecodeError(`byte ${tag} where an LDAP message begins`, 0);
  const count = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || count > 4) throw new DecodeError(`a length of the form ${first}`, 1);
  const more = count === 0 ? new Uint8Array() : await conn.read(count);
  const length = count === 0 ? first : more.reduce((sum, byte) => sum * 256 + byte, 0);
  if (length > maxMessageBytes) throw new DecodeError(`a message of ${length} bytes`, 1);
  return Uint8Array.from(Buffer.concat([head, more, await conn.read(length)]));
}

function decodeEntry(entry: DerReader): RootDse {
  const found = new Map<string, readonly string[]>();
  entry.octets();
  const list = entry.enter(tags.sequence);
  while (!list.isDone) {
    if (found.size === maxAttributes) throw new DecodeError(`more than ${maxAttributes} attributes`, list.offset);
    const attribute = list.enter(tags.sequence);
    const type = Buffer.from(attribute.octets()).toString().toLowerCase();
    const set = attribute.enter(tags.set);
    const values: string[] = [];
    while (!set.isDone) {
      if (values.length === maxValues) throw new DecodeError(`more than ${maxValues} values`, set.offset);
      const value = set.octets();
      if (value.length > maxValueLength) throw new DecodeError(`a value of ${value.length} bytes`, set.offset);
      values.push(Buffer.from(value).toString());
    }
    if (found.has(type)) throw new DecodeError(`the attribute ${printable(type)} twice`, list.offset);
    found.set(type, values);
  }
  return found;
}

function decodeResult(result: DerReader): { resultCode: number; text: string } {
  const resultCode = result.integer(tags.enumerated);
  result.octets();
  return { resultCode, text: printable(result.octets()) };
}

/** GeneralizedTime in UTC: 20261123195054.0Z */
function compareTimes(io: ProbeIo, time: string | undefined): void {
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.\d{1,6})?Z$/.exec(time ?? '');
  if (!parts) return;
  const [, year, month, day, hour, minute, second] = parts;
  const theirs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  // Date.parse takes 31 February for a day in March.
  if (Number.isNaN(theirs) || new Date(theirs).getUTCDate() !== Number(day)) return;
  const offsetMs = clockOffsetMs(theirs, io.now());
  io.record({ clockOffsetMs: offsetMs });
  const limits = { warnBeyondMs: kerberosSkewMs };
  compareClocks(
    io,
    offsetMs,
    limits,
    (by) => `this machine's clock and the directory's differ by ${by}: Kerberos allows 5 min`,
  );
}

/** corp.example.test -> DC=corp,DC=example,DC=test */
const distinguishedName = (domain: string): string =>
  domain
    .replace(/\.$/, '')
    .split('.')
    .map((label) => `DC=${label}`)
    .join(',');

/** DC=corp,DC=example,DC=test -> corp.example.test; any other name stays as it is. */
function domainNamed(name: string): string {
  const parts = name.split(',').map((part) => /^\s*dc=([^=]+)$/i.exec(part)?.[1]?.trim());
  return parts.every((part) => part !== undefined) ? parts.join('.') : name;
}

const forestIn = (root: string | undefined): string | undefined => root && domainNamed(root);

/** The first few: a forest also has contexts for configuration, schema and zones. */
function listed(names: readonly string[]): string {
  const all = [...new Set(names.map((name) => printable(domainNamed(name))))];
  return `${all.slice(0, 3).join(', ')}${all.length > 3 ? ` and ${all.length - 3} more` : ''}`;
}

const sameName = (a: string, b: string): boolean => canonical(a) === canonical(b);
const canonical = (name: string): string =>
  name
    .split(/[,=]/)
    .map((part) => part.trim())
    .join(',')
    .toLowerCase();
