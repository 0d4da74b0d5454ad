/** Certificates with parts missing, weak or wrong: each is judged by its name, and none ends in a defect or holds a socket. */
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { makeAuthority as makeLabAuthority, soundLeaf } from '../../src/lab/certificate.ts';
import type { NetFailure } from '../../src/model/errors.ts';
import { describe as describeCertificate, judgeCertificate, observeCertificate } from '../../src/net/certificate.ts';
import { makeOdd, type Certificate, type OddOptions } from '../support/certificates.ts';
import { failureOf, listening, realIo } from '../support/real-io.ts';

const host = 'www.lab.example';
const named = `subjectAltName=DNS:${host}`;
const leafParts = ['basicConstraints=CA:FALSE', named];
const authorityParts = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign'];
const root = makeOdd({ subject: '/CN=Test Root', extensions: authorityParts });
const rsaRoot = makeOdd({ subject: '/CN=Test Root', extensions: authorityParts, key: 'rsa2048' });
const leaf = (parts: Partial<OddOptions> = {}): Certificate =>
  makeOdd({ subject: '/CN=somebody', extensions: leafParts, by: root, ...parts });
const below = (by: Certificate, parts: Partial<OddOptions> = {}): Certificate => {
  const own = leaf({ by, ...parts });
  return { ...own, certificate: own.certificate + by.certificate };
};

interface Told {
  readonly failure: NetFailure | undefined;
  readonly evidence: Readonly<Record<string, unknown>>;
  readonly warnings: readonly string[];
}

interface How {
  readonly name?: string;
  readonly trust?: readonly string[];
  readonly isPublicName?: boolean;
}

/** OpenSSL's own level keeps a server from showing what is weak. */
const anyLevel: TlsOptions = { ciphers: 'DEFAULT@SECLEVEL=0', maxVersion: 'TLSv1.2' };

async function toldOf({ certificate, key }: Certificate, how: How = {}, options: TlsOptions = anyLevel): Promise<Told> {
  const { name = host, trust = [root.certificate], isPublicName = false } = how;
  await using server = await listening(
    (socket) => socket.pipe(socket),
    (serve) => createTlsServer({ cert: certificate, key, ...options }, serve).on('tlsClientError', () => undefined),
  );
  await using attempt = realIo({ host: name, trust, port: server.port });
  const { evidence, warnings } = attempt.io;
  const conn = await attempt.io.connect();
  try {
    await attempt.io.secure(conn, { isPublicName });
    return { failure: undefined, evidence, warnings };
  } catch (error) {
    return { failure: await failureOf(Promise.reject(error)), evidence, warnings };
  }
}

describe('a certificate may lack', () => {
  test('a subject, when it has names', async () => {
    const { failure, evidence, warnings } = await toldOf(
      leaf({ subject: '/', extensions: [`subjectAltName=critical,DNS:${host}`, 'basicConstraints=CA:FALSE'] }),
    );
    expect(failure).toBeUndefined();
    expect(warnings).toEqual([]);
    expect(evidence['certificate']).toMatchObject({ subject: '', names: [host], issuer: 'CN=Test Root' });
  });

  test('an issuer', async () => {
    const nameless = makeOdd({ subject: '/', extensions: authorityParts });
    const { failure, evidence } = await toldOf(leaf({ by: nameless }));
    expect(failure).toMatchObject({ outcome: 'untrusted', hint: 'unknown-issuer' });
    expect(failure?.detail).toContain('issued by an issuer without a name');
    expect(evidence['certificate']).toMatchObject({ issuer: '' });
  });

  test('every name', async () => {
    const { failure } = await toldOf(leaf({ subject: '/', extensions: ['basicConstraints=CA:FALSE'] }));
    expect(failure).toMatchObject({ outcome: 'untrusted', hint: 'wrong-name' });
    expect(failure?.detail).toBe('the certificate is for nobody, not for www.lab.example');
  });

  test('a name in its chain', async () => {
    const nameless = makeOdd({ subject: '/', extensions: authorityParts, by: root });
    const { evidence } = await toldOf(below(nameless));
    expect(evidence['certificate']).toMatchObject({ chain: expect.arrayContaining(['']) as unknown });
  });

  test('a date that can be read, where the library makes one up', () => {
    const certificate = new X509Certificate(makeLabAuthority('A test authority').certificate);
    const madeUp = new Date(-2_766_000_000_000_000);
    for (const name of ['validTo', 'validFrom']) Object.defineProperty(certificate, name, { value: 'Bad time value' });
    for (const name of ['validToDate', 'validFromDate']) Object.defineProperty(certificate, name, { value: madeUp });
    expect(describeCertificate(certificate)).toMatchObject({ notBefore: null, notAfter: null });
    expect(observeCertificate({ certificate, fault: null }, Date.now()).warnings).toEqual([]);
  });

  test.for(['261332000000Z', '99991301000000'.slice(0, 12) + 'Z', '\0\0\0\0\0\0\0\0\0\0\0\0Z'])(
    'a date that can be read: %j',
    async (date) => {
      const authority = makeLabAuthority('A test authority');
      const { cert, key } = authority.issue(soundLeaf(host));
      const { raw, validToDate } = new X509Certificate(cert);
      const written = `${validToDate.toISOString().slice(2, 19).replaceAll(/\D/g, '')}Z`;
      const at = raw.lastIndexOf(written);
      expect(at).toBeGreaterThan(0);
      const bytes = Buffer.from(raw);
      bytes.write(date, at, 'latin1');
      const pem = `-----BEGIN CERTIFICATE-----\n${bytes.toString('base64')}\n-----END CERTIFICATE-----\n`;
      const { failure, evidence } = await toldOf({ certificate: pem, key }, { trust: [authority.certificate] });
      expect(failure?.outcome).toBe('untrusted');
      expect(evidence['certificate']).toMatchObject({ notAfter: null, names: [host] });
    },
  );
});

