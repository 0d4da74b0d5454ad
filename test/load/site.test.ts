/** Every small faulty site in fixtures/sites gives the error that stands beside its name; the full one is read as written. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import * as probes from '../../probes/index.ts';
import { decodeProxyUrl } from '../../src/load/proxy-url.ts';
import { parseProxyUrl, parseSite, readSite, readSiteFile } from '../../src/load/site.ts';
import { loadSpec } from '../../src/load/spec.ts';
import { UsageError } from '../../src/model/errors.ts';
import type { Site } from '../../src/model/site.ts';
import type { LoadedSpec } from '../../src/model/spec.ts';

const folder = 'fixtures/sites';
let spec: LoadedSpec;

beforeAll(async () => {
  spec = await loadSpec('xenserver-8', probes);
});

const parse = (text: string, name = '<stdin>'): Promise<Site> => parseSite(text, name, spec);

/** File, and every line of the error: LINE:COLUMN, what is wrong, what to do. */
const faulty: readonly (readonly [file: string, ...lines: string[]])[] = [
  ['site-console-of-no-row', '2:35 no row asks for the console of role "ntp-server"; remove it'],
  ['site-console-unknown', '2:36 "console" must be one of vnc, rdp, not "rpd"; did you mean "rdp"?'],
  [
    'site-dns-query-not-a-name',
    '1:15 "-example.test" is not a name; a name has letters, digits and hyphens between its dots, and no part begins or ends with a hyphen',
  ],
  ['site-domain-is-address', '2:32 "10.20.30.2" is an address; give a name'],
  ['site-domain-of-no-row', '2:17 role "ntp-server" has no domain; give its hosts'],
  ['site-fact-of-wrong-kind', '1:22 fact "https-only" must be true or false, not "yes"'],
  [
    'site-host-bad-ipv4',
    '2:15 "10.20.30.256" is not an address or a name; an IPv4 address has four numbers from 0 to 255',
  ],
  ['site-host-bad-ipv6', '2:15 "[fe80::1::2]" is not an IPv6 address'],
  ['site-host-broadcast', '2:15 "255.255.255.255" is the broadcast address; give the address of one host'],
  [
    'site-host-is-url',
    '2:18 "https://wlb.example.test:8012/" is not an address or a name; write only the host: wlb.example.test',
  ],
  ['site-host-key-misspelt', '2:44 unknown key "prot"; did you mean "port"?'],
  [
    'site-host-label-too-long',
    '2:15 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example.test" is not an address or a name; between its dots a name has at most 63 characters',
  ],
  [
    'site-host-mapped-unspecified',
    '2:15 "::ffff:0.0.0.0" is an address that stands for no host; give the address of one host',
  ],
  ['site-host-multicast-ipv6', '2:15 "ff05::101" is a multicast address; give the address of one host'],
  ['site-host-multicast', '2:15 "224.0.1.1" is a multicast address; give the address of one host'],
  [
    'site-host-not-ascii',
    '2:15 "zeit.münchen.example" is not an address or a name; write an international name in its xn-- form: zeit.xn--mnchen-3ya.example',
  ],
  [
    'site-host-too-long',
    '2:15 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.aaaaaaaaaaaaa... is not an address or a name; a name has at most 253 characters',
  ],
  ['site-host-twice', '2:30 "2001:DB8:0::53" is here a second time; remove one'],
  ['site-host-unspecified', '2:15 "0.0.0.0" is an address that stands for no host; give the address of one host'],
  [
    'site-host-with-port',
    '2:18 "wlb.example.test:8012" is not an address or a name; write the port apart: { host: wlb.example.test, port: 8012 }',
  ],
  ['site-host-with-space', '2:16 "10.20.30.5 10.20.30.6" is not an address or a name; write several as a list: [a, b]'],
  ['site-limit-without-domain', '2:63 "limit" counts the controllers of a "domain"; add one or remove it'],
  ['site-names-is-address', '1:23 "10.1.2.3" is an address; give a name'],
  ['site-names-of-no-row', '1:10 unknown sampled domain "citrix.co"; did you mean "citrix.com"?'],
  ['site-not-a-mapping', '1:1 the file must be a mapping (key: value), not a list'],
  ['site-port-and-ports', '2:44 "port" and "ports" say the same thing; keep one of them'],
  ['site-port-of-none', '2:41 no row to role "xencenter" has a port; remove it'],
  [
    'site-port-of-several',
    '2:54 role "citrix-license-server" has several ports (27000, 7279); say which one moved: ports: { "27000": 27001 }',
  ],
  ['site-port-too-large', '2:50 "port" must be a port from 1 to 65535, not 80120'],
  ['site-ports-undocumented', '2:59 no row to role "pvs-server" has port 6931; documented: 6910, 6910-6930'],
  [
    'site-proxy-for-row-of-hosts',
    '1:55 row "license-initial" goes to hosts of the site, without a proxy; rows that go through one: updates-repo, updates-source-repo, telemetry, xencenter-update-check, xencenter-hotfixes-citrix, xencenter-hotfixes-storage, vm-tools-update-check, vm-tools-downloads',
  ],
  ['site-proxy-for-unknown-row', '1:69 unknown row "update-source-repo"; did you mean "updates-source-repo"?'],
  ['site-proxy-is-text', '1:8 "proxy" must be a mapping (key: value)'],
  [
    'site-proxy-password-key',
    '1:67 no password is written into a site; give the user as `username` and a file with the password as `passwordFile`, or the password in XENREACH_PROXY_PASSWORD',
  ],
  ['site-proxy-password-without-user', '1:49 a password needs a `username`; add it'],
  [
    'site-proxy-with-password',
    '1:15 the proxy URL holds a password; give the user as `username` and a file with the password as `passwordFile`, or the password in XENREACH_PROXY_PASSWORD',
  ],
  [
    'site-proxy-socks',
    '1:15 the proxy URL is that of a SOCKS proxy, which is not spoken here; write the HTTP proxy beside it, as http://HOST:PORT, or leave it out to check without',
  ],
  [
    'site-proxy-with-path',
    "1:15 the proxy URL is that of a file that chooses a proxy (PAC); open it, and write the proxy that it names for the vendor's domains",
  ],
  ['site-proxy-without-port', '1:15 the proxy URL has no port; write http://HOST:PORT'],
  [
    'site-proxy-without-scheme',
    '1:15 the proxy URL must be http://HOST:PORT, or https://HOST:PORT for a proxy that is itself spoken to in TLS',
  ],
  [
    'site-role-is-nothing',
    '2:14 "ntp-server" must be an address or a name or a list or a mapping (key: value), not nothing',
  ],
  ['site-role-takes-no-hosts', '1:10 role "external-domain" takes no hosts: its rows name their own; remove it'],
  [
    'site-role-used-and-not-used',
    '1:10 role "syslog-server" has hosts and stands under "not-used" too; remove one of the two',
  ],
  [
    'site-several-faults',
    '1:10 "vantage" must be a list with something in it, not an empty list',
    '3:3 unknown role "ntp-sever"; did you mean "ntp-server"?',
    '4:8 the key "host" is missing; add an address or a name',
    '6:8 "trust" must be a list, not "corp-ca.pem"',
  ],
  ['site-unknown-fact', '1:10 unknown fact "https_only"; did you mean "https-only"?'],
  ['site-unknown-key', '1:1 unknown key "vantages"; did you mean "vantage"?'],
  ['site-unknown-not-used', '1:12 unknown role "cluster-members"; did you mean "cluster-member"?'],
  ['site-unknown-role', '2:3 unknown role "licence-server"; did you mean "citrix-license-server"?'],
  ['site-unknown-vantage', '1:11 unknown role "xenserver-hosts"; did you mean "xenserver-host"?'],
  [
    'site-vantage-is-no-source',
    '1:11 role "ntp-server" is the source of no row; sources: xenserver-host, xencenter, windows-vm, wlb-appliance, management-client, pvs-server, pvs-target-device',
  ],
];

