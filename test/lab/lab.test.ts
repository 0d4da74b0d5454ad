/** The embedded site, spoken to in the bytes that real clients were recorded with, and left without a trace. */
import { execFile } from 'node:child_process';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import net, { isIP } from 'node:net';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { startLab, type Lab } from '../../src/lab/index.ts';
import { HostObject, SiteFile } from '../../src/model/site.ts';
import { askTcp, askUdp } from './ask.ts';

/** Every role that a row leads to; the external domains and the named host are found otherwise. */
const destinations = [
  'xenserver-host',
  'citrix-license-server',
  'ntp-server',
  'dns-server',
  'domain-controller',
  'smb-file-server',
  'san-controller',
  'nfsv4-server',
  'nfsv3-server',
  'syslog-server',
  'cluster-member',
  'wlb-appliance',
  'vm',
  'pvs-server',
  'pvs-target-device',
];

type Hosts = ReadonlyMap<string, readonly HostObject[]>;

const siteOf = (lab: Lab): SiteFile => v.parse(SiteFile, parse(lab.site));

/** The lab writes every role as a list of objects. */
const hostsOf = (lab: Lab): Hosts =>
  new Map(Object.entries(siteOf(lab).roles).map(([role, hosts]) => [role, v.parse(v.array(HostObject), hosts)]));

function placeOf(hosts: Hosts, role: string, documented: number): readonly [host: string, port: number] {
  const host = hosts.get(role)?.find(({ ports }) => ports?.[documented] !== undefined);
  return [host?.host ?? '', host?.ports?.[documented] ?? 0];
}

const rpc = (program: string, version: number, procedure: number, args = ''): string =>
  `11223344 00000000 00000002 ${program} 0000000${version} 0000000${procedure} ${'0'.repeat(32)} ${args}`.replaceAll(
    ' ',
    '',
  );
const programs = { rpcbind: '000186a0', nfs: '000186a3', mountd: '000186a5', nlockmgr: '000186b5' };
const record = (call: string): string => `800000${(call.length / 2).toString(16)}${call}`;

const adSrv = 'a1e101000001000000000000055f6c646170045f746370026463065f6d73646373036c6162076578616d706c650000210001';
const cldapPing = (domain: string): string => {
  const name = Buffer.from(domain).toString('hex');
  const length = (n: number): string => (domain.length + n).toString(16).padStart(2, '0');
  return `30${length(66)}02010263${length(61)}04000a01000a0100020100020105010100a0${length(30)}a3${length(13)}0409446e73446f6d61696e04${length(0)}${name}a30d04054e74566572040406000000300a04084e65746c6f676f6e`;
};
const rootDse =
  '3081e60201016381e004000a01000a0100020100020105010100870b6f626a656374436c6173733081bf040e6e616d696e67436f6e7465787473041464656661756c744e616d696e67436f6e74657874040b646e73486f73744e616d650414737570706f727465644c44415056657273696f6e0417737570706f727465645341534c4d656368616e69736d7304146973476c6f62616c436174616c6f675265616479040b63757272656e7454696d65040a76656e646f724e616d65040d76656e646f7256657273696f6e041d646f6d61696e436f6e74726f6c6c657246756e6374696f6e616c697479';
const asReq =
  '6a8186308183a103020105a20302010aa4773075a00703050000000010a11b3019a003020101a11230101b0e78656e72656163682d70726f6265a2081b0641442e4c4142a31b3019a003020102a11230101b066b72627467741b0641442e4c4142a511180f32303337303931333032343830355aa7060204517d74c4a80b3009020112020111020117';
const changePassword =
  '0148000100e76e81e43081e1a003020105a10302010ea20703050000000000a37f617d307ba003020105a1081b0641442e4c4142a21d301ba003020102a11430121b066b61646d696e1b086368616e67657077a34b3049a003020112a242044000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000a44b3049a003020112a24204400000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000075593057a003020105a103020115a34b3049a003020112a242044000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000';
const nbstat = '3e500000000100000000000020434b4141414141414141414141414141414141414141414141414141414141410000210001';
const negotiate =
  '000000b2fe534d4240000000000000000000010000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000024000500010000007f0000000a3c6805d437c9d34d7cb4fc01eb879470000000020000000202100200030203110300000100260000000000010020000100808839a4cb3fc25a1f64f93804e2a1633a882033ccae456cfc3228bf25494569000002000a000000000004000200010004000300';
const negotiateSmb1 =
  '00000045ff534d4272000000001853c8000000000000000000000000fffffeff00000000002200024e54204c4d20302e31320002534d4220322e3030320002534d4220322e3f3f3f00';
