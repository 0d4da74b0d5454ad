/**
 * A run touches what its rows imply and nothing else. The kernel of the machine that runs it writes down every destination
 * of every packet that leaves; the plan says which there may be, and the resolvers of resolv.conf are the only others.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exec, makeLab, on, path, setFirewall, setNames, whyNotLive, type Lab } from '../support/netns.ts';
import { parseReport, type ReportJson } from '../support/report-schema.ts';
import { runXenreach, type Ran } from '../support/run-xenreach.ts';

const why = whyNotLive('tcpdump');

/** Everything that the machine begins, loopback too. `other` is neither TCP nor UDP, neighbour discovery apart. */
const witness = `
table inet witness {
  set v4 { type ipv4_addr . inet_proto . inet_service; size 65535; flags dynamic; }
  set v6 { type ipv6_addr . inet_proto . inet_service; size 65535; flags dynamic; }
  set other { type inet_proto; size 256; flags dynamic; }
  chain output {
    type filter hook output priority 0;
    meta l4proto tcp tcp flags & (syn | ack) != syn accept
    meta nfproto ipv4 meta l4proto { tcp, udp } add @v4 { ip daddr . meta l4proto . th dport }
    meta nfproto ipv6 meta l4proto { tcp, udp } add @v6 { ip6 daddr . meta l4proto . th dport }
    meta l4proto != { tcp, udp, ipv6-icmp } add @other { meta l4proto }
  }
}`;

let lab: Lab<'server' | 'names'>;
let folder: string;

beforeAll(async () => {
  if (why !== null) return;
  lab = makeLab(['server', 'names']);
  folder = mkdtempSync(join(tmpdir(), 'xenreach-touches-'));
  const { server, names } = lab.hosts;
  setNames(lab.client, {
    hosts: `127.0.0.1 localhost\n${server.address} fs1.example.test\n`,
    'resolv.conf': `nameserver ${names.address}\noptions timeout:1 attempts:1\n`,
  });
  // A new link takes a moment until the kernel calls it running, and its address this machine's own.
  const site = `roles: { ntp-server: ${server.address} }\n`;
  for (let i = 0; i < 20; i += 1) {
    const { vantage } = parseReport((await run('plan', site)).stdout);
    if (vantage.addresses.includes(lab.client.address)) return;
  }
  throw new Error('the link of the client did not come up');
}, 30_000);

afterAll(() => {
  if (why !== null) return;
  rmSync(folder, { recursive: true });
  lab[Symbol.dispose]();
});

async function run(command: string, site: string, args: readonly string[] = []): Promise<Ran> {
  const file = join(folder, 'site.yaml');
  writeFileSync(file, site);
  const options = { namespace: lab.client.namespace, limitMs: 60_000 };
  return runXenreach([command, '--site', file, '--timeout', '1s', '--format', 'json', ...args], options);
}

/** What left the machine while `doing` went on: "tcp 10.91.1.2 443". */
async function witnessed<T>(doing: () => Promise<T>): Promise<{ result: T; touched: string[] }> {
  setFirewall(lab.client, witness);
  const result = await doing();
  const touched = ['v4', 'v6', 'other'].flatMap((name) => {
    const { nftables } = JSON.parse(
      exec(lab.client.namespace, ['nft', '-j', 'list', 'set', 'inet', 'witness', name]),
    ) as {
      nftables: readonly { readonly set?: { readonly elem?: readonly unknown[] } }[];
    };
    return nftables.flatMap(({ set }) => set?.elem ?? []).map(elementText);
  });
  setFirewall(lab.client, '');
  return { result, touched: touched.toSorted((a, b) => a.localeCompare(b)) };
}

function elementText(element: unknown): string {
  if (typeof element === 'string') return `protocol ${element}`;
  const { concat } = element as { concat: readonly [string, string, number] };
  return `${concat[1]} ${concat[0]} ${concat[2]}`;
}

