/**
 * The management API of a XenServer or XCP-ng host: `system.isAlive:<uuid>` needs no session and gives back the UUID
 * that we made up, so only XAPI, answering now, can pass. The certificate is recorded and not judged: hosts are
 * installed with a self-signed one. The pool's own certificate hides behind the server name `xapi:pool`.
 * XenServer Management API, wire protocol.
 */
import * as v from 'valibot';
import { bracketed, sentHost } from '../src/model/address.ts';
import { NetError } from '../src/model/errors.ts';
import { answered, declined, type Answer } from '../src/model/outcome.ts';
import { defineProbe, type ProbeIo, type Target } from '../src/model/probe.ts';
import { readResponse, type HttpResponse } from '../src/wire/http1.ts';
import { printable } from '../src/wire/text.ts';
import { DecodeError } from '../src/wire/reader.ts';

const poolServerName = 'xapi:pool';

/** XAPI answers, and says that it cannot work. */
const cannotServe = new Map([
  ['HOST_IN_EMERGENCY_MODE', 'the host is in emergency mode: it cannot reach its coordinator'],
  ['HOST_STILL_BOOTING', 'the host is still starting'],
]);

/** XAPI's error pages say one of these. */
const xapiWords = /Access to the requested resource is forbidden|Xapi Server/;
const productTitle = /<title>[^<]{0,200}?(?:XenServer|XCP-ng|Citrix Hypervisor)/i;

const Failure = v.union([
  v.looseObject({ message: v.string(), data: v.optional(v.array(v.unknown()), []) }),
  v.tupleWithRest([v.string()], v.unknown()),
]);
const Returned = v.looseObject({ result: v.string() });
const Failed = v.looseObject({ error: Failure });

export type CallAnswer =
  | { readonly kind: 'result'; readonly result: string }
  | { readonly kind: 'error'; readonly code: string; readonly parameters: readonly string[] };

/** Both generations of JSON-RPC: the error is an object with message and data, or an array that begins with the code. */
export function decodeCallAnswer(body: Uint8Array): CallAnswer {
  const value = parseJson(Buffer.from(body).toString('utf8'));
  const returned = v.safeParse(Returned, value);
  if (returned.success) return { kind: 'result', result: returned.output.result };
  const failed = v.safeParse(Failed, value);
  if (!failed.success) throw notXapi('a JSON body that is no answer to a call');
  const { error } = failed.output;
  const [code, ...rest] = Array.isArray(error) ? error : [error.message, ...error.data];
  const parameters = rest.slice(0, 8).map(textOf);
  return { kind: 'error', code: printable(code), parameters };
}

/** XAPI's parameters are texts. Other JSON is not unfolded: it may be as deep as the body is long. */
function textOf(parameter: unknown): string {
  if (typeof parameter === 'string') return printable(parameter);
  return typeof parameter === 'object' && parameter !== null ? '…' : String(parameter);
}

export const xapi = defineProbe({
  transport: 'tcp',
  port: 443,
  about: {
    title: 'XenServer management API',
    sends: 'one `system.isAlive` call with a random UUID, without a session; GET / where that is not understood',
    proves: 'XAPI answers: it gave our UUID back',
    leaves: 'a debug line in xensource.log',
    reference: 'XenServer Management API, wire protocol',
    client:
      'another XAPI of the pool: TLS 1.2 or later, the certificate of a host checked against the pool only where that is switched on (xapi-project/xen-api, certificate checking), so it is observed here',
  },
  options: v.strictObject({
    /** False for port 80. */
    tls: v.optional(v.boolean(), true),
    /** Look at the pool's certificate too, on a second connection. */
    pool: v.optional(v.boolean(), true),
    /** SHA-256 of the certificates that members show each other: the pool verifies them, so it must be one of these. */
    poolCertificates: v.optional(v.array(v.string())),
  }),

  async run(io, target, { tls, pool, poolCertificates }) {
    const uuid = uuidFrom(io.random(16));
    const response = await ask(io, tls, callOf(target, uuid));
    const answer =
      response.status === 200 ? judgeCall(decodeCallAnswer(response.body), uuid) : await judgePage(response);
    if (tls && pool && answer.outcome === 'answered') await lookAtPoolCertificate(io, poolCertificates);
    return answer;

    async function judgePage(refused: HttpResponse): Promise<Answer> {
      if (refused.status >= 500) {
        const detail = `HTTP ${refused.status}: the web server is up, the API behind it is not`;
        return declined(detail, { httpStatus: refused.status });
      }
      const page = isXapiPage(refused) ? refused : await ask(io, tls, pageOf(target));
      if (!isXapiPage(page)) throw notXapi(`HTTP ${refused.status} ${refused.reason}`);
      io.note(`XAPI's web server answers, but does not take calls here (HTTP ${refused.status})`);
      const evidence = { httpStatus: refused.status };
      return answered(`XAPI's web server answers: HTTP ${page.status}`, evidence);
    }
  },
});

