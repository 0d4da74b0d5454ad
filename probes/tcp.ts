/**
 * Plain TCP: a completed handshake means that the listener, or a middlebox in its place, accepts. For a protocol without
 * a probe, bytes can be sent and a pattern expected. RFC 9293 section 3.5.
 */
import * as v from 'valibot';
import { answered, type Answer } from '../src/model/outcome.ts';
import type { Conn } from '../src/model/probe.ts';
import { defineProbe } from '../src/model/probe.ts';
import { Bytes, bytesOf } from '../src/wire/bytes-text.ts';
import { DecodeError } from '../src/wire/reader.ts';
import { printable } from '../src/wire/text.ts';

/** This much of the reply is searched for the pattern. */
const maxReplyBytes = 4096;

const completed: Answer = answered('handshake completed');

export const tcp = defineProbe({
  transport: 'tcp',
  port: 0,
  about: {
    title: 'TCP connection',
    sends: 'nothing but the handshake, unless `send` says what',
    proves: 'a listener accepted the connection, or a middlebox in its name; with `expect`, that it said so',
    leaves: 'an accepted and closed connection in the log of services that count them',
    reference: 'RFC 9293',
  },
  options: v.strictObject({
    send: v.optional(Bytes),
    /** A regular expression over the first bytes that come back, as Latin-1 text. */
    expect: v.optional(v.pipe(v.string(), v.nonEmpty(), v.check(isPattern, 'expected a regular expression'))),
    /** Watch the connection this long: some middleboxes accept everything and close at once. */
    linger: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(10_000)), 0),
  }),

  answerOnConnect: ({ send, expect, linger }) =>
    send === undefined && expect === undefined && linger === 0 ? completed : undefined,

  async run(io, _target, options) {
    const conn = await io.connect();
    if (options.send !== undefined) await conn.write(bytesOf(options.send));
    if (options.expect !== undefined) {
      const reply = await readUntilMatch(conn, new RegExp(options.expect, 's'));
      await conn.end();
      return answered(`the expected reply came: ${reply}`, { reply });
    }
    if (options.linger > 0 && (await io.closesWithin(conn, options.linger))) {
      io.warn('accepted and closed at once: a middlebox may have answered, or the service does not want us');
      return answered('handshake completed', { acceptedThenClosed: true });
    }
    return completed;
  },
});

async function readUntilMatch(conn: Conn, pattern: RegExp): Promise<string> {
  let text = '';
  while (text.length < maxReplyBytes) {
    // Reads until the pattern matches or the limit is reached.
    text += Buffer.from(await conn.readSome(maxReplyBytes - text.length)).toString('latin1');
    if (pattern.test(text)) return printable(text);
  }
  throw new DecodeError(`the first ${maxReplyBytes} bytes do not match ${pattern.source}`, 0);
}

function isPattern(source: string): boolean {
  try {
    return new RegExp(source, 's') instanceof RegExp;
  } catch {
    return false;
  }
}
