/**
 * A small network of our own: a client and any number of hosts, each on its own link to one router, all of them Linux
 * network namespaces. What a firewall does to a packet is then real, and nothing of it is seen outside.
 *
 *     client 10.91.0.2 --- 10.91.0.1 router 10.91.k.1 --- 10.91.k.2 host k     (and fd91:0:0:k::1, ::2)
 *
 * Only 10.91.0.0/16, fd91::/48 and two documentation prefixes are routed: nobody has a default route. The router has no
 * route to the documentation prefixes and says so; the client has none to anything else.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** One machine of the lab. Names a daemon's or a program's whereabouts for everything else in test/support. */
export interface Host {
  readonly name: string;
  readonly namespace: string;
  readonly address: string;
  readonly address6: string;
  /** A second machine on the same link that does not exist. */
  readonly absent: string;
  readonly absent6: string;
}

export interface Lab<Name extends string = string> extends Disposable {
  readonly client: Host;
  readonly router: Host;
  readonly hosts: Readonly<Record<Name, Host>>;
}

/** Routed by the client to the router, which knows no way on. */
export const unrouted = { address: '198.51.100.7', address6: '2001:db8:51::7' } as const;
/** Routed by nobody. */
export const unknown = { address: '203.0.113.7', address6: '2001:db8:113::7' } as const;

/** Debian keeps some programs where a user's shell does not look. */
export const path = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;

const needed = ['ip', 'nft', 'setpriv', 'unshare', 'nsenter', 'openssl'];
let made = 0;

