/** What a proxy says, and what it is answered: response heads, challenges, RFC 7616's own examples. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeChallenge, decodeHead, digestAnswer } from '../../src/net/proxy.ts';
import { decodes } from '../support/failure.ts';
import { bytesOf } from '../support/real-io.ts';
import { patienceMs } from '../support/patience.ts';

describe('a response head', () => {
  test('has a status, a reason and header lines', () => {
    const head = decodeHead(
      bytesOf('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate:Basic realm="x"\r\nVia:  \r\n\r\n'),
    );
    expect(head).toEqual({
      status: 407,
      reason: 'Proxy Authentication Required',
      headers: [
        ['proxy-authenticate', 'Basic realm="x"'],
        ['via', ''],
      ],
    });
  });

  test.for(['HTTP/1.1 200\r\n\r\n', 'HTTP/1.0 200 \r\n\r\n', 'HTTP/1.1 200 OK\r\n\r\n'])('%j is a yes', (text) => {
    expect(decodeHead(bytesOf(text)).status).toBe(200);
  });

  test.for([
    '',
    '\r\n\r\n',
    'SSH-2.0-OpenSSH_9.2p1\r\n\r\n',
    'HTTP/2 200 OK\r\n\r\n',
    'HTTP/1.1 20 OK\r\n\r\n',
    'HTTP/1.1 2000 OK\r\n\r\n',
    'HTTP/1.1 200OK\r\n\r\n',
    'HTTP/1.1 200 OK\r\nno colon\r\n\r\n',
    'HTTP/1.1 200 OK\r\n: no name\r\n\r\n',
    `HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(101)}\r\n`,
  ])('%j is none', async (text) => {
    expect(await decodes(() => decodeHead(bytesOf(text)))).toBe(false);
  });

  test('of any bytes decodes or says that it does not', async () => {
    const line = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('HTTP/1.1 200 OK', 'a: b', ':', '\r\n'));
    const text = fc.array(line).map((lines) => lines.join('\r\n'));
    const bytes = fc.oneof(
      fc.uint8Array(),
      text.map((lines) => new Uint8Array(bytesOf(`HTTP/1.1 200 OK\r\n${lines}\r\n\r\n`))),
    );
    await fc.assert(
      fc.asyncProperty(bytes, async (any) => {
        expect(typeof (await decodes(() => decodeHead(any)))).toBe('boolean');
      }),
    );
  });
});

describe('a challenge', () => {
  test.for([
    ['Basic realm="xs"', 'basic', { realm: 'xs' }],
    ['  bAsIc', 'basic', {}],
    [
      'Digest realm="a, b", nonce=abc , qop="auth,auth-int"',
      'digest',
      { realm: 'a, b', nonce: 'abc', qop: 'auth,auth-int' },
    ],
    [
      String.raw`Digest realm="a\"b\\c", algorithm=SHA-256`,
      'digest',
      { realm: String.raw`a"b\c`, algorithm: 'SHA-256' },
    ],
    ['Digest realm="unfinished', 'digest', { realm: '"unfinished' }],
  ] as const)('%s', ([text, scheme, parameters]) => {
    const challenge = decodeChallenge(text);
    expect(challenge?.scheme).toBe(scheme);
    // An unfinished quote may be read either way: it is only handed back.
    if (!text.endsWith('unfinished')) expect(challenge?.parameters).toEqual(parameters);
  });

  test.for(['', 'Negotiate', 'NTLM TlRM', 'Basically realm="x"', 'Digestive'])('%j is none of ours', (text) => {
    expect(decodeChallenge(text)).toBeUndefined();
  });

  test('of any text is read in bounded time', () => {
    const part = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        'realm="',
        '\\',
        '"',
        '=',
        ',',
        'nonce=',
        ' '.repeat(2000),
        '\\"'.repeat(2000),
        'a-'.repeat(2000),
      ),
    );
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        const began = performance.now();
        const challenge = decodeChallenge(`Digest ${parts.join('')}`);
        expect(['digest', undefined]).toContain(challenge?.scheme);
        expect(performance.now() - began).toBeLessThan(patienceMs);
      }),
    );
  });
});

describe('a digest', () => {
  const responseIn = (answer: string | undefined): string | undefined =>
    /\bresponse="([0-9a-f]+)"/.exec(answer ?? '')?.[1];

  // RFC 7616 section 3.9.1.
  const example = {
    realm: 'http-auth@example.org',
    qop: 'auth, auth-int',
    nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
    opaque: 'FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS',
  };
  const cnonce = 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ';
  const mufasa = (algorithm?: string): string | undefined =>
    digestAnswer(
      { ...example, ...(algorithm !== undefined && { algorithm }) },
      'Mufasa',
      'Circle of Life',
      '/dir/index.html',
      cnonce,
      'GET',
    );

  test.for([
    ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
    [undefined, '8ca523f5e9506fed4657c9700eebdbec'],
    ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
  ] as const)('by %s is that of RFC 7616', ([algorithm, response]) => {
    expect(responseIn(mufasa(algorithm))).toBe(response);
  });

  test('has all its fields, so quoted as the RFC has them', () => {
    expect(mufasa('SHA-256')).toBe(
      [
        'Digest username="Mufasa"',
        'realm="http-auth@example.org"',
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"',
        'uri="/dir/index.html"',
        'response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"',
        'algorithm=SHA-256',
        'qop=auth',
        'nc=00000001',
        `cnonce="${cnonce}"`,
        'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"',
      ].join(', '),
    );
  });

  test('without qop is the old form', () => {
    // RFC 2069's example, with the response of its erratum 749.
    const challenge = { realm: 'testrealm@host.com', nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093' };
    const answer = digestAnswer(challenge, 'Mufasa', 'CircleOfLife', '/dir/index.html', 'unused', 'GET');
    expect(responseIn(answer)).toBe('1949323746fe6a43ef61f9606e7febea');
    expect(answer).not.toMatch(/qop|nc=|cnonce/);
  });

  test('of a session hashes both nonces in', () => {
    const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
    const ha1 = md5(`${md5(`Mufasa:${example.realm}:Circle of Life`)}:${example.nonce}:${cnonce}`);
    const want = md5(`${ha1}:${example.nonce}:00000001:${cnonce}:auth:${md5('GET:/dir/index.html')}`);
    expect(responseIn(mufasa('MD5-sess'))).toBe(want);
  });

  test('for a tunnel is over the authority, by CONNECT', () => {
    const sha = (text: string): string => createHash('sha512-256').update(text).digest('hex');
    const challenge = { realm: 'xs', nonce: 'n', qop: 'auth', algorithm: 'SHA-512-256' };
    const want = sha(`${sha('user:xs:secret')}:n:00000001:c:auth:${sha('CONNECT:repo.example.test:443')}`);
    expect(responseIn(digestAnswer(challenge, 'user', 'secret', 'repo.example.test:443', 'c'))).toBe(want);
  });

  test.for([{ algorithm: 'SHA-3' }, { algorithm: 'constructor' }, { qop: 'auth-int' }, { qop: '' }])(
    'that we do not speak (%j) has no answer',
    (parts) => {
      expect(digestAnswer({ realm: 'x', nonce: 'n', ...parts }, 'user', 'secret', 'a:443', 'c')).toBeUndefined();
    },
  );

  test('never lets a proxy write a header line of its own, or learn the password', () => {
    const parameter = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('a\r\nHost: evil', '"', '\\'));
    const challenge = fc.record(
      {
        realm: parameter,
        nonce: parameter,
        opaque: parameter,
        qop: fc.constantFrom('auth', 'auth,auth-int'),
        algorithm: fc.constantFrom('MD5', 'SHA-256', 'md5-sess', 'MD5\r\nX: y'),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(challenge, (parameters) => {
        const answer = digestAnswer(parameters, 'user', 'Correct-Horse', 'a:443', 'c') ?? '';
        expect(answer).not.toMatch(/[\r\n]/);
        expect(answer).not.toContain('Correct-Horse');
      }),
    );
  });
});
