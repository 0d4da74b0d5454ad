/**
 * Every protocol against real servers, two makes of each where there are two: what xenreach says of a healthy one, and of
 * the ways in which these servers decline. Each runs on a machine of its own behind the router.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Hint, Outcome, Stage } from '../../src/model/outcome.ts';
import { makeAuthority, makeFaults, type Authority, type Certificate } from '../support/certificates.ts';
import { makeLab, setNames, whyNotLive, type Host, type Lab } from '../support/netns.ts';
import type { ReportCheck } from '../../src/model/report.ts';
import { probe, reportOf, runXenreach } from '../support/run-xenreach.ts';
import type { Server } from '../support/servers.ts';
import { startBind9 } from '../support/servers/bind9.ts';
import { startChrony } from '../support/servers/chrony.ts';
import { startCorosync } from '../support/servers/corosync.ts';
import { startDropbear } from '../support/servers/dropbear.ts';
import { heimdalKdc, startHeimdal } from '../support/servers/heimdal.ts';
import { startIstgt } from '../support/servers/istgt.ts';
import { startMitKerberos } from '../support/servers/mit-kerberos.ts';
import { startNfs } from '../support/servers/nfs.ts';
import { startNginx } from '../support/servers/nginx.ts';
import { ntpd, startNtpsec } from '../support/servers/ntpsec.ts';
import { startOpenssh } from '../support/servers/openssh.ts';
import { startRsyslog } from '../support/servers/rsyslog.ts';
import { startSambaAd } from '../support/servers/samba-ad.ts';
import { startSlapd } from '../support/servers/slapd.ts';
import { startSmbd } from '../support/servers/smbd.ts';
import { startSquid } from '../support/servers/squid.ts';
import { startTgt, tgtTarget } from '../support/servers/tgt.ts';
import { startTigervnc } from '../support/servers/tigervnc.ts';
import { startTinyproxy } from '../support/servers/tinyproxy.ts';
import { startUnbound } from '../support/servers/unbound.ts';
import { startX11vnc } from '../support/servers/x11vnc.ts';
import { startXrdp } from '../support/servers/xrdp.ts';

/** One probe, and what it must find: by default an answer. */
interface Ask {
  readonly ask: string;
  readonly port: number;
  readonly set?: Readonly<Record<string, string>>;
  readonly outcome?: Outcome;
  readonly stage?: Stage;
  readonly hint?: Hint;
  readonly evidence?: object;
  /** Asked again while it is not what it should be: the server listens before it is quite itself. */
  readonly settles?: true;
}

interface Row {
  readonly make: string;
  readonly needs: string;
  readonly start: (host: Host, tls: Certificate) => Promise<Server>;
  readonly asks: readonly Ask[];
}

const any: unknown = expect.anything();
const principalUnknown = { errorName: 'KDC_ERR_C_PRINCIPAL_UNKNOWN' };
const mit = { realm: 'LAB.TEST' };
const ad = { realm: 'AD.LAB.TEST' };
const answers = (address: string): object => ({ rcode: 'NOERROR', answers: [address] });
const wwwAsked = { query: 'www.lab.test' };
const wwwAnswered = {
  rcode: 'NOERROR',
  answers: expect.arrayContaining([expect.stringMatching(/^10\.91\./)]) as unknown,
};

