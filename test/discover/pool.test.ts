/** From the records of four products to site files, and to the plans that follow from them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { prepareOffline } from '../../src/check/prepare.ts';
import { settingsFor } from '../../src/check/settings.ts';
import { draftOf } from '../../src/discover/draft.ts';
import { siteValue, writeJson, writeYaml } from '../../src/discover/write.ts';
import { parseSite } from '../../src/load/site.ts';
import type { Vantage } from '../../src/model/site.ts';
import { askPool, remote } from '../support/pool.ts';
import { probes, xenserver8 } from '../support/sites.ts';
import { pools, recordsOf, type PoolName } from '../support/xapi.ts';

const vantage: Vantage = { hostname: 'probe', addresses: ['192.0.2.1'] };

/** XENREACH_GOLDEN=write makes them anew. */
function expectGolden(name: string, text: string): void {
  const file = `fixtures/discover/${name}.yaml`;
  if (process.env['XENREACH_GOLDEN'] === 'write') writeFileSync(file, text);
  expect(text).toBe(readFileSync(file, 'utf8'));
}

async function siteOf(name: PoolName) {
  const { draft, spec } = await askPool({ records: recordsOf(name) }, undefined, true);
  const text = writeYaml(draft, spec);
  return { draft, text, spec, site: await parseSite(text, 'site.yaml', spec) };
}

test.for(pools)('%s becomes the site file of fixtures/discover', async (name) => {
  const { text, draft, spec } = await siteOf(name);
  expectGolden(name, text);
  const fromJson = await parseSite(writeJson(draft), 'site.yaml', spec);
  expect(fromJson).toEqual(await parseSite(text, 'site.yaml', spec));
});

async function skipsOf(name: PoolName): Promise<Record<string, string | null>> {
  const { site, spec } = await siteOf(name);
  const settings = settingsFor({ needsSecrets: false }, site, vantage, probes);
  const selection = { as: ['xenserver-host'], rows: [], sections: [], roles: [] };
  const { plan } = prepareOffline({ spec, site, vantage, selection }, settings.run);
  return Object.fromEntries(plan.rows.map(({ requirement, skip }) => [requirement.id, skip && skip.reason]));
}

test('XenServer 8: what the pool uses is checked', async () => {
  expect(await skipsOf('xenserver-8')).toMatchObject({
    'updates-repo': null,
    'license-initial': null,
    'dc-ldaps': null,
    nfsv4: null,
    'nfsv3-rpcbind': null,
    'smb-direct': null,
    'smb-netbios-session': 'not-applicable',
    'clustering-tcp': 'not-applicable',
    'wlb-api': null,
    'management-port-80-closed': 'not-applicable',
  });
});

test('XenServer 9: what is closed on purpose is not wanted open, and what does not exist is not asked for', async () => {
  expect(await skipsOf('xenserver-9')).toMatchObject({
    'updates-repo': 'not-applicable',
    'management-port-80-closed': null,
    'clustering-tcp': null,
    'nfsv3-rpcbind': 'not-applicable',
    nfsv4: null,
    'dc-ldaps': null,
    'wlb-api': 'not-applicable',
  });
});

test('a fact that an older pool cannot tell leaves its row applicable, and the plan says so', async () => {
  const { site, spec } = await siteOf('citrix-hypervisor-8.2');
  const settings = settingsFor({ needsSecrets: false }, site, vantage, probes);
  const selection = { as: ['xenserver-host', 'xencenter'], rows: [], sections: [], roles: [] };
  const { plan } = prepareOffline({ spec, site, vantage, selection }, settings.run);
  const notes = (id: string): readonly string[] => plan.rows.find(({ requirement }) => requirement.id === id)!.notes;
  expect(notes('xencenter-ssh')).toContain('taken for granted, as nobody says: ssh-enabled is true here');
  expect(notes('pool-management')).toContain('taken for granted, as nobody says: https-only is false here');
});

