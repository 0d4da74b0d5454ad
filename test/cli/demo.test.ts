/** `xenreach demo`: every row from every role on the healthy site, and everything that can go wrong on the broken one. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { outcomes } from '../../src/model/outcome.ts';
import { parseReport, type ReportJson } from '../support/report-schema.ts';
import { runXenreach, type Ran } from '../support/run-xenreach.ts';
import { patienceMs } from '../support/patience.ts';

const runs = new Map<string, { readonly ran: Ran; readonly report: ReportJson }>();
const temporary = mkdtempSync(join(tmpdir(), 'xenreach-demo-'));

beforeAll(async () => {
  const options = { env: { TMPDIR: temporary } };
  const [healthy, broken] = await Promise.all([
    // On two busy processors two seconds are short.
    runXenreach(['demo', '--format', 'json', '--timeout', '4s'], options),
    runXenreach(['demo', '--broken', '--format', 'json'], options),
  ]);
  runs.set('healthy', { ran: healthy, report: parseReport(healthy.stdout) });
  runs.set('broken', { ran: broken, report: parseReport(broken.stdout) });
}, 30_000);
afterAll(() => rmSync(temporary, { recursive: true }));

const told = (name: 'healthy' | 'broken'): { ran: Ran; report: ReportJson } => runs.get(name)!;

describe('the healthy site', () => {
  test('ends in 0 and in time, with nothing on standard error', () => {
    const { ran } = told('healthy');
    expect({ exitCode: ran.exitCode, stderr: ran.stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(ran.durationMs).toBeLessThan(patienceMs);
  });

  test('checks all 48 rows from every source role, and skips none', () => {
    const { report } = told('healthy');
    expect(report.site.origin).toBe('embedded');
    expect(report.summary).toMatchObject({ skipped: 0, fail: 0, warn: 0, pass: 48, unverified: 0 });
    expect(report.rows).toHaveLength(48);
    expect(new Set(report.rows.map(({ from }) => from))).toEqual(new Set(report.vantage.roles));
    expect(report.complete).toBe(true);
  });

  test('proves what answers nobody by a stand-in, and says so', () => {
    const { rows, checks } = told('healthy').report;
    const hinted = new Set(checks.filter(({ hint }) => hint === 'stand-in').flatMap((check) => check.rows));
    expect([...hinted].toSorted()).toEqual([
      'clustering-udp',
      'pvs-logon',
      'pvs-outbound',
      'pvs-server-ports',
      'pvs-target-port',
      'syslog',
    ]);
    const because = rows.filter(({ id }) => hinted.has(id)).map((row) => row.because);
    for (const text of because) expect(text).toMatch(/^a stand-in answers: [1-3] of 3 datagrams arrived/);
  });

  test('speaks every protocol for real: each probe of the spec was answered with evidence', () => {
    const { checks } = told('healthy').report;
    const answered = new Set(checks.filter(({ outcome }) => outcome === 'answered').map(({ probe }) => probe));
    const asked = new Set(checks.map(({ probe }) => probe));
    expect([...asked].filter((probe) => !answered.has(probe))).toEqual([]);
  });

  test('touches nothing but loopback', () => {
    const { checks } = told('healthy').report;
    const addresses = checks.flatMap(({ address }) => address ?? []);
    expect(addresses.filter((address) => !address.startsWith('127.') && address !== '::1')).toEqual([]);
    const named = checks.filter(({ address, probe }) => address === null && probe !== 'resolve');
    for (const { evidence } of named) expect(evidence['proxy']).toMatch(/^127\./);
  });
});

describe('the broken site', () => {
  test('ends in 1, with nothing on standard error', () => {
    const { ran } = told('broken');
    expect({ exitCode: ran.exitCode, stderr: ran.stderr }).toEqual({ exitCode: 1, stderr: '' });
  });

  test('shows every outcome that can happen on loopback', () => {
    const seen = new Set(told('broken').report.checks.map(({ outcome }) => outcome));
    const possible = outcomes.filter((outcome) => outcome !== 'local' && outcome !== 'aborted');
    expect(seen).toEqual(new Set(possible));
  });

  test('shows each way of a proxy and of a certificate to be wrong', () => {
    const { checks } = told('broken').report;
    const hints = new Set(checks.map(({ hint }) => hint));
    for (const hint of ['intercepted', 'clock', 'wrong-name', 'proxy', 'no-such-name', 'no-route'])
      expect(hints).toContain(hint);
    const codes = checks.filter(({ stage }) => stage === 'proxy').map(({ code }) => code);
    expect(new Set(codes)).toEqual(new Set(['HTTP_403', 'HTTP_407', 'HTTP_503']));
  });

  test('has verdicts of every kind, and tells each failure with its layer and a remedy', () => {
    const { rows, summary } = told('broken').report;
    expect(summary).toMatchObject({ verdict: 'fail', skipped: 0 });
    for (const kind of ['pass', 'warn', 'fail', 'unverified'] as const) expect(summary[kind]).toBeGreaterThan(0);
    const layer = /^(?:name|route|firewall|service|protocol|certificate|clock|proxy|this machine): ./;
    for (const { verdict, because, remedy } of rows.filter((row) => row.verdict === 'fail')) {
      expect([verdict, because]).toEqual(['fail', expect.stringMatching(layer)]);
      expect(remedy).toMatch(/^[A-Z].*\.$/s);
    }
  });

  test('names the clock where a clock may be wrong, and the interceptor where one stands', () => {
    const because = (id: string): string | null | undefined =>
      told('broken').report.rows.find((row) => row.id === id)?.because;
    expect(because('updates-repo')).toMatch(/^certificate: .*intercepted by Corporate Web Inspection\?/);
    expect(because('vm-tools-update-check')).toMatch(/^clock: .*is this machine's clock right\?/);
    expect(because('management-port-80-closed')).toMatch(/is open and should be shut/);
    expect(because('wlb-api')).toMatch(/expires in 9 days/);
  });
});

test('nothing of either is left on the disk', () => {
  expect(readdirSync(temporary).filter((name) => name.startsWith('xenreach'))).toEqual([]);
});

test('in path mode the broken site fails only where the path does', async () => {
  const ran = await runXenreach(['demo', '--broken', '--mode', 'path', '--format', 'json']);
  const report = parseReport(ran.stdout);
  const failing = report.checks.filter(({ verdict, advisory }) => verdict === 'fail' && !advisory);
  const kinds = new Set(failing.map(({ outcome, stage }) => (stage === 'proxy' ? 'proxy' : outcome)));
  expect(kinds).toEqual(new Set(['answered', 'proxy', 'unreachable', 'unresolved']));
  // The answer that fails is of the port that should be shut.
  expect(failing.filter(({ outcome }) => outcome === 'answered').flatMap(({ rows }) => rows)).toEqual([
    'management-port-80-closed',
  ]);
});

test('a person is told what discovery finds of the embedded pool, by its own API', async () => {
  const { exitCode, stdout, stderr } = await runXenreach(['demo', '--row', 'wlb-api'], { env: { TMPDIR: temporary } });
  expect(exitCode).toBe(0);
  expect(stdout).not.toContain('discovery');
  expect(stderr).toMatch(
    /^xenreach: discovery: XAPI at https:\/\/127\.0\.0\.\d+:\d+ knows xenserver-host \(1\), .*\n$/,
  );
  expect(stderr).toContain('domain-controller (lab.example)');
  const rows = ['--row', 'syslog', '--row', 'pvs-logon'];
  const proven = await runXenreach(['demo', ...rows], { env: { TMPDIR: temporary } });
  expect(proven.stdout).toMatch(/\nPASS: 2 pass, 46 skipped\. Exit 0/);
  expect(proven.stderr).toContain('proven by a stand-in, in place of services that answer nobody: syslog, pvs-logon');
});
