/**
 * Syslog over UDP is one-way: a collector never answers, so only a refusal says anything.
 * By default an empty datagram goes out, which collectors do not log; on request one marked message that the collector's
 * administrator can look up. RFC 5426; RFC 5424 section 6.
 */
import * as v from 'valibot';
import { defineProbe } from '../src/model/probe.ts';
import { printable } from '../src/wire/text.ts';
import { DecodeError } from '../src/wire/reader.ts';

/** Facility 5 (syslog itself), severity 6 (informational). */
const priority = 5 * 8 + 6;

export function encodeMessage(atMs: number, mark: string): Uint8Array {
  return Buffer.from(`<${priority}>1 ${new Date(atMs).toISOString()} - xenreach - - - connectivity probe ${mark}`);
}

export const syslog = defineProbe({
  transport: 'udp',
  port: 514,
  about: {
    title: 'Syslog over UDP',
    sends:
      'an empty datagram, again while nothing comes; with `message: true` instead one marked informational message',
    proves: 'nothing: a collector is silent by design. A refusal shows that none listens',
    leaves: 'nothing; with `message: true` one line "connectivity probe" and a mark',
    reference: 'RFC 5426, RFC 5424',
  },
  options: v.strictObject({
    /** Send a message that can be looked up at the collector. */
    message: v.optional(v.boolean(), false),
  }),
  traceable: { message: true },
  onSilence: ({ address }) => `Syslog is one-way: look for a message from this machine in the collector on ${address}.`,

  async run(io, _target, { message }) {
    const mark = message ? Buffer.from(io.random(4)).toString('hex') : null;
    if (mark !== null) {
      io.record({ mark });
      io.note(`look for "connectivity probe ${mark}" at the collector`);
    }
    const datagram = mark === null ? new Uint8Array() : encodeMessage(io.now(), mark);
    const { bytes } = await io.exchange(datagram, () => true, mark === null ? {} : { maxSends: 1 });
    throw new DecodeError(
      `a syslog collector never answers, but ${bytes.length} bytes came: ${printable(bytes, 40)}`,
      0,
    );
  },
});