const sessionRequest =
  '8100004420434b4644454e4543464445464643464745464643434143414341434143414341002046494546454f464345464542454445494341434143414341434143414341414100';
const iscsi = [
  '43870000000000c680123456000000000000100000000000000000010000000000000000000000000000000000000000496e69746961746f724e616d653d69716e2e323032362d30312e696f2e6769746875622e78656e72656163683a70726f62650053657373696f6e547970653d446973636f76657279004865616465724469676573743d4e6f6e6500446174614469676573743d4e6f6e65004d617852656376446174615365676d656e744c656e6774683d383139320044656661756c7454696d6532576169743d300044656661756c7454696d653252657461696e3d30004572726f725265636f766572794c6576656c3d30000000',
  '4480000000000010000000000000000000001001ffffffff00000001000000010000000000000000000000000000000053656e64546172676574733d416c6c00',
  '468000000000000000000000000000000000100200000000000000010000000200000000000000000000000000000000',
];
const sshHello = Buffer.from('SSH-2.0-xenreach_0.1\r\n').toString('hex');
const ascii = (text: string): string => Buffer.from(text).toString('hex');

/** Role, documented port, what is sent (recorded), what the answer must look like. */
type Exchange = readonly [string, string, number, string | readonly string[], RegExp];

const overTcp: readonly Exchange[] = [
  ['DNS refuses the root', 'dns-server', 53, '00117e97000000010000000000000000020001', /^00117e978485/],
  ['the controller names itself in DNS', 'domain-controller', 53, `0032${adSrv}`, new RegExp(`a1e1.*${ascii('dc1')}`)],
  [
    'LDAP shows the rootDSE',
    'domain-controller',
    389,
    rootDse,
    new RegExp(`020101.*${ascii('DC=lab,DC=example')}.*65070a0100`),
  ],
  ['so does the global catalog', 'domain-controller', 3268, rootDse, new RegExp(ascii('isGlobalCatalogReady'))],
  [
    'LDAP has no StartTLS',
    'domain-controller',
    389,
    '301d02010577188016312e332e362e312e342e312e313436362e3230303337',
    /^30..020105780?.*0a0134/,
  ],
  [
    'Kerberos knows nobody',
    'domain-controller',
    88,
    `00000089${asReq}`,
    /^000000..7e.*a603020106.*a9081b0641442e4c4142/,
  ],
  ['kpasswd believes nothing', 'domain-controller', 464, `00000148${changePassword}`, /^000000..00..000100007e/],
  ['SMB speaks 3.1.1', 'smb-file-server', 445, negotiate, /^0000....fe534d42.{120}.{8}1103/],
  ['SMB leads an SMB1 client on', 'smb-file-server', 445, negotiateSmb1, /^0000....fe534d42.{120}.{8}ff02/],
  [
    'NetBIOS grants a session, then SMB',
    'smb-file-server',
    139,
    [sessionRequest, negotiate],
    /^82000000 0000....fe534d42/,
  ],
  [
    'iSCSI names a target and logs out',
    'san-controller',
    3260,
    iscsi,
    new RegExp(`^2387.* 2480.*${ascii('TargetName=iqn')}.* 2680`),
  ],
  [
    'iSCSI wants a target in a normal session',
    'san-controller',
    3260,
    '438700000000004680123456000000000000100000000000000000010000000000000000000000000000000000000000496e69746961746f724e616d653d69716e2e323032362d30312e696f2e6769746875622e78656e72656163683a70726f62650053657373696f6e547970653d4e6f726d616c000000',
    /^23.{70}0207/,
  ],
  ['rpcbind answers', 'nfsv3-server', 111, record(rpc(programs.rpcbind, 2, 0)), /^800000181122334400000001/],
  ['rpcbind lists nlockmgr', 'nfsv3-server', 111, record(rpc(programs.rpcbind, 2, 4)), /000186b5000000040000000600/],
  ['rpcbind speaks 2 to 4', 'nfsv3-server', 111, record(rpc(programs.rpcbind, 9, 0)), /00000002 ?0000000200000004$/],
  ['rpcbind is no NFS server', 'nfsv3-server', 111, record(rpc(programs.nfs, 3, 0)), /00000001$/],
  ['NFS 3 answers', 'nfsv3-server', 2049, record(rpc(programs.nfs, 3, 0)), /00000000$/],
  ['NFS 4 answers', 'nfsv4-server', 2049, record(rpc(programs.nfs, 4, 0)), /00000000$/],
  [
    'a call in two fragments is one call',
    'nfsv4-server',
    2049,
    `00000008${rpc(programs.nfs, 4, 0).slice(0, 16)}80000020${rpc(programs.nfs, 4, 0).slice(16)}`,
    /00000000$/,
  ],
  [
    'SSH speaks first, then its key exchange',
    'xenserver-host',
    22,
    ['', sshHello],
    new RegExp(`^${ascii('SSH-2.0-')}.*0d0a 0000.*14`),
  ],
  [
    'SSH does not take HTTP',
    'xenserver-host',
    22,
    ['', ascii('GET / HTTP/1.0\r\n\r\n')],
    new RegExp(ascii('Invalid SSH')),
  ],
  ['VNC wants a password', 'vm', 5900, ['', ascii('RFB 003.008\n')], new RegExp(`^${ascii('RFB 003.008\n')} 0102$`)],
  [
    'RDP chooses CredSSP',
    'vm',
    3389,
    '030000130ee00000000000010008000b000000',
    /^030000130ed00000123400020008000200 ?0000$/,
  ],
  ['RDP insists on CredSSP', 'vm', 3389, '0300000b06e00000000000', /^030000130ed00000123400030008000500 ?0000$/],
];

