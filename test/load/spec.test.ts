/** The bundled table says what the page says; every small faulty one in fixtures/specs gives the error beside its name. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as probes from '../../probes/index.ts';
import { bundledSpecs, loadSpec } from '../../src/load/spec.ts';
import { UsageError } from '../../src/model/errors.ts';
import { defineProbe } from '../../src/model/probe.ts';
import type { LoadedSpec, Need } from '../../src/model/spec.ts';

const folder = 'fixtures/specs';

/** File, and every line of the error: LINE:COLUMN, what is wrong, what to do. */
const faulty: readonly (readonly [file: string, ...lines: string[]])[] = [
  ['spec-dynamic-among-others', '30:38 "dynamic" stands alone; make it a need of its own'],
  ['spec-fact-of-wrong-kind', '28:22 fact "feature" must be true or false, not "on"'],
  ['spec-host-is-address', '25:13 "192.0.2.1" is an address; give a name'],
  ['spec-hosts-missing', '20:5 the key "hosts" is missing: rows to "vendor" name their own'],
  ['spec-hosts-of-a-site-role', '17:12 the hosts of role "server" come from the site; remove them here'],
  ['spec-no-rows', '11:7 "rows" must be a list with something in it, not an empty list'],
  ['spec-option-not-taken', '30:67 "path" cannot be "index.html": expected a path that begins with /'],
  ['spec-option-of-wrong-kind', '30:67 "path" must be text, not 7'],
  ['spec-port-key-misspelt', '30:25 unknown key "pourts"; did you mean "ports"?'],
  [
    'spec-port-not-a-port',
    '30:33 item 1 of "ports" must be a port from 1 to 65535 or a range FROM-TO or "dynamic", not "https"',
  ],
  [
    'spec-port-too-large',
    '30:38 item 2 of "ports" must be a port from 1 to 65535 or a range FROM-TO or "dynamic", not 65536',
  ],
  ['spec-ports-missing', '19:9 the key "ports" is missing: probe "udp" has no port of its own'],
  ['spec-range-backwards', '30:38 the range "8444-8443" must lead from a port to a higher one, 1 to 65535'],
  ['spec-range-too-large', '30:38 the range "8443-70000" must lead from a port to a higher one, 1 to 65535'],
  ['spec-row-id-not-a-word', '20:9 "id" must be lower-case words joined by hyphens, not "Web_1"'],
  ['spec-row-id-twice', '20:9 a second row is called "time"; rename one'],
  ['spec-row-key-missing', '20:5 the key "purpose" is missing; add text'],
  ['spec-row-key-misspelt', '27:5 unknown key "purpos"; did you mean "purpose"?'],
  ['spec-sample-without-hosts', '17:13 there are no hosts that could stand for others; add them or remove it'],
  ['spec-transport-missing', '19:9 the key "transport" is missing: probe "nfs-dynamic" speaks tcp and udp'],
  ['spec-transport-not-spoken', '19:34 probe "ntp" speaks udp only; remove the transport or name another probe'],
  ['spec-unknown-fact', '28:13 unknown fact "features"; did you mean "feature"?'],
  ['spec-unknown-level', '19:30 "level" must be one of required, advisory, not "advisery"; did you mean "advisory"?'],
  [
    'spec-unknown-option-filled-in',
    '30:80 unknown option "sername"; known: path, servername, trust, publicName, redirect',
  ],
  ['spec-unknown-option', '30:61 unknown key "pth"; did you mean "path"?'],
  ['spec-unknown-probe', '30:18 unknown probe "htps"; did you mean "https"?'],
  ['spec-unknown-property', '29:14 unknown property of a host "consol"; did you mean "console"?'],
  ['spec-unknown-role', '16:9 unknown role "sever"; did you mean "server"?'],
  ['spec-unknown-section', '13:14 unknown section "port"; did you mean "ports"?'],
  ['spec-unknown-template', '30:92 unknown template "$domian"; did you mean "$domain"?'],
  ['spec-vantage-is-no-source', '11:10 unknown source role "server"; known: client'],
];

test.for(faulty)('%s is told with its place', async ([name, ...lines]) => {
  const file = `${folder}/${name}.yaml`;
  const error: unknown = await loadSpec(file, probes).catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(UsageError);
  expect(error).toHaveProperty('message', lines.map((line) => `${file}:${line}`).join('\n'));
});

