/** A firewall that drops what does not fit one small TCP segment: TLS hellos of current clients take two, and never arrive. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeAuthority, type Authority } from '../../support/certificates.ts';
import { checkSite, type SiteRun } from '../../support/check-site.ts';
import { filterAt, makeLab, setFirewall, setNames, whyNotLive, type Lab } from '../../support/netns.ts';
import type { Server } from '../../support/servers.ts';
import { startNginx } from '../../support/servers/nginx.ts';
import { startSlapd } from '../../support/servers/slapd.ts';

const name = 'telemetry.ops.xenserver.com';

describe.skipIf(whyNotLive('nginx', 'slapd') !== null)('a large TLS hello', () => {
  let lab: Lab<'web' | 'directory'>;
  let authority: Authority;
  const servers: Server[] = [];

  beforeAll(async () => {
    lab = makeLab(['web', 'directory']);
    const { web, directory } = lab.hosts;
    authority = makeAuthority();
    setNames(lab.client, { hosts: `${web.address} ${name}\n`, 'resolv.conf': 'nameserver 127.0.0.1\n' });
    servers.push(
      ...(await Promise.all([
        startNginx(web, authority.issue({ names: [name] })),
        startSlapd(directory, authority.issue({ names: [directory.address] })),
      ])),
    );
  });

  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()));
    lab?.[Symbol.dispose]();
  });

  const run = (): Promise<SiteRun> => {
    const site = {
      roles: { 'domain-controller': { host: lab.hosts.directory.address, domain: 'lab.test' } },
      trust: ['ca.pem'],
    };
    const args = ['--row', 'telemetry', '--row', 'ad-ldaps', '--timeout', '2s'];
    return checkSite(lab.client, site, { args, files: { 'ca.pem': authority.certificate } });
  };

  test('that gets through is nothing to speak of', async () => {
    const { row, checks } = await run();
    // The lab's authority plays the vendor's, which is told.
    expect([row('telemetry').verdict, row('ad-ldaps').verdict]).toEqual(['warn', 'pass']);
    expect(row('telemetry').because).toContain("not the vendor's");
    expect(checks('telemetry')[0]).toMatchObject({ attempts: 1, hint: null });
  });

  test('that is dropped, where a small one passes, is a warning that says so', async () => {
    setFirewall(lab.router, filterAt('forward', 'iifname "to0" tcp dport { 443, 636 } ip length > 1200 drop'));
    const { row, checks, ran } = await run();
    for (const id of ['telemetry', 'ad-ldaps']) {
      expect(checks(id)[0]).toMatchObject({ outcome: 'answered', hint: 'large-hello', verdict: 'warn', attempts: 2 });
      expect(row(id)).toMatchObject({ verdict: 'warn' });
      expect(row(id).because).toContain('only a TLS hello of one TCP segment gets through');
      expect(row(id).remedy).not.toBeNull();
    }
    expect(ran.exitCode).toBe(0);
  });

  test('that is dropped like a small one is no finding about its size', async () => {
    setFirewall(lab.router, filterAt('forward', 'iifname "to0" tcp dport { 443, 636 } ip length > 100 drop'));
    const { row, checks } = await run();
    expect(checks('telemetry')[0]).toMatchObject({ outcome: 'timeout', stage: 'tls', hint: null });
    expect(row('telemetry')).toMatchObject({ verdict: 'fail' });
    expect(row('telemetry').remedy).toContain('inspects TLS');
  });
});