test.for(faulty)('%s is told with its place', async ([name, ...lines]) => {
  const file = `${folder}/${name}.yaml`;
  const error: unknown = await readSiteFile(file, async () => spec).catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(UsageError);
  expect(error).toHaveProperty('message', lines.map((line) => `${file}:${line}`).join('\n'));
});

test('the full site is read, whatever way each role was written', async () => {
  const site = await readSiteFile(`${folder}/lon-pool-1.yaml`, async () => spec);
  expect(site).toMatchObject({
    name: 'lon-pool-1',
    origin: 'file',
    specs: ['xenserver-8'],
    vantage: ['xenserver-host'],
    notUsed: [],
    facts: { 'https-only': false, 'ssh-enabled': true, 'ad-ldaps': false },
    proxy: {
      url: 'http://proxy.example.test:3128',
      username: 'svc-xs',
      passwordFile: '/etc/xenreach/proxy.password',
      for: ['updates-repo', 'updates-source-repo', 'telemetry'],
    },
    trust: [resolve(folder, 'corp-ca.pem')],
    names: { 'citrix.com': ['citrix.com', 'support.citrix.com'] },
    dns: { query: 'repo.ops.xenserver.com' },
  });
  const plain = { require: 'all', notes: [] };
  expect(site.roles).toMatchObject({
    'xenserver-host': { ...plain, hosts: [{ host: '10.20.30.11' }, { host: 'xs-lon-02.example.test' }] },
    'citrix-license-server': { ...plain, hosts: [{ host: 'lic01.example.test', ports: {} }] },
    'domain-controller': { ...plain, hosts: [], domain: 'corp.example.test' },
    'san-controller': { ...plain, hosts: [{ host: '10.20.40.50', port: 3260 }] },
    'nfsv3-server': { ...plain, hosts: [{ host: 'nas02.example.test', ports: { '111': 10111, '2049': 12049 } }] },
    vm: {
      ...plain,
      hosts: [
        { host: '10.20.70.5', console: 'vnc' },
        { host: '10.20.70.6', console: 'rdp' },
      ],
    },
  });
  expect(Object.keys(site.roles)).toHaveLength(15);
});

