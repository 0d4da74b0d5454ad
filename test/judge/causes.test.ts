/** What fails together is told together: the cause first, as narrow as the checks allow and no narrower. */
import { expect, test } from 'vitest';
import { causesOf } from '../../src/judge/causes.ts';
import { reportCheck } from '../../src/judge/report.ts';
import type { Observation } from '../../src/model/outcome.ts';
import type { Cause, ReportCheck, ReportRow } from '../../src/model/report.ts';
import type { RowVerdict } from '../../src/model/verdict.ts';
import { checkOf, seen, usual } from '../support/builders.ts';

interface Asked {
  readonly row: string;
  readonly host?: string;
  readonly port?: number;
  readonly transport?: 'tcp' | 'udp';
  readonly level?: 'required' | 'advisory';
}

function checked(
  { row, host = '192.0.2.5', level = 'required', ...asked }: Asked,
  parts: Partial<Observation>,
): ReportCheck {
  const check = checkOf({ ...asked, host, uses: [{ ...usual, row, level }] });
  const isLiteral = check.address !== null;
  return reportCheck(check, seen({ address: isLiteral ? host : '192.0.2.9', ...parts }), 'service');
}

function rowOf(id: string, checks: readonly ReportCheck[], verdict: RowVerdict = 'fail'): ReportRow {
  return {
    id,
    section: 'ports',
    from: 'xenserver-host',
    to: 'ntp-server',
    transports: ['tcp'],
    ports: '123',
    purpose: 'It is needed.',
    verdict,
    because: `why ${id} fails`,
    remedy: `What to do for ${id}.`,
    skip: null,
    notes: [],
    checks: checks.filter(({ rows }) => rows.includes(id)).map(({ id: check }) => check),
  };
}

function causes(checks: readonly ReportCheck[], verdict: RowVerdict = 'fail'): Cause[] {
  const ids = [...new Set(checks.flatMap(({ rows }) => rows))];
  return causesOf(
    ids.map((id) => rowOf(id, checks, verdict)),
    checks,
  );
}

const refused = { outcome: 'refused', stage: 'connect' } as const;
const dropped = { outcome: 'timeout', stage: 'connect' } as const;
const mute = { outcome: 'timeout', stage: 'exchange' } as const;

test('a host that drops is one cause with one rule to ask for, whatever rows want of it', () => {
  const found = causes([
    checked({ row: 'a', port: 139 }, dropped),
    checked({ row: 'b', port: 445 }, dropped),
    ...[6910, 6911, 6912].map((port) => checked({ row: 'b', port }, dropped)),
  ]);
  expect(found).toMatchObject([
    {
      kind: 'host',
      rows: ['a', 'b'],
      text: 'nothing comes back from 192.0.2.5 on TCP 139, 445, 6910-6912',
      remedy:
        'Ask the firewall team to allow TCP 139, 445, 6910-6912 from this machine to 192.0.2.5, and the answers back.',
    },
  ]);
  expect(found[0]?.checks).toHaveLength(5);
});

test('what one row has alone is said in its own words', () => {
  expect(causes([checked({ row: 'a', port: 139 }, dropped)])).toMatchObject([
    { kind: 'row', rows: ['a'], text: 'why a fails', remedy: 'What to do for a.' },
  ]);
});

test('two things that a host does are two causes', () => {
  const found = causes([
    checked({ row: 'a', port: 1 }, refused),
    checked({ row: 'b', port: 2 }, refused),
    checked({ row: 'c', port: 3 }, mute),
    checked({ row: 'd', port: 4 }, mute),
  ]);
  expect(found.map(({ text }) => text)).toEqual([
    'nothing listens on TCP 1, 2 of 192.0.2.5',
    '192.0.2.5 accepts and never answers on TCP 3, 4',
  ]);
});

test('what the other end listened for in vain is one rule to ask for, from the address that it would have seen', () => {
  const evidence = { pair: { sourceSeen: '198.51.100.1', nat: true, proof: 'receipt' } };
  const lost: Partial<Observation> = { outcome: 'timeout', stage: 'connect', hint: 'not-arrived', evidence };
  const [first, second] = causes([
    checked({ row: 'license', port: 27_000 }, lost),
    checked({ row: 'vendor', port: 7279 }, lost),
    checked({ row: 'other', port: 3260 }, dropped),
  ]);
  expect(first).toMatchObject({
    rows: ['license', 'vendor'],
    text: '192.0.2.5 was listening on TCP 7279, 27000, and nothing came',
    remedy:
      "Ask for TCP 7279, 27000 from 198.51.100.1 to 192.0.2.5; 192.0.2.5 was listening and nothing came: it is dropped on the way, or by 192.0.2.5's own firewall. Seen as 198.51.100.1 there: rules must name that address.",
  });
  // What is dropped on the way to a port that nobody held is another thing.
  expect(second).toMatchObject({ rows: ['other'] });
});