/** Why live tests cannot run on this machine, or null when they can. */
export function whyNotLive(...programs: readonly string[]): string | null {
  if (process.platform !== 'linux') return `network namespaces are Linux's, this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  const missing = [...needed, ...programs].filter((program) => !isInstalled(program));
  if (missing.length > 0) return `not installed: ${missing.join(' ')}`;
  return null;
}

function isInstalled(program: string): boolean {
  if (program.startsWith('/')) return existsSync(program);
  return path.split(delimiter).some((folder) => existsSync(join(folder, program)));
}

/** Builds the network; disposing of it removes every namespace by its name, and with them all links and rules. */
export function makeLab<const Name extends string>(names: readonly Name[]): Lab<Name> {
  sweep();
  const stem = `xr-${process.pid}-${(made += 1)}`;
  const all = ['client', ...names];
  const namespaces = [`${stem}-router`, ...all.map((name) => `${stem}-${name}`)];
  const router: Host = { ...hostAt('router', `${stem}-router`, 0), address: '10.91.0.1', address6: 'fd91::1' };
  const hosts = all.map((name, link) => hostAt(name, `${stem}-${name}`, link));
  const remove = (): void => {
    for (const namespace of namespaces) removeNamespace(namespace);
  };
  try {
    ipBatch([
      ...namespaces.map((namespace) => `netns add ${namespace}`),
      ...hosts.map(
        (host, link) => `link add eth0 netns ${host.namespace} type veth peer name to${link} netns ${router.namespace}`,
      ),
    ]);
    configure(
      router.namespace,
      hosts.flatMap((_, link) => [
        `addr add 10.91.${link}.1/24 dev to${link}`,
        `addr add ${prefix6(link)}1/64 dev to${link}`,
        `link set to${link} up`,
      ]),
    );
    for (const [link, host] of hosts.entries()) {
      configure(host.namespace, [
        `addr add ${host.address}/24 dev eth0`,
        `addr add ${host.address6}/64 dev eth0`,
        'link set eth0 up',
        ...['10.91.0.0/16', '198.51.100.0/24'].map((prefix) => `route add ${prefix} via 10.91.${link}.1`),
        ...['fd91::/48', '2001:db8:51::/48'].map((prefix) => `route add ${prefix} via ${prefix6(link)}1`),
      ]);
    }
  } catch (error) {
    remove();
    throw error;
  }
  const [client, ...others] = hosts;
  const byName = Object.fromEntries(others.map((host) => [host.name, host])) as Record<Name, Host>;
  return { client: client!, router, hosts: byName, [Symbol.dispose]: remove };
}

/** The same command line, run on that machine; null is this machine itself. */
export function on(namespace: string | null, argv: readonly string[]): [string, ...string[]] {
  const prefix = namespace === null ? [] : ['ip', 'netns', 'exec', namespace];
  const [program, ...args] = [...prefix, ...argv];
  if (program === undefined) throw new Error('no command to run');
  return [program, ...args];
}

/** Runs a command on that machine to its end and returns what it printed. */
export function exec(namespace: string | null, argv: readonly string[], input = ''): string {
  const [program, ...args] = on(namespace, argv);
  return execFileSync(program, args, {
    input,
    encoding: 'utf8',
    timeout: 20_000,
    stdio: 'pipe',
    env: { ...process.env, PATH: path },
  });
}

/** Loads an nftables ruleset, replacing what was there. */
export function setFirewall(host: Host, ruleset: string): void {
  exec(host.namespace, ['nft', '-f', '-'], `flush ruleset\n${ruleset}`);
}

/** A ruleset of these rules, everything else let through. */
export const filterAt = (hook: 'input' | 'forward' | 'output', ...rules: readonly string[]): string =>
  `table inet lab { chain lab { type filter hook ${hook} priority 0; policy accept;\n${rules.join('\n')}\n}\n}`;

/** What that machine reads as /etc/hosts and /etc/resolv.conf. Removed with the namespace. */
export function setNames(host: Host, files: { readonly hosts?: string; readonly 'resolv.conf'?: string }): void {
  const folder = join('/etc/netns', host.namespace);
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
}

function hostAt(name: string, namespace: string, link: number): Host {
  const address = (last: number): string => `10.91.${link}.${last}`;
  const address6 = (last: number): string => `${prefix6(link)}${last}`;
  return { name, namespace, address: address(2), address6: address6(2), absent: address(99), absent6: address6(99) };
}

const prefix6 = (link: number): string => (link === 0 ? 'fd91::' : `fd91:0:0:${link.toString(16)}::`);

/** No address is ever tentative, every machine forwards, and no ICMP is held back: Linux would send one a second. */
function configure(namespace: string, commands: readonly string[]): void {
  const script = [
    'for f in /proc/sys/net/ipv6/conf/*/accept_dad; do echo 0 > "$f"; done',
    'echo 1 > /proc/sys/net/ipv4/ip_forward',
    'echo 1 > /proc/sys/net/ipv6/conf/all/forwarding',
    'echo 0 > /proc/sys/net/ipv4/icmp_ratemask',
    'echo 0 > /proc/sys/net/ipv6/icmp/ratelimit',
    'exec ip -batch -',
  ].join('\n');
  exec(namespace, ['sh', '-ec', script], ['link set lo up', ...commands].join('\n'));
}

function ipBatch(commands: readonly string[]): void {
  exec(null, ['ip', '-batch', '-'], commands.join('\n'));
}

function removeNamespace(namespace: string): void {
  if (existsSync(join('/run/netns', namespace))) exec(null, ['ip', 'netns', 'del', namespace]);
  rmSync(join('/etc/netns', namespace), { recursive: true, force: true });
}

/** Removes what a killed test run left behind. */
function sweep(): void {
  if (!existsSync('/run/netns')) return;
  for (const namespace of readdirSync('/run/netns')) {
    const owner = /^xr-(\d+)-\d+-/.exec(namespace)?.[1];
    if (owner !== undefined && !existsSync(`/proc/${owner}`)) removeNamespace(namespace);
  }
}

/** A new link takes a moment until the kernel calls it running, and its addresses this machine's own. */
export async function linksUp(...hosts: readonly Host[]): Promise<void> {
  for (const { namespace } of hosts) {
    for (let i = 0; i < 200 && exec(namespace, ['cat', '/sys/class/net/eth0/operstate']) !== 'up\n'; i += 1)
      await sleep(20);
  }
}
