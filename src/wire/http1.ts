/**
 * HTTP/1.1 for one question and one answer: reads a response from a connection that is closed behind it. Everything is
 * bounded, and a body that goes on beyond the bound is cut. RFC 9112 sections 4 (status line), 5 (fields), 6 and 7 (body);
 * RFC 9110 section 15.2 (interim answers).
 */
import { endedAs } from '../model/errors.ts';
import type { Conn } from '../model/probe.ts';
import { printable } from './text.ts';
import { DecodeError } from './reader.ts';

const lineFeed = Uint8Array.of(0x0a);
const maxStatusLineBytes = 1024;
const maxHeaderBytes = 16 * 1024;
const maxHeaders = 64;
const maxInterim = 16;
const maxBodyBytes = 64 * 1024;
const maxChunks = 1024;

export interface HttpHead {
  readonly status: number;
  readonly reason: string;
  /** Names in lower case; the values of a repeated name joined by commas. */
  readonly headers: ReadonlyMap<string, string>;
}

export interface HttpResponse extends HttpHead {
  readonly body: Uint8Array;
}

export function decodeStatusLine(line: string): { readonly status: number; readonly reason: string } {
  const [, status, reason = ''] = /^HTTP\/1\.[01] (\d{3})(?: (.*))?$/.exec(line) ?? [];
  if (status === undefined || status < '100') throw new DecodeError(`not an HTTP status line: ${printable(line)}`, 0);
  return { status: Number(status), reason: printable(reason) };
}

export function decodeHeader(line: string): readonly [name: string, value: string] {
  const colon = line.indexOf(':');
  const name = line.slice(0, colon).toLowerCase();
  if (colon < 1 || !/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name))
    throw new DecodeError(`not an HTTP header: ${printable(line)}`, 0);
  return [name, line.slice(colon + 1).trim()];
}

export async function readResponse(conn: Conn): Promise<HttpResponse> {
  const head = await readHead(conn);
  return { ...head, body: await readBody(conn, head) };
}

/** Interim answers (1xx) may come before the one that counts, and mean nothing to a question without a body. */
export async function readHead(conn: Conn): Promise<HttpHead> {
  for (let count = 0; count < maxInterim; count += 1) {
    // Each says whether it is the last.
    const head = await readOneHead(conn);
    if (head.status === 101) throw new DecodeError('HTTP 101: it switches protocols, unasked', 0);
    if (head.status >= 200) return head;
  }
  throw new DecodeError(`more than ${maxInterim} interim answers`, 0);
}

async function readOneHead(conn: Conn): Promise<HttpHead> {
  // Another protocol shows in the first bytes, and may have no line to end.
  const start = textOf(await conn.read(4));
  if (start !== 'HTTP') throw new DecodeError(`not HTTP: ${printable(start)}`, 0);
  const { status, reason } = decodeStatusLine(start + (await readLine(conn, maxStatusLineBytes)));
  return { status, reason, headers: await readHeaders(conn) };
}

async function readHeaders(conn: Conn): Promise<ReadonlyMap<string, string>> {
  const headers = new Map<string, string>();
  let left = maxHeaderBytes;
  let last = '';
  for (let count = 0; count <= maxHeaders; count += 1) {
    // An empty line ends them.
    const line = await readLine(conn, left);
    if (line === '') return headers;
    left = Math.max(1, left - line.length);
    // A line that begins with a blank goes on with the one before (obs-fold).
    const isFolded = last !== '' && /^[ \t]/.test(line);
    const [name, value] = isFolded ? ([last, line.trim()] as const) : decodeHeader(line);
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}${isFolded ? ' ' : ', '}${value}`);
    last = name;
  }
  throw new DecodeError(`more than ${maxHeaders} HTTP headers`, 0);
}

export async function readBody(conn: Conn, { status, headers }: HttpHead): Promise<Uint8Array> {
  if (status === 204 || status === 304) return new Uint8Array();
  if (/\bchunked\s*$/i.test(headers.get('transfer-encoding') ?? '')) return readChunks(conn);
  const length = headers.get('content-length');
  if (length === undefined) return readToEnd(conn);
  // Said twice and the same it is one length (RFC 9110, 8.6).
  const [, digits] = /^(\d{1,15})(?:\s*,\s*\1)*$/.exec(length) ?? [];
  if (digits === undefined) throw new DecodeError(`Content-Length: ${printable(length)}`, 0);
  return conn.read(Math.min(Number(digits), maxBodyBytes));
}

async function readChunks(conn: Conn): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let left = maxBodyBytes;
  // Each chunk says how long it is, the last one that it is the last.
  while (left > 0 && chunks.length < maxChunks) {
    const line = await readLine(conn, maxStatusLineBytes);
    const [, size] = /^([0-9a-f]{1,8})\s*(?:;.*)?$/i.exec(line) ?? [];
    if (size === undefined) throw new DecodeError(`not the size of a chunk: ${printable(line)}`, 0);
    const length = Math.min(Number.parseInt(size, 16), left);
    if (length === 0) break;
    chunks.push(await conn.read(length));
    left -= length;
    if (left > 0) await readLine(conn, 2);
  }
  return Buffer.concat(chunks);
}

/** Without a length the end of the connection is the end of the body. */
async function readToEnd(conn: Conn): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let left = maxBodyBytes;
  try {
    while (left > 0) {
      const part = await conn.readSome(left);
      parts.push(part);
      left -= part.length;
    }
  } catch (error) {
    if (!endedAs(error, 'closed')) throw error;
  }
  return Buffer.concat(parts);
}

async function readLine(conn: Conn, maxBytes: number): Promise<string> {
  return textOf(await conn.readUntil(lineFeed, maxBytes)).replace(/\r?\n$/, '');
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
