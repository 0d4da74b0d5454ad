import { expect, test } from 'vitest';
import { isOlder } from '../../src/fleet/bus.ts';
import { agentRights, busUrl, placeOf } from '../../src/fleet/layout.ts';
import { Reach } from '../../src/fleet/reach.ts';
import { jetstreamConfig, serverConfig } from '../../src/fleet/server-config.ts';
import type { Plan } from '../../src/model/plan.ts';
import type { Site } from '../../src/model/site.ts';

test.for<readonly [string, string | RegExp]>([
  ['tls://hub.example.test:4333', 'tls://hub.example.test:4333'],
  ['tls://hub.example.test', 'tls://hub.example.test:4222'],
  ['tls://10.0.0.5:4222', /names an address, and the server's certificate could not be held against it/],
  ['tls://[2001:db8::1]:4222', /names an address/],
  ['nats://hub.example.test', /has a URL like tls:\/\//],
  ['tls://user:word@hub.example.test', /has a URL like tls:\/\//],
  ['hub', /has a URL like tls:\/\//],
])('%s', ([text, expected]) => {
  if (typeof expected === 'string') expect(busUrl(text)).toBe(expected);
  else expect(() => busUrl(text)).toThrow(expected);
});

test('a subject belongs to one agent, or to none', () => {
  expect(placeOf('xr.report.lon.xs-1')).toEqual({ site: 'lon', agent: 'xs-1' });
  for (const subject of ['xr.do.lon.a', 'xr.report.lon', 'xr.report.lon.a.b', 'xr.report.*.a', 'yr.report.lon.a', ''])
    expect(placeOf(subject)).toBeNull();
});

test('an agent’s rights name its own site and its own name, and no wildcard but its own inbox', () => {
  const { publish, subscribe } = agentRights({ site: 'lon', agent: 'a' });
  const wild = [...publish, ...subscribe].filter((subject) => /[*>]/.test(subject));
  expect(wild).toEqual(['_INBOX.agent.lon.a.>']);
});

test('the server of a hub called localhost listens on loopback alone, and each key has its line', () => {
  const agents = [{ site: 'lon', agent: 'a', roles: ['xenserver-host'], key: 'UAGENT' }];
  const roster = { hub: { name: 'hub', key: 'UHUB' }, operator: 'UOPERATOR', agents, numbers: {} };
  const local = serverConfig({ ...roster, url: 'tls://localhost:14222' });
  expect(local).toContain('listen: "127.0.0.1:14222"');
  expect(local.match(/nkey: \w+/g)).toEqual(['nkey: UHUB', 'nkey: UOPERATOR', 'nkey: UAGENT']);
  expect(local.match(/allow_responses: true/g)).toHaveLength(1);
  expect(serverConfig({ ...roster, url: 'tls://hub.example.test:4222' })).toContain('listen: "0.0.0.0:4222"');
});

test('only a server that knows the key is told to write before it acknowledges', () => {
  expect(jetstreamConfig('2.9.10')).not.toContain('sync_interval');
  expect(jetstreamConfig('2.15.2')).toContain('sync_interval: always');
});

test('versions are numbers', () => {
  expect(isOlder('2.9.3', '2.9.4')).toBe(true);
  expect(isOlder('2.9.10', '2.9.4')).toBe(false);
  expect(isOlder('2.10.0-beta.1', '2.9.4')).toBe(false);
  expect(isOlder('0', '2.9.4')).toBe(true);
});

const planOf = (checks: readonly { host: string; address?: string; isVendors?: boolean }[]): Plan =>
  ({
    rows: [],
    checks: checks.map(({ host, address = null, isVendors = false }) => ({ host, address, uses: [{ isVendors }] })),
  }) as unknown as Plan;
const site = { names: {}, roles: {}, proxy: null } as unknown as Site;

test('reach holds networks for addresses and names for names', () => {
  const reach = Reach.of(['10.0.0.0/8', '2001:db8::/32', '*.corp.example.test', 'nas.example.test']);
  for (const host of ['10.1.2.3', '2001:db8::7', 'dc1.corp.example.test', 'NAS.example.test.'])
    expect(reach.has(host)).toBe(true);
  for (const host of ['11.1.2.3', '::1', 'corp.example.test', 'xcorp.example.test', 'nas.example.test.evil.test'])
    expect(reach.has(host)).toBe(false);
  expect(Reach.of(['any']).has('11.1.2.3')).toBe(true);
  expect(Reach.isEntry('10.0.0.0/33')).toBe(false);
  expect(Reach.isEntry('a b')).toBe(false);
});

test('reach is asked of each target, of the proxy and of domains; the vendor’s names stand in the agent’s own table', () => {
  const reach = Reach.of(['10.0.0.0/8', 'proxy.example.test']);
  const within = [
    { host: '10.1.1.1', address: '10.1.1.1' },
    { host: 'updates.example.test', isVendors: true },
  ];
  expect(reach.outside(site, planOf(within))).toBeNull();
  expect(reach.outside(site, planOf([...within, { host: '192.0.2.1', address: '192.0.2.1' }]))).toBe('192.0.2.1');
  expect(reach.outside({ ...site, names: { 'citrix.com': ['x.test'] } }, planOf(within))).toBe('updates.example.test');
  expect(reach.outside({ ...site, proxy: { url: 'http://proxy.example.test:3128' } }, planOf(within))).toBeNull();
  expect(reach.outside({ ...site, proxy: { url: 'http://other.example.test:3128' } }, planOf(within))).toBe(
    'other.example.test',
  );
  const roles = { 'domain-controller': { hosts: [], require: 'all' as const, domain: 'corp.example.test', notes: [] } };
  expect(reach.outside({ ...site, roles }, planOf(within))).toBe('corp.example.test');
});
