/**
 * Plain UDP, where no protocol can be asked: an empty datagram, which services ignore without a log line. A refusal or a
 * reject that comes back says something about the path; silence says nothing. RFC 768; RFC 1122 section 4.1.3.3 (ICMP).
 */
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

  async run(io, _target, options) {
    const { bytes } = await io.exchange(bytesOf(options.payload), () => true);
    const firstBytes = Buffer.from(bytes.subarray(0, 16)).toString('hex');
    return {
      outcome: 'answered',
      detail: `${bytes.length} bytes came back`,
      evidence: { bytes: bytes.length, firstBytes },
    };
  },
});
