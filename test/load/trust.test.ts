/** Trusted roots in every form that people have them, and what else is taken for one. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { readTrust } from '../../src/load/trust.ts';
import { UsageError } from '../../src/model/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'xenreach-trust-'));
const pem = readFileSync('fixtures/sites/corp-ca.pem', 'latin1');
const der = Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
const file = join(folder, 'roots.pem');

afterAll(() => rmSync(folder, { recursive: true }));

function trustOf(text: string | Uint8Array): string[] {
  writeFileSync(file, text, 'latin1');
  return readTrust([file]);
}

const pemOf = (label: string, bytes: Uint8Array): string =>
  `-----BEGIN ${label}-----\n${Buffer.from(bytes).toString('base64').replaceAll(/.{64}/g, '$&\n')}\n-----END ${label}-----\n`;

/** A DER element with its length in two bytes. */
const element = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, 0x82, content.length >> 8, content.length & 255]), content]);
};
const oid = (hex: string): Buffer => Buffer.from(hex, 'hex');

/** ContentInfo { signedData, SignedData { 1, {}, data, [0] certificates, {} } } without any signer: a `.p7b` file. */
const pkcs7 = (...certificates: readonly Uint8Array[]): Buffer =>
  element(
    0x30,
    oid('06092a864886f70d010702'),
    element(
      0xa0,
      element(
        0x30,
        oid('0201013100'),
        element(0x30, oid('06092a864886f70d010701')),
        element(0xa0, ...certificates),
        oid('3100'),
      ),
    ),
  );

describe('a certificate is taken', () => {
  test('from any place in a file, as often as it stands there', () => {
    expect(trustOf(`subject=a root\n${pem}\r\n# the second\n${pem.replaceAll('\n', '\r\n')}`)).toEqual([pem, pem]);
    expect(readTrust([])).toEqual([]);
  });

  test.for([
    ['with blanks at the ends of its lines', pem.replaceAll('\n', ' \t\n')],
    ['with blanks in front of them', pem.replaceAll(/^/gm, '    ')],
    ['quoted in a mail', pem.replaceAll(/^/gm, '> ')],
    ['behind a byte order mark', `\xef\xbb\xbf${pem}`],
    ['with the line ends of an old Mac', pem.replaceAll('\n', '\r')],
    ['without a last line end', pem.trimEnd()],
    ['called an X509 CERTIFICATE', pemOf('X509 CERTIFICATE', der)],
    [
      'with what it is trusted for behind it',
      pemOf('TRUSTED CERTIFICATE', Buffer.concat([der, oid('300c300a06082b06010505070301')])),
    ],
    ['as DER', der],
    ['in a PKCS #7 container', pkcs7(der)],
    ['in one that is PEM', pemOf('PKCS7', pkcs7(der))],
    ['beside a key', `${pemOf('PRIVATE KEY', Buffer.alloc(48, 1))}${pem}`],
  ] as const)('%s', ([, text]) => {
    expect(trustOf(text)).toEqual([pem]);
  });

  test('as often as a container holds one', () => {
    expect(trustOf(pkcs7(der, der))).toEqual([pem, pem]);
  });

  test('as openssl writes it', () => {
    const trusted = execFileSync('openssl', [
      'x509',
      '-in',
      'fixtures/sites/corp-ca.pem',
      '-trustout',
      '-addtrust',
      'serverAuth',
    ]);
    const p7b = execFileSync('openssl', ['crl2pkcs7', '-nocrl', '-certfile', 'fixtures/sites/corp-ca.pem']);
    expect([trustOf(trusted), trustOf(p7b)]).toEqual([[pem], [pem]]);
  });
});

test.for([
  ['nothing', '', ':1 is empty'],
  ['no certificate at all', 'hello\n', ':1 holds no certificate; give a PEM file'],
  ['a key only', pemOf('PRIVATE KEY', Buffer.alloc(48)), ':1 holds no certificate but a private key, which belongs'],
  ['an encrypted one', pemOf('ENCRYPTED PRIVATE KEY', Buffer.alloc(48)), 'but a private key'],
  ['a public key', pemOf('PUBLIC KEY', Buffer.alloc(48)), 'but a public key'],
  ['a request', pemOf('NEW CERTIFICATE REQUEST', Buffer.alloc(48)), 'but a request for a certificate'],
  ['a list of revoked ones', pemOf('X509 CRL', Buffer.alloc(48)), 'but a list of revoked certificates'],
  ['a key of SSH', 'ssh-ed25519 AAAAC3 root@xs01\n', 'but a key of SSH'],
  ['a PKCS #12 store', oid('308204d80201033082049e06092a864886f70d010701'), 'is a PKCS #12 store (.p12, .pfx)'],
  ['some other DER', oid('3003020101'), 'is DER, but no certificate that can be read'],
  ['UTF-16', Buffer.from(`\ufeff${pem}`, 'utf16le'), 'is UTF-16 text; save it as UTF-8 or ASCII'],
  ['a web page', '<!doctype html><html>', 'is a web page; a download went wrong'],
  ['base64 alone', der.toString('base64'), 'the lines -----BEGIN CERTIFICATE----- and END are missing'],
  [
    'dashes that a word processor changed',
    pem.replaceAll('-----', '\u0097-'),
    'a line such as -----BEGIN CERTIFICATE----- is damaged',
  ],
  ['one that is cut short', `\n${pem.slice(0, 300)}`, ':2 the certificate that begins here has no end'],
  [
    'one that is cut short before another',
    `${pem.slice(0, 300)}\n${pem}`,
    ':1 the certificate that begins here has no end',
  ],
  ['a damaged second one', `${pem}${pem.replace(/MII./, 'AAAA')}`, 'is not a certificate that can be read'],
] as const)('%s is told with file and line', ([, text, message]) => {
  expect(() => trustOf(text)).toThrow(UsageError);
  expect(() => trustOf(text)).toThrow(message);
});

test('a file that is not there is told', () => {
  expect(() => readTrust([join(folder, 'none.pem')])).toThrow('none.pem: there is no such file; check the name');
});

test('any damage gives certificates or a UsageError', () => {
  fc.assert(
    fc.property(fc.nat(pem.length), fc.nat(60), fc.string(), (at, length, put) => {
      const damaged = pem.slice(0, at) + put + pem.slice(at + length);
      expect(outcomeOf(damaged)).toMatch(/^(?:1|UsageError)$/);
    }),
    { numRuns: 200 },
  );
  const container = pkcs7(der);
  fc.assert(
    fc.property(fc.nat(container.length), fc.uint8Array({ maxLength: 60 }), (at, put) => {
      const damaged = Buffer.concat([container.subarray(0, at), put, container.subarray(at + put.length)]);
      expect(outcomeOf(damaged)).toMatch(/^(?:\d|UsageError)$/);
    }),
    { numRuns: 200 },
  );
});

function outcomeOf(text: string | Uint8Array): string {
  try {
    return String(trustOf(text).length);
  } catch (error) {
    return error instanceof Error ? error.name : 'thrown';
  }
}
