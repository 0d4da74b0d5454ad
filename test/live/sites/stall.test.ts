/** A machine that stands still (a snapshot of the VM, a stopped process) blames nobody for the time that it lost. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runOnSite } from '../../support/check-site.ts';
import { makeLab, whyNotLive, type Lab } from '../../support/netns.ts';
import { parseLines } from '../../support/report-schema.ts';
import type { Server } from '../../support/servers.ts';
import { startBind9 } from '../../support/servers/bind9.ts';
import { startNfs } from '../../support/servers/nfs.ts';
import { startTgt } from '../../support/servers/tgt.ts';

/** Longer than an attempt's five seconds. */
const stallMs = 6000;

describe.skipIf(whyNotLive('named', 'tgtd', 'rpcbind', '/usr/bin/ganesha.nfsd') !== null)('a stall of our own', () => {
  let lab: Lab<'names' | 'san' | 'nas'>;
  let servers: Server[] = [];

  beforeAll(async () => {
    lab = makeLab(['names', 'san', 'nas']);
    const { names, san, nas } = lab.hosts;
    servers = await Promise.all([startBind9(names), startTgt(san), startNfs(nas)]);
  }, 60_000);

  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()));
    lab?.[Symbol.dispose]();
  });

  test('in the middle of a run fails no row, and invents no lost packet', async () => {
    const { names, san, nas } = lab.hosts;
    const roles = { 'dns-server': names.address, 'san-controller': san.address, 'nfsv3-server': nas.address };
    const site = { roles, dns: { query: 'www.lab.test' } };
    let isStopped = false;
    const ran = await runOnSite(lab.client, site, {
      args: ['--format', 'ndjson', '--section', 'ports'],
      onOutput: (stdout, kill) => {
        if (isStopped || !stdout.includes('"start"')) return;
        isStopped = true;
        kill('SIGSTOP');
        setTimeout(() => kill('SIGCONT'), stallMs);
      },
    });
    const lines = parseLines(ran.stdout);
    const failed = lines.filter((line) => line.type === 'check' && line.verdict === 'fail' && !line.advisory);
    expect({ exitCode: ran.exitCode, failed }).toEqual({ exitCode: 0, failed: [] });
    expect(ran.durationMs).toBeGreaterThan(stallMs);
    expect(ran.stdout).not.toContain('SYN retransmit');
  });
});
