/**
 * A port that a service holds is proven without being touched: rsyslogd really has UDP 514, and what may witness the
 * message is taken away one by one. Another role's port, which the responder holds, carries the receipts.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkSite, type SiteRun } from '../support/check-site.ts';
import { exec, filterAt, makeLab, setFirewall, whyNotLive, type Lab } from '../support/netns.ts';
import { kinds, python, startResponder, type Kind, type Running } from '../support/respond.ts';
import type { Server } from '../support/servers.ts';
import { startRsyslog } from '../support/servers/rsyslog.ts';
import { runXenreach } from '../support/run-xenreach.ts';

const needed = whyNotLive('rsyslogd', 'conntrack', 'tcpdump', python);
const roles = ['syslog-server', 'wlb-appliance'];
/** Whoever tracks connections keeps a table of them. */
const tracking = (...rules: readonly string[]): string =>
  filterAt('input', 'ct state new,established accept', ...rules);

/**
 * A machine whose kernel does not show its connection table as a file: what of /proc is needed stands beside in memory.
 * (A mount over one file of /proc/net does not hold.)
 */
const inFrontOfProc = [
  'set -e; proc=$(mktemp -d); mount -t tmpfs none "$proc"; mkdir "$proc/net" "$proc/self"',
  'for name in fib_trie if_inet6 udp udp6 tcp tcp6; do cat /proc/net/$name > "$proc/net/$name"; done',
  'mount --bind /proc/$$ "$proc/self"; mount --rbind "$proc" /proc; umount -l "$proc"; rmdir "$proc"',
  '[ ! -e /proc/net/nf_conntrack ]',
];
const shellThatBecomes = (...lines: readonly string[]): string[] => [
  'unshare',
  '--mount',
  'sh',
  '-c',
  [...lines, 'exec "$@"'].join('\n'),
  'sh',
];
const withoutTable = shellThatBecomes(...inFrontOfProc);
const withoutTableOrProgram = shellThatBecomes(...inFrontOfProc, 'mount --bind /dev/null "$(command -v conntrack)"');

