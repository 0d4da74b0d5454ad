/** Names asked of a DNS server on loopback: addresses, service records, every way of having none, and each name once. */
import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openPeer, type UdpPeer } from '../../src/lab/peer.ts';
import { dnsServer, hostAddress, service, type DnsOptions } from '../../src/lab/peers/dns.ts';
import { Listeners } from '../../src/net/listeners.ts';
import { NameResolver, type ResolverOptions } from '../../src/net/resolver.ts';
import { failureOf, msOf, realIo } from '../support/real-io.ts';
import { patienceMs } from '../support/patience.ts';

const zone = new Map([
  ['dc1.lab.example A', [hostAddress('192.0.2.1'), hostAddress('192.0.2.2')]],
  ['dc1.lab.example AAAA', [hostAddress('2001:db8::1')]],
  ['dc2.lab.example A', [hostAddress('192.0.2.3')]],
  ['empty.lab.example SRV', [service(1, 'dc1.lab.example')]],
  ['_ldap._tcp.lab.example SRV', [service(389, 'dc2.lab.example'), service(389, 'dc1.lab.example')]],
]);

const listeners = new Listeners();
const folder = mkdtempSync(join(tmpdir(), 'xenreach-resolver-'));
const asked: string[] = [];

beforeAll(() => writeFileSync(join(folder, 'hosts'), ''));
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await listeners.close();
});

async function resolverOf(
  kind: DnsOptions | 'mute' | 'nobody',
  options: Partial<ResolverOptions> = {},
  conf = '',
): Promise<NameResolver> {
  const file = join(folder, `resolv-${asked.length}-${Math.random()}.conf`);
  writeFileSync(file, conf);
  const answer: UdpPeer = typeof kind === 'string' ? () => undefined : dnsServer(zone, kind).udp;
  const udp: UdpPeer = (query, ...rest) => {
    asked.push(nameIn(query));
    return answer(query, ...rest);
  };
  const port = kind === 'nobody' ? await listeners.vacant('127.0.0.1') : await listeners.open('127.0.0.1', { udp });
  if (kind === 'nobody') await listeners.vacate();
  asked.length = 0;
  return new NameResolver({
    family: 'any',
    timeoutMs: 200,
    tries: 1,
    hostsFile: join(folder, 'hosts'),
    resolvConf: file,
    servers: [`127.0.0.1:${port}`],
    ...options,
  });
}

function nameIn(query: Buffer): string {
  const labels: string[] = [];
  for (let at = 12; query[at]; at += query[at]! + 1) labels.push(query.toString('latin1', at + 1, at + 1 + query[at]!));
  return labels.join('.').toLowerCase();
}

describe('a name', () => {
  test('has all of its addresses, IPv4 first', async () => {
    const resolver = await resolverOf({});
    expect(await resolver.addresses('dc1.lab.example')).toEqual(['192.0.2.1', '192.0.2.2', '2001:db8::1']);
  });

  test.for([
    ['4', ['192.0.2.1', '192.0.2.2']],
    ['6', ['2001:db8::1']],
  ] as const)('has those of family %s when only they are wanted', async ([family, addresses]) => {
    const resolver = await resolverOf({}, { family });
    expect(await resolver.addresses('dc1.lab.example')).toEqual(addresses);
  });

  test('is asked for once, however often and however written', async () => {
    const resolver = await resolverOf({}, { family: '4' });
    await Promise.all(
      ['dc2.lab.example', 'DC2.lab.example', 'dc2.LAB.example'].map((name) => resolver.addresses(name)),
    );
    await resolver.addresses('dc2.lab.example');
    expect(asked).toEqual(['dc2.lab.example']);
  });

  test('without a dot is tried in the search list, in its order', async () => {
    const resolver = await resolverOf({}, { family: '4' }, 'search other.example lab.example\n');
    expect(await resolver.addresses('dc2')).toEqual(['192.0.2.3']);
    expect(asked).toEqual(['dc2.other.example', 'dc2.lab.example']);
  });

  test('with dots is tried as it is first, unless resolv.conf wants more of them', async () => {
    const first = await resolverOf({}, { family: '4' }, 'search lab.example\n');
    await first.addresses('dc2.lab.example');
    expect(asked).toEqual(['dc2.lab.example']);
    const last = await resolverOf({}, { family: '4' }, 'search other.example\noptions ndots:3\n');
    await last.addresses('dc2.lab.example');
    expect(asked).toEqual(['dc2.lab.example.other.example', 'dc2.lab.example']);
  });

  test('with a dot at its end is complete', async () => {
    const resolver = await resolverOf({}, { family: '4' }, 'search lab.example\n');
    expect((await failureOf(resolver.addresses('dc2.'))).outcome).toBe('unresolved');
    expect(asked).toEqual(['dc2']);
  });
});

