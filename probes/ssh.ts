/**
 * SSH: the server's identification line, which it sends first. We answer with our own and a disconnect message, so that
 * its log shows a connectivity probe and not a broken handshake. RFC 4253 sections 4.2 (identification) and 11.1.
 */
import { answered, declined } from '../src/model/outcome.ts';
import * as v from 'valibot';
import { defineProbe, type Conn } from '../src/model/probe.ts';
import { encodeWords } from '../src/wire/xdr.ts';
import { printable } from '../src/wire/text.ts';
import { DecodeError } from '../src/wire/reader.ts';

const lineFeed = Uint8Array.of(0x0a);
const maxLineBytes = 255;

/** A server may say other things before its identification. */
const maxLines = 20;

/** What OpenSSH says instead of its identification when it is too busy or has had enough of this address. */
const brushOffs = new Set(['Exceeded MaxStartups', 'Not allowed at this time']);

/** First lines of other protocols, whose servers then wait for the client. */
const otherGreeting = /^(?:HTTP\/\d|RFB \d|\d{3}[ -]|\+OK|\* OK)/;

const ourIdentification = 'SSH-2.0-xenreach\r\n';
const disconnect = 1;
const byApplication = 11;
const farewell = 'connectivity probe';

export interface Identification {
  readonly protocol: string;
  readonly software: string;
  readonly comment: string | null;
}

/** Null for a line that is something else. */
export function decodeIdentification(line: string): Identification | null {
  const parts = /^SSH-(\d{1,3}\.\d{1,3})-([!-~]+)(?: (.*))?$/.exec(line);
  if (!parts) return null;
  const [, protocol = '', software = '', comment] = parts;
  return { protocol, software, comment: comment === undefined ? null : printable(comment) };
}

/*
   | packet length, 4 | padding length, 1 | message, 1 | reason, 4 | description: length, text | language: 0 | padding |
   The packet is a multiple of 8 bytes with at least 4 of padding; no encryption is agreed yet.
*/
export function encodeDisconnect(): Uint8Array {
  const text = Buffer.from(farewell);
  const payload = Buffer.concat([
    Uint8Array.of(disconnect),
    encodeWords(byApplication, text.length),
    text,
    encodeWords(0),
  ]);
  const padding = 4 + ((8 - ((4 + 1 + payload.length + 4) % 8)) % 8);
  const length = encodeWords(1 + payload.length + padding);
  return Buffer.concat([length, Uint8Array.of(padding), payload, new Uint8Array(padding)]);
}

export const ssh = defineProbe({
  transport: 'tcp',
  port: 22,
  about: {
    title: 'Secure Shell',
    sends: 'our identification line and a disconnect message, once the server has identified itself',
    proves: 'an identification line of SSH 2',
    leaves: 'one log line: "Received disconnect ... connectivity probe"',
    reference: 'RFC 4253',
  },
  options: v.strictObject({}),

  async run(io) {
    const conn = await io.connect();
    const line = await readIdentification(conn);
    if (brushOffs.has(line)) {
      await conn.end();
      return declined(`the SSH server turns us away: ${line}`);
    }
    const identification = decodeIdentification(line);
    if (!identification) throw new DecodeError(`not an SSH identification: ${printable(line)}`, 0);
    await conn.end(Buffer.concat([Buffer.from(ourIdentification), encodeDisconnect()]));

    const { protocol, software, comment } = identification;
    const evidence = { protocol, software, comment };
    if (protocol !== '2.0' && protocol !== '1.99') {
      return declined(`the server speaks SSH ${protocol}, not SSH 2`, evidence);
    }
    return answered(`SSH ${protocol}, ${software}`, evidence);
  },
});

/** The first line that is an identification, a refusal, or the greeting of some other protocol. */
async function readIdentification(conn: Conn): Promise<string> {
  for (let count = 0; count < maxLines; count += 1) {
    // Each line decides whether there is another.
    const bytes = await conn.readUntil(lineFeed, maxLineBytes);
    const line = Buffer.from(bytes)
      .toString('latin1')
      .replace(/\r?\n$/, '');
    if (line.startsWith('SSH-') || brushOffs.has(line) || otherGreeting.test(line)) return line;
  }
  throw new DecodeError(`no SSH identification in ${maxLines} lines`, 0);
}