test.for([
  ['stand-in', 'answered', /^a stand-in answers on TCP 389, 636 of 192\.0\.2\.5: the way is open/],
  ['arrived', 'timeout', /^what is sent to TCP 389, 636 of 192\.0\.2\.5 gets there, and the answers do not come back/],
  ['refused-on-the-way', 'refused', /^somebody refuses TCP 389, 636 in the name of 192\.0\.2\.5/],
  ['middlebox', 'closed', /^somebody accepts TCP 389, 636 in the name of 192\.0\.2\.5/],
] as const)('what two ends say of several ports is one cause: %s', ([hint, outcome, text]) => {
  const both = [389, 636].map((port) => checked({ row: `row-${port}`, port }, { outcome, stage: 'exchange', hint }));
  expect(causes(both)).toMatchObject([
    { kind: 'host', rows: ['row-389', 'row-636'], text: expect.stringMatching(text) },
  ]);
});

test('two hosts are two causes, and a host that is gone is one whatever was asked of it', () => {
  const down = { outcome: 'unreachable', stage: 'connect', hint: 'host-down' } as const;
  const found = causes([
    checked({ row: 'a', port: 1 }, down),
    checked({ row: 'b', port: 2, transport: 'udp' }, { ...mute, hint: 'host-down' }),
    checked({ row: 'b', port: 2, host: '192.0.2.6' }, refused),
  ]);
  expect(found.map(({ kind, text }) => [kind, text])).toEqual([
    ['host', 'no host answers at 192.0.2.5'],
    ['row', 'why b fails'],
  ]);
});

test('names that do not resolve are one cause, with the name server that is to blame', () => {
  const silent = {
    outcome: 'unresolved',
    stage: 'resolve',
    hint: 'resolver-silent',
    code: 'ESERVFAIL',
    address: null,
  } as const;
  const detail = 'the DNS server 192.0.2.53 could not resolve it (SERVFAIL)';
  const found = causes([
    checked({ row: 'a', host: 'a.test' }, { ...silent, detail }),
    checked({ row: 'b', host: 'b.test' }, { ...silent, detail }),
    checked({ row: 'dns', host: '192.0.2.53', port: 53 }, { outcome: 'declined', stage: 'exchange' }),
    checked({ row: 'c', host: '192.0.2.7' }, refused),
  ]);
  expect(found.map(({ kind, rows }) => [kind, rows])).toEqual([
    ['resolver', ['a', 'b', 'dns']],
    ['row', ['c']],
  ]);
  expect(found[0]?.text).toBe(`names do not resolve: ${detail}`);
});

test('a name that is not there is a matter of that name alone', () => {
  const missing = { outcome: 'unresolved', stage: 'resolve', hint: 'no-such-name', address: null } as const;
  const found = causes([
    checked({ row: 'a', host: 'a.test' }, missing),
    checked({ row: 'b', host: 'a.test', port: 7 }, missing),
    checked({ row: 'c', host: 'c.test' }, missing),
  ]);
  expect(found.map(({ kind, rows }) => [kind, rows])).toEqual([
    ['host', ['a', 'b']],
    ['row', ['c']],
  ]);
});

test('what the proxy does to all is one cause, and so is one inspector', () => {
  const denied = {
    outcome: 'declined',
    stage: 'proxy',
    code: 'HTTP_407',
    address: null,
    detail: 'it wants a password',
  } as const;
  const intercepted = (issuer: string): Partial<Observation> => ({
    outcome: 'untrusted',
    stage: 'tls',
    hint: 'intercepted',
    evidence: { certificate: { issuer } },
  });
  const found = causes([
    checked({ row: 'a', host: 'a.test' }, denied),
    checked({ row: 'b', host: 'b.test' }, denied),
    checked({ row: 'c', host: 'c.test' }, intercepted('CN=Inspector')),
    checked({ row: 'd', host: 'd.test' }, intercepted('CN=Inspector')),
    checked({ row: 'e', host: 'e.test' }, intercepted('CN=Another')),
  ]);
  expect(found.map(({ kind, rows }) => [kind, rows])).toEqual([
    ['proxy', ['a', 'b']],
    ['proxy', ['c', 'd']],
    ['proxy', ['e']],
  ]);
});

test('this machine comes first, and what it could not try is told though no row fails', () => {
  const noRoute = { outcome: 'unreachable', stage: 'connect', hint: 'no-route' } as const;
  const hosts = ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4', '192.0.2.5', '192.0.2.6'];
  const found = causes([
    checked({ row: 'z', port: 1 }, refused),
    ...hosts.map((host) => checked({ row: 'a', host, port: 9 }, noRoute)),
  ]);
  expect(found.map(({ kind }) => kind)).toEqual(['vantage', 'row']);
  expect(found[0]?.text).toBe('this machine has no route to 192.0.2.1, 192.0.2.2, 192.0.2.3, 192.0.2.4 and 2 more');
  const local = { outcome: 'local', code: 'EMFILE', detail: 'no descriptor is left' } as const;
  expect(causes([checked({ row: 'a' }, local), checked({ row: 'b' }, local)], 'unverified')).toMatchObject([
    { kind: 'vantage', rows: ['a', 'b'], text: 'this machine could not try it: no descriptor is left' },
  ]);
});

test('neither what passes nor what is advisory is a cause', () => {
  expect(causes([checked({ row: 'a' }, {})], 'pass')).toEqual([]);
  expect(causes([checked({ row: 'a' }, {}), checked({ row: 'a', port: 7, level: 'advisory' }, refused)])).toEqual([]);
});
