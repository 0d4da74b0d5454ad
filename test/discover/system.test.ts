/** The files of other machines, as their programs write them. */
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { answerfileSource } from '../../src/discover/answerfile.ts';
import { draftOf } from '../../src/discover/draft.ts';
import { siteOfThisMachine } from '../../src/discover/here.ts';
import { systemSource } from '../../src/discover/system/system.ts';
import { siteValue, writeYaml } from '../../src/discover/write.ts';
import { makeSelfSigned, soundLeaf } from '../../src/lab/certificate.ts';
import { parseSite } from '../../src/load/site.ts';
import { xenserver8 } from '../support/sites.ts';
import { machine } from '../support/system-files.ts';
import { recordsOf, startXapi } from '../support/xapi.ts';

type Files = Readonly<Record<string, string | Uint8Array>>;

const siteOf = (files: Files, environment = {}): Readonly<Record<string, unknown>> =>
  siteValue(draftOf([systemSource(machine(files), environment)], xenserver8));

test.for<[string, Files, object]>([
  [
    'resolv.conf',
    { 'etc/resolv.conf': 'search a.test\nnameserver 10.0.0.1 \nnameserver fd00::1\nnameserver none\n' },
    { 'dns-server': ['10.0.0.1', 'fd00::1'] },
  ],
  [
    'a stub of systemd, and a link to it',
    {
      'etc/resolv.conf': '->/run/systemd/resolve/stub-resolv.conf',
      'run/systemd/resolve/stub-resolv.conf': 'nameserver 127.0.0.53\n',
      'run/systemd/resolve/resolv.conf': 'nameserver 10.0.0.1\n',
    },
    { 'dns-server': ['10.0.0.1'] },
  ],
  [
    'chrony with what it includes and what DHCP told it',
    {
      'etc/chrony.conf':
        '! old\nserver ntp1.test iburst # first\npool 2.pool.test iburst maxsources 4\nserver 127.0.0.1\ninclude /etc/chrony.d/*.conf\nsourcedir /run/chrony-dhcp\nmakestep 1 3\n',
      'etc/chrony.d/own.conf': 'peer 10.0.0.5\ninclude /etc/chrony.conf\n',
      'etc/chrony.d/own.bak': 'server no.test\n',
      'run/chrony-dhcp/xenbr0.sources': 'server 10.0.0.6 iburst\n',
    },
    { 'ntp-server': ['ntp1.test', '2.pool.test', '10.0.0.6', '10.0.0.5'] },
  ],
  [
    'ntpd',
    { 'etc/ntp.conf': 'server -4 ntp1.test\nserver 127.127.1.0\nrestrict default\n' },
    { 'ntp-server': ['ntp1.test'] },
  ],
  [
    'systemd-timesyncd',
    {
      'etc/systemd/timesyncd.conf': '[Time]\n#NTP=no.test\nNTP=ntp1.test ntp2.test\n',
      'etc/systemd/timesyncd.conf.d/a.conf': '[Time]\nNTP=ntp3.test',
    },
    { 'ntp-server': ['ntp1.test', 'ntp2.test', 'ntp3.test'] },
  ],
  [
    'a lease of DHCP, the last one',
    {
      'etc/chrony.conf': 'driftfile /x\n',
      'var/lib/xcp/dhclient-xenbr0.leases':
        'lease {\n option ntp-servers 10.0.0.8;\n}\nlease {\n option ntp-servers 10.0.0.9, 10.0.0.10;\n}\n',
    },
    { 'ntp-server': ['10.0.0.9', '10.0.0.10'] },
  ],
  [
    'rsyslog in both formats',
    {
      'etc/rsyslog.conf': '$ModLoad imuxsock\n*.info;mail.none /var/log/messages\n*.* @@10.0.0.7:1514;RSYSLOG_Format\n',
      'etc/rsyslog.d/remote.conf':
        '*.* @syslog.test\naction(type="omfwd"\n  target="10.0.0.8" port="514" protocol="udp")\naction(type="omfile" target="no.test")\n',
    },
    { 'syslog-server': [{ host: '10.0.0.7', port: 1514 }, 'syslog.test', '10.0.0.8'] },
  ],
  [
    'Samba in a domain',
    { 'etc/samba/smb.conf': '[global]\n  security = ADS\n  realm = CORP.TEST\n[share]\n  realm = no.test\n' },
    { 'domain-controller': { domain: 'corp.test' } },
  ],
  [
    'sssd',
    { 'etc/sssd/sssd.conf': '[sssd]\ndomains = corp.test\n[domain/corp.test]\nid_provider = ad\n' },
    { 'domain-controller': { domain: 'corp.test' } },
  ],
  [
    'Kerberos',
    { 'etc/krb5.conf': '[libdefaults]\n  default_realm = CORP.TEST # ours\n' },
    { 'domain-controller': { domain: 'corp.test' } },
  ],
  [
    'a Kerberos that nobody set up',
    { 'etc/krb5.conf': '[libdefaults]\n# default_realm = CORP.TEST\ndefault_realm = ATHENA.MIT.EDU\n' },
    {},
  ],
  [
    'mounts',
    {
      'etc/fstab':
        '# x\nnas01.test:/vol /mnt nfs4 ro 0 0\nnas02.test:/vol /a nfs vers=3,port=12049 0 0\n//fs01.test/share /b cifs credentials=/root/secret,vers=3.0 0 0\n/dev/sda1 / ext4 defaults 0 1\n',
      'proc/mounts': '[fd00::9]:/v /c nfs4 rw,vers=4.2 0 0\n',
    },
    {
      'nfsv4-server': ['nas01.test', 'fd00::9'],
      'nfsv3-server': [{ host: 'nas02.test', ports: { 2049: 12049 } }],
      'smb-file-server': ['fs01.test'],
    },
  ],
  [
    'iSCSI nodes',
    {
      'var/lib/iscsi/nodes/iqn.1/10.0.0.50,3260,1/default': 'x',
      'var/lib/iscsi/nodes/iqn.1/10.0.0.51,3261,1/default': 'node.session.auth.password = hunter2',
    },
    { 'san-controller': ['10.0.0.50', { host: '10.0.0.51', port: 3261 }] },
  ],
])('%s', ([, files, roles]) => {
  expect(siteOf(files)['roles']).toEqual(roles);
});