describe('no address', () => {
  test.for([
    ['nobody.lab.example', {}, 'no-such-name', /no such name/],
    ['empty.lab.example', {}, 'no-such-name', /the name exists, without one/],
    ['dc1.lab.example', { rcode: 'servFail' }, 'resolver-silent', /SERVFAIL/],
    ['dc1.lab.example', { rcode: 'refused' }, 'resolver-silent', /REFUSED/],
    ['dc1.lab.example', 'mute', 'resolver-silent', /no DNS server answered/],
    ['dc1.lab.example', 'nobody', 'resolver-silent', /cannot be reached/],
  ] as const)('%s with %j: %s', async ([name, kind, hint, detail]) => {
    const resolver = await resolverOf(kind);
    const failure = await failureOf(resolver.addresses(name));
    expect(failure).toMatchObject({ outcome: 'unresolved', stage: 'resolve', hint });
    expect(failure.detail).toMatch(detail);
  });

  test('of a server that is silent is not asked for again under every suffix', async () => {
    const resolver = await resolverOf('mute', { family: '4' }, 'search a.example b.example c.example d.example\n');
    const asking = resolver.addresses('dc1.lab.example');
    expect(await msOf(asking)).toBeLessThan(patienceMs);
    expect(new Set(asked)).toEqual(new Set(['dc1.lab.example']));
  });
});

describe('the next server', () => {
  /** Two or three servers of these kinds, and what each of them was asked. */
  async function serversOf(...kinds: (DnsOptions | 'mute' | 'nobody')[]) {
    const heard: string[][] = kinds.map(() => []);
    const ports = await Promise.all(
      kinds.map((kind, i) => {
        const answer: UdpPeer = typeof kind === 'string' ? () => undefined : dnsServer(zone, kind).udp;
        const udp: UdpPeer = (query, ...rest) => {
          heard[i]!.push(nameIn(query));
          return answer(query, ...rest);
        };
        return kind === 'nobody' ? listeners.vacant('127.0.0.1') : listeners.open('127.0.0.1', { udp });
      }),
    );
    await listeners.vacate();
    return { servers: ports.map((port) => `127.0.0.1:${port}`), heard };
  }

  test.for([
    [{ rcode: 'servFail' }, 'answered SERVFAIL'],
    [{ rcode: 'refused' }, 'answered REFUSED'],
    ['mute', 'did not answer'],
    ['nobody', 'cannot be reached'],
  ] as const)('is asked after %j, which is told', async ([kind, what]) => {
    const { servers } = await serversOf(kind, {});
    const resolver = await resolverOf({}, { servers });
    expect(await resolver.addresses('dc1.lab.example')).toEqual(['192.0.2.1', '192.0.2.2', '2001:db8::1']);
    expect(resolver.passedOverFor('DC1.lab.example')).toEqual([`DNS server ${servers[0]} ${what}`]);
    expect(await resolver.services('_ldap._tcp.lab.example')).toHaveLength(2);
  });

  test('is asked after a refusal in the header alone, which is told as one', async () => {
    const refusal = (query: Buffer): Buffer =>
      Buffer.concat([query.subarray(0, 2), Buffer.from('81850000000000000000', 'hex')]);
    const port = await openPeer(listeners, '127.0.0.1', {
      udp: refusal,
      tcp: async (caller) => {
        const query = await caller.read((await caller.read(2)).readUInt16BE());
        caller.write(Buffer.concat([Buffer.of(0, 12), refusal(query)]));
      },
    });
    const { servers } = await serversOf({});
    const resolver = await resolverOf({}, { family: '4', servers: [`127.0.0.1:${port}`, ...servers] });
    expect(await resolver.addresses('dc2.lab.example')).toEqual(['192.0.2.3']);
    expect(resolver.passedOverFor('dc2.lab.example')).toEqual([`DNS server 127.0.0.1:${port} answered REFUSED`]);
  });

  test('is not asked for what the first knows not to exist', async () => {
    const { servers, heard } = await serversOf({}, {});
    const resolver = await resolverOf({}, { servers });
    expect((await failureOf(resolver.addresses('nobody.lab.example'))).hint).toBe('no-such-name');
    expect(heard[1]).toEqual([]);
    expect(resolver.passedOverFor('nobody.lab.example')).toEqual([]);
  });

  test('tells what is not there as well', async () => {
    const { servers } = await serversOf({ rcode: 'servFail' }, {});
    const resolver = await resolverOf({}, { servers });
    expect((await failureOf(resolver.addresses('nobody.lab.example'))).hint).toBe('no-such-name');
  });

  test('is the first one for the names that come after a silence', async () => {
    const { servers, heard } = await serversOf('mute', {});
    const resolver = await resolverOf({}, { servers, family: '4' });
    await resolver.addresses('dc1.lab.example');
    await resolver.addresses('dc2.lab.example');
    expect(heard[0]).toEqual(['dc1.lab.example']);
    expect(resolver.passedOverFor('dc2.lab.example')).toEqual([`DNS server ${servers[0]} did not answer`]);
  });

  test('begins in turn where resolv.conf says rotate', async () => {
    const { servers, heard } = await serversOf({}, {});
    const resolver = await resolverOf({}, { servers, family: '4' }, 'options rotate\n');
    await resolver.addresses('dc1.lab.example');
    await resolver.addresses('dc2.lab.example');
    expect(heard).toEqual([['dc1.lab.example'], ['dc2.lab.example']]);
  });

  test('when all refuse, none is asked again, and all are named', async () => {
    const { servers, heard } = await serversOf({ rcode: 'refused' }, { rcode: 'servFail' });
    const resolver = await resolverOf({}, { servers, family: '4', tries: 2 });
    const failure = await failureOf(resolver.addresses('dc1.lab.example'));
    expect(failure.detail).toContain(`asked: ${servers.join(', ')}`);
    expect(heard).toEqual([['dc1.lab.example'], ['dc1.lab.example']]);
  });

  test('silence alone is worth another try', async () => {
    const { servers, heard } = await serversOf('mute', 'mute');
    const resolver = await resolverOf({}, { servers, family: '4', tries: 2, timeoutMs: 100 });
    await failureOf(resolver.addresses('dc1.lab.example'));
    expect(heard.map((names) => names.length >= 1)).toEqual([true, true]);
  });
});

