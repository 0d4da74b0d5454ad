/** What a person wrote stays, whatever is found. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { draftOf } from '../../src/discover/draft.ts';
import type { Finding } from '../../src/discover/finding.ts';
import { mergeInto } from '../../src/discover/merge.ts';
import { parseSite } from '../../src/load/site.ts';
import { UsageError } from '../../src/model/errors.ts';
import { xenserver8 } from '../support/sites.ts';

const host = (role: string, name: string): Finding => ({ kind: 'host', role, host: name, from: 'the pool' });

const found: readonly Finding[] = [
  host('ntp-server', '10.0.0.1'),
  host('ntp-server', '10.0.0.2'),
  host('dns-server', '10.0.0.3'),
  host('syslog-server', '10.0.0.4'),
  host('nfsv3-server', '10.0.0.5'),
  { kind: 'domain', domain: 'corp.test', from: 'the pool' },
  { kind: 'fact', fact: 'https-only', value: true, from: 'the pool' },
  { kind: 'not-used', role: 'cluster-member', from: 'no cluster' },
  { kind: 'proxy', url: 'http://10.0.0.9:3128', from: 'the pool' },
];

const draft = draftOf([{ name: 'the pool', findings: found, told: [], trouble: null }], xenserver8);
const merge = (text: string) => mergeInto(text, 'site.yaml', draft, xenserver8);

/** Insertions alone: what was there is there, in its order. */
function expectKept(before: string, after: string): void {
  let at = 0;
  for (const char of after) if (before[at] === char) at += 1;
  expect(at).toBe(before.length);
}

test('hosts go to their role, what is new to its place, and every word stays', async () => {
  const mine = [
    '# ours, by hand',
    'name:   lon   # odd blanks',
    'roles:',
    '    # the clocks',
    '    ntp-server:   # two of them',
    '    - 10.0.0.1   # the good one',
    '    - 10.9.9.9',
    '',
    "    dns-server: '10.0.0.53' # alone",
    '    nfsv3-server: [ 10.0.0.50, { host: 10.0.0.51, ports: { "2049": 1 } } ]',
    'facts: { ssh-enabled: false, https-only: false } # by decree',
    '# the end',
  ].join('\n');
  const { text, told } = await merge(mine);
  expect(text).toBe(
    [
      '# ours, by hand',
      'name:   lon   # odd blanks',
      'roles:',
      '    # the clocks',
      '    ntp-server:   # two of them',
      '    - 10.0.0.1   # the good one',
      '    - 10.9.9.9',
      '    - 10.0.0.2 # the pool',
      '',
      "    dns-server: ['10.0.0.53', 10.0.0.3] # alone",
      '    nfsv3-server: [ 10.0.0.50, { host: 10.0.0.51, ports: { "2049": 1 } }, 10.0.0.5 ]',
      '    domain-controller:',
      '      domain: corp.test # the pool',
      '    syslog-server:',
      '      - 10.0.0.4 # the pool',
      'facts: { ssh-enabled: false, https-only: false } # by decree',
      '# the end',
      '',
      'not-used:',
      '  - cluster-member # no cluster',
      '',
      'proxy:',
      '  url: "http://10.0.0.9:3128" # the pool',
      '',
    ].join('\n'),
  );
  expectKept(mine, text);
  expect(told).toEqual([
    'ntp-server: 10.9.9.9 stands in the file and was not found',
    'dns-server: 10.0.0.53 stands in the file and was not found',
    'nfsv3-server: 10.0.0.50, 10.0.0.51 stands in the file and was not found',
    'https-only: the file says false, found was true (the pool)',
  ]);
});

test('a second time nothing is new', async () => {
  const { text } = await merge('name: x\n');
  expect(await merge(text)).toEqual({ text, told: [] });
});

test('what a person says is not used stays so, and is told', async () => {
  const { text, told } = await merge('not-used: [ntp-server]\nroles: {}\n');
  expect(told).toContain('ntp-server is found (10.0.0.1, 10.0.0.2), and stands under not-used');
  expect(text).toContain('not-used: [ntp-server, cluster-member]\n');
});

test.for(['{"name":"x"}', 'roles: { ntp-server: [10.0.0.1', 'bogus: 1'])('%s is refused', async (text) => {
  await expect(merge(text)).rejects.toThrow(UsageError);
});

test('whatever way a site is written, its characters stay and the result is a site', async () => {
  const roleOf = fc.constantFrom(
    '10.0.0.1',
    '[10.0.0.1]',
    '[ 10.0.0.7 , 10.0.0.1 ]',
    '{ host: 10.0.0.7 }',
    '{ hosts: [10.0.0.7], require: any }',
    '\n    - 10.0.0.7 # x\n    - { host: 10.0.0.8 }',
    '\n    host: 10.0.0.7',
    '[]',
  );
  const site = fc.record({
    ntp: roleOf,
    dns: roleOf,
    facts: fc.constantFrom('', 'facts: {}\n', 'facts:\n   https-only: true # x\n', 'facts: { ad-ldaps: true }\n'),
    unused: fc.constantFrom('', 'not-used: [vm]\n', 'not-used:\n- vm\n', 'not-used: []\n'),
    end: fc.constantFrom('', '# end', '# end\n\n\n', '\n'),
    crlf: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(site, async ({ ntp, dns, facts, unused, end, crlf }) => {
      const text = `roles:\n  ntp-server: ${ntp} # a\n  dns-server: ${dns}\n${facts}${unused}${end}`;
      const mine = crlf ? text.replaceAll('\n', '\r\n') : text;
      const { text: merged } = await merge(mine);
      expectKept(mine, merged);
      await expect(parseSite(merged, 'site.yaml', xenserver8)).resolves.toBeDefined();
    }),
    { numRuns: 200 },
  );
});