describe.skipIf(needed !== null)('a collector that has its port', () => {
  let lab: Lab<'server'>;
  let collector: Server;
  let log: string;

  beforeAll(async () => {
    lab = makeLab(['server']);
    collector = await startRsyslog({ ...lab.hosts.server, address: '*' });
    log = join(collector.folder, 'messages');
  });

  afterAll(async () => {
    await collector?.stop();
    lab?.[Symbol.dispose]();
  });

  const site = (address = lab.hosts.server.address) => ({
    roles: Object.fromEntries(roles.map((role) => [role, address])),
  });

  const open = (): string => exec(lab.hosts.server.namespace, ['ss', '-Hlun']);

  async function checked(
    kind: Kind,
    args: readonly string[],
    address?: string,
    by: readonly string[] = [],
  ): Promise<SiteRun> {
    const before = open();
    const options = { kind, roles, args, by };
    await using responder: Running = await startResponder(lab.hosts.server, site(address), options);
    expect(responder.pair).toMatchObject({ held: { udp: [514], tcp: [] }, bound: { udp: [], tcp: [8012] } });
    expect(open()).toBe(before);
    const run = await checkSite(lab.client, site(address), {
      args: ['--pair', responder.pairFile, '--row', 'syslog', '--timeout', '2s'],
    });
    return run;
  }

  const pairOf = ({ checks }: SiteRun): unknown => checks('syslog')[0]?.evidence['pair'];

  for (const kind of kinds) {
    test(`${kind}: its log has the marked message`, async () => {
      setFirewall(lab.hosts.server, '');
      const run = await checked(kind, ['--log', log, '--no-conntrack']);
      expect(run.row('syslog')).toMatchObject({ verdict: 'pass', remedy: null });
      expect(run.row('syslog').because).toContain("the message is in the collector's log");
      expect(pairOf(run)).toMatchObject({ port: 'held', proof: 'log', seen: 1, asked: 'tcp 8012' });
    });

    for (const [version, address] of [
      [4, () => lab.hosts.server.address],
      [6, () => lab.hosts.server.address6],
    ] as const) {
      test(`${kind}: without a log, the connection table has it (IPv${version})`, async () => {
        setFirewall(lab.hosts.server, tracking());
        const run = await checked(kind, ['--log', '/nowhere/at/all'], address());
        expect(run.row('syslog')).toMatchObject({ verdict: 'pass', remedy: null });
        expect(run.row('syslog').because).toContain("in the other end's connection table");
        expect(pairOf(run)).toMatchObject({ port: 'held', proof: 'conntrack' });
      });
    }

    test(`${kind}: where the kernel has no file of that table, the conntrack program is asked`, async () => {
      setFirewall(lab.hosts.server, tracking());
      const run = await checked(kind, ['--log', '/nowhere/at/all'], undefined, withoutTable);
      expect(run.row('syslog')).toMatchObject({ verdict: 'pass', remedy: null });
      expect(pairOf(run)).toMatchObject({ port: 'held', proof: 'conntrack' });
    });

    test(`${kind}: with neither file nor program nobody saw it`, async () => {
      setFirewall(lab.hosts.server, tracking());
      const run = await checked(kind, ['--log', '/nowhere/at/all'], undefined, withoutTableOrProgram);
      expect(run.row('syslog')).toMatchObject({ verdict: 'unverified' });
      expect(run.checks('syslog')[0]).toMatchObject({ outcome: 'timeout', hint: 'held' });
    });

    test(`${kind}: a capture sees what its own firewall drops, and that is a warning`, async () => {
      setFirewall(lab.hosts.server, filterAt('input', 'udp dport 514 drop'));
      const run = await checked(kind, ['--log', '/nowhere/at/all', '--capture']);
      expect(pairOf(run)).toMatchObject({ port: 'held', proof: 'capture' });
      expect(run.row('syslog')).toMatchObject({ verdict: 'warn' });
      expect(run.row('syslog').because).toMatch(
        /a capture saw it at the other end's interface, before its own firewall/,
      );
      expect(run.row('syslog').remedy).toMatch(/see that the firewall on 10\.91\.1\.2 itself lets UDP 514 .* in/);
    });

    test(`${kind}: with no witness it stays unproven, and says what could look`, async () => {
      setFirewall(lab.hosts.server, '');
      const run = await checked(kind, ['--log', '/nowhere/at/all', '--no-conntrack']);
      expect(run.row('syslog')).toMatchObject({ verdict: 'unverified' });
      expect(run.checks('syslog')[0]).toMatchObject({ outcome: 'timeout', hint: 'held' });
      expect(run.row('syslog').remedy).toMatch(/--log.*--capture.*xenreach merge/s);
    });
  }

  test('where nothing can be bound, the receipts have the mark of the message', async () => {
    setFirewall(lab.hosts.server, '');
    const alone = { roles: { 'syslog-server': lab.hosts.server.address } };
    const options = { roles: ['syslog-server'], args: ['--log', log] };
    await using responder = await startResponder(lab.hosts.server, alone, options);
    expect(responder.pair.bound).toEqual({ udp: [], tcp: [] });
    const run = await checkSite(lab.client, alone, {
      args: ['--pair', responder.pairFile, '--row', 'syslog', '--timeout', '2s'],
    });
    expect(run.row('syslog')).toMatchObject({ verdict: 'unverified' });
    const [check] = run.checks('syslog');
    expect(check).toMatchObject({ hint: 'held' });
    expect(run.ran.stderr).toContain(`the responder on ${lab.hosts.server.address} could not be asked`);
    const receipts = await responder.receipts();
    const mark = check?.evidence['mark'];
    const kept = receipts.ports.filter((one) => one.mark === mark);
    expect(kept).toMatchObject([{ port: 514, state: 'held', proof: 'log' }]);
  });

  test('a log that is named and not there is told', async () => {
    const options = { roles, args: ['--log', '/nowhere/at/all'] };
    await using responder = await startResponder(lab.hosts.server, site(), options);
    const { stderr } = await responder.stop();
    expect(stderr).toContain('--log /nowhere/at/all: there is no such file, so it witnesses nothing');
  });

  test('a dry run says who holds it, and binds nothing', async () => {
    const before = open();
    const file = join(collector.folder, 'site.json');
    writeFileSync(file, JSON.stringify({ name: 'lab', ...site() }));
    const args = ['respond', '--site', file, '--as', 'syslog-server', '--as', 'wlb-appliance', '--dry-run'];
    const { exitCode, stdout } = await runXenreach(args, lab.hosts.server);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/held {3}udp 514 {2}syslog \(held by rsyslogd, pid \d+\)\n/);
    expect(stdout).toMatch(/free {3}tcp 8012 {2}wlb-api\n/);
    expect(open()).toBe(before);
  });
});
