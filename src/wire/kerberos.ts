/**
 * What the Kerberos exchanges have in common: principal names, times, the error message and its codes, and the length in
 * front of a message on TCP. RFC 4120 sections 5.2 (types), 5.9.1 (KRB-ERROR), 7.2.2 (TCP) and 7.5.9 (codes).
 */
import { application, context, DerReader, encode, encodeInteger, encodeText, tags } from './der.ts';
import { DecodeError, Reader } from './reader.ts';
import { printable } from './text.ts';

export const pvno = 5;
const maxMessageBytes = 65_536;
const maxComponents = 8;
const maxTextLength = 256;

export const nameTypes = { principal: 1, serviceInstance: 2 } as const;

export const errorMessage = application(30);
const errorMessageType = 30;

export const wrongRealm = 68;
export const responseTooBig = 52;
export const serviceUnavailable = 29;
export const clientUnknown = 6;
export const preauthenticationRequired = 25;

const errorNames = new Map([
  [0, 'KDC_ERR_NONE'],
  [1, 'KDC_ERR_NAME_EXP'],
  [2, 'KDC_ERR_SERVICE_EXP'],
  [3, 'KDC_ERR_BAD_PVNO'],
  [clientUnknown, 'KDC_ERR_C_PRINCIPAL_UNKNOWN'],
  [7, 'KDC_ERR_S_PRINCIPAL_UNKNOWN'],
  [8, 'KDC_ERR_PRINCIPAL_NOT_UNIQUE'],
  [9, 'KDC_ERR_NULL_KEY'],
  [10, 'KDC_ERR_CANNOT_POSTDATE'],
  [11, 'KDC_ERR_NEVER_VALID'],
  [12, 'KDC_ERR_POLICY'],
  [13, 'KDC_ERR_BADOPTION'],
  [14, 'KDC_ERR_ETYPE_NOSUPP'],
  [15, 'KDC_ERR_SUMTYPE_NOSUPP'],
  [16, 'KDC_ERR_PADATA_TYPE_NOSUPP'],
  [18, 'KDC_ERR_CLIENT_REVOKED'],
  [19, 'KDC_ERR_SERVICE_REVOKED'],
  [21, 'KDC_ERR_CLIENT_NOTYET'],
  [22, 'KDC_ERR_SERVICE_NOTYET'],
  [23, 'KDC_ERR_KEY_EXPIRED'],
  [24, 'KDC_ERR_PREAUTH_FAILED'],
  [preauthenticationRequired, 'KDC_ERR_PREAUTH_REQUIRED'],
  [serviceUnavailable, 'KDC_ERR_SVC_UNAVAILABLE'],
  [31, 'KRB_AP_ERR_BAD_INTEGRITY'],
  [32, 'KRB_AP_ERR_TKT_EXPIRED'],
  [33, 'KRB_AP_ERR_TKT_NYV'],
  [34, 'KRB_AP_ERR_REPEAT'],
  [35, 'KRB_AP_ERR_NOT_US'],
  [36, 'KRB_AP_ERR_BADMATCH'],
  [37, 'KRB_AP_ERR_SKEW'],
  [39, 'KRB_AP_ERR_BADVERSION'],
  [40, 'KRB_AP_ERR_MSG_TYPE'],
  [41, 'KRB_AP_ERR_MODIFIED'],
  [44, 'KRB_AP_ERR_BADKEYVER'],
  [45, 'KRB_AP_ERR_NOKEY'],
  [responseTooBig, 'KRB_ERR_RESPONSE_TOO_BIG'],
  [60, 'KRB_ERR_GENERIC'],
  [61, 'KRB_ERR_FIELD_TOOLONG'],
  [wrongRealm, 'KDC_ERR_WRONG_REALM'],
]);

