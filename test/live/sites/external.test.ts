/** The vendor's domains: direct and through two makes of proxy, with everything that a proxy and a certificate can get wrong. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeAuthority, type Authority } from '../../support/certificates.ts';
import { checkSite, runOnSite, verdictsOf, type SiteRun } from '../../support/check-site.ts';
import { makeLab, setNames, whyNotLive, type Host, type Lab } from '../../support/netns.ts';
import { probe } from '../../support/run-xenreach.ts';
import type { Server } from '../../support/servers.ts';
import { startNginx } from '../../support/servers/nginx.ts';
import { startSquid } from '../../support/servers/squid.ts';
import { startTinyproxy } from '../../support/servers/tinyproxy.ts';

const domains = {
  'updates-repo': ['repo.ops.xenserver.com'],
  'updates-source-repo': ['repo-src.ops.xenserver.com'],
  telemetry: ['telemetry.ops.xenserver.com'],
  'xencenter-update-check': ['updates.ops.xenserver.com'],
  'xencenter-hotfixes-citrix': ['citrix.com', 'www.citrix.com', 'fileservice.citrix.com', 'support.citrix.com'],
  'xencenter-hotfixes-storage': ['storage.googleapis.com'],
  'vm-tools-update-check': ['pvupdates.vmd.citrix.com'],
  'vm-tools-downloads': ['downloadns.citrix.com.edgesuite.net'],
} as const;
const names = Object.values(domains).flat();
/** The lab's authority plays the vendor's: a certificate of one that only this machine trusts is told. */
const allReached = Object.fromEntries(Object.keys(domains).map((row) => [row, 'warn']));

const hosts = [
  'origin',
  'squid',
  'tinyproxy',
  'direct',
  'expired',
  'future',
  'misnamed',
  'soon',
  'inspector',
  'faulty',
] as const;
type Name = (typeof hosts)[number];

