/**
 * Every row of the spec, proven: real servers, responders where nobody answers, and a check from each machine that plays a
 * source role. No row is left `unverified`, and none needs the benefit of a doubt.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ReportRow } from '../../../src/model/report.ts';
import { checkSite, type SiteRun } from '../../support/check-site.ts';
import { filterAt, setFirewall, whyNotLive, type Host } from '../../support/netns.ts';
import { realServers, startRealSite, type RealSite } from '../../support/real-site.ts';
import { python, startResponder, type Running } from '../../support/respond.ts';
import { startOpenssh } from '../../support/servers/openssh.ts';
import { startXapi } from '../../support/servers/xapi.ts';
import { everySource, xenserver8 } from '../../support/sites.ts';

const needed = whyNotLive(...realServers, python);

describe.skipIf(needed !== null)('both ends of a site of real servers', () => {
  let real: RealSite;
  const responders: Running[] = [];
  const runs = new Map<string, SiteRun>();

  beforeAll(async () => {
    real = await startRealSite(
      ({ client }) => [startXapi(client), startOpenssh(client)],
      ['desk', 'wlb', 'pvs', 'target'],
    );
    const { lab, site, files, folder, authority } = real;
    const at = lab.hosts;
    // The management interface is hardened: its port 80 is shut.
    setFirewall(at.xs2, filterAt('input', 'tcp dport 80 reject with tcp reset'));
    const hardened = { ...site, facts: { 'https-only': true } };
    const other = (host: Host, role: string, kind: 'node' | 'python'): Promise<Running> =>
      startResponder(host, hardened, { kind, roles: [role], args: ['--for', '5m'] });
    responders.push(
      ...(await Promise.all([
        other(at.log, 'syslog-server', 'python'),
        other(at.member, 'cluster-member', 'node'),
        other(at.pvs, 'pvs-server', 'node'),
        other(at.target, 'pvs-target-device', 'python'),
      ])),
    );
    // As on a machine whose system has the vendor's authority among its own.
    const ca = join(folder, 'ca.pem');
    writeFileSync(ca, authority.certificate);
    const env = { NODE_OPTIONS: '--use-openssl-ca', SSL_CERT_FILE: ca };
    const args = responders.flatMap(({ pairFile }) => ['--pair', pairFile]);
    const from = async (host: Host, ...roles: readonly string[]): Promise<void> => {
      const vantage = { ...hardened, vantage: roles };
      runs.set(roles.join(), await checkSite(host, vantage, { args, env, files, onTestFailed: () => undefined }));
    };
    await Promise.all([
      from(lab.client, 'xenserver-host'),
      from(at.desk, 'xencenter', 'windows-vm', 'management-client'),
      from(at.wlb, 'wlb-appliance'),
      from(at.pvs, 'pvs-server'),
      from(at.target, 'pvs-target-device'),
    ]);
  }, 180_000);

  afterAll(async () => {
    await Promise.all(responders.map((responder) => responder.stop('SIGKILL')));
    await real?.[Symbol.asyncDispose]();
  });

  /** What each vantage says of a row that it is a source for. */
  const toldOf = (id: string): ReportRow[] =>
    [...runs.values()].map(({ row }) => row(id)).filter(({ skip }) => skip !== 'other-vantage');

  test('the vantages play every source role', () => {
    expect([...runs.keys()].flatMap((roles) => roles.split(',')).toSorted()).toEqual(everySource.toSorted());
  });

  test.for(xenserver8.rows.map(({ id }) => id))('%s passes', (id) => {
    const told = toldOf(id).map(({ verdict, because, notes }) => ({ verdict, because, notes }));
    expect(told).toEqual([expect.objectContaining({ verdict: 'pass' })]);
  });

  test('the one-way rows are proven by responders, and each run says which', () => {
    const standIns = [...runs.values()].flatMap(({ report }) =>
      report.checks.filter(({ hint }) => hint === 'stand-in').flatMap(({ rows }) => rows),
    );
    const oneWay = xenserver8.rows.filter(({ needs }) => needs.some((need) => need.oneWay)).map(({ id }) => id);
    expect(oneWay).toHaveLength(6);
    expect(standIns).toEqual(expect.arrayContaining(oneWay));
    const said = [...runs.values()].map(({ ran }) => ran.stderr).join('');
    for (const id of oneWay) expect(said).toMatch(new RegExp(`proven by a stand-in.*\\b${id}\\b`));
  });

  test('every run is complete, ends in 0, and has no row that is unverified', () => {
    for (const { report, ran } of runs.values()) {
      expect([ran.exitCode, report.complete, report.summary.unverified, report.summary.fail]).toEqual([0, true, 0, 0]);
    }
  });
});
