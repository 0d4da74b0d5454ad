/**
 * The portable folder, where it is to run: in roots that hold nothing else but a static shell, against real servers, and
 * under what may be wrong with a folder or the machine that it was brought to.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeBundle, type Bundle } from '../../packaging/bundle.ts';
import type { Report } from '../../src/model/report.ts';
import { specOf } from '../bench/whole-check.ts';
import { makeAuthority, type Authority } from '../support/certificates.ts';
import { makeLab, on, path, setNames, whyNotLive, type Lab } from '../support/netns.ts';
import { busybox, inRoot, makeRoot, type InRoot, type Told } from '../support/roots.ts';
import type { Server } from '../support/servers.ts';
import { startBind9 } from '../support/servers/bind9.ts';
import { startChrony } from '../support/servers/chrony.ts';
import { startMitKerberos } from '../support/servers/mit-kerberos.ts';
import { startNginx } from '../support/servers/nginx.ts';
import { startSquid } from '../support/servers/squid.ts';

const why = whyNotLive(busybox, 'strip', 'xz', 'named', 'chronyd', 'krb5kdc', 'nginx', 'squid');
const isX64 = process.arch === 'x64';
const program = '/opt/xen reach/xenreach';
const vendor = 'repo.ops.xenserver.com';
const mostBytes = 40_000_000;

describe.skipIf(why !== null || !isX64)('the portable folder', () => {
  let folder: string;
  let bundle: Bundle;
  let roots = 0;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'xenreach-bundle-'));
    bundle = await makeBundle({ out: folder, level: 1 });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const root = (files: Readonly<Record<string, string>> = {}): string =>
    makeRoot(join(folder, `root${(roots += 1)}`), bundle.folder, files);

  test('is small, whole and made the same twice', async () => {
    expect(statSync(bundle.archive).size).toBeLessThan(mostBytes);
    const again = mkdtempSync(join(folder, 'again-'));
    const second = await makeBundle({ out: again, level: null });
    expect(second.tarSha256).toBe(bundle.tarSha256);
    expect(readFileSync(second.bill, 'utf8')).toBe(readFileSync(bundle.bill, 'utf8'));
    const sums = readFileSync(join(folder, 'SHA256SUMS'), 'utf8');
    expect(sums).toMatch(new RegExp(`^[0-9a-f]{64}  ${basename(bundle.archive)}$`, 'm'));
    const names = execFileSync('tar', ['-tf', bundle.archive], { encoding: 'utf8' }).trimEnd().split('\n');
    expect(names[1]).toMatch(/\/xenreach$/);
    expect(names.at(-1)).toMatch(/\/lib\/complete$/);
    rmSync(again, { recursive: true });
  });

  test('has a bill of materials with every package, Node and every library', () => {
    const bill = JSON.parse(readFileSync(bundle.bill, 'utf8')) as {
      components: { name: string; version: string; purl: string }[];
    };
    expect(bill).toMatchObject({
      bomFormat: 'CycloneDX',
      specVersion: '1.5',
      metadata: { component: { name: 'xenreach' } },
    });
    const names = bill.components.map(({ name }) => name);
    const packages = globSync(['[^@]*', '@*/*'], { cwd: join(bundle.folder, 'app/node_modules') });
    expect(names).toEqual(expect.arrayContaining([...packages, 'valibot', 'yaml', 'node', 'libc6', 'libstdc++6']));
    expect(bill.components.filter(({ version, purl }) => !version || !purl.startsWith('pkg:'))).toEqual([]);
  });

  test('says whose its parts are, and where the sources of the libraries are', () => {
    const text = readFileSync(join(bundle.folder, 'licenses/README.txt'), 'utf8');
    expect(text).toMatch(/libc6 .+: https:\/\/snapshot\.debian\.org\/package\/glibc\//);
    for (const name of ['node.txt', 'pino.txt', 'valibot.txt', 'debian/libc6.txt', 'debian/libstdc++6.txt'])
      expect(statSync(join(bundle.folder, 'licenses', name)).size).toBeGreaterThan(500);
    const names = globSync(['[^@]*', '@*/*'], { cwd: join(bundle.folder, 'app/node_modules') });
    expect(
      names.filter((name) => !existsSync(join(bundle.folder, 'licenses', `${name.replace('/', '+')}.txt`))),
    ).toEqual([]);
  });

  describe('in a root that is empty but for a shell', () => {
    test.for<[string, readonly string[], InRoot]>([
      ['from a path with a space', [program, 'spec', 'show', 'ntp'], {}],
      ['through a link in PATH', ['/bin/sh', '-c', 'exec xenreach spec show ntp'], { env: { PATH: '/bin' } }],
      [
        'through a shell, from its own folder',
        ['/bin/sh', '-c', 'cd "/opt/xen reach" && exec sh xenreach spec show ntp'],
        { env: { PATH: '/bin' } },
      ],
      ['as nobody', [program, 'spec', 'show', 'ntp'], { user: 65_534 }],
      [
        'with variables of another C library',
        [program, 'spec', 'show', 'ntp'],
        { env: { LD_LIBRARY_PATH: '/lib', LD_PRELOAD: '/lib/none.so' } },
      ],
    ])('%s', ([, argv, options]) => {
      const at = root();
      symlinkSync('../opt/xen reach/xenreach', join(at, 'bin/link'));
      symlinkSync('link', join(at, 'bin/xenreach'));
      const { status, stdout, stderr } = inRoot(at, argv, options);
      expect({ status, stderr: withoutPreload(stderr) }).toEqual({ status: 0, stderr: '' });
      expect(stdout).toMatch(/^ntp\n/);
    });

    test('writes nothing but what it is asked for', () => {
      const at = root();
      const before = globSync('**', { cwd: at });
      expect(inRoot(at, [program, 'spec', '--format', 'json']).status).toBe(0);
      expect(globSync('**', { cwd: at })).toEqual(before);
    });

    test('the demo needs a temporary folder, says so, and takes another', () => {
      const at = root({ 'run/here': '' });
      const without = inRoot(at, [program, 'demo', '--row', 'ntp']);
      expect(without).toMatchObject({ status: 2, stdout: '' });
      expect(without.stderr).toMatch(/^xenreach: the demo keeps .+ below \/tmp, .+ TMPDIR=\/run xenreach demo\n$/);
      const elsewhere = inRoot(at, [program, 'demo'], { env: { TMPDIR: '/run' } });
      expect(elsewhere.stdout).toMatch(/\nPASS: 48 pass\. Exit 0/);
    });

    test('21,000 connections are told to the last one, from threads where there are processors for them', () => {
      const hosts = Array.from({ length: 21 }, (_, i) => `127.77.0.${i + 1}`);
      const site = JSON.stringify({ name: 'many', vantage: ['prober'], roles: { server: hosts } });
      const at = root({ 'site/spec.yaml': specOf('20000-20999'), 'site/site.yaml': site });
      const files = ['--spec', '/site/spec.yaml', '--site', '/site/site.yaml'];
      const options = ['--rate', '1000000', '--mode', 'path', '--format', 'ndjson'];
      const { stdout } = inRoot(at, [program, 'check', ...files, ...options]);
      const told = stdout.split('\n').filter((line) => line.includes('"outcome":"refused"'));
      expect(told).toHaveLength(21_000);
    });
  });

  describe('brought to the wrong place, or not whole', () => {
    const own = 'opt/xen reach';
    const replace = (at: string, name: string, content: string | Uint8Array): void => {
      // The copies of a folder share their files.
      rmSync(join(at, own, name));
      writeFileSync(join(at, own, name), content, { mode: 0o755 });
    };
    const say = (at: string, machine = 'x86_64'): Told =>
      inRoot(at, [program, 'spec'], { env: { PATH: '/bin' }, machine });

    test.for<[what: string, spoil: (at: string) => void, sentence: RegExp, machine?: string]>([
      [
        'a library is missing',
        (at) => rmSync(join(at, own, 'lib/libm.so.6')),
        /lib\/libm\.so\.6 is missing .+ unpack the archive again/,
      ],
      ['a library is empty', (at) => replace(at, 'lib/libc.so.6', ''), /lib\/libc\.so\.6 is missing/],
      ['the program is missing', (at) => rmSync(join(at, own, 'app/dist/src/main.js')), /main\.js is missing/],
      [
        'Node is cut short',
        (at) => replace(at, 'lib/node', readFileSync(join(at, own, 'lib/node')).subarray(0, 4096)),
        /Node does not start .+ unpack the archive again/,
      ],
      [
        'the machine is another',
        (at) => {
          replace(at, 'lib/ld-linux-x86-64.so.2', Buffer.from('7f454c460201010000000000000000000200b700', 'hex'));
        },
        /this machine is i686 .+ for x86_64; use the package/,
        'i686',
      ],
    ])('%s', ([, spoil, sentence, machine]) => {
      const at = root();
      spoil(at);
      const { status, stdout, stderr } = say(at, machine);
      expect({ status, stdout }).toEqual({ status: 3, stdout: '' });
      expect(stderr).toMatch(/^xenreach: [^\n]+\n$/);
      expect(stderr).toMatch(sentence);
    });

    test('the kernel is too old', () => {
      const at = root({ 'proc/sys/kernel/osrelease': '3.10.0-1160.el7.x86_64\n' });
      expect(say(at)).toMatchObject({
        status: 3,
        stderr:
          'xenreach: this kernel is 3.10.0-1160.el7.x86_64 and Node needs Linux 4.18 or newer; run it on a newer machine of the same network.\n',
      });
      writeFileSync(join(at, 'proc/sys/kernel/osrelease'), '4.19.0+1\n');
      expect(say(at).status).toBe(0);
    });

    test('the archive is cut short', () => {
      const at = mkdtempSync(join(folder, 'cut-'));
      const cut = join(at, 'cut.tar.xz');
      cpSync(bundle.archive, cut);
      truncateSync(cut, Math.floor(statSync(cut).size * 0.9));
      expect(spawnSync('tar', ['-C', at, '-xf', cut]).status).not.toBe(0);
      const { status, stderr } = spawnSync(join(at, basename(bundle.folder), 'xenreach'), ['spec'], {
        encoding: 'utf8',
      });
      expect(status).toBe(3);
      expect(stderr).toMatch(/^xenreach: the folder .+ is not whole: the archive was cut short .+\n$/);
      rmSync(at, { recursive: true });
    });

    test('its file system is read-only; or noexec', () => {
      const run = (flags: string): Told => {
        const at = mkdtempSync(join(folder, 'mount-'));
        const script =
          'mount --bind "$1" "$2" && mount -o "remount,bind,$3" "$2" && exec setpriv --reuid 65534 sh "$2/xenreach" spec show ntp';
        const args = ['--mount', 'sh', '-c', script, 'sh', bundle.folder, at, flags];
        execFileSync('chmod', ['755', folder, at]);
        // What the tests run on would be a Node to fall back on.
        return spawnSync('unshare', args, { encoding: 'utf8', env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } });
      };
      expect(run('ro')).toMatchObject({ status: 0, stderr: '' });
      expect(run('ro,noexec')).toMatchObject({
        status: 3,
        stderr: expect.stringMatching(
          /^xenreach: nothing in .+ mounted noexec.+ move it elsewhere[^\n]+\n$/,
        ) as unknown,
      });
    });

    test('another Node is taken where its own does not start', () => {
      const at = root();
      replace(at, 'lib/node', 'no program');
      mkdirSync(join(at, own, 'fallback'));
      const script = '#!/bin/sh\ncase $1 in --version) echo v22.20.0 ;; *) shift 2; echo "took $*" ;; esac\n';
      writeFileSync(join(at, own, 'fallback/node'), script, { mode: 0o755 });
      expect(say(at)).toEqual({
        status: 0,
        stdout: 'took spec\n',
        stderr: `xenreach: its own Node does not start here; /${own}/fallback/node does, and is taken.\n`,
      });
      renameSync(join(at, own, 'fallback/node'), join(at, 'bin/node'));
      expect(say(at).stderr).toContain('/bin/node does, and is taken');
      writeFileSync(join(at, 'bin/node'), script.replace('v22', 'v18'), { mode: 0o755 });
      expect(say(at).status).toBe(3);
    });
  });

  describe('against real servers', () => {
    let lab: Lab<'servers' | 'origin' | 'squid'>;
    let authority: Authority;
    const started: Server[] = [];

    beforeAll(async () => {
      lab = makeLab(['servers', 'origin', 'squid']);
      authority = makeAuthority();
      const { servers, origin, squid } = lab.hosts;
      setNames(squid, { hosts: `${origin.address} ${vendor}\n`, 'resolv.conf': 'nameserver 127.0.0.1\n' });
      started.push(
        ...(await Promise.all([
          startBind9(servers),
          startChrony(servers),
          startMitKerberos(servers),
          startNginx(origin, authority.issue({ names: [vendor] })),
          startSquid(squid, { schemes: [] }),
        ])),
      );
    });
    afterAll(async () => {
      await Promise.all(started.map((server) => server.stop()));
      lab?.[Symbol.dispose]();
    });

    const rows = ['updates-repo', 'ntp', 'dns', 'ad-kerberos', 'fqdn-resolvable'];
    const siteFor = (trust: readonly string[]): string => {
      const { address } = lab.hosts.servers;
      const names = trust.length > 0 ? address : 'ns.lab.test';
      return JSON.stringify({
        name: 'bare',
        vantage: ['xenserver-host'],
        roles: {
          'ntp-server': names,
          'dns-server': address,
          'domain-controller': { domain: 'lab.test', hosts: [address] },
        },
        proxy: { url: `http://${lab.hosts.squid.address}:3128` },
        dns: { query: 'www.lab.test' },
        trust,
      });
    };
    const check = (at: string): Report => {
      const wanted = rows.flatMap((row) => ['--row', row]);
      const { namespace } = lab.client;
      const argv = [program, 'check', '--site', '/site.json', '--format', 'json', '--timeout', '3s', ...wanted];
      const { stdout, stderr } = inRoot(at, argv, { namespace });
      expect(stderr.replace(/^xenreach: \/proc is not mounted: .+\n$/, '')).toBe('');
      return JSON.parse(stdout) as Report;
    };
    const verdicts = ({ checks }: Report): string[] =>
      checks.map(({ probe, transport, outcome }) => `${probe} ${transport} ${outcome}`);
    const real = [
      'https tcp answered',
      'ntp udp answered',
      'dns udp answered',
      'dns-tcp tcp answered',
      'kerberos udp answered',
      'kerberos-tcp tcp answered',
    ];

    test('in the empty root: UDP, TLS through a proxy, DNS and Kerberos, with nothing of the system', () => {
      const at = root({ 'ca.pem': authority.certificate });
      writeFileSync(join(at, 'site.json'), siteFor(['/ca.pem']));
      const report = check(at);
      expect(verdicts(report)).toEqual(expect.arrayContaining(real));
      expect(report.vantage.roots).toEqual(["Node's own", '/ca.pem']);
    });

    test('in a root like a control domain: its resolver, its hosts file and the roots that yum and curl believe', () => {
      const { address } = lab.hosts.servers;
      const at = root({
        'etc/redhat-release': 'XenServer release 8.4.0 (xenenterprise)\n',
        'etc/xensource-inventory': "PRODUCT_BRAND='XenServer'\nPRODUCT_VERSION='8.4.0'\n",
        'etc/hosts': `127.0.0.1 localhost\n`,
        'etc/resolv.conf': `search lab.test\nnameserver ${address}\n`,
        'etc/pki/tls/certs/ca-bundle.crt': authority.certificate,
      });
      writeFileSync(join(at, 'site.json'), siteFor([]));
      const report = check(at);
      expect(verdicts(report)).toEqual(expect.arrayContaining(real));
      expect(report.vantage.roots).toEqual(["Node's own", '/etc/pki/tls/certs/ca-bundle.crt']);
      expect(report.checks.find(({ probe }) => probe === 'ntp')).toMatchObject({ host: 'ns.lab.test', address });
      const { stdout } = inRoot(at, [program, 'check', '--site', '/site.json', '--row', 'updates-repo'], lab.client);
      expect(stdout.replaceAll('\n', ' ')).toContain(
        "Certificates are held against Node's own roots and /etc/pki/tls/certs/ca-bundle.crt.",
      );
    });

    test('a script of bash alone sees the same through curl and the proxy, and says what it cannot see', () => {
      const at = root();
      writeFileSync(join(at, 'site.json'), siteFor(['/ca.pem']));
      writeFileSync(join(at, 'ca.pem'), authority.certificate);
      const { namespace } = lab.client;
      const plan = inRoot(at, [program, 'plan', '--site', '/site.json', '--format', 'sh'], { namespace });
      const [bash, ...args] = on(namespace, ['bash', '-s']);
      const env = { PATH: path, CURL_CA_BUNDLE: join(at, 'ca.pem') };
      const seen = spawnSync(bash, args, { input: plan.stdout, encoding: 'utf8', env });
      expect(seen).toMatchObject({ status: 0, stderr: '' });
      writeFileSync(join(at, 'seen.jsonl'), seen.stdout);
      const { stdout } = inRoot(at, [program, 'judge', '/seen.jsonl', '--format', 'json'], { namespace });
      const { rows: judged } = JSON.parse(stdout) as Report;
      const verdictOf = (row: string): unknown => judged.find(({ id }) => id === row)?.verdict;
      expect(['updates-repo', 'ntp', 'ad-kerberos'].map(verdictOf)).toEqual(['pass', 'unverified', 'unverified']);
      const { because } = judged.find(({ id }) => id === 'updates-repo')!;
      expect(because).toBe('HTTP 200: reached, through the proxy');
    });
  });
});

/** Busybox is static and knows no preload; the C library of a launching test may. */
const withoutPreload = (text: string): string =>
  text.replaceAll(/^ERROR: ld\.so: object .+ cannot be preloaded.+\n/gm, '');
