/**
 * A host's name has an address: asked of this machine's own configuration (hosts file, then its DNS servers), because
 * that is what the services on it will use. Nothing is sent to the host itself. RFC 1035.
 */
import { answered } from '../src/model/outcome.ts';
import * as v from 'valibot';
import { defineProbe } from '../src/model/probe.ts';

export const resolve = defineProbe({
  transport: 'udp',
  port: 53,
  perAddress: false,
  about: {
    title: 'Name resolution',
    sends: 'A and AAAA questions to the DNS servers this machine is configured with',
    proves:
      'the name has an address here that a packet can be sent to; not that it is the right one. A DNS server that had to be passed over is a warning',
    client:
      'the C library: hosts(5) first, then resolv.conf(5) with `search` (of any length), `ndots`, `timeout`, `attempts` and `rotate`; the next server after silence, SERVFAIL, NOTIMP and REFUSED',
    leaves: 'a query in the log of those DNS servers',
    reference: 'RFC 1035',
  },
  options: v.strictObject({}),

  async run(io, target) {
    const addresses = await io.resolve(target.host);
    return answered(`${target.host} is ${addresses.join(', ')}`, { addresses });
  },
});