test('a search list may be long, and what older C libraries would not find is told', async () => {
  const conf = 'search a.test b.test c.test d.test e.test f.test lab.example\n';
  const resolver = await resolverOf({}, { family: '4' }, conf);
  expect(await resolver.addresses('dc2')).toEqual(['192.0.2.3']);
  expect(resolver.noteOn('dc2')).toContain('search domain 7');
  expect(resolver.passedOverFor('dc2')).toEqual([]);
});

test('service records come by priority and weight', async () => {
  const resolver = await resolverOf({});
  expect((await resolver.services('_ldap._tcp.lab.example')).map(({ name, port }) => `${name}:${port}`)).toEqual([
    'dc1.lab.example:389',
    'dc2.lab.example:389',
  ]);
  expect(await failureOf(resolver.services('_none._tcp.lab.example'))).toMatchObject({ outcome: 'unresolved' });
});

test('cancelling ends what is still asked', async () => {
  const resolver = await resolverOf('mute', { timeoutMs: 20_000 });
  const asking = failureOf(resolver.addresses('dc1.lab.example'));
  setTimeout(() => resolver.cancel(), 50);
  expect((await asking).detail).toMatch(/the run ended first/);
});

test('within an attempt its deadline holds, and a silent resolver is still no timeout of the host', async () => {
  const resolver = await resolverOf('mute', { timeoutMs: 20_000 });
  await using attempt = realIo({ port: 443, resolver, timeoutMs: 150 });
  expect(await failureOf(attempt.io.resolve('dc1.lab.example'))).toMatchObject({
    outcome: 'unresolved',
    stage: 'resolve',
    hint: 'resolver-silent',
  });
  resolver.cancel();
});

test('without a hosts file nobody is asked for localhost', async () => {
  const resolver = await resolverOf('nobody', { hostsFile: join(folder, 'no such file') });
  expect(await resolver.addresses('localhost')).toEqual(['127.0.0.1']);
});