export interface KrbError {
  readonly code: number;
  readonly name: string;
  /** The server's clock, milliseconds since the epoch. */
  readonly serverTimeMs: number;
  readonly clientRealm: string | null;
  readonly realm: string;
  /** The components of the service's name; none when the server could not tell. */
  readonly service: readonly string[];
  readonly text: string | null;
  /** What it holds is the exchange's own affair; empty when absent. */
  readonly data: Uint8Array;
}

export function encodePrincipal(type: number, components: readonly string[]): Uint8Array {
  const names = components.map((component) => encodeText(component));
  return encode(
    tags.sequence,
    encode(context(0), encodeInteger(type)),
    encode(context(1), encode(tags.sequence, ...names)),
  );
}

/*
   KRB-ERROR ::= [APPLICATION 30] SEQUENCE {
     pvno [0], msg-type [1], ctime [2]?, cusec [3]?, stime [4], susec [5], error-code [6],
     crealm [7]?, cname [8]?, realm [9], sname [10], e-text [11]?, e-data [12]? }
*/
export function decodeError(bytes: Uint8Array): KrbError {
  const message = new DerReader(bytes).enter(errorMessage).enter(tags.sequence);
  expectHeader(message, 0, errorMessageType);
  message.enterIf(context(2));
  message.enterIf(context(3));
  const seconds = decodeTime(message.enter(context(4)));
  const at = message.offset;
  const microseconds = message.enter(context(5)).integer();
  if (microseconds < 0 || microseconds > 999_999) throw new DecodeError(`${microseconds} microseconds`, at);
  const code = message.enter(context(6)).integer();
  const clientRealm = message.enterIf(context(7));
  message.enterIf(context(8));
  const realm = decodeText(message.enter(context(9)));
  const service = decodePrincipal(message.enter(context(10)));
  const text = message.enterIf(context(11));
  const data = message.enterIf(context(12));
  return {
    code,
    name: errorNames.get(code) ?? `error ${code}`,
    serverTimeMs: seconds + microseconds / 1000,
    clientRealm: clientRealm ? decodeText(clientRealm) : null,
    realm,
    service,
    text: text ? decodeText(text) : null,
    data: data ? data.octets() : new Uint8Array(),
  };
}

/** Every message opens with the protocol's version and its own type, the version in the field [first]. */
export function expectHeader(message: DerReader, first: number, type: number): void {
  const at = message.offset;
  const version = message.enter(context(first)).integer();
  if (version !== pvno) throw new DecodeError(`Kerberos version ${version} where ${pvno} belongs`, at);
  const found = message.enter(context(first + 1)).integer();
  if (found !== type) throw new DecodeError(`message type ${found} where ${type} belongs`, at);
}

export function decodePrincipal(reader: DerReader): string[] {
  const name = reader.enter(tags.sequence);
  name.enter(context(0)).integer();
  const components = name.enter(context(1)).enter(tags.sequence);
  const names: string[] = [];
  while (!components.isDone && names.length < maxComponents) names.push(decodeText(components));
  return names;
}

export function decodeText(reader: DerReader): string {
  return printable(reader.octets(tags.generalString), maxTextLength);
}

/** RFC 4120 section 7.2.2: four bytes of length in front of the message, the highest bit reserved. */
export function encodeLength(message: Uint8Array): Uint8Array {
  const framed = Buffer.alloc(4 + message.length);
  framed.writeUInt32BE(message.length);
  framed.set(message, 4);
  return framed;
}

export function decodeLength(prefix: Uint8Array): number {
  const length = new Reader(prefix).uint32();
  if (length < 1 || length > maxMessageBytes) throw new DecodeError(`a message of ${length} bytes`, 0);
  return length;
}

/** 20261123195056Z, the only form Kerberos allows. */
function decodeTime(reader: DerReader): number {
  const at = reader.offset;
  const text = printable(reader.octets(tags.generalizedTime));
  const iso = text.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z');
  const ms = iso === text ? Number.NaN : Date.parse(iso);
  // Date.parse takes 31 February for a day in March.
  if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== iso.slice(0, 10))
    throw new DecodeError(`"${text}" is no time`, at);
  return ms;
}
