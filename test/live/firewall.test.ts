/**
 * Everything a firewall, a router or a missing host can do to a packet, done by real ones, and what xenreach then says.
 * Where two causes look the same from here (a router's tcp-reset and a closed port) they have the same row.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Hint, Outcome, Stage } from '../../src/model/outcome.ts';
import { makeLab, setFirewall, unknown, unrouted, whyNotLive, type Lab } from '../support/netns.ts';
import { probe } from '../support/run-xenreach.ts';
import type { Server } from '../support/servers.ts';
import { startEcho } from '../support/servers/echo.ts';

type Family = 'tcp4' | 'tcp6' | 'udp4' | 'udp6';
type Said = readonly [outcome: Outcome, stage: Stage | null, hint: Hint | null, code?: string];
type Destination = 'server' | 'absent on its link' | 'absent on our link' | 'unrouted' | 'unknown';

interface Situation {
  readonly what: string;
  readonly at?: 'client' | 'router' | 'server';
  /** An nftables verdict for this situation's port. */
  readonly verdict?: string;
  readonly to?: Destination;
  /** Only the families in which the situation exists. */
  readonly said: Readonly<Partial<Record<Family, Said>>>;
}

const openPort = 9000;

const answered: Said = ['answered', null, null];
const refused: Said = ['refused', 'connect', null, 'ECONNREFUSED'];
const silentTcp: Said = ['timeout', 'connect', null];
const silentUdp: Said = ['timeout', 'exchange', null];
const rejectedTcp = (code: string): Said => ['unreachable', 'connect', 'icmp-reject', code];
const rejectedUdp = (code: string): Said => ['unreachable', 'exchange', 'icmp-reject', code];
const down: Said = ['unreachable', 'connect', 'host-down', 'EHOSTUNREACH'];
const ownFirewall: Said = ['local', 'exchange', null, 'EPERM'];
const silent = { tcp4: silentTcp, tcp6: silentTcp, udp4: silentUdp, udp6: silentUdp };

// The n-th situation has port 9000 + n.
const situations: readonly Situation[] = [
  { what: 'an open port', said: { tcp4: answered, tcp6: answered, udp4: answered, udp6: answered } },
  { what: 'a closed port', said: { tcp4: refused, tcp6: refused, udp4: refused, udp6: refused } },
  { what: 'a router that drops', at: 'router', verdict: 'drop', said: silent },
  { what: 'a host that drops', at: 'server', verdict: 'drop', said: silent },
  {
    what: 'a router that resets',
    at: 'router',
    verdict: 'meta l4proto tcp reject with tcp reset',
    said: { tcp4: refused, tcp6: refused },
  },
  {
    what: 'a router that says port unreachable',
    at: 'router',
    verdict: 'reject with icmpx port-unreachable',
    said: { tcp4: refused, tcp6: refused, udp4: refused, udp6: refused },
  },
  {
    what: 'a router that says host prohibited',
    at: 'router',
    verdict: 'reject with icmp host-prohibited',
    said: { tcp4: rejectedTcp('EHOSTUNREACH'), udp4: rejectedUdp('EHOSTUNREACH') },
  },
  {
    what: "a host that says host prohibited, as XenServer's own firewall does",
    at: 'server',
    verdict: 'reject with icmp host-prohibited',
    said: { tcp4: rejectedTcp('EHOSTUNREACH'), udp4: rejectedUdp('EHOSTUNREACH') },
  },
  {
    what: 'a router that says net prohibited',
    at: 'router',
    verdict: 'reject with icmp net-prohibited',
    said: { tcp4: rejectedTcp('ENETUNREACH'), udp4: rejectedUdp('ENETUNREACH') },
  },
  {
    what: 'a router that says administratively prohibited',
    at: 'router',
    verdict: 'reject with icmpx admin-prohibited',
    said: {
      tcp4: rejectedTcp('EHOSTUNREACH'),
      tcp6: rejectedTcp('EACCES'),
      udp4: rejectedUdp('EHOSTUNREACH'),
      udp6: rejectedUdp('EACCES'),
    },
  },
  {
    what: 'a host that says administratively prohibited',
    at: 'server',
    verdict: 'reject with icmpx admin-prohibited',
    said: {
      tcp4: rejectedTcp('EHOSTUNREACH'),
      tcp6: rejectedTcp('EACCES'),
      udp4: rejectedUdp('EHOSTUNREACH'),
      udp6: rejectedUdp('EACCES'),
    },
  },
  {
    // Linux keeps this from a connected UDP socket: it may be about to mend itself.
    what: 'a router that says host unreachable',
    at: 'router',
    verdict: 'reject with icmpx host-unreachable',
    said: {
      tcp4: rejectedTcp('EHOSTUNREACH'),
      tcp6: rejectedTcp('EHOSTUNREACH'),
      udp4: silentUdp,
      udp6: silentUdp,
    },
  },
  {
    what: 'a router that has no route',
    to: 'unrouted',
    said: { tcp4: rejectedTcp('ENETUNREACH'), tcp6: rejectedTcp('ENETUNREACH'), udp4: silentUdp, udp6: silentUdp },
  },
  {
    what: 'no route on this machine',
    to: 'unknown',
    said: {
      tcp4: ['unreachable', 'connect', 'no-route', 'ENETUNREACH'],
      tcp6: ['unreachable', 'connect', 'no-route', 'ENETUNREACH'],
      udp4: ['unreachable', 'exchange', 'no-route', 'ENETUNREACH'],
      udp6: ['unreachable', 'exchange', 'no-route', 'ENETUNREACH'],
    },
  },
  {
    what: 'a host that is down, behind the router',
    to: 'absent on its link',
    said: { tcp4: down, tcp6: down, udp4: silentUdp, udp6: silentUdp },
  },
  {
    what: 'a host that is down, on our own link',
    to: 'absent on our link',
    // The kernel's neighbour table tells what no ICMP does; for IPv6 there is no such file.
    said: { tcp4: down, tcp6: down, udp4: ['unreachable', 'exchange', 'host-down'], udp6: silentUdp },
  },
  {
    // A SYN that the own firewall drops is lost like any other: only UDP is told.
    what: 'our own firewall that drops',
    at: 'client',
    verdict: 'drop',
    said: { tcp4: silentTcp, tcp6: silentTcp, udp4: ownFirewall, udp6: ownFirewall },
  },
  {
    what: 'our own firewall that rejects',
    at: 'client',
    verdict: 'reject with icmpx admin-prohibited',
    said: {
      tcp4: rejectedTcp('EHOSTUNREACH'),
      tcp6: rejectedTcp('EACCES'),
      udp4: ownFirewall,
      udp6: ownFirewall,
    },
  },
];