const rows: readonly Row[] = [
  {
    make: 'bind9',
    needs: 'named',
    start: (host) => startBind9(host),
    asks: [
      { ask: 'dns', port: 53, evidence: { rcode: 'NOERROR', aa: true } },
      { ask: 'dns', port: 53, set: wwwAsked, evidence: wwwAnswered },
      { ask: 'dns-tcp', port: 53, set: wwwAsked, evidence: wwwAnswered },
    ],
  },
  {
    make: 'unbound',
    needs: 'unbound',
    start: (host) => startUnbound(host),
    asks: [
      { ask: 'dns', port: 53, evidence: { ra: true } },
      { ask: 'dns', port: 53, set: wwwAsked, evidence: wwwAnswered },
      { ask: 'dns-tcp', port: 53, set: wwwAsked, evidence: wwwAnswered },
      { ask: 'dns', port: 53, set: { query: 'nowhere.lab' }, outcome: 'declined', stage: 'exchange' },
    ],
  },
  {
    make: 'unbound that refuses everybody',
    needs: 'unbound',
    start: (host) => startUnbound(host, { refuses: true }),
    asks: [
      { ask: 'dns', port: 53 },
      { ask: 'dns', port: 53, set: wwwAsked, outcome: 'declined', stage: 'exchange' },
      { ask: 'dns-tcp', port: 53, set: wwwAsked, outcome: 'declined', stage: 'exchange' },
    ],
  },
  {
    make: 'chrony',
    needs: 'chronyd',
    start: (host) => startChrony(host),
    asks: [
      { ask: 'ntp', port: 123, evidence: { stratum: 8, leap: 0, offsetMs: any } },
      { ask: 'tcp', port: 123, outcome: 'refused', stage: 'connect' },
    ],
  },
  {
    make: 'chrony without a source',
    needs: 'chronyd',
    start: (host) => startChrony(host, { isSynchronised: false }),
    asks: [{ ask: 'ntp', port: 123, outcome: 'declined', stage: 'exchange', evidence: { leap: 3 } }],
  },
  {
    make: 'ntpsec',
    needs: ntpd,
    start: (host) => startNtpsec(host),
    asks: [{ ask: 'ntp', port: 123, evidence: { stratum: 6, leap: 0 }, settles: true }],
  },
  {
    make: 'ntpsec just started',
    needs: ntpd,
    start: (host) => startNtpsec(host, { isSynchronised: false }),
    asks: [{ ask: 'ntp', port: 123, outcome: 'declined', stage: 'exchange', evidence: { referenceId: 'INIT' } }],
  },
  {
    make: 'slapd',
    needs: 'slapd',
    start: startSlapd,
    asks: [
      { ask: 'ldap', port: 389, evidence: { namingContexts: ['dc=lab,dc=test'], activeDirectory: false } },
      { ask: 'ldaps', port: 636, evidence: { namingContexts: ['dc=lab,dc=test'], certificate: any } },
      { ask: 'cldap', port: 389, set: { domain: 'lab.test' }, outcome: 'refused', stage: 'connect' },
    ],
  },
  {
    make: 'slapd that wants a bind',
    needs: 'slapd',
    start: (host, tls) => startSlapd(host, tls, { wantsBind: true }),
    asks: [{ ask: 'ldap', port: 389 }],
  },
  {
    make: 'samba as a domain controller',
    needs: 'samba',
    start: startSambaAd,
    asks: [
      { ask: 'dns', port: 53, set: { query: 'dc1.ad.lab.test' }, evidence: answers('10.91.1.2') },
      { ask: 'dns-tcp', port: 53, set: { query: 'dc1.ad.lab.test' }, evidence: answers('10.91.1.2') },
      { ask: 'ldap', port: 389, evidence: { dnsHostName: 'dc1.ad.lab.test', activeDirectory: true } },
      { ask: 'ldap', port: 3268, evidence: { isGlobalCatalogReady: true } },
      { ask: 'ldaps', port: 636, evidence: { dnsHostName: 'dc1.ad.lab.test', certificate: any } },
      { ask: 'cldap', port: 389, set: { domain: 'ad.lab.test' }, evidence: { hostname: 'dc1.ad.lab.test' } },
      { ask: 'kerberos', port: 88, set: ad, evidence: principalUnknown },
      { ask: 'kerberos-tcp', port: 88, set: ad, evidence: principalUnknown },
      { ask: 'kpasswd', port: 464, set: ad, evidence: { errorName: any } },
      { ask: 'kpasswd-tcp', port: 464, set: ad, evidence: { errorName: any } },
      { ask: 'smb', port: 445, evidence: { dialect: '3.1.1', signing: 'required' } },
      { ask: 'netbios-session', port: 139, evidence: { session: 'granted', dialect: '3.1.1' } },
      { ask: 'netbios-name', port: 137, evidence: { computer: 'DC1', domain: 'ADLAB' }, settles: true },
    ],
  },
  {
    make: 'MIT Kerberos',
    needs: 'krb5kdc',
    start: (host) => startMitKerberos(host),
    asks: [
      { ask: 'kerberos', port: 88, set: mit, evidence: principalUnknown },
      { ask: 'kerberos-tcp', port: 88, set: mit, evidence: principalUnknown },
      { ask: 'kpasswd', port: 464, set: mit, evidence: { realm: 'LAB.TEST' } },
      { ask: 'kpasswd-tcp', port: 464, set: mit, evidence: { realm: 'LAB.TEST' } },
    ],
  },
  {
    make: 'MIT Kerberos with short datagrams',
    needs: 'krb5kdc',
    start: (host) => startMitKerberos(host, { maxDatagram: 64 }),
    asks: [
      { ask: 'kerberos', port: 88, set: mit, evidence: { errorName: 'KRB_ERR_RESPONSE_TOO_BIG' } },
      { ask: 'kerberos-tcp', port: 88, set: mit, evidence: principalUnknown },
    ],
  },
  {
    make: 'Heimdal',
    needs: heimdalKdc,
    start: startHeimdal,
    asks: [
      { ask: 'kerberos', port: 88, set: mit, evidence: principalUnknown },
      { ask: 'kerberos-tcp', port: 88, set: mit, evidence: principalUnknown },
      { ask: 'kpasswd', port: 464, set: mit, evidence: { errorName: any } },
      { ask: 'kpasswd-tcp', port: 464, set: mit, outcome: 'refused', stage: 'connect' },
    ],
  },
  {
    make: 'smbd',
    needs: 'smbd',
    start: (host) => startSmbd(host),
    asks: [
      { ask: 'smb', port: 445, evidence: { dialect: '3.1.1', signing: 'enabled' } },
      { ask: 'netbios-session', port: 139, evidence: { session: 'granted' } },
    ],
  },
  {
    make: 'smbd that encrypts everything',
    needs: 'smbd',
    start: (host) => startSmbd(host, 'encrypted-only'),
    // It takes nothing older than 3.1.1, so neither does it take what XenServer mounts with.
    asks: [
      { ask: 'smb', port: 445, evidence: { dialect: '3.1.1', signing: 'required' } },
      { ask: 'smb', port: 445, set: { dialect: '3.0' }, outcome: 'declined', stage: 'exchange' },
    ],
  },
  {
    make: 'smbd of the SMB1 age',
    needs: 'smbd',
    start: (host) => startSmbd(host, 'smb1-only'),
    asks: [
      { ask: 'smb', port: 445, evidence: { dialect: 'NT LM 0.12' } },
      { ask: 'smb', port: 445, set: { dialect: '3.0' }, outcome: 'declined', stage: 'exchange' },
    ],
  },
  {
    make: 'tgt',
    needs: 'tgtd',
    start: startTgt,
    asks: [{ ask: 'iscsi', port: 3260, evidence: { targets: [tgtTarget] } }],
  },
  {
    make: 'istgt that wants CHAP',
    needs: 'istgt',
    start: startIstgt,
    asks: [{ ask: 'iscsi', port: 3260, evidence: { loginStatus: '0201' } }],
  },
  {
    make: 'rpcbind, nfs-ganesha and statd',
    needs: 'ganesha.nfsd',
    start: (host) => startNfs(host),
    asks: [
      { ask: 'rpcbind', port: 111, evidence: { programs: any } },
      { ask: 'rpcbind-udp', port: 111 },
      { ask: 'nfs', port: 2049, set: { version: '3' }, evidence: { version: 3 } },
      { ask: 'nfs', port: 2049, set: { version: '4' }, evidence: { version: 4 } },
      { ask: 'nfs-udp', port: 2049, evidence: { version: 3 } },
      { ask: 'nfs-dynamic', port: 111, evidence: { ports: { mountd: [20_048], nlockmgr: [32_803], status: [662] } } },
    ],
  },
  {
    make: 'openssh',
    needs: 'sshd',
    start: startOpenssh,
    asks: [{ ask: 'ssh', port: 22, evidence: { software: expect.stringMatching(/^OpenSSH_/) as unknown } }],
  },
  {
    make: 'dropbear',
    needs: 'dropbear',
    start: startDropbear,
    asks: [{ ask: 'ssh', port: 22, evidence: { software: expect.stringMatching(/^dropbear_/) as unknown } }],
  },
  {
    make: 'xrdp',
    needs: 'xrdp',
    start: startXrdp,
    asks: [{ ask: 'rdp', port: 3389, evidence: { security: 'TLS' } }],
  },
  {
    make: 'tigervnc',
    needs: 'Xtigervnc',
    start: startTigervnc,
    asks: [{ ask: 'rfb', port: 5900, evidence: { version: '3.8' } }],
  },
  {
    make: 'x11vnc',
    needs: 'x11vnc',
    start: startX11vnc,
    asks: [{ ask: 'rfb', port: 5900, evidence: { version: '3.8' } }],
  },
  {
    make: 'rsyslog',
    needs: 'rsyslogd',
    start: startRsyslog,
    asks: [{ ask: 'syslog', port: 514, outcome: 'timeout', stage: 'exchange' }],
  },
  {
    make: 'corosync',
    needs: 'corosync',
    start: (host) => startCorosync(host),
    asks: [
      { ask: 'udp', port: 5405, outcome: 'timeout', stage: 'exchange' },
      { ask: 'udp', port: 5404, outcome: 'refused', stage: 'connect' },
    ],
  },
  {
    make: 'nginx',
    needs: 'nginx',
    start: startNginx,
    asks: [
      { ask: 'http', port: 80, evidence: { status: 200 } },
      { ask: 'https', port: 443, evidence: { status: 200, certificate: any } },
      { ask: 'tls', port: 443, evidence: { certificate: any } },
      { ask: 'tls', port: 80, outcome: 'tls-failed', stage: 'tls' },
      { ask: 'ssh', port: 80, outcome: 'timeout', stage: 'exchange' },
      { ask: 'ldap', port: 80, outcome: 'garbled', stage: 'exchange' },
    ],
  },
];

