/** Whose password it is: a proxy's credentials go to one host and port, wherever they come from. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { plannedProxy, settingsFor } from '../../src/check/settings.ts';
import { UsageError } from '../../src/model/errors.ts';
import type { SiteProxy } from '../../src/model/site.ts';
import type { Proxy } from '../../src/net/proxy.ts';

const vantage = { hostname: 'xs01', addresses: ['127.0.0.1'] };
const url = 'http://a.test:3128';
let folder = '';
let passwordFile = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'xenreach-proxy-'));
  passwordFile = join(folder, 'proxy.password');
  writeFileSync(passwordFile, 'of-the-file\n');
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

interface Given {
  readonly option?: string;
  readonly site?: SiteProxy;
  readonly variable?: string;
  readonly owner?: string;
}

function proxyOf({ option, site, variable, owner }: Given): Proxy | null {
  vi.stubEnv('XENREACH_PROXY_PASSWORD', variable);
  vi.stubEnv('XENREACH_PROXY_PASSWORD_FOR', owner);
  const values = option === undefined ? {} : { proxy: option };
  return settingsFor(values, { proxy: site ?? null, trust: [], origin: 'file' }, vantage, {}).run.proxy;
}

const passwordOf = (given: Given): string | undefined => proxyOf(given)?.password;

describe('the file of the site', () => {
  const full = (): SiteProxy => ({ url, username: 'svc', passwordFile });

  test('is for the proxy of the site', () => {
    expect(proxyOf({ site: full() })).toMatchObject({ host: 'a.test', username: 'svc', password: 'of-the-file' });
  });

  test.for([
    ['http://A.test.:3128/', 'of-the-file'],
    ['http://other@a.test:3128', 'of-the-file'],
    ['http://b.test:3128', undefined],
    ['http://a.test:3129', undefined],
    ['https://a.test:3128', undefined],
  ] as const)('goes with --proxy %s: %s', ([option, password]) => {
    expect(passwordOf({ option, site: full() })).toBe(password);
  });

  test('leaves the user behind as well, when --proxy names another', () => {
    expect(proxyOf({ option: 'http://b.test:3128', site: full() })?.username).toBeUndefined();
  });

  test('is asked before the environment, which is for no proxy that has a file', () => {
    expect(passwordOf({ site: full(), variable: 'of-the-environment' })).toBe('of-the-file');
  });
});

describe('the variable', () => {
  test.for([
    ['goes with --proxy', { option: 'http://svc@b.test:3128' }, true],
    ['goes with --proxy, before the file of the same proxy', { option: url, site: { url, username: 'svc' } }, true],
    ['goes to the proxy of a site that names a user and no file', { site: { url, username: 'svc' } }, true],
    ['goes to no proxy of a site without a user', { site: { url } }, false],
    ['goes to the one that it is for', { option: 'http://svc@b.test:3128', owner: 'B.test:3128' }, true],
    ['goes to no other than the one that it is for', { site: { url, username: 'svc' }, owner: 'b.test:3128' }, false],
    ['goes to no other port', { option: 'http://svc@b.test:3129', owner: 'b.test:3128' }, false],
  ] as const)('%s', ([, given, goes]) => {
    expect(passwordOf({ ...given, variable: 'of-the-environment' })).toBe(goes ? 'of-the-environment' : undefined);
  });

  test('is not set when it is empty', () => {
    const site = { url, username: 'svc', passwordFile };
    expect(passwordOf({ option: url, site, variable: '' })).toBe('of-the-file');
    expect(passwordOf({ site: { url, username: 'svc' }, variable: '' })).toBeUndefined();
  });

  test('must be for a host and a port', () => {
    expect(() => passwordOf({ option: url, variable: 'x', owner: 'b.test' })).toThrow(UsageError);
  });
});

test('a plan knows the proxy by its address, and which rows it is for', () => {
  const site = { proxy: { url, username: 'svc', passwordFile, for: ['updates-repo'] } };
  const proxy = { host: '2001:db8::1', port: 3129, isSecure: true, username: 'svc', password: 'secret' };
  expect(plannedProxy(proxy, site)).toEqual({ url: 'https://[2001:db8::1]:3129', for: ['updates-repo'] });
  expect(plannedProxy(null, site)).toBeNull();
});