test('a site may be JSON, and may be all but empty', async () => {
  const site = await parse('{ "roles": { "ntp-server": [] } }');
  expect(site).toMatchObject({
    name: 'site',
    specs: ['xenserver-8'],
    vantage: [],
    proxy: null,
    trust: [],
    names: {},
    dns: {},
  });
  expect(site.roles['ntp-server']).toEqual({ hosts: [], require: 'all', notes: [] });
});

test('controllers that are named serve the domain beside them and are not searched for', async () => {
  const site = await parse(
    'roles: { domain-controller: { hosts: [dc1.lab.example], domain: lab.example, require: any } }',
  );
  expect(site.roles['domain-controller']).toEqual({
    hosts: [{ host: 'dc1.lab.example', ports: {}, domain: 'lab.example' }],
    require: 'any',
    notes: [],
  });
});

test('one console has one port', async () => {
  const site = await parse('roles: { vm: { host: 10.20.70.5, console: vnc, port: 5901 } }');
  expect(site.roles['vm']?.hosts).toEqual([{ host: '10.20.70.5', ports: {}, console: 'vnc', port: 5901 }]);
});

test.for([
  ['[2001:db8::5]', '2001:db8::5'],
  ['fe80::1%eth0', 'fe80::1%eth0'],
  ['Lic01.Example.test.', 'Lic01.Example.test.'],
  ['_ldap.example.test', '_ldap.example.test'],
  ['127.0.0.1', '127.0.0.1'],
])('%s is a host', async ([written = '', read]) => {
  const site = await parse(JSON.stringify({ roles: { 'ntp-server': written } }));
  expect(site.roles['ntp-server']?.hosts).toEqual([{ host: read, ports: {} }]);
});

test('the spec that a site names is known before the site is held against it', async () => {
  const specsOf = async (text: string, file: string) => (await readSite(text, file)).specs;
  await expect(specsOf('spec: xenserver-8', 'any/site.yaml')).resolves.toEqual(['xenserver-8']);
  await expect(specsOf('spec: [xenserver-8, ./mine.yaml]', '/etc/xenreach/site.yaml')).resolves.toEqual([
    'xenserver-8',
    '/etc/xenreach/mine.yaml',
  ]);
  await expect(specsOf('roles: { no-such-role: x }', 'site.yaml')).resolves.toBeNull();
});

