/** One whole site of real servers, from every source role at once: what a healthy site's report says, row by row. */
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkSite } from '../../support/check-site.ts';
import { whyNotLive } from '../../support/netns.ts';
import { realServers, startRealSite, type RealSite } from '../../support/real-site.ts';
import { startCorosync } from '../../support/servers/corosync.ts';
import { startMute } from '../../support/servers/mute.ts';
import { startRsyslog } from '../../support/servers/rsyslog.ts';
import { everySource, xenserver8 } from '../../support/sites.ts';

/** What no vantage can prove from here; all other rows pass. */
const vendorRows = xenserver8.rows.filter(({ hosts }) => hosts).map(({ id }) => [id, 'warn'] as const);

const otherVerdicts: Readonly<Record<string, string>> = {
  ...Object.fromEntries(vendorRows), // the lab's authority plays the vendor's
  syslog: 'unverified', // one-way
  'clustering-udp': 'unverified', // mute to strangers
  'pvs-outbound': 'unverified', // the protocol is not published
  'pvs-logon': 'unverified',
  'pvs-target-port': 'unverified',
  'pvs-server-ports': 'unverified',
  'management-port-80-closed': 'skipped', // the site does not say https-only
};

describe.skipIf(whyNotLive(...realServers, 'rsyslogd', 'corosync') !== null)('a site of real servers', () => {
  let real: RealSite;

  beforeAll(async () => {
    real = await startRealSite(({ hosts: at }) => [
      startMute(
        at.pvs,
        Array.from({ length: 21 }, (_, i) => 6910 + i),
      ),
      startMute(at.target, [6901, 6902, 6905]),
      startRsyslog(at.log),
      startCorosync(at.member),
    ]);
  }, 120_000);

  afterAll(() => real?.[Symbol.asyncDispose]());

  test('every row that can be proven passes, from every source role', { timeout: 120_000 }, async () => {
    const { lab, authority, folder, files } = real;
    const site = { ...real.site, vantage: everySource, trust: ['ca.pem'] };
    const { report, row, ran } = await checkSite(lab.client, site, {
      args: ['--output', `text=${folder}/report.txt`],
      files: { ...files, 'ca.pem': authority.certificate },
    });
    const text = readFileSync(`${folder}/report.txt`, 'utf8');
    // For whoever wants to look at one.
    const kept = process.env['XENREACH_REAL_SITE_REPORT'];
    if (kept !== undefined) writeFileSync(kept, text);

    const found = report.rows.map(({ id, verdict }) => [id, verdict] as const);
    const expected = report.rows.map(({ id }) => [id, otherVerdicts[id] ?? 'pass'] as const);
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected));
    expect(row('management-port-80-closed')).toMatchObject({ verdict: 'skipped', skip: 'not-applicable' });
    expect([ran.exitCode, report.complete, report.rows.length]).toEqual([0, true, 48]);
    expect(report.stats.connects).toBeGreaterThan(40);
    expect(row('syslog').because).toContain('silence on UDP proves nothing');
    expect(row('dc-ldap').notes.join()).toContain('1 controller of ad.lab.test found by DNS');

    const told = text.split('\n');
    expect(told.filter((line) => line.length > 80)).toEqual([]);
    for (const { id } of report.rows) expect(text).toContain(id);
  });
});