/** What the plan may touch, by hosts whose address the test knows; a name that is not among them has none. */
function implied({ checks, rows }: ReportJson, addresses: Readonly<Record<string, string>>, proxy: string): string[] {
  const domains = new Set(rows.filter(({ section }) => section === 'domains').map(({ id }) => id));
  const touched = checks.flatMap(({ rows: of, host, address, port, transport, probe }) => {
    if (of.some((id) => domains.has(id))) return [`tcp ${proxy}`];
    const at = address ?? addresses[host];
    return at === undefined || probe === 'resolve' ? [] : [`${transport} ${at} ${port}`];
  });
  return [...new Set(touched)].toSorted((a, b) => a.localeCompare(b));
}

test.skipIf(why !== null)('every destination is in the plan, or a resolver', async () => {
  const { server, names } = lab.hosts;
  const site = `
name: touches
vantage: [xenserver-host, xencenter, windows-vm, wlb-appliance, management-client]
roles:
  xenserver-host: [${lab.client.address}, ${server.address}, "${server.address6}"]
  citrix-license-server: nowhere.example.test
  ntp-server: ["${server.address6}"]
  dns-server: ${server.address}
  domain-controller: { domain: corp.example.test }
  smb-file-server: fs1.example.test
  san-controller: { host: ${server.address}, port: 3261 }
  nfsv4-server: ${server.address}
  nfsv3-server: { host: ${server.address}, ports: { "111": 10111, "2049": 12049 } }
  syslog-server: ${server.address}
  cluster-member: ["${server.address6}"]
  wlb-appliance: { host: ${server.address}, port: 8013 }
  vm: [{ host: ${server.address}, console: vnc }]
proxy: { url: "http://${server.address}:3128" }
`;
  const planned = await run('plan', site);
  const plan = parseReport(planned.stdout);
  const addresses = { 'fs1.example.test': server.address };
  const expected = implied(plan, addresses, `${server.address} 3128`);
  const { result, touched } = await witnessed(() => run('check', site));
  expect(parseReport(result.stdout).complete).toBe(true);

  expect(expected.length).toBeGreaterThan(25);
  expect(touched.filter((each) => each !== `udp ${names.address} 53`)).toEqual(expected);
  expect(touched).toContain(`udp ${names.address} 53`);
  // Its own address was among the hosts.
  expect(touched.filter((each) => each.includes(` ${lab.client.address} `))).toEqual([]);
});

test.skipIf(why !== null)('a site of addresses asks no resolver', async () => {
  const { address } = lab.hosts.server;
  const site = `roles: { ntp-server: ${address}, san-controller: ${address} }\nnot-used: [external-domain]\n`;
  const { touched } = await witnessed(() => run('check', site));
  expect(touched).toEqual([`tcp ${address} 123`, `tcp ${address} 3260`, `udp ${address} 123`]);
});

test.skipIf(why !== null)('what was not selected is not touched', async () => {
  const { address } = lab.hosts.server;
  const site = `roles: { ntp-server: gone.example.test, san-controller: ${address} }\n`;
  const { touched } = await witnessed(() => run('check', site, ['--row', 'iscsi']));
  expect(touched).toEqual([`tcp ${address} 3260`]);
});

test.skipIf(why !== null)('a plan, a list and a demo touch nothing outside', async () => {
  const site = `roles: { ntp-server: gone.example.test, domain-controller: { domain: corp.example.test } }\n`;
  const plan = await witnessed(() => run('plan', site));
  expect(plan.result.exitCode).toBe(0);
  expect(plan.touched).toEqual([]);
  const options = { namespace: lab.client.namespace };
  const spec = await witnessed(() => runXenreach(['spec'], options));
  expect(spec.touched).toEqual([]);
  const demo = await witnessed(() => runXenreach(['demo', '--format', 'json'], options));
  expect(demo.result.exitCode).toBe(0);
  expect(demo.touched.filter((each) => !/^(?:tcp|udp) (?:127\.|::1 )/.test(each) && each !== 'protocol icmp')).toEqual(
    [],
  );
  expect(demo.touched.length).toBeGreaterThan(50);
});