describe('the URL of a proxy', () => {
  test('may name the user whose password the file has', async () => {
    const proxy = { url: 'http://svc-xs@proxy.example.test:3128', passwordFile: '/etc/xenreach/proxy.password' };
    expect((await parse(JSON.stringify({ proxy }))).proxy).toEqual(proxy);
  });

  test.for([
    ['http://proxy.example.test:3128', 'http://proxy.example.test:3128'],
    [' http://10.0.0.1:80/ ', 'http://10.0.0.1:80'],
    ['HTTP://[2001:db8::1]:8080', 'HTTP://[2001:db8::1]:8080'],
    ['https://proxy.example.test:3129', 'https://proxy.example.test:3129'],
  ])('%s is taken', ([text = '', read]) => {
    expect(parseProxyUrl(text, '--proxy')).toBe(read);
  });

  test('an error says where it stood', () => {
    expect(() => parseProxyUrl('proxy:3128', '--proxy')).toThrow(
      new UsageError(
        '--proxy the proxy URL must be http://HOST:PORT, or https://HOST:PORT for a proxy that is itself spoken to in TLS',
      ),
    );
  });

  test.for([
    ['http://proxy:3128/x', /ends after the port/],
    ['http://wpad/wpad.dat', /\(PAC\)/],
    ['pac+http://proxy/proxy.pac', /\(PAC\)/],
    ['socks5h://proxy:1080', /SOCKS/],
    ['ftp://proxy:21', /must be http/],
    ['http://%zz@proxy:3128', /percent sign/],
    ['https://proxy', /no port/],
  ] as const)('%s is refused by its name', ([text, words]) => {
    expect(() => parseProxyUrl(text, '--proxy')).toThrow(words);
  });

  test.for([
    ['http://svc%40corp@Proxy.test:3128', { isSecure: false, host: 'Proxy.test', port: 3128, username: 'svc@corp' }],
    ['https://[fe80::1%eth0]:443', { isSecure: true, host: 'fe80::1%eth0', port: 443, username: undefined }],
    ['http://10.0.0.1:80', { isSecure: false, host: '10.0.0.1', port: 80, username: undefined }],
  ] as const)('%s is taken apart', ([text, parts]) => {
    expect(decodeProxyUrl(parseProxyUrl(text, '--proxy'))).toEqual(parts);
  });

  test('whatever surrounds it, a password is never repeated', () => {
    const parts = [
      fc.constantFrom('', 'http://', 'https://', 'socks5://'),
      fc.string(),
      fc.constantFrom('@', ':', '@host:3128', '/'),
    ];
    fc.assert(
      fc.property(fc.tuple(...parts), ([scheme, user, rest]) => {
        const text = `${scheme}${user}:hunter2@${rest}`;
        expect(() => parseProxyUrl(text, '--proxy')).toThrow(/^(?!.*hunter2)/s);
      }),
    );
  });
});

describe('any text gives a site or a UsageError', () => {
  test('any text', async () => {
    await fc.assert(fc.asyncProperty(fc.string({ unit: 'binary' }), expectSiteOrUsageError), { numRuns: 300 });
  });

  test('any JSON', async () => {
    await fc.assert(fc.asyncProperty(fc.json(), expectSiteOrUsageError), { numRuns: 300 });
  });

  test('any values under the keys of a site', async () => {
    const keys = ['name', 'spec', 'vantage', 'roles', 'not-used', 'facts', 'proxy', 'trust', 'names', 'dns'];
    const words = ['ntp-server', 'vm', 'host', 'port', 'ports', 'console', 'url', 'citrix.com', '443', 'vnc', 'domain'];
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom(...words),
        fc.jsonValue(),
        fc.array(tie('any')),
        fc.dictionary(fc.constantFrom(...words), tie('any')),
      ),
    })).any;
    const sites = fc.dictionary(fc.constantFrom(...keys), value).map((site) => JSON.stringify(site));
    await fc.assert(fc.asyncProperty(sites, expectSiteOrUsageError), { numRuns: 500 });
  });

  test('the full site with a piece of it missing or doubled', async () => {
    const full = readFileSync(`${folder}/lon-pool-1.yaml`, 'utf8');
    const cut = fc.tuple(fc.nat(full.length), fc.nat(40), fc.boolean());
    const damaged = cut.map(
      ([at, length, doubles]) => full.slice(0, at + (doubles ? length : 0)) + full.slice(at + (doubles ? 0 : length)),
    );
    await fc.assert(fc.asyncProperty(damaged, expectSiteOrUsageError), { numRuns: 200 });
  });
});

async function expectSiteOrUsageError(text: string): Promise<void> {
  const result: unknown = await parse(text).catch((error: unknown) => error);
  const word = result instanceof UsageError || (result instanceof Object && 'origin' in result) ? 'fine' : result;
  expect(word).toBe('fine');
}