const families: readonly Family[] = ['tcp4', 'tcp6', 'udp4', 'udp6'];
const cases = situations.flatMap((situation, index) =>
  families.flatMap((family) => {
    const said = situation.said[family];
    return said ? [{ name: `${family}: ${situation.what}`, family, situation, said, port: openPort + index }] : [];
  }),
);

const reason = whyNotLive();
describe.skipIf(reason !== null)('what xenreach says of', () => {
  let lab: Lab<'server'>;
  let server: Server;

  beforeAll(async () => {
    lab = makeLab(['server']);
    const { server: host } = lab.hosts;
    for (const [at, machine, hook] of [
      ['client', lab.client, 'output'],
      ['router', lab.router, 'forward'],
      ['server', host, 'input'],
    ] as const) {
      setFirewall(
        machine,
        ruleset(
          hook,
          situations.map((situation) => (situation.at === at ? situation.verdict : undefined)),
        ),
      );
    }
    server = await startEcho(host, openPort);
  });

  afterAll(async () => {
    await server?.stop();
    lab?.[Symbol.dispose]();
  });

  test.concurrent.for(cases)('$name', async ({ family, situation, said, port }) => {
    const [outcome, stage, hint, code] = said;
    const address = addressOf(lab, situation.to ?? 'server', family.endsWith('6'));
    const endpoint = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
    const args = ['--timeout', '4s'];
    const check = await probe(family.slice(0, 3), endpoint, args, { namespace: lab.client.namespace });
    expect(check).toMatchObject({ outcome, stage, hint, address, port, ...(code !== undefined && { code }) });
  });
});

function ruleset(hook: string, verdicts: readonly (string | undefined)[]): string {
  const rules = verdicts.flatMap((verdict, index) =>
    verdict === undefined ? [] : [`meta l4proto { tcp, udp } th dport ${openPort + index} ${verdict}`],
  );
  return `table inet lab { chain lab { type filter hook ${hook} priority 0; policy accept;\n${rules.join('\n')}\n}\n}`;
}

function addressOf(lab: Lab<'server'>, to: Destination, six: boolean): string {
  const { server } = lab.hosts;
  const pairs: Record<Destination, readonly [string, string]> = {
    server: [server.address, server.address6],
    'absent on its link': [server.absent, server.absent6],
    'absent on our link': [lab.client.absent, lab.client.absent6],
    unrouted: [unrouted.address, unrouted.address6],
    unknown: [unknown.address, unknown.address6],
  };
  return pairs[to][six ? 1 : 0];
}