describe('a weak or wrong certificate is told by its name', () => {
  test.for([
    ['a short key', { key: 'rsa1024' }, /only 1024 bits/, /template of the CA/],
    ['SHA-1', { digest: 'sha1', key: 'rsa2048' }, /signed with SHA-1/, /template of the CA/],
    ['MD5', { digest: 'md5', key: 'rsa2048', by: rsaRoot }, /signed with MD5/, /template of the CA/],
    [
      'no purpose of servers',
      { extensions: [...leafParts, 'extendedKeyUsage=clientAuth'] },
      /not for servers/,
      /for servers/,
    ],
  ] as const)('%s', async ([, parts, detail, remedy]) => {
    const trust = [root.certificate, rsaRoot.certificate];
    const { failure } = await toldOf(leaf(parts), { trust });
    expect(failure).toMatchObject({ outcome: 'untrusted', stage: 'tls' });
    expect(failure?.detail).toMatch(detail);
    expect(failure?.remedy).toMatch(remedy);
  });

  test.for([
    ['a weak authority', { key: 'rsa1024' }, /authority Middle has a key of only 1024 bits/],
    ['an authority signed with SHA-1', { digest: 'sha1' }, /authority Middle is signed with SHA-1/],
    ['an issuer that is none', { extensions: ['basicConstraints=critical,CA:FALSE'] }, /is not an authority/],
    [
      'other names than its authority may give',
      { extensions: [...authorityParts, 'nameConstraints=critical,permitted;DNS:other.example'] },
      /name constraints/,
    ],
  ] as const)('%s', async ([, parts, detail]) => {
    const middle = makeOdd({ subject: '/CN=Middle', extensions: authorityParts, by: root, ...parts });
    const { failure } = await toldOf(below(middle));
    expect(failure).toMatchObject({ outcome: 'untrusted', stage: 'tls' });
    expect(failure?.detail).toMatch(detail);
  });

  test('a path that is longer than allowed', async () => {
    const short = makeOdd({ subject: '/CN=Short Root', extensions: ['basicConstraints=critical,CA:TRUE,pathlen:0'] });
    const middle = makeOdd({ subject: '/CN=Middle', extensions: authorityParts, by: short });
    const { failure } = await toldOf(below(middle), { trust: [short.certificate] });
    expect(failure?.detail).toMatch(/path length/);
  });

  test('a key on an old curve, which the handshake refuses before', async () => {
    const { failure } = await toldOf(leaf({ key: 'p192' }));
    expect(failure).toMatchObject({ outcome: 'tls-failed', stage: 'tls' });
    expect(failure?.detail).toMatch(/no common cipher or curve/);
  });

  test('an authority that expired before the leaf', () => {
    const middle = makeOdd({ subject: '/CN=Middle', extensions: authorityParts, by: root, untilDays: 5 });
    const own = new X509Certificate(leaf({ by: middle }).certificate);
    // The chain is known of certificates that came in a handshake only.
    Object.defineProperty(own, 'issuerCertificate', { value: new X509Certificate(middle.certificate) });
    const nowMs = Date.now() + 20 * 86_400_000;
    const shown = { certificate: own, fault: 'CERT_HAS_EXPIRED' };
    const { failure } = judgeCertificate(shown, {
      name: host,
      isPublicName: false,
      nowMs,
      rootOwner: () => 'public' as const,
    });
    expect(failure?.detail).toMatch(/^the certificate of the authority Middle expired on/);
    expect(failure?.remedy).toMatch(/current certificate of Middle/);
  });

  test('an intermediate that is not sent', async () => {
    const middle = makeOdd({ subject: '/CN=Middle', extensions: authorityParts, by: root });
    const aia = 'authorityInfoAccess=caIssuers;URI:http://pki.lab.example/middle.crt';
    const { failure } = await toldOf(leaf({ by: middle, extensions: [...leafParts, aia] }), { isPublicName: true });
    expect(failure).toMatchObject({ outcome: 'untrusted', hint: 'unknown-issuer' });
    expect(failure?.detail).toMatch(/its issuer Middle \(an intermediate\) is missing/);
    expect(failure?.remedy).toMatch(/send its whole chain/);
  });

  test('a signature that is wrong', async () => {
    const other = makeOdd({ subject: '/CN=Test Root', extensions: authorityParts });
    const { failure } = await toldOf(leaf({ by: other }));
    expect(failure?.outcome).toBe('untrusted');
  });

  test('a self-signed certificate of another name, in place of the vendor’s', async () => {
    const own = makeOdd({ subject: '/CN=router.lan', extensions: ['subjectAltName=DNS:router.lan'] });
    const { failure } = await toldOf(own, { isPublicName: true });
    expect(failure).toMatchObject({ outcome: 'untrusted', hint: 'wrong-name' });
    expect(failure?.detail).toMatch(/self-signed certificate for router\.lan answers/);
  });
});