test('no secret of a record reaches the site file', async () => {
  for (const name of pools) {
    const { text } = await siteOf(name);
    expect(text).not.toMatch(/9a3c0000|7711aa00|joiner|chap/i);
  }
});

test('hosts that differ in a fact leave it unsaid, with who says what', async () => {
  const records = recordsOf('xenserver-8');
  const [first] = Object.values(records['host']!);
  Object.assign(first!, { https_only: true });
  const { draft } = await askPool({ records });
  expect(draft.facts.map(({ fact }) => fact)).not.toContain('https-only');
  expect(draft.absent.get('https-only')).toBe(
    'host.https_only differs: true on xs-lon-01, false on xs-lon-02, xs-lon-03',
  );
});

test.for<[string, object | string]>([
  ['syslog.example.test', 'syslog.example.test'],
  ['10.0.0.1:1514', { host: '10.0.0.1', port: 1514 }],
  ['@10.0.0.1', '10.0.0.1'],
  ['@@10.0.0.1:514', { host: '10.0.0.1', port: 514 }],
  ['[fd00::1]:601', { host: 'fd00::1', port: 601 }],
  ['fd00::1', 'fd00::1'],
  ['@(z9)10.0.0.1', '10.0.0.1'],
  ['udp://10.0.0.1:514/', { host: '10.0.0.1', port: 514 }],
])('syslog to %s', async ([spelling, host]) => {
  const records = recordsOf('xcp-ng-8.3');
  for (const fields of Object.values(records['host']!))
    Object.assign(fields, { logging: { syslog_destination: spelling } });
  const { draft } = await askPool({ records });
  expect(siteValue(draft)['roles']).toMatchObject({ 'syslog-server': [host] });
});

test('control characters and YAML in a record are text in the site, and nothing else', async () => {
  const records = recordsOf('xenserver-8');
  const evil = 'x\u001b[31m\nroles: {}\n- &a *b !!js/function "\u202e # \u0085 ';
  for (const record of Object.values(records['pool']!))
    Object.assign(record, { name_label: evil, repository_proxy_username: evil });
  for (const record of Object.values(records['SR']!)) Object.assign(record, { name_label: evil });
  for (const record of Object.values(records['host']!)) {
    Object.assign(record, { hostname: evil, logging: { syslog_destination: `10.0.0.1\n${evil}` } });
  }
  const { draft } = await askPool({ records });
  const text = writeYaml(draft, xenserver8);
  // oxlint-disable-next-line no-control-regex -- they are what it is about
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  const site = await parseSite(text, 'site.yaml', xenserver8);
  expect(site.roles['xenserver-host']?.hosts).toHaveLength(3);
});

test('records of other kinds than the API has are as good as none', async () => {
  const odd = [null, 1, true, 'text', [], {}, [[]], { a: 1 }];
  for (const value of odd) {
    const spoilt = (fields: Record<string, unknown>): Record<string, unknown> =>
      Object.fromEntries(Object.keys(fields).map((key) => [key, value]));
    const records = Object.fromEntries(
      Object.entries(recordsOf('xenserver-8')).map(([name, all]) => [
        name,
        Object.fromEntries(Object.entries(all).map(([reference, fields]) => [reference, spoilt(fields)])),
      ]),
    );
    const { draft } = await askPool({ records }, undefined, true);
    await expect(parseSite(writeYaml(draft, xenserver8), 'site.yaml', xenserver8)).resolves.toBeDefined();
  }
});

test('a password that the pool repeats is nowhere', async () => {
  const records = recordsOf('xenserver-8');
  const password = 'hunter2-hunter2';
  for (const record of Object.values(records['pool']!))
    Object.assign(record, { name_label: `pool ${password}`, wlb_url: `${password}:8012` });
  const { source } = await askPool({ records, password }, remote('10.0.0.1', password));
  expect(source.findings.length).toBeGreaterThan(10);
  expect(JSON.stringify(source) + writeYaml(draftOf([source], xenserver8), xenserver8)).not.toContain(password);
});
