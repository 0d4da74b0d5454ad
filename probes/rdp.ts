/**
 * Remote Desktop Protocol: an X.224 connection request that offers TLS and CredSSP. Both ways of answering, a choice and
 * a refusal to choose, come from an RDP server. MS-RDPBCGR 2.2.1.1 and 2.2.1.2; RFC 1006 section 6 (TPKT); X.224 13.3, 13.4.
 */
import { answered } from '../src/model/outcome.ts';
import * as v from 'valibot';
import { defineProbe } from '../src/model/probe.ts';
import { DecodeError, Reader } from '../src/wire/reader.ts';

const tpktVersion = 3;
const tpktHeaderBytes = 4;
const minPacketBytes = 11;
const maxPacketBytes = 512;

const connectionRequest = 0xe0;
const connectionConfirm = 0xd0;
const negotiationRequest = 1;
const negotiationResponse = 2;
const negotiationFailure = 3;
const negotiationBytes = 8;

/** TLS, CredSSP, and CredSSP with early user authorization. */
const offered = 0x01 | 0x02 | 0x08;

const securityNames = new Map([
  [0, 'RDP'],
  [1, 'TLS'],
  [2, 'CredSSP (NLA)'],
  [4, 'RDSTLS'],
  [8, 'CredSSP (NLA) with early authorization'],
  [16, 'RDS-AAD'],
]);

const failureNames = new Map([
  [1, 'SSL_REQUIRED_BY_SERVER'],
  [2, 'SSL_NOT_ALLOWED_BY_SERVER'],
  [3, 'SSL_CERT_NOT_ON_SERVER'],
  [4, 'INCONSISTENT_FLAGS'],
  [5, 'HYBRID_REQUIRED_BY_SERVER'],
  [6, 'SSL_WITH_USER_AUTH_REQUIRED_BY_SERVER'],
]);

export type Negotiation =
  | { readonly kind: 'selected'; readonly protocol: number }
  | { readonly kind: 'failed'; readonly code: number }
  | { readonly kind: 'none' };

/*
   TPKT   | 3 | 0 | length, 2 |
   X.224  | length of what follows | code | destination, 2 | source, 2 | class |
   RDP    | type | flags | 8, 0 | protocols or failure code, 4, little-endian |
*/
export function encodeRequest(): Uint8Array {
  const length = tpktHeaderBytes + 7 + negotiationBytes;
  const x224 = [7 + negotiationBytes - 1, connectionRequest, 0, 0, 0, 0, 0];
  return Uint8Array.of(
    tpktVersion,
    0,
    0,
    length,
    ...x224,
    negotiationRequest,
    0,
    negotiationBytes,
    0,
    offered,
    0,
    0,
    0,
  );
}

/** The packet's length, header included. */
export function decodeTpkt(header: Uint8Array): number {
  const reader = new Reader(header);
  const version = reader.uint8();
  reader.uint8();
  const length = reader.uint16();
  if (version !== tpktVersion) throw new DecodeError(`TPKT version ${version}, not ${tpktVersion}`, 0);
  if (length < minPacketBytes || length > maxPacketBytes) throw new DecodeError(`a TPKT packet of ${length} bytes`, 2);
  return length;
}

/** What follows the TPKT header. */
export function decodeConfirm(bytes: Uint8Array): Negotiation {
  const reader = new Reader(bytes);
  const length = reader.uint8();
  const code = reader.uint8();
  if (code !== connectionConfirm) throw new DecodeError(`X.224 code ${code} is not a connection confirm`, 5);
  if (length !== bytes.length - 1) throw new DecodeError(`X.224 length ${length} in ${bytes.length} bytes`, 4);
  reader.bytes(5);
  if (reader.remaining === 0) return { kind: 'none' };
  const type = reader.uint8();
  reader.bytes(3);
  const value = reader.bytes(4).reduceRight((sum, byte) => sum * 256 + byte, 0);
  if (type === negotiationResponse) return { kind: 'selected', protocol: value };
  if (type === negotiationFailure) return { kind: 'failed', code: value };
  throw new DecodeError(`no such RDP negotiation: ${type}`, 11);
}

export const rdp = defineProbe({
  transport: 'tcp',
  port: 3389,
  about: {
    title: 'Remote Desktop Protocol',
    sends: 'one X.224 connection request (19 bytes) that offers TLS and CredSSP; no name, no cookie',
    proves: 'an X.224 connection confirm, with or without a choice of security',
    leaves: 'an unfinished connection; xrdp logs a few lines',
    reference: 'MS-RDPBCGR',
  },
  options: v.strictObject({}),

  async run(io) {
    const conn = await io.connect();
    await conn.write(encodeRequest());
    const length = decodeTpkt(await conn.read(tpktHeaderBytes));
    const negotiation = decodeConfirm(await conn.read(length - tpktHeaderBytes));
    await conn.end();
    if (negotiation.kind === 'none') {
      io.note('the RDP server does not negotiate: it knows only the legacy RDP security');
      return answered('an RDP server without negotiation', { security: 'RDP' });
    }
    if (negotiation.kind === 'failed') {
      const failure = failureNames.get(negotiation.code) ?? `code ${negotiation.code}`;
      io.note(`the RDP server agrees to none of TLS and CredSSP: ${failure}`);
      return answered(`an RDP server, no security agreed: ${failure}`, { failure });
    }
    const security = securityNames.get(negotiation.protocol) ?? `protocol ${negotiation.protocol}`;
    return answered(`an RDP server, security: ${security}`, { security });
  },
});