test('a certificate of an unknown authority and of another name, in place of the vendor’s', async () => {
  const own = leaf({ extensions: ['subjectAltName=DNS:portal.lan'] });
  const { failure } = await toldOf(own, { isPublicName: true, trust: [] });
  expect(failure).toMatchObject({ outcome: 'untrusted', hint: 'wrong-name' });
  expect(failure?.detail).toMatch(/^a certificate of Test Root for portal\.lan answers/);
});

describe('names', () => {
  test.for([
    ['a common name alone', '/CN=www.lab.example', [], 'warning'],
    ['a wildcard in the common name alone', '/CN=*.lab.example', [], 'warning'],
    [
      'a common name beside another alternative name',
      '/CN=www.lab.example',
      ['subjectAltName=DNS:other.example'],
      'wrong-name',
    ],
    ['a common name beside an address', '/CN=www.lab.example', ['subjectAltName=IP:192.0.2.1'], 'wrong-name'],
    ['part of a label as a wildcard', '/CN=x', ['subjectAltName=DNS:w*.lab.example'], 'wrong-name'],
    ['a whole label as a wildcard', '/CN=x', ['subjectAltName=DNS:*.lab.example'], 'fine'],
    ['the name with a dot behind it', '/CN=x', [named], 'fine'],
  ] as const)('%s: %s', async ([what, subject, extensions, verdict]) => {
    const name = what.includes('dot') ? `${host}.` : host;
    const { failure, warnings } = await toldOf(
      leaf({ subject, extensions: ['basicConstraints=CA:FALSE', ...extensions] }),
      { name },
    );
    expect(failure?.hint).toBe(verdict === 'wrong-name' ? 'wrong-name' : undefined);
    expect(warnings).toEqual(verdict === 'warning' ? [expect.stringContaining('common name alone')] : []);
  });

  test('an address among the names of hosts is no address', async () => {
    const { failure } = await toldOf(leaf({ extensions: ['subjectAltName=DNS:127.0.0.1'] }), { name: '127.0.0.1' });
    expect(failure?.detail).toBe('the certificate has 127.0.0.1 as a DNS name, not as an address');
  });

  test('an address of a link is looked for without its zone', () => {
    const { certificate } = leaf({ extensions: ['subjectAltName=IP:fe80::1'] });
    const shown = { certificate: new X509Certificate(certificate), fault: null };
    const options = { isPublicName: false, nowMs: Date.now(), rootOwner: () => 'public' as const };
    expect(judgeCertificate(shown, { ...options, name: 'fe80::1%eth0' })).toEqual({ warnings: [] });
    expect(judgeCertificate(shown, { ...options, name: 'fe80::2%eth0' }).failure?.hint).toBe('wrong-name');
  });
});

describe('interception', () => {
  const intercepted = /^a certificate of Test Root answered, not the vendor's/;

  test('is told of a public name whose root only this machine trusts', async () => {
    const { failure, warnings } = await toldOf(leaf(), { isPublicName: true });
    expect(failure).toBeUndefined();
    expect(warnings).toEqual([expect.stringMatching(intercepted)]);
  });

  test('is told below an intermediate as well', async () => {
    const middle = makeOdd({ subject: '/CN=Middle', extensions: authorityParts, by: root });
    const { warnings } = await toldOf(below(middle), { isPublicName: true });
    expect(warnings).toEqual([expect.stringContaining('a certificate of Middle answered')]);
  });

  test('is none where the name is the site’s own', async () => {
    expect((await toldOf(leaf())).warnings).toEqual([]);
  });
});
