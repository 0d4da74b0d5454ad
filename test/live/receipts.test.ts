/** No way back at all: what a responder saw is carried by hand, and `merge` judges the report again with it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkSite } from '../support/check-site.ts';
import { filterAt, linksUp, makeLab, setFirewall, whyNotLive } from '../support/netns.ts';
import { kinds, startResponder } from '../support/respond.ts';
import { reportOf, runXenreach } from '../support/run-xenreach.ts';

describe.skipIf(whyNotLive() !== null)('receipts that were carried by hand', () => {
  test.for(kinds)('prove what nothing could say on the wire (%s)', { timeout: 90_000 }, async (kind) => {
    using lab = makeLab(['log']);
    const { client } = lab;
    const { log } = lab.hosts;
    const site = { 'not-used': ['external-domain'], roles: { 'syslog-server': [log.address] } };
    setFirewall(lab.router, filterAt('forward', `ip saddr ${log.address} drop`));
    await linksUp(client);
    await using responder = await startResponder(log, site, { kind, roles: ['syslog-server'] });
    const args = ['--pair', responder.pairFile, '--timeout', '1s'];
    const { ran, row } = await checkSite(client, site, { args });
    expect(row('syslog')).toMatchObject({ verdict: 'unverified' });

    const folder = mkdtempSync(join(tmpdir(), 'xenreach-receipts-'));
    try {
      const [report, receipts] = ['report.json', 'receipts.json'].map((name) => join(folder, name));
      writeFileSync(report!, ran.stdout);
      writeFileSync(receipts!, JSON.stringify(await responder.receipts()));
      const joined = await runXenreach(['merge', report!, receipts!, '--format', 'json']);
      expect({ exitCode: joined.exitCode, stderr: joined.stderr }).toEqual({ exitCode: 0, stderr: '' });
      const merged = reportOf(joined);
      expect(merged.rows.find(({ id }) => id === 'syslog')).toMatchObject({
        verdict: 'pass',
        because: expect.stringMatching(
          /^it arrives: the other end has 3 datagrams from 10\.91\.0\.2 \(receipt\)/,
        ) as string,
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
