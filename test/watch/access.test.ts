/** Who gets in: whatever stands in a header, only the right name, password or token does. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isAuthorized, isOwnPage, isSameSecret, siteOfToken } from '../../src/watch/access.ts';
import { isLoopback, splitListen } from '../../src/watch/listen.ts';

const auth = { username: 'ops', password: 'open: sesame' };
const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
const tokens = [
  { site: 'lon', token: '0123456789abcdef0123' },
  { site: 'ams', token: '1123456789abcdef0123' },
];

describe('a name and a password', () => {
  test('the right ones, also with a colon in them', () => {
    expect(isAuthorized(basic('ops:open: sesame'), auth)).toBe(true);
    expect(isAuthorized(basic('ops:open: sesame').replace('Basic', 'basic'), auth)).toBe(true);
  });

  test('anything else is refused, and nothing is thrown', () => {
    const header = fc.oneof(fc.string(), fc.string().map(basic), fc.constant(undefined), fc.constant(basic('ops')));
    fc.assert(fc.property(header, (text) => !isAuthorized(text, auth)));
  });
});

describe('a token', () => {
  test('belongs to its own site', () => {
    for (const { site, token } of tokens) expect(siteOfToken(`Bearer ${token}`, tokens)).toBe(site);
  });

  test('anything else is nobody’s, and nothing is thrown', () => {
    const header = fc.oneof(
      fc.string(),
      fc.string().map((text) => `Bearer ${text}`),
      fc.constant(undefined),
    );
    fc.assert(fc.property(header, (text) => siteOfToken(text, tokens) === null));
    expect(siteOfToken(`Bearer ${tokens[0]!.token}`, [])).toBeNull();
  });
});

test('two texts are the same only when they are', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (one, other) => {
      expect(isSameSecret(one, other)).toBe(one === other);
      expect(isSameSecret(one, one)).toBe(true);
    }),
  );
});

test.for<[header: string | undefined, isOwn: boolean]>([
  ['same-origin', true],
  ['none', true],
  [undefined, true],
  ['same-site', false],
  ['cross-site', false],
  ['', false],
])('a request from %s', ([header, isOwn]) => {
  expect(isOwnPage(header)).toBe(isOwn);
});

test.for<[listen: string, host: string, loopback: boolean]>([
  ['127.0.0.1:9660', '127.0.0.1', true],
  ['127.9.9.9:1', '127.9.9.9', true],
  ['[::1]:9660', '::1', true],
  ['localhost:9660', 'localhost', true],
  ['0.0.0.0:9660', '0.0.0.0', false],
  ['[::]:9660', '::', false],
  ['127.example.test:9660', '127.example.test', false],
  ['10.0.0.1:9660', '10.0.0.1', false],
])('%s listens on %s', ([listen, host, loopback]) => {
  expect(splitListen(listen).host).toBe(host);
  expect(isLoopback(host)).toBe(loopback);
});