describe('the certificates that a pool believes', () => {
  const [first, second] = ['xs01', 'xs02'].map((name) => makeSelfSigned(soundLeaf(name)).cert) as [string, string];
  const damaged = first.replace(/\n..../, '\nAAAA');
  const files = { 'etc/stunnel/xapi-pool-ca-bundle.pem': `${first}\n${damaged}${second}-----BEGIN CERTIFICATE-----\n` };
  const sha256 = (pem: string): string => new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase();

  test('are those of its bundle, and what is none is told', () => {
    const root = machine({ ...files, 'var/xapi/verify-certificates': '' });
    const source = systemSource(root);
    expect(siteValue(draftOf([source], xenserver8))['pool-certificates']).toEqual([sha256(first), sha256(second)]);
    const remarks = source.findings.flatMap((found) => (found.kind === 'remark' ? [found.text] : []));
    expect(remarks).toEqual(['/etc/stunnel/xapi-pool-ca-bundle.pem: block 2 is no certificate and was left out']);
  });

  test('are none where hosts do not verify each other', () => {
    expect(siteOf(files)).not.toHaveProperty('pool-certificates');
  });
});

describe('a proxy', () => {
  test.for<[string, Files, Record<string, string>, object]>([
    [
      'of yum',
      { 'etc/yum.conf': '[main]\nproxy=http://proxy.test:3128\nproxy_username=svc\nproxy_password=hunter2\n' },
      {},
      { url: 'http://proxy.test:3128', username: 'svc', for: ['updates-repo', 'updates-source-repo'] },
    ],
    [
      'of dnf that is turned off',
      {
        'etc/dnf/dnf.conf': '[main]\nproxy=_none_\n',
        'etc/environment': 'https_proxy="http://u:hunter2@10.0.0.4:8080/"\n',
      },
      {},
      { url: 'http://10.0.0.4:8080', username: 'u' },
    ],
    [
      'of apt',
      { 'etc/apt/apt.conf.d/10proxy': '// x\nAcquire::http::Proxy "http://proxy.test:3142";\n' },
      {},
      { url: 'http://proxy.test:3142' },
    ],
    ['of the environment, without a port', {}, { HTTPS_PROXY: 'proxy.test' }, { url: 'http://proxy.test:80' }],
  ])('%s', ([, files, environment, proxy]) => {
    const site = siteOf(files, environment);
    expect(site['proxy']).toEqual(proxy);
    expect(JSON.stringify(site)).not.toContain('hunter2');
  });
});

test('facts of this machine', () => {
  expect(
    siteOf({
      'etc/samba/smb.conf': '[global]\nsecurity=ads\nrealm=corp.test\nclient ldap sasl wrapping = ldaps\n',
      'etc/fstab': '//fs.test/x /b cifs vers=2.1 0 0\n',
    })['facts'],
  ).toEqual({ 'ad-ldaps': true, 'smb-netbios': false });
});

test('what is no text, too large, a pipe, or a link out of the folder is told or left alone', () => {
  const root = machine({
    'etc/resolv.conf': new Uint8Array([0x6e, 0, 1, 2]),
    'etc/chrony.conf': `server ntp1.test\n${'# x\n'.repeat(400_000)}`,
    'etc/rsyslog.conf': '->../../../../../../etc/passwd',
    'etc/ntp.conf': '->ntp.conf',
    'etc/samba/x': '',
  });
  execFileSync('mkfifo', [join(root, 'etc/fstab')]);
  const { findings, told } = systemSource(root);
  expect(told).toEqual([
    '/etc/resolv.conf is no text and was left out',
    '/etc/chrony.conf is larger than 1 MiB and was left out',
  ]);
  expect(findings.filter(({ kind }) => kind === 'host')).toEqual([]);
});