const overUdp: readonly Exchange[] = [
  ['DNS refuses the root', 'dns-server', 53, '61ee000000010000000000000000020001', /^61ee8485/],
  [
    'DNS knows the vendor',
    'dns-server',
    53,
    '24fa01000001000000000000047265706f036f70730978656e73657276657203636f6d0000010001',
    /^24fa8580.*000100010000012c00047f/,
  ],
  [
    'DNS gives EDNS back',
    'dns-server',
    53,
    'c79d010000010000000000010378797a0000010001 00002904d0000000000000',
    /^c79d8583.*00002904d0000000000000$/,
  ],
  [
    'DNS denies what is not there',
    'dns-server',
    53,
    'e27301000001000000000000046e6f70650474657374036c61620000010001',
    /^e2738583/,
  ],
  ['NTP echoes our timestamp', 'ntp-server', 123, `23${'00'.repeat(39)}6c0ecdab9c7a9a25`, /^2402.{44}6c0ecdab9c7a9a25/],
  [
    'CLDAP: the domain is ours',
    'domain-controller',
    389,
    cldapPing('lab.example'),
    new RegExp(`^30.*${ascii('netlogon')}.*1700.*300c02010265`),
  ],
  ['CLDAP: it is not', 'domain-controller', 389, cldapPing('wrong.example'), /^300c02010265070a010004000400$/],
  ['Kerberos knows nobody', 'domain-controller', 88, asReq, /^7e.*a603020106/],
  ['kpasswd believes nothing', 'domain-controller', 464, changePassword, /^00..000100007e/],
  ['NBSTAT lists the names', 'domain-controller', 137, nbstat, new RegExp(`^3e508400.*${ascii('DC1            ')}20`)],
  [
    'rpcbind tells where mountd is',
    'nfsv3-server',
    111,
    rpc(programs.rpcbind, 2, 3, `${programs.mountd} 00000003 00000006 00000000`),
    /0000....$/,
  ],
  [
    'rpcbind does not know everything',
    'nfsv3-server',
    111,
    rpc(programs.rpcbind, 2, 3, '0001e240 00000001 00000006 00000000'),
    /00000000$/,
  ],
  [
    'rpcbind gives universal addresses',
    'nfsv3-server',
    111,
    rpc(programs.rpcbind, 4, 4),
    new RegExp(ascii('127.0.0.')),
  ],
  ['NFS 3 answers', 'nfsv3-server', 2049, rpc(programs.nfs, 3, 0), /^1122334400000001.*00000000$/],
];

const silentUdp = [
  ['syslog-server', 514, '00'],
  ['cluster-member', 5405, '00'],
  ['pvs-server', 6910, '00'],
  ['pvs-target-device', 6902, '00'],
  ['ntp-server', 123, '16010000'], // mode 6
  ['dns-server', 53, 'ffff80000001000000000000'], // an answer, not a question
  ['domain-controller', 88, '00'],
] as const;

