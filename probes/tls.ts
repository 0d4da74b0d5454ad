/**
 * TLS over TCP, for services whose own protocol cannot be asked: the session comes up and the certificate is shown, and
 * by default judged as a client would. RFC 8446; RFC 9525 (names).
 */
import { answered } from '../src/model/outcome.ts';
import * as v from 'valibot';
import { defineProbe } from '../src/model/probe.ts';

/** `verify`: an unacceptable certificate is the outcome. `observe`: it is only evidence. */
export const Trust = v.optional(v.picklist(['verify', 'observe']), 'verify');

/** SNI and the name the certificate must hold, when it is not the host's. */
export const ServerName = v.optional(v.pipe(v.string(), v.nonEmpty(), v.maxLength(253)));

export const tls = defineProbe({
  transport: 'tcp',
  port: 443,
  about: {
    title: 'TLS session',
    sends: 'a ClientHello with the server name; after the handshake a close notification',
    proves: 'a TLS session and the chain of certificates; nothing about what is spoken inside',
    leaves: 'a connection without a request in the log of some servers',
    reference: 'RFC 8446',
    client:
      'OpenSSL 3 at its security level 2, as curl and winbind have it: TLS 1.2 or later, no client certificate, RSA keys of 2048 bits, no SHA-1, names by RFC 9525',
  },
  options: v.strictObject({ servername: ServerName, trust: Trust }),

  async run(io, _target, { servername, trust }) {
    const conn = await io.secure(await io.connect(), { trust, ...(servername !== undefined && { servername }) });
    await conn.end();
    // In TLS 1.3 the handshake ends here before the server has seen that we have no certificate: its "no" comes later.
    await io.closesWithin(conn, 0);
    return answered('the TLS session came up');
  },
});
