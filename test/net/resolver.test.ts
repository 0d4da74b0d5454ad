/** The files of the system's own name resolution: hosts(5) and resolv.conf(5). */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { NameResolver, type Family } from '../../src/net/resolver.ts';
import { parseHosts, parseResolvConf } from '../../src/net/resolv-conf.ts';

describe('a hosts file', () => {
  test('has an address and its names on a line, and comments', () => {
    const hosts = parseHosts(
      '127.0.0.1 localhost\n::1 localhost ip6-localhost\n# 192.0.2.1 gone\n192.0.2.5\tFS1.example.test fs1 # the filer\n',
    );
    expect([...hosts]).toEqual([
      ['localhost', ['127.0.0.1', '::1']],
      ['ip6-localhost', ['::1']],
      ['fs1.example.test', ['192.0.2.5']],
      ['fs1', ['192.0.2.5']],
    ]);
  });

  test('may be written in any way: no line is an error', () => {
    const text = '\r\nnot-an-address name\n192.0.2.5\n192.0.2.6 a a A\n::2 a\n192.0.2.6 a\n999.1.1.1 b';
    expect([...parseHosts(text)]).toEqual([['a', ['192.0.2.6', '::2']]]);
  });

  test('gives addresses only, IPv4 first, each once', () => {
    const line = fc.tuple(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()), fc.array(fc.oneof(fc.domain(), fc.string())));
    const file = fc
      .array(line)
      .map((lines) => lines.map(([address, names]) => [address, ...names].join(' ')).join('\n'));
    fc.assert(
      fc.property(fc.oneof(file, fc.string({ unit: 'binary' })), (text) => {
        for (const [name, addresses] of parseHosts(text)) {
          expect(name).toBe(name.toLowerCase());
          expect(new Set(addresses).size).toBe(addresses.length);
          const families = addresses.map((address) => (address.includes(':') ? 6 : 4));
          expect(families).toEqual(families.toSorted((a, b) => a - b));
        }
      }),
    );
  });
});

describe('a resolv.conf', () => {
  test.for([
    ['', [], 1],
    ['nameserver 192.0.2.53\nsearch Corp.example.test example.test\n', ['corp.example.test', 'example.test'], 1],
    ['domain one.test\nsearch two.test\n', ['two.test'], 1],
    ['search two.test\ndomain one.test\n', ['one.test'], 1],
    ['search a b c d e f g h\n', ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'], 1],
    ['domain one.test two.test\n', ['one.test'], 1],
    ['search A.test. b.test\n', ['a.test', 'b.test'], 1],
    ['search .\noptions timeout:2 ndots:5\n', [], 5],
    ['options ndots:99\n', [], 15],
    ['options ndots:-1 ndots:x ndots:\n', [], 1],
    ['options ndots:0\n', [], 0],
  ] as const)('%j', ([text, search, ndots]) => {
    expect(parseResolvConf(text)).toMatchObject({ search, ndots });
  });

  test.for([
    ['', { servers: ['127.0.0.1'], timeoutMs: 5000, attempts: 2, isRotating: false }],
    ['nameserver 192.0.2.1\nnameserver ::1\nnameserver x\n', { servers: ['192.0.2.1', '::1'] }],
    [
      'nameserver 10.0.0.1\n'.repeat(2) + 'nameserver 10.0.0.3\nnameserver 10.0.0.4',
      { servers: ['10.0.0.1', '10.0.0.1', '10.0.0.3'] },
    ],
    ['options rotate timeout:1 attempts:4', { timeoutMs: 1000, attempts: 4, isRotating: true }],
    ['options timeout:99\noptions attempts:0', { timeoutMs: 30_000, attempts: 1 }],
    ['options timeout:1 timeout:2 edns0', { timeoutMs: 2000 }],
  ] as const)('%j', ([text, conf]) => {
    expect(parseResolvConf(text)).toMatchObject(conf);
  });

  test('without a search line the domain is that of the host itself', () => {
    expect(parseResolvConf('', 'xs01.corp.test').search).toEqual(['corp.test']);
    expect(parseResolvConf('', 'xs01').search).toEqual([]);
    expect(parseResolvConf('search a.test', 'xs01.corp.test').search).toEqual(['a.test']);
  });

  test('is bounded, whatever is in it', () => {
    const word = fc.constantFrom('search', 'domain', 'options', 'nameserver', '#', ';', 'ndots:3', '.', 'a.test');
    const file = fc
      .array(fc.array(fc.oneof(word, fc.string())))
      .map((lines) => lines.map((words) => words.join(' ')).join('\n'));
    fc.assert(
      fc.property(fc.oneof(file, fc.string({ unit: 'binary' })), (text) => {
        const { search, ndots, servers } = parseResolvConf(text);
        expect(search.length).toBeLessThanOrEqual(256);
        expect(ndots >= 0 && ndots <= 15).toBe(true);
        expect(servers.length >= 1 && servers.length <= 3).toBe(true);
      }),
    );
  });
});

describe('without a question to anybody', () => {
  const folder = (): string => {
    const made = mkdtempSync(join(tmpdir(), 'xenreach-hosts-'));
    onTestFinished(() => rmSync(made, { recursive: true }));
    return made;
  };
  const resolverOf = (family: Family, text: string): NameResolver => {
    const hostsFile = join(folder(), 'hosts');
    writeFileSync(hostsFile, text);
    return new NameResolver({ family, timeoutMs: 100, tries: 1, hostsFile, servers: ['127.0.0.1:9'] });
  };
  const hosts = '192.0.2.5 fs1 fs1.example.test\n2001:db8::5 fs1.example.test';

  test('an address is its own', async () => {
    expect(await resolverOf('any', '').addresses('192.0.2.9')).toEqual(['192.0.2.9']);
    expect(await resolverOf('any', '').addresses('2001:DB8::9')).toEqual(['2001:db8::9']);
  });

  test('a name of the hosts file has the addresses of its lines, of the wanted family', async () => {
    expect(await resolverOf('any', hosts).addresses('FS1.example.test.')).toEqual(['192.0.2.5', '2001:db8::5']);
    expect(await resolverOf('4', hosts).addresses('fs1.example.test')).toEqual(['192.0.2.5']);
    expect(await resolverOf('6', hosts).addresses('fs1.example.test')).toEqual(['2001:db8::5']);
  });
});