/** One name, every fault a certificate for it can have, a port each. */
const faults: readonly (readonly [fault: string, port: number, said: Omit<Ask, 'ask' | 'port'>])[] = [
  ['good', 8440, {}],
  ['expired', 8441, { outcome: 'untrusted', stage: 'tls' }],
  ['not-yet-valid', 8442, { outcome: 'untrusted', stage: 'tls' }],
  ['wrong-name', 8443, { outcome: 'untrusted', stage: 'tls', hint: 'wrong-name' }],
  ['unknown-issuer', 8444, { outcome: 'untrusted', stage: 'tls', hint: 'unknown-issuer' }],
  ['self-signed', 8445, { outcome: 'untrusted', stage: 'tls', hint: 'unknown-issuer' }],
];

/** A row of an external domain, through a proxy: what stands in the way, and who says so. */
interface Tunnel {
  readonly name: string;
  readonly through: 'squid' | 'tinyproxy';
  readonly password?: string;
  /** Default: telemetry, whose domain leads to the origin. */
  readonly row?: string;
  readonly outcome?: Outcome;
  readonly stage?: Stage;
}

const refusal = { outcome: 'declined', stage: 'proxy' } as const;

const tunnels: readonly Tunnel[] = [
  { name: 'squid, with digest', through: 'squid', password: 'secret' },
  { name: 'squid, without a user', through: 'squid', ...refusal },
  { name: 'squid, with a wrong password', through: 'squid', password: 'mistaken', ...refusal },
  { name: 'squid, to a name it blocks', through: 'squid', password: 'secret', row: 'updates-source-repo', ...refusal },
  { name: 'squid, to a host that refuses', through: 'squid', password: 'secret', row: 'updates-repo', ...refusal },
  { name: 'tinyproxy, with basic', through: 'tinyproxy', password: 'secret' },
  { name: 'tinyproxy, without a user', through: 'tinyproxy', ...refusal },
  { name: 'tinyproxy, with a wrong password', through: 'tinyproxy', password: 'mistaken', ...refusal },
];