async function ask(io: ProbeIo, tls: boolean, request: Uint8Array): Promise<HttpResponse> {
  const plain = await io.connect();
  const conn = tls ? await io.secure(plain, { trust: 'observe', evidenceName: 'certificate' }) : plain;
  await conn.write(request);
  const response = await readResponse(conn);
  await conn.end();
  return response;
}

function judgeCall(answer: CallAnswer, uuid: string): Answer {
  if (answer.kind === 'result') {
    if (answer.result !== uuid) throw notXapi('the call did not give our UUID back');
    return answered('XAPI answers');
  }
  const { code, parameters } = answer;
  const trouble = cannotServe.get(code);
  if (trouble !== undefined) return declined(`XAPI answers, but ${trouble}`, { error: code });
  if (!/^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$/.test(code)) throw notXapi(`the error "${code}"`);
  const [coordinator] = code === 'HOST_IS_SLAVE' ? parameters : [];
  const evidence = { error: code, ...(coordinator !== undefined && { coordinator }) };
  return answered(`XAPI answers: ${code}`, evidence);
}

/** XAPI's redirect to HTTPS has no body and names no server. */
function isXapiPage({ status, headers, body }: HttpResponse): boolean {
  if (status === 301) {
    return body.length === 0 && !headers.has('server') && /^https:\/\//i.test(headers.get('location') ?? '');
  }
  const text = Buffer.from(body).toString('latin1');
  return xapiWords.test(text) || (status === 200 && productTitle.test(text));
}

async function lookAtPoolCertificate(io: ProbeIo, pins: readonly string[] | undefined): Promise<void> {
  try {
    const conn = await io.secure(await io.connect(), {
      servername: poolServerName,
      trust: 'observe',
      evidenceName: 'poolCertificate',
      pins,
    });
    if (pins) io.note("its certificate for members is one that the pool knows, as the pool's TLS verification wants");
    await conn.end();
  } catch (error) {
    if (pins && error instanceof NetError && error.failure.outcome === 'untrusted') throw unknownToPool(error);
    // The API has answered already: this certificate is only further evidence, and older releases have none.
    if (!(error instanceof NetError)) throw error;
    io.note(`the pool certificate could not be seen: ${error.message}`);
  }
}

/** Members that verify each other turn this host away, whatever else it answers. */
const unknownToPool = ({ failure }: NetError): NetError =>
  new NetError({
    ...failure,
    detail: `under the name ${poolServerName} ${failure.detail} to the pool, whose members verify each other`,
    remedy: 'Compare it with the pool: xe certificate-list type=host_internal; after a change discover the pool anew.',
  });

/** XAPI reads at most 1024 bytes of headers, wants a Content-Length, and keeps a connection open unless told. */
function callOf({ host }: Target, uuid: string): Uint8Array {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: `system.isAlive:${uuid}`, params: [uuid] });
  const head = `POST /jsonrpc HTTP/1.1\r\n${commonHeaders(host)}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
  return Buffer.from(head + body);
}

const pageOf = ({ host }: Target): Uint8Array => Buffer.from(`GET / HTTP/1.1\r\n${commonHeaders(host)}\r\n`);

const commonHeaders = (host: string): string =>
  `Host: ${bracketed(sentHost(host))}\r\nUser-Agent: xenreach\r\nConnection: close\r\n`;

/** Version 4, RFC 9562 section 5.4. */
function uuidFrom(random: Uint8Array): string {
  const bytes = Buffer.from(random);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw notXapi('the answer is not JSON');
  }
}

const notXapi = (what: string): DecodeError => new DecodeError(`HTTP, but not XAPI: ${what}`, 0);
