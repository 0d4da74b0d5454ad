/** What a proxy says, and what it is answered: response heads, challenges, RFC 7616's own examples. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeChallenges, type Challenge } from '../../src/net/challenge.ts';
import { digestAnswer, strongestDigest } from '../../src/net/digest.ts';
import { squidReason } from '../../src/net/proxy-refusal.ts';
import { decodeHead } from '../../src/net/proxy.ts';
import { decodes } from '../support/endings.ts';
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
      headers: new Map([
        ['proxy-authenticate', 'Basic realm="x"'],
        ['via', ''],
      ]),
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

describe('a list of challenges', () => {
  const told = (...lines: string[]): (readonly [string, Record<string, string>])[] =>
    decodeChallenges(lines).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

  test.for([
    [['Basic realm="xs"'], [['basic', { realm: 'xs' }]]],
    [['  bAsIc'], [['basic', {}]]],
    [['Basic realm = "xs" , Charset=UTF-8'], [['basic', { realm: 'xs', charset: 'UTF-8' }]]],
    [
      [String.raw`Digest realm="a\"b\\c", algorithm=SHA-256`],
      [['digest', { realm: String.raw`a"b\c`, algorithm: 'SHA-256' }]],
    ],
    // One line for all of them.
    [
      ['NEGOTIATE,NTLM,BASIC realm="example"'],
      [
        ['negotiate', {}],
        ['ntlm', {}],
        ['basic', { realm: 'example' }],
      ],
    ],
    [
      ['Negotiate, Digest realm="a, b", nonce=abc, qop="auth,auth-int"'],
      [
        ['negotiate', {}],
        ['digest', { realm: 'a, b', nonce: 'abc', qop: 'auth,auth-int' }],
      ],
    ],
    [
      ['Digest realm="x", nonce="n", Basic realm="y"'],
      [
        ['digest', { realm: 'x', nonce: 'n' }],
        ['basic', { realm: 'y' }],
      ],
    ],
    [
      ['Basic realm="y", Digest realm="x", nonce="n"'],
      [
        ['basic', { realm: 'y' }],
        ['digest', { realm: 'x', nonce: 'n' }],
      ],
    ],
    // RFC 9110's own example, empty elements, and a line for each.
    [
      ['Basic realm="simple", Newauth realm="apps", type=1, title="Login to \\"apps\\""'],
      [
        ['basic', { realm: 'simple' }],
        ['newauth', { realm: 'apps', type: '1', title: 'Login to "apps"' }],
      ],
    ],
    [
      [', ,NTLM,, Basic realm="x",'],
      [
        ['ntlm', {}],
        ['basic', { realm: 'x' }],
      ],
    ],
    [
      ['Negotiate', 'NTLM', 'Basic realm="x"'],
      [
        ['negotiate', {}],
        ['ntlm', {}],
        ['basic', { realm: 'x' }],
      ],
    ],
    // A token of the scheme's own is no parameter, also when it ends like one.
    [
      ['NTLM TlRMTVNTUAACAAAA==, Basic realm="x"'],
      [
        ['ntlm', {}],
        ['basic', { realm: 'x' }],
      ],
    ],
    // What is no challenge is passed over.
    [['realm="nobody\'s", "quoted", Basic'], [['basic', {}]]],
    [['Basic realm="a", realm="b"'], [['basic', { realm: 'a' }]]],
  ] as const)('%j', ([lines, challenges]) => {
    expect(told(...lines)).toEqual(challenges);
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
        'Basic ',
        ' '.repeat(2000),
        '\\"'.repeat(2000),
        'a-'.repeat(2000),
        ','.repeat(2000),
      ),
    );
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        const began = performance.now();
        const challenges = decodeChallenges([`Digest ${parts.join('')}`]);
        expect(challenges.length).toBeLessThanOrEqual(32);
        expect(performance.now() - began).toBeLessThan(patienceMs);
      }),
    );
  });
});

const digestOf = (parameters: Readonly<Record<string, string>>): Challenge => ({
  scheme: 'digest',
  parameters: new Map(Object.entries(parameters)),
});

describe('of several digests', () => {
  test.for([
    ['Digest realm="x", nonce="n", algorithm=MD5', 'Digest realm="x", nonce="n", algorithm=SHA-256', 'SHA-256'],
    ['Digest realm="x", nonce="n", algorithm=SHA-256', 'Digest realm="x", nonce="n"', 'SHA-256'],
    ['Digest realm="x", nonce="n", algorithm=SHA3-512', 'Digest realm="x", nonce="n", algorithm=md5', 'md5'],
    [
      'Digest realm="x", nonce="n", algorithm=SHA-256, qop="token"',
      'Digest realm="x", nonce="n", algorithm=MD5',
      'MD5',
    ],
  ] as const)('%s, %s: %s is answered', ([one, other, algorithm]) => {
    for (const lines of [[one, other], [`${other}, ${one}`]])
      expect(strongestDigest(decodeChallenges(lines))?.parameters.get('algorithm')).toBe(algorithm);
  });
});

test.for([
  ['ERR_CONNECT_FAIL 113', 'its connection failed (no route to the host, EHOSTUNREACH)'],
  ['ERR_CONNECT_FAIL 111', 'its connection failed (nothing listens there, ECONNREFUSED)'],
  ['ERR_DNS_FAIL 0', 'it cannot resolve the name'],
  ['ERR_SOMETHING_ELSE 0', 'something else'],
  ['Basic Ym9iOnMzY3IzdA==', undefined],
] as const)('Squid’s %s is told as "%s"', ([text, words]) => {
  expect(squidReason(text)).toBe(words);
});

describe('a digest', () => {
  const responseIn = (answer: string | undefined): string | undefined =>
    /\bresponse="([0-9a-f]+)"/.exec(answer ?? '')?.[1];

  const answerTo = (parameters: Readonly<Record<string, string>>, uri = 'a:443'): string | undefined =>
    digestAnswer(
      digestOf(parameters),
      { username: 'user', password: 'secret' },
      { method: 'CONNECT', uri, cnonce: 'c' },
    );

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
      digestOf({ ...example, ...(algorithm !== undefined && { algorithm }) }),
      { username: 'Mufasa', password: 'Circle of Life' },
      { method: 'GET', uri: '/dir/index.html', cnonce },
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
    const answer = digestAnswer(
      digestOf(challenge),
      { username: 'Mufasa', password: 'CircleOfLife' },
      { method: 'GET', uri: '/dir/index.html', cnonce: 'unused' },
    );
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
    expect(responseIn(answerTo(challenge, 'repo.example.test:443'))).toBe(want);
  });

  test('of the whole request hashes its empty body in, and "AUTH" is auth', () => {
    const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
    const want = md5(`${md5('user:xs:secret')}:n:00000001:c:auth-int:${md5(`CONNECT:a:443:${md5('')}`)}`);
    const answer = answerTo({ realm: 'xs', nonce: 'n', qop: 'auth-int' });
    expect(responseIn(answer)).toBe(want);
    expect(answer).toContain('qop=auth-int');
    expect(answerTo({ realm: 'xs', nonce: 'n', qop: 'AUTH' })).toContain('qop=auth,');
  });

  test('of a realm that is not ASCII is over the bytes that came, and sends them back', () => {
    const realm = Buffer.from('Müller', 'utf8');
    const hash = createHash('md5').update(Buffer.concat([Buffer.from('user:'), realm, Buffer.from(':secret')]));
    const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
    const answer = answerTo({ realm: realm.toString('latin1'), nonce: 'n' });
    expect(responseIn(answer)).toBe(md5(`${hash.digest('hex')}:n:${md5('CONNECT:a:443')}`));
    expect(Buffer.from(answer ?? '', 'latin1').includes(realm)).toBe(true);
  });

  test.for([{ algorithm: 'SHA-3' }, { algorithm: 'constructor' }, { qop: 'token' }, { qop: '' }])(
    'that we do not speak (%j) has no answer',
    (parts) => {
      expect(answerTo({ realm: 'x', nonce: 'n', ...parts })).toBeUndefined();
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
        const answer =
          digestAnswer(
            digestOf(parameters),
            { username: 'user', password: 'Correct-Horse' },
            { method: 'CONNECT', uri: 'a:443', cnonce: 'c' },
          ) ?? '';
        expect(answer).not.toMatch(/[\r\n]/);
        expect(answer).not.toContain('Correct-Horse');
      }),
    );
  });
});