const domains = {
  telemetry: 'telemetry.ops.xenserver.com',
  'updates-repo': 'repo.ops.xenserver.com',
  'updates-source-repo': 'repo-src.ops.xenserver.com',
};
const proxyPorts = { squid: 3128, tinyproxy: 8888 } as const;

describe.skipIf(whyNotLive() !== null)('real servers', () => {
  let lab: Lab;
  let authority: Authority;
  let folder: string;
  const shared: Server[] = [];

  beforeAll(async () => {
    const names = rows.map((_, index) => `row${index}`);
    lab = makeLab([...names, 'origin', 'squid', 'tinyproxy']);
    authority = makeAuthority();
    folder = mkdtempSync(join(tmpdir(), 'xenreach-live-'));
    writeFileSync(join(folder, 'ca.pem'), authority.certificate);
    for (const password of ['secret', 'mistaken']) writeFileSync(join(folder, password), password, { mode: 0o600 });
    const [origin, squid, tinyproxy] = [machine('origin'), machine('squid'), machine('tinyproxy')];
    const refusing = squid.address;
    const hosts = `${origin.address} www.lab.test ${domains.telemetry}\n${refusing} ${domains['updates-repo']}\n`;
    for (const host of [lab.client, squid, tinyproxy]) {
      setNames(host, { hosts, 'resolv.conf': 'nameserver 127.0.0.1\n' });
    }
    const made = makeFaults(authority, ['www.lab.test', domains.telemetry]);
    const others = Object.fromEntries(faults.map(([fault, port]) => [port, made[fault]!]));
    shared.push(
      ...(await Promise.all([
        startNginx(origin, made['good']!, { others }),
        startSquid(squid, { blocked: [domains['updates-source-repo']] }),
        startTinyproxy(tinyproxy),
      ])),
    );
  });

  afterAll(async () => {
    await Promise.all(shared.map((server) => server.stop()));
    lab?.[Symbol.dispose]();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  // The domain controller is made before its first start.
  test.concurrent.for(rows)('$make', { timeout: 120_000 }, async ({ make, needs, start, asks }, { skip }) => {
    const reason = whyNotLive(needs);
    skip(reason !== null, reason ?? '');
    const host = machine(`row${rows.findIndex((row) => row.make === make)}`);
    await using server = await start(host, authority.issue({ names: [`${host.name}.lab.test`, host.address] }));
    for (const ask of asks) {
      const meet = async (): Promise<void> => {
        const check = await asked(ask, host.address);
        const told = `${ask.ask} ${ask.port}: ${check.detail}\n${server.log().slice(-2000)}`;
        // oxlint-disable-next-line vitest/valid-expect -- vitest takes a message, and the reader of a failure needs it
        expect(check, told).toMatchObject(wanted(ask));
      };
      // What these servers do to a hasty source is not what is asked here.
      await (ask.settles ? vi.waitFor(meet, { timeout: 30_000, interval: 500 }) : meet());
    }
  });

  test.concurrent.for(faults)('a certificate that is %s', async ([, port, said]) => {
    const ask = { ask: 'https', port, evidence: { certificate: any }, ...said };
    expect(await asked(ask, 'www.lab.test')).toMatchObject(wanted(ask));
  });

  test.concurrent.for(tunnels)('through $name', async (tunnel) => {
    const { name, through, password, row = 'telemetry', outcome = 'answered', stage = null } = tunnel;
    const site = join(folder, `${name}.yaml`);
    const user = password === undefined ? '' : `, username: user, passwordFile: ./${password}`;
    const url = `http://${machine(through).address}:${proxyPorts[through]}`;
    writeFileSync(site, `name: lab\nroles: {}\nproxy: { url: "${url}"${user} }\ntrust: [./ca.pem]\n`);
    const args = ['check', '--site', site, '--row', row, '--format', 'json', '--timeout', '15s'];
    const ran = await runXenreach(args, { namespace: lab.client.namespace, limitMs: 50_000 });
    expect(reportOf(ran).checks).toMatchObject([{ outcome, stage }]);
    expect(ran.stdout + ran.stderr).not.toContain(password ?? 'secret');
  });

  function asked({ ask, port, set = {} }: Ask, host: string): Promise<ReportCheck> {
    const options = Object.entries(set).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
    const args = ['--ca', join(folder, 'ca.pem'), '--timeout', '4s', ...options];
    return probe(ask, `${host}:${port}`, args, { namespace: lab.client.namespace });
  }

  function machine(name: string): Host {
    const host = lab.hosts[name];
    if (!host) throw new Error(`the lab has no ${name}`);
    return host;
  }
});

function wanted({ outcome = 'answered', stage, hint, evidence = {} }: Ask): object {
  return { outcome, stage: stage ?? null, evidence, ...(hint && { hint }) };
}