test('any text in any of them makes a site that can be read, or none', async () => {
  const paths = [
    'etc/resolv.conf',
    'etc/chrony.conf',
    'etc/rsyslog.conf',
    'etc/krb5.conf',
    'etc/sssd/sssd.conf',
    'etc/samba/smb.conf',
    'etc/fstab',
    'etc/yum.conf',
    'etc/environment',
  ];
  const root = machine(Object.fromEntries(paths.map((path) => [path, ''])));
  const words = [
    'nameserver ',
    'server ',
    'include ',
    '*.* @',
    'action(type="omfwd" target="',
    'default_realm=',
    '[global]\nsecurity=ads\nrealm=',
    ' nfs4 vers=3 0 0',
    ' cifs ',
    'proxy=',
    'https_proxy=',
    '"',
    '\n',
    '\u202e',
    'a.test',
    '10.0.0.1',
    '//',
    ':/',
    '# ',
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(fc.constantFrom(...words), fc.string({ unit: 'binary' })), { maxLength: 12 }),
      async (parts) => {
        for (const path of paths) writeFileSync(join(root, path), parts.join(''));
        await parseSite(writeYaml(draftOf([systemSource(root)], xenserver8), xenserver8), 'site.yaml', xenserver8);
      },
    ),
    { numRuns: 60 },
  );
});

describe('an answer file', () => {
  const text = `<?xml version="1.0"?>
<installation mode="fresh">
  <!-- <name-server>10.9.9.9</name-server> -->
  <root-password type="plaintext">hunter2</root-password>
  <source type="url">http://user:hunter2@repo.test/xs8/</source>
  <source type="nfs">nas01.test:/iso</source>
  <admin-interface name="eth0" proto="static"><ipaddr>10.0.0.14</ipaddr><gateway>10.0.0.1</gateway></admin-interface>
  <name-server>10.0.0.2</name-server><nameserver> 10.0.0.3 </nameserver>
  <hostname>xs&amp;4</hostname><ntp-server>ntp1.test</ntp-server>
</installation>`;

  test('names servers before there is a host', async () => {
    const draft = draftOf([answerfileSource(text, 'answers.xml')], xenserver8);
    expect(siteValue(draft)).toEqual({
      name: 'xs&4',
      vantage: ['xenserver-host'],
      roles: {
        'xenserver-host': ['10.0.0.14'],
        'dns-server': ['10.0.0.2', '10.0.0.3'],
        'ntp-server': ['ntp1.test'],
        'nfsv3-server': ['nas01.test'],
      },
    });
    const written = writeYaml(draft, xenserver8);
    expect(written).not.toContain('hunter2');
    await expect(parseSite(written, 'site.yaml', xenserver8)).resolves.toMatchObject({ name: 'xs&4' });
  });

  test('with DHCP says where the servers come from', () => {
    const source = answerfileSource(
      '<installation><ntp source="none"/><admin-interface proto="dhcp"/></installation>',
      'a.xml',
    );
    const hints = source.findings.flatMap((each) => (each.kind === 'absent' ? [each.hint] : []));
    expect(hints).toContain('NTP is disabled (<ntp source="none">)');
    expect(source.trouble).toBeNull();
  });

  test('that is none is told', () => {
    expect(answerfileSource('<html>', 'a.xml').trouble).toContain('is no answer file');
  });
});

describe('a check without a site file', () => {
  const here = {
    vantage: { hostname: 'here', addresses: ['10.0.0.1'] },
    asksDns: false,
    signal: new AbortController().signal,
    environment: {},
  };

  test('uses what this machine knows, and says so in one line', async () => {
    const root = machine({
      'etc/resolv.conf': 'nameserver 10.0.0.2\n',
      'etc/krb5.conf': '[libdefaults]\ndefault_realm = CORP.TEST\n',
    });
    const found = await siteOfThisMachine({ ...here, root, socket: join(root, 'none') }, xenserver8);
    expect(found?.site).toMatchObject({ name: 'here', origin: 'discovered' });
    expect(found?.site).not.toHaveProperty('folder');
    expect(found?.told).toBe(
      `no site file: using what the files below ${root} know: dns-server (1), domain-controller (corp.test); xenreach discover writes it down`,
    );
  });

  test("asks the host's own socket", async () => {
    await using xapi = await startXapi({ records: recordsOf('xenserver-9') });
    const found = await siteOfThisMachine({ ...here, root: machine({}), socket: xapi.path }, xenserver8);
    expect(found?.site).toMatchObject({ name: 'ber-pool-9', facts: { 'https-only': true, 'ssh-enabled': false } });
    expect(xapi.api.openSessions).toBe(0);
  });

  test('has nothing to go by on a bare machine', async () => {
    const root = machine({ 'etc/hosts': '127.0.0.1 localhost\n' });
    expect(await siteOfThisMachine({ ...here, root, socket: join(root, 'none') }, xenserver8)).toBeNull();
  });
});