test.skipIf(why !== null)('discovery asks the resolvers, when there is a domain, and nobody else', async () => {
  const options = { namespace: lab.client.namespace, cwd: mkdtempSync(join(folder, 'empty-')) };
  const here = await witnessed(() => runXenreach(['discover'], options));
  expect(here.result.exitCode).toBe(0);
  expect(here.result.stdout).toContain(`- ${lab.hosts.names.address} # nameserver of /etc/resolv.conf`);
  expect(here.touched).toEqual([]);
  const plan = await witnessed(() => runXenreach(['plan'], options));
  expect(plan.result.stderr).toMatch(
    /^xenreach: no site file: using what the files of this machine know: .*dns-server \(1\)/,
  );
  expect(plan.touched).toEqual([]);
  const domain = await witnessed(() => runXenreach(['discover', '--domain', 'corp.example.test'], options));
  expect(domain.result.exitCode).toBe(3);
  expect(domain.result.stderr).toContain('DNS names no controllers of corp.example.test');
  const resolver = new Set([`tcp ${lab.hosts.names.address} 53`, `udp ${lab.hosts.names.address} 53`]);
  expect(domain.touched.filter((each) => !resolver.has(each) && each !== 'protocol icmp')).toEqual([]);
});

test.skipIf(why !== null)(
  'with a pair that names none of its ports, and without one, the same bytes leave',
  async () => {
    const { address } = lab.hosts.server;
    const roles = ['ntp-server', 'syslog-server', 'cluster-member', 'citrix-license-server'];
    const site = JSON.stringify({
      roles: Object.fromEntries(roles.map((role) => [role, address])),
      'not-used': ['external-domain'],
    });
    const pair = join(folder, 'pair.json');
    const lists = { bound: { udp: [9], tcp: [9] }, held: { udp: [], tcp: [] } };
    const until = new Date(Date.now() + 60_000).toISOString();
    const whose = { host: 'elsewhere', addresses: ['192.0.2.1'], roles: [], key: 'A'.repeat(43), until };
    writeFileSync(pair, JSON.stringify({ schema: 'xenreach.pair/1', ...whose, ...lists }), { mode: 0o600 });
    const alone = await witnessed(() => sentBy(() => run('check', site)));
    const paired = await witnessed(() => sentBy(() => run('check', site, ['--pair', pair])));
    expect(alone.touched).toEqual(
      [
        'tcp 123',
        'tcp 21064',
        'tcp 27000',
        'tcp 7279',
        'tcp 8892',
        'tcp 8896',
        'udp 123',
        'udp 514',
        'udp 5404',
        'udp 5405',
      ].map((port) => port.replace(' ', ` ${address} `)),
    );
    expect(paired.touched).toEqual(alone.touched);
    // Empty datagrams, but for the question to the time server: what every version sent.
    expect(alone.result.datagrams).toEqual({ 123: [48], 514: [0], 5404: [0], 5405: [0] });
    expect(paired.result.datagrams).toEqual(alone.result.datagrams);
    expect(paired.result.ran.stderr).toContain('the pair of elsewhere (192.0.2.1) was not used');
    // It listens nowhere meanwhile.
    expect(alone.result.listening).toBe('');
  },
);

/** The lengths of the payloads that left by UDP, by port, and what listened while they did. */
async function sentBy(
  doing: () => Promise<Ran>,
): Promise<{ ran: Ran; datagrams: Record<string, number[]>; listening: string }> {
  const argv = ['tcpdump', '-i', 'eth0', '-Q', 'out', '-n', '-l', '-q', '-U', 'udp'];
  const [program, ...args] = on(lab.client.namespace, argv);
  const child = spawn(program, args, { env: { ...process.env, PATH: path }, stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  await new Promise<void>((ready) =>
    child.stderr.on('data', (chunk: Buffer) => String(chunk).includes('listening') && ready()),
  );
  let listening = '';
  const look = setInterval(() => (listening += exec(lab.client.namespace, ['ss', '-Hlnt'])), 200);
  const ran = await doing();
  clearInterval(look);
  await sleep(300);
  child.kill('SIGINT');
  await once(child, 'close');
  const lengths = [...printed.matchAll(/> \S+\.(\d+): UDP, length (\d+)/g)];
  const datagrams = Object.fromEntries(
    [...Map.groupBy(lengths, ([, port]) => port!)].map(([port, same]) => [
      port,
      [...new Set(same.map(([, , length]) => Number(length)))],
    ]),
  );
  return { ran, datagrams, listening };
}