describe.skipIf(whyNotLive('nginx', 'squid', 'tinyproxy') !== null)("the vendor's domains", () => {
  let lab: Lab<Name>;
  let authority: Authority;
  let folder: string;
  const servers: Server[] = [];

  beforeAll(async () => {
    lab = makeLab(hosts);
    folder = mkdtempSync(join(tmpdir(), 'xenreach-external-'));
    authority = makeAuthority('vendor authority');
    const { origin, squid, tinyproxy, direct, expired, future, misnamed, soon, inspector, faulty } = lab.hosts;
    const nowhere = 'nameserver 127.0.0.1\n';
    setNames(lab.client, { hosts: '', 'resolv.conf': nowhere });
    for (const host of [tinyproxy, direct]) {
      setNames(host, { hosts: `${origin.address} ${names.join(' ')}\n`, 'resolv.conf': nowhere });
    }
    // What squid knows: one name leads to a closed port, one has no address.
    const [source, check] = [domains['updates-source-repo'][0], domains['vm-tools-update-check'][0]];
    const known = names.filter((name) => name !== source && name !== check).join(' ');
    setNames(squid, {
      hosts: `${origin.address} ${known}\n${squid.address} ${source}\n`,
      'resolv.conf': nowhere,
    });
    const faults = [
      [expired, 'repo.ops.xenserver.com'],
      [future, 'repo-src.ops.xenserver.com'],
      [misnamed, 'telemetry.ops.xenserver.com'],
      [soon, 'updates.ops.xenserver.com'],
      [inspector, 'storage.googleapis.com'],
    ] as const;
    const lines = faults.map(([host, name]) => `${host.address} ${name}\n`);
    setNames(faulty, { hosts: lines.join(''), 'resolv.conf': nowhere });
    const leaf = authority.issue({ names });
    servers.push(
      ...(await Promise.all([
        startNginx(origin, leaf),
        startSquid(squid, { blocked: [domains.telemetry[0]], tls: authority.issue({ names: [squid.address] }) }),
        startTinyproxy(tinyproxy),
        startNginx(expired, authority.issue({ names, fromDays: -60, untilDays: -20 })),
        startNginx(future, authority.issue({ names, fromDays: 30, untilDays: 60 })),
        startNginx(misnamed, authority.issue({ names: ['www.lab.test'] })),
        startNginx(soon, authority.issue({ names, untilDays: 9.5 })),
        startNginx(inspector, makeAuthority('Corporate TLS Inspection').issue({ names })),
      ])),
    );
  }, 60_000);

  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()));
    lab?.[Symbol.dispose]();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  const everywhere = ['--section', 'domains', '--as', 'xenserver-host', '--as', 'xencenter', '--as', 'windows-vm'];
  const urls = { squid: 3128, tinyproxy: 8888 } as const;

  const through = (
    proxy: keyof typeof urls,
    user: object,
    args: readonly string[] = everywhere,
    password = 'secret',
  ): Promise<SiteRun> => {
    const url = `http://${lab.hosts[proxy].address}:${urls[proxy]}`;
    const site = { roles: {}, proxy: { url, ...user }, trust: ['ca.pem'] };
    const files = { 'ca.pem': authority.certificate, 'proxy.password': `${password}\n` };
    return checkSite(lab.client, site, { args: [...args, '--timeout', '6s'], files });
  };
  const user = { username: 'user', passwordFile: './proxy.password' };

  const directly = (from: Host, args: readonly string[] = everywhere): Promise<SiteRun> =>
    checkSite(from, { roles: {}, trust: ['ca.pem'] }, { args, files: { 'ca.pem': authority.certificate } });

  test('are reached directly', async () => {
    const { report, row, checks, ran } = await directly(lab.hosts.direct);
    expect(verdictsOf(report)).toEqual(allReached);
    expect(ran.exitCode).toBe(0);
    expect(row('telemetry').because).toMatch(/a certificate of .* answered, not the vendor's/);
    expect(checks('telemetry')[0]).toMatchObject({ address: lab.hosts.origin.address, evidence: { status: 200 } });
    expect(row('xencenter-hotfixes-citrix').notes.join()).toContain(
      '"citrix.com and subdomains" is sampled by 4 names',
    );
  });

  test('are reached with a root of the machine’s own, which is told and changes nothing', async () => {
    const file = join(folder, 'machine-ca.pem');
    writeFileSync(file, authority.certificate);
    const { row, ran } = await checkSite(
      lab.hosts.direct,
      { roles: {} },
      { args: ['--row', 'telemetry'], env: { NODE_EXTRA_CA_CERTS: file } },
    );
    expect(row('telemetry')).toMatchObject({ verdict: 'pass' });
    expect(row('telemetry').notes.join()).toMatch(/which this machine trusts by NODE_EXTRA_CA_CERTS/);
    expect(ran.exitCode).toBe(0);
  });

  test('are reached through tinyproxy with basic authentication, not resolved here', async () => {
    const { report, checks, ran } = await through('tinyproxy', user);
    expect(verdictsOf(report)).toEqual(allReached);
    expect(ran.exitCode).toBe(0);
    expect(checks('telemetry')[0]).toMatchObject({ address: null, evidence: { proxyStatus: 200, status: 200 } });
  });

  test('squid with digest: what it lets through, what it forbids, what it cannot reach', async () => {
    const { report, row, checks, ran } = await through('squid', user);
    expect(ran.exitCode).toBe(1);
    expect(verdictsOf(report)).toEqual({
      ...allReached,
      telemetry: 'fail',
      'updates-source-repo': 'fail',
      'vm-tools-update-check': 'fail',
    });
    const codes = ['telemetry', 'updates-source-repo', 'vm-tools-update-check'].map((id) => checks(id)[0]);
    expect(codes).toMatchObject([
      { outcome: 'declined', stage: 'proxy', code: 'HTTP_403' },
      { outcome: 'declined', stage: 'proxy', code: 'HTTP_503' },
      // Squid's own word when its DNS servers cannot be reached; one that says "no such name" makes it 503.
      { outcome: 'declined', stage: 'proxy', code: 'HTTP_500' },
    ]);
    for (const check of codes) expect(row(check!.rows[0]!).because).toMatch(/^proxy: /);
    expect(row('telemetry').because).toContain('forbids this destination');
    expect(row('telemetry').remedy).toContain(`allow ${domains.telemetry[0]}:443`);
    expect(row('updates-source-repo').because).toContain('could not reach the destination');
    expect(row('updates-source-repo').remedy).toContain('cannot reach');
  });

  test.for([
    ['squid', {}, 'secret', 'wants credentials', 'proxy.username'],
    ['tinyproxy', {}, 'secret', 'wants credentials', 'proxy.username'],
    ['squid', user, 'mistaken', 'rejects the credentials of user', 'Check the user name and the password of user'],
    ['tinyproxy', user, 'mistaken', 'rejects the credentials of user', 'Check the user name and the password of user'],
  ] as const)('%s with %j and the password "%s"', async ([proxy, given, password, words, remedy]) => {
    const { row, checks } = await through(proxy, given, ['--row', 'updates-repo'], password);
    expect(checks('updates-repo')[0]).toMatchObject({
      outcome: 'declined',
      stage: 'proxy',
      code: expect.any(String) as unknown,
    });
    expect(row('updates-repo').because).toMatch(/^proxy: /);
    expect(row('updates-repo').because).toContain(words);
    expect(row('updates-repo').remedy).toContain(remedy);
  });

  test.for([
    ['squid', 'http://user@', 3128],
    ['squid', 'https://user@', 3129],
    ['tinyproxy', 'http://user@', 8888],
  ] as const)('plain HTTP and a tunnel through %s at %s…:%i', async ([name, start, port]) => {
    const ca = join(folder, 'ca.pem');
    writeFileSync(ca, authority.certificate);
    const args = ['--proxy', `${start}${lab.hosts[name].address}:${port}`, '--ca', ca, '--timeout', '6s'];
    const options = { namespace: lab.client.namespace, env: { XENREACH_PROXY_PASSWORD: 'secret' } };
    const known = domains['updates-repo'][0];
    const plain = await probe('http', known, args, options);
    expect(plain).toMatchObject({ outcome: 'answered', detail: 'HTTP 200: reached', evidence: { status: 200 } });
    const tunnelled = await probe('https', known, args, options);
    expect(tunnelled).toMatchObject({ outcome: 'answered', evidence: { proxyStatus: 200, status: 200 } });
    const absent = await probe('http', 'no-such.lab.test', args, options);
    expect(absent).toMatchObject({ outcome: 'declined', stage: 'proxy', hint: 'proxy' });
  });

  test('a proxy that is down, absent or not named is the layer that failed', async () => {
    const { squid } = lab.hosts;
    for (const [url, outcome, layer] of [
      [`http://${squid.address}:3131`, 'refused', 'proxy'],
      [`http://${squid.absent}:3128`, 'unreachable', 'proxy'],
      // A matter of names, and no fault of the proxy's.
      ['http://proxy.lab.test:3128', 'unresolved', 'name'],
    ] as const) {
      // One machine, one run at a time.
      const { row, checks } = await checkSite(lab.client, { proxy: { url } }, { args: ['--row', 'telemetry'] });
      expect(checks('telemetry')[0]).toMatchObject({ outcome, hint: 'proxy' });
      expect(row('telemetry')).toMatchObject({ verdict: 'fail' });
      expect(row('telemetry').because).toMatch(new RegExp(`^${layer}: `));
      expect(row('telemetry').remedy).toContain('proxy.url');
    }
  });

  test('certificates: expired, not yet valid, of another name, of an inspector, ending soon', async () => {
    const { row, checks } = await directly(lab.hosts.faulty, [
      '--section',
      'domains',
      '--as',
      'xenserver-host',
      '--as',
      'xencenter',
    ]);
    expect(checks('updates-repo')[0]).toMatchObject({ outcome: 'untrusted', stage: 'tls', code: 'CERT_HAS_EXPIRED' });
    expect(row('updates-repo').because).toMatch(/^certificate: .*expired on/);
    expect(checks('updates-source-repo')[0]).toMatchObject({ outcome: 'untrusted', hint: 'clock' });
    expect(row('updates-source-repo').because).toMatch(/^clock: .*valid from .*clock right/);
    expect(checks('telemetry')[0]).toMatchObject({ outcome: 'untrusted', hint: 'wrong-name' });
    expect(row('telemetry').because).toContain('for www.lab.test, not for telemetry.ops.xenserver.com');
    expect(checks('xencenter-hotfixes-storage')[0]).toMatchObject({ outcome: 'untrusted', hint: 'intercepted' });
    expect(row('xencenter-hotfixes-storage').because).toContain('intercepted by Corporate');
    expect(row('xencenter-update-check')).toMatchObject({ verdict: 'warn' });
    expect(row('xencenter-update-check').because).toContain('expires in 9 days');
    // Also, and most of all, when it is not acceptable, the certificate is told.
    for (const id of ['updates-repo', 'updates-source-repo', 'telemetry', 'xencenter-hotfixes-storage']) {
      expect(checks(id)[0]?.evidence['certificate']).toMatchObject({
        issuer: expect.stringContaining('CN=') as unknown,
      });
    }
  });

  test('a password is never seen: in no report, no log, no list of processes', async () => {
    const seen: string[] = [];
    const url = `http://${lab.hosts.squid.address}:3128`;
    const formats = ['json', 'html', 'markdown', 'ndjson', 'junit', 'prometheus', 'nagios', 'text'];
    const args = [
      ...everywhere,
      ...['--verbose', '--log-level', 'debug', '--timeout', '6s'],
      ...formats.flatMap((format) => ['--output', `${format}=${folder}/report.${format}`]),
    ];
    let watch: NodeJS.Timeout | undefined;
    const onStart = (): void => {
      watch = setInterval(() => seen.push(...commandLines().filter((line) => line.includes('main.ts'))), 20);
    };
    const options = { args, onStart, files: { 'ca.pem': authority.certificate, 'proxy.password': 'secret' } };
    const fromFile = await runOnSite(lab.client, { proxy: { url, ...user }, trust: ['ca.pem'] }, options);
    clearInterval(watch);
    const env = { XENREACH_PROXY_PASSWORD: 'secret' };
    const site = { proxy: { url, username: 'user' }, trust: ['ca.pem'] };
    const fromEnvironment = await runOnSite(lab.client, site, {
      args: [...everywhere, '--verbose', '--log-level', 'debug', '--timeout', '6s'],
      files: { 'ca.pem': authority.certificate },
      env,
    });
    const reports = readdirSync(folder).filter((file) => file.startsWith('report.'));
    const written = reports.map((file) => readFileSync(join(folder, file), 'utf8'));
    expect(written).toHaveLength(formats.length);
    expect(seen.length).toBeGreaterThan(0);
    const all = [fromFile, fromEnvironment].flatMap(({ stdout, stderr }) => [stdout, stderr]);
    for (const text of [...written, ...seen, ...all]) {
      expect(text).not.toContain('secret');
      expect(text).not.toContain(Buffer.from('user:secret').toString('base64'));
    }
    expect(fromEnvironment.stdout).toContain('telemetry.ops.xenserver.com');
  });

  test('a password in an argument is refused, unrepeated', async () => {
    const args = ['--row', 'telemetry', '--proxy', `http://user:hunter2@${lab.hosts.squid.address}:3128`];
    const { exitCode, stdout, stderr } = await runOnSite(lab.client, {}, { args });
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toContain('XENREACH_PROXY_PASSWORD');
    expect(stderr).not.toContain('hunter2');
  });
});

function commandLines(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
      } catch {
        return '';
      }
    });
}