test("a sound file is loaded with the hash of its bytes, and a need without ports gets its probe's", async () => {
  const file = `${folder}/good.yaml`;
  const spec = await loadSpec(file, probes);
  expect(spec.sha256).toBe(createHash('sha256').update(readFileSync(file)).digest('hex'));
  expect(spec.rows.map((row) => row.needs[0]?.ports)).toEqual([[123], [443, '8443-8444']]);
});

test('a probe whose options are not of valibot is asked itself', async () => {
  const issue = { message: 'no options at all', path: ['path', { key: 'deeper' }] };
  const validate = (): { issues: (typeof issue)[] } => ({ issues: [issue] });
  const https = defineProbe({ ...probes.https, options: { '~standard': { version: 1, vendor: 'another', validate } } });
  await expect(loadSpec(`${folder}/good.yaml`, { ...probes, https })).rejects.toThrow(
    'good.yaml:30:67 no options at all',
  );
});

test('a name that is no bundled spec is told with the nearest', async () => {
  await expect(loadSpec('xenserver-90', probes)).rejects.toThrow(
    'no spec is called "xenserver-90"; did you mean "xenserver-9"?',
  );
  await expect(loadSpec('./none.yaml', probes)).rejects.toThrow('./none.yaml: there is no such file; check the name');
});

