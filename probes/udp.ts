/**
 * Plain UDP, where no protocol can be asked: an empty datagram, which services ignore without a log line. A refusal or a
 * reject that comes back says something about the path; silence says nothing. RFC 768; RFC 1122 section 4.1.3.3 (ICMP).
 */
import { answered } from '../src/model/outcome.ts';
import * as v from 'valibot';
import { defineProbe } from '../src/model/probe.ts';
import { Bytes, bytesOf } from '../src/wire/bytes-text.ts';

export const udp = defineProbe({
  transport: 'udp',
  port: 0,
  about: {
    title: 'UDP datagram',
    sends: 'a datagram without a payload, again as often as `--retries` says, unless `payload` says what',
    proves: 'a reply proves a listener; a refusal, that the packets get there; silence proves nothing',
    leaves: 'nothing',
    reference: 'RFC 768',
  },
  options: v.strictObject({ payload: v.optional(Bytes, '') }),
  onSilence: ({ address, port }) =>
    `Nothing on UDP ${port} has to answer: prove it from the other end, by a capture on ${address} or by the service's own state.`,

  async run(io, _target, options) {
    const { bytes } = await io.exchange(payloadOf(options.payload), anything);
    const firstBytes = bytes.subarray(0, 16).toHex();
    return answered(`${bytes.length} bytes came back`, { bytes: bytes.length, firstBytes });
  },
});

const anything = (): boolean => true;

let last: { readonly text: string; readonly bytes: Uint8Array } = { text: '', bytes: new Uint8Array() };

/** All hosts of a row are asked the same pattern. */
function payloadOf(text: string): Uint8Array {
  if (text !== last.text) last = { text, bytes: bytesOf(text) };
  return last.bytes;
}