describe('the healthy site', () => {
  let lab: Lab;
  let hosts: Hosts;
  beforeAll(async () => {
    lab = await startLab({ broken: false });
    hosts = hostsOf(lab);
  });
  afterAll(() => lab.close());

  test('has every role, on loopback', () => {
    expect([...hosts.keys()].toSorted()).toEqual(destinations.toSorted());
    expect(lab.addresses.every((address) => address.startsWith('127.') || address === '::1')).toBe(true);
  });

  test.for(overTcp)('%s (TCP)', async ([, role, port, sent, expected]) => {
    const messages = typeof sent === 'string' ? [sent] : sent;
    const answers = await askTcp(
      ...placeOf(hosts, role, port),
      messages.map((hex) => hex.replaceAll(' ', '')),
    );
    expect(answers.join(' ')).toMatch(expected);
  });

  test.for(overUdp)('%s (UDP)', async ([, role, port, sent, expected]) => {
    const answer = await askUdp(...placeOf(hosts, role, port), String(sent).replaceAll(' ', ''));
    expect(answer?.hex).toMatch(expected);
  });

  test.for(silentUdp)('%s, UDP %i, says nothing', async ([role, port, sent]) => {
    expect(await askUdp(...placeOf(hosts, role, port), sent, 100)).toBeUndefined();
  });

  test('what rpcbind names is there', async () => {
    const [host, rpcbind] = placeOf(hosts, 'nfsv3-server', 111);
    const call = rpc(programs.rpcbind, 2, 3, `${programs.nlockmgr} 00000004 00000011 00000000`);
    const answer = await askUdp(host, rpcbind, call.replaceAll(' ', ''));
    const port = Number.parseInt(answer?.hex.slice(-8) ?? '', 16);
    expect((await askUdp(host, port, rpc(programs.nlockmgr, 4, 0)))?.hex).toMatch(/00000000$/);
    expect(await askTcp(host, port, [record(rpc(programs.nlockmgr, 4, 0))])).toEqual([
      expect.stringMatching(/00000000$/),
    ]);
  });

  test('outlives any bytes on any port', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...placesOf(hosts)),
        fc.uint8Array({ minLength: 1, maxLength: 600 }),
        async ({ host, port }, bytes) => {
          const hex = Buffer.from(bytes).toString('hex');
          await Promise.all([askUdp(host, port, hex, 10), askTcp(host, port, [hex], 1, 10).catch(() => undefined)]);
        },
      ),
      { numRuns: 150 },
    );
    const [host, port] = placeOf(hosts, 'nfsv4-server', 2049);
    expect(await askTcp(host, port, [record(rpc(programs.nfs, 4, 0))])).toEqual([expect.stringMatching(/00000000$/)]);
  });
});

test('the broken site is a site, with every role', async () => {
  const lab = await startLab({ broken: true });
  try {
    expect([...hostsOf(lab).keys()].toSorted()).toEqual(destinations.toSorted());
  } finally {
    await lab.close();
  }
});

test.for([false, true])('closing leaves nothing behind (broken: %s)', async (broken) => {
  const lab = await startLab({ broken });
  const hosts = hostsOf(lab);
  const [trust = ''] = siteOf(lab).trust ?? [];
  expect(existsSync(trust)).toBe(true);
  // A connection that nobody ends, so that there is something to cut.
  const quiet = broken ? hosts.get('xenserver-host')?.[1] : hosts.get('cluster-member')?.[0];
  const asking = askTcp(quiet?.host ?? '', quiet?.ports?.[broken ? 22 : 8896] ?? 0, ['00']);
  await new Promise((resolve) => void setTimeout(resolve, 20));
  await lab.close();
  expect(await asking).toEqual(['']);
  expect(existsSync(dirname(trust))).toBe(false);
  await Promise.all(placesOf(hosts).map(({ host, port }) => expectFree(host, port)));
});

test.for(['await close()', ''])('a process ends by itself and leaves no file (%s)', async (last) => {
  const lab = new URL('../../src/lab/index.ts', import.meta.url).href;
  const script = `const { startLab } = await import('${lab}');
    const { site, close } = await startLab({ broken: true });
    console.log(/trust: \\["(.*)"\\]/.exec(site)[1]);
    ${last}`;
  const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { timeout: 10_000 });
  const trust = (await run).stdout.trim();
  expect(trust).toMatch(/\.pem$/);
  expect(existsSync(dirname(trust))).toBe(false);
});

function placesOf(hosts: Hosts): readonly { readonly host: string; readonly port: number }[] {
  const all = [...hosts.values()].flat().filter(({ host }) => isIP(host) !== 0 && host !== '127.255.255.255');
  return all.flatMap(({ host, ports }) => Object.values(ports ?? {}).map((port) => ({ host, port })));
}

/** Somebody else can have the port, on both transports. */
async function expectFree(host: string, port: number): Promise<void> {
  const server = net.createServer().listen(port, host);
  const socket = dgram.createSocket('udp4').bind(port, host);
  await Promise.all([once(server, 'listening'), once(socket, 'listening')]);
  server.close();
  socket.close();
}
