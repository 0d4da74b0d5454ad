/** Receipts that were carried by hand: what arrived is proven, and nothing else is. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { receiptsFrom } from '../../src/load/receipts.ts';
import type { Receipts } from '../../src/model/pair.ts';
import { mergeReports } from '../../src/merge/merge.ts';
import { UsageError } from '../../src/model/errors.ts';
import type { Report } from '../../src/model/report.ts';
import { dayMs, inputOf, now, reportOf } from './reports.ts';

/** Silence of a service that never answers: row ntp of the small site plays one. */
const silent = (probe = 'syslog'): Report => {
  const report = reportOf({ rows: { ntp: { verdict: 'unverified', outcome: 'timeout' } } });
  const checks = report.checks.map((check) =>
    check.rows.includes('ntp')
      ? Object.assign({}, check, { probe, transport: 'udp', stage: 'exchange', port: 514 })
      : check,
  );
  return { ...report, checks };
};

const receipt = {
  transport: 'udp',
  port: 514,
  state: 'bound',
  from: '10.0.0.1',
  fromPort: 40_000,
  nonce: null,
  mark: null,
  maxBytes: 256,
  datagrams: 3,
  row: ['ntp'],
  proof: 'receipt',
} as const;
const receipts = (changes: Partial<Receipts['ports'][number]> = {}, more: Partial<Receipts> = {}): Receipts => ({
  schema: 'xenreach.receipts/1',
  pair: '0123abcd',
  // The machine that the silent row goes to.
  host: 'log',
  addresses: ['10.0.0.5'],
  roles: ['syslog-server'],
  startedAt: '2026-11-25T11:59:00.000Z',
  endedAt: '2026-11-25T12:00:00.000Z',
  ended: 'time',
  ports: [{ ...receipt, row: [...receipt.row], ...changes }],
  ...more,
});
const merged = (given: readonly Receipts[], report = silent()): Report =>
  mergeReports([inputOf(report)], { now, maxAgeMs: dayMs, receipts: given });
const verdict = (report: Report): unknown => report.rows.find(({ id }) => id === 'ntp')?.verdict;

test('datagrams that the other end has make silence a pass, with the evidence', () => {
  const report = merged([receipts()]);
  expect(report.rows[0]).toMatchObject({
    verdict: 'pass',
    because: 'it arrives: the other end has 3 datagrams from 10.0.0.1 (receipt)',
    remedy: null,
  });
  expect(report.checks.find(({ hint }) => hint === 'arrived')).toMatchObject({
    outcome: 'timeout',
    verdict: 'pass',
    evidence: { pair: { port: 'bound', proof: 'receipt', seen: 3, sourceSeen: '10.0.0.1' } },
  });
});

test.for([
  ['none came', receipts({ datagrams: 0 })],
  ['nobody could look', receipts({ proof: 'none' })],
  ['they came from somebody else', receipts({ from: '10.0.0.99' })],
  ['they came from nobody', receipts({ from: null })],
  ['to another port', receipts({ port: 515 })],
  ['over TCP', receipts({ transport: 'tcp' })],
  ['for another row', receipts({ row: ['syslog'] })],
  ['to another machine', receipts({}, { host: 'else', addresses: ['10.0.0.77'] })],
] as const)('it stays unverified where %s', ([, given]) => {
  expect(verdict(merged([given]))).toBe('unverified');
});

test('a log proves by the mark that this very check sent', () => {
  const marked = (mark: string): Report => {
    const report = silent();
    const checks = report.checks.map((check) => Object.assign({}, check, { evidence: { ...check.evidence, mark } }));
    return { ...report, checks };
  };
  const logged = receipts({ state: 'held', proof: 'log', from: null, fromPort: null, mark: '00c0ffee', datagrams: 1 });
  expect(verdict(merged([logged], marked('00c0ffee')))).toBe('pass');
  expect(verdict(merged([logged], marked('00c0ffef')))).toBe('unverified');
  expect(verdict(merged([logged], silent()))).toBe('unverified');
});

test('a capture proves the interface, and not what is behind it', () => {
  const report = merged([receipts({ proof: 'capture' })]);
  expect(report.rows[0]).toMatchObject({
    verdict: 'warn',
    because: expect.stringContaining('its own firewall is not proven'),
  });
});

test('a service that must answer is not proven by what arrives', () => {
  expect(verdict(merged([receipts()], silent('dns')))).toBe('unverified');
});

test('a merged report keeps what was proven, also beside the bare one', () => {
  const bare = silent();
  const proven = inputOf(merged([receipts()], bare));
  const sha256 = merged([], bare).merged![0]!.sha256;
  const again = mergeReports([proven, inputOf(bare, sha256), proven], { now, maxAgeMs: dayMs });
  expect(verdict(again)).toBe('pass');
});

describe('reading', () => {
  test('a newer version, and what is wrong, are told with the place', () => {
    expect(() => receiptsFrom({ ...receipts(), schema: 'xenreach.receipts/2' }, 'r.json')).toThrow(
      /reads xenreach\.receipts\/1/,
    );
    expect(() => receiptsFrom({ ...receipts(), ports: [{ ...receipt, port: 0 }] }, 'r.json')).toThrow(
      /r\.json:\/ports\/0\/port: "port" must be a port/,
    );
  });

  test('any JSON is read or refused as a UsageError', () => {
    const almost = fc.record({
      schema: fc.constant('xenreach.receipts/1'),
      pair: fc.string(),
      ports: fc.array(fc.jsonValue()),
    });
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), almost), (value) => {
        try {
          receiptsFrom(value, 'r.json');
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
        }
      }),
    );
  });
});