describe('xenserver-8', async () => {
  const spec = await loadSpec('xenserver-8', probes);

  test('is bundled', () => {
    expect(bundledSpecs()).toContain('xenserver-8');
  });

  /** Row, source, destination, and the page's own words: what a firewall's administrator is asked for. */
  const page: readonly (readonly [id: string, from: string, to: string, transports: string, ports: string])[] = [
    ['updates-repo', 'xenserver-host', 'repo.ops.xenserver.com', 'tcp', '443'],
    ['updates-source-repo', 'xenserver-host', 'repo-src.ops.xenserver.com', 'tcp', '443'],
    ['telemetry', 'xenserver-host', 'telemetry.ops.xenserver.com', 'tcp', '443'],
    ['xencenter-update-check', 'xencenter', 'updates.ops.xenserver.com', 'tcp', '443'],
    ['xencenter-hotfixes-citrix', 'xencenter', 'citrix.com', 'tcp', '443'],
    ['xencenter-hotfixes-storage', 'xencenter', 'storage.googleapis.com', 'tcp', '443'],
    ['vm-tools-update-check', 'windows-vm', 'pvupdates.vmd.citrix.com', 'tcp', '443'],
    ['vm-tools-downloads', 'windows-vm', 'downloadns.citrix.com.edgesuite.net', 'tcp', '443'],
    ['pool-management', 'xenserver-host', 'xenserver-host', 'tcp', '80, 443'],
    ['license-initial', 'xenserver-host', 'citrix-license-server', 'tcp', '27000'],
    ['license-checkout', 'xenserver-host', 'citrix-license-server', 'tcp', '7279'],
    ['ntp', 'xenserver-host', 'ntp-server', 'tcp udp', '123'],
    ['dns', 'xenserver-host', 'dns-server', 'tcp udp', '53'],
    ['dc-ldap', 'xenserver-host', 'domain-controller', 'tcp udp', '389'],
    ['dc-ldaps', 'xenserver-host', 'domain-controller', 'tcp', '636'],
    ['smb-netbios-session', 'xenserver-host', 'smb-file-server', 'tcp udp', '139'],
    ['smb-direct', 'xenserver-host', 'smb-file-server', 'tcp udp', '445'],
    ['iscsi', 'xenserver-host', 'san-controller', 'tcp', '3260'],
    ['nfsv4', 'xenserver-host', 'nfsv4-server', 'tcp', '2049'],
    ['nfsv3', 'xenserver-host', 'nfsv3-server', 'tcp udp', '2049'],
    ['nfsv3-rpcbind', 'xenserver-host', 'nfsv3-server', 'tcp udp', '111'],
    ['nfsv3-dynamic', 'xenserver-host', 'nfsv3-server', 'tcp udp', 'dynamic'],
    ['syslog', 'xenserver-host', 'syslog-server', 'udp', '514'],
    ['clustering-tcp', 'xenserver-host', 'cluster-member', 'tcp', '8892, 8896, 21064'],
    ['clustering-udp', 'xenserver-host', 'cluster-member', 'udp', '5404, 5405'],
    ['wlb-api', 'xenserver-host', 'wlb-appliance', 'tcp', '8012'],
    ['xencenter-ssh', 'xencenter', 'xenserver-host', 'tcp', '22'],
    ['xencenter-management', 'xencenter', 'xenserver-host', 'tcp', '443'],
    ['vm-vnc', 'xencenter', 'vm', 'tcp', '5900'],
    ['vm-rdp', 'xencenter', 'vm', 'tcp', '3389'],
    ['wlb-metrics', 'wlb-appliance', 'xenserver-host', 'tcp', '443'],
    ['clients-management', 'management-client', 'xenserver-host', 'tcp', '80, 443'],
    ['ad-dns', 'xenserver-host', 'domain-controller', 'tcp udp', '53'],
    ['ad-kerberos', 'xenserver-host', 'domain-controller', 'tcp udp', '88'],
    ['ad-ntp', 'xenserver-host', 'domain-controller', 'udp', '123'],
    ['ad-netbios-name', 'xenserver-host', 'domain-controller', 'udp', '137'],
    ['ad-netbios-session', 'xenserver-host', 'domain-controller', 'tcp', '139'],
    ['ad-ldap', 'xenserver-host', 'domain-controller', 'tcp udp', '389'],
    ['ad-smb', 'xenserver-host', 'domain-controller', 'tcp', '445'],
    ['ad-kpasswd', 'xenserver-host', 'domain-controller', 'tcp udp', '464'],
    ['ad-ldaps', 'xenserver-host', 'domain-controller', 'tcp udp', '636'],
    ['ad-global-catalog', 'xenserver-host', 'domain-controller', 'tcp', '3268'],
    ['pvs-outbound', 'pvs-server', 'pvs-target-device', 'udp', '6901, 6902, 6905'],
    ['pvs-logon', 'pvs-target-device', 'pvs-server', 'udp', '6910'],
    ['pvs-target-port', 'pvs-server', 'pvs-target-device', 'udp', '6901'],
    ['pvs-server-ports', 'pvs-target-device', 'pvs-server', 'udp', '6910-6930'],
    ['fqdn-resolvable', 'xenserver-host', 'named-host', 'udp', ''],
    ['management-port-80-closed', 'xenserver-host', 'xenserver-host', 'tcp', '80'],
  ];

  test('has the rows of the page in its order, with its hosts, transports and ports', () => {
    const rows = spec.rows.map(({ id, from, to, hosts, needs }) => {
      const transports = new Set(needs.map(transportOf));
      const ports = new Set(needs.flatMap((need) => need.ports ?? []));
      return [id, from, hosts?.[0] ?? to, [...transports].toSorted().join(' '), [...ports].join(', ')];
    });
    expect(rows).toEqual(page);
  });

  test('says where each row stands on the page, once', () => {
    const places = spec.rows.map(({ source }) => `${source.table} ${source.row}`);
    expect(new Set(places).size).toBe(48);
  });

  test('has a purpose and a section for every row', () => {
    expect(Object.keys(spec.sections)).toEqual([...new Set(spec.rows.map((row) => row.section))]);
    expect(spec.rows.every((row) => /^[A-Z].*\.$/s.test(row.purpose))).toBe(true);
  });

  test('calls advisory what is documented and not in use', () => {
    const advisory = spec.rows.flatMap(({ id, needs }) =>
      needs
        .filter((need) => need.level === 'advisory')
        .map((need) => `${id} ${transportOf(need)} ${need.ports?.join()}`),
    );
    expect(advisory).toEqual([
      'ntp tcp 123',
      'smb-netbios-session udp 139',
      'smb-direct udp 445',
      'nfsv3 udp 2049',
      'nfsv3-dynamic udp dynamic',
      'ad-ldaps udp 636',
    ]);
  });

  test('takes a refusal for good where nothing need listen', () => {
    const paths = spec.rows.filter((row) => row.needs.every((need) => need.expect === 'path')).map((row) => row.id);
    expect(paths).toEqual(['clustering-tcp', 'clustering-udp']);
  });

  test('asks the same of a controller in both tables, so that one check serves both rows', () => {
    expect(new Set(needsOf('dc-ldap', spec))).toEqual(new Set(needsOf('ad-ldap', spec)));
    expect(needsOf('ad-ldaps', spec)).toContainEqual(needsOf('dc-ldaps', spec)[0]);
  });

  test('never touches the lock manager of a running cluster', () => {
    const locks = spec.rows.flatMap((row) => row.needs).filter((need) => need.ports?.includes(21_064));
    expect(locks.map((need) => need.when)).toEqual([{ 'cluster-live': false }]);
  });
});

const needsOf = (id: string, spec: LoadedSpec): readonly Need[] => spec.rows.find((row) => row.id === id)?.needs ?? [];

function transportOf({ probe, transport }: Need): string {
  return transport ?? new Map(Object.entries(probes)).get(probe)?.transport ?? 'none';
}
