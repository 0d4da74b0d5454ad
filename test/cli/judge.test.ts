/** Reports judged again, and what a script of bash saw: both come to the report that the same facts give anywhere. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Plan } from '../../src/model/plan.ts';
import { parseSeen } from '../../src/load/seen.ts';
import { scriptOf } from '../../src/report/script.ts';
import { mixed, planned } from '../report/sample.ts';
import { parseReport } from '../support/report-schema.ts';
import { runMain } from '../support/run-main.ts';

const folder = mkdtempSync(join(tmpdir(), 'xenreach-judge-'));
afterAll(() => rmSync(folder, { recursive: true }));

const put = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const told = (stdout: string): object[] =>
  parseReport(stdout).rows.map(({ id, verdict, because, remedy, skip, checks, notes }) => ({
    id,
    verdict,
    because,
    remedy,
    skip,
    checks,
    notes: notes.toSorted(),
  }));

test.for([[], ['--broken']])('a saved report of the demo %s is judged as it was', async (words) => {
  const first = await runMain(['demo', ...words, '--format', 'json', '--timeout', '500ms']);
  const again = await runMain(['judge', put('saved.json', first.stdout), '--format', 'json']);
  expect(again).toMatchObject({ exitCode: first.exitCode, stderr: '' });
  expect(told(again.stdout)).toEqual(told(first.stdout));
  const path = await runMain(['judge', join(folder, 'saved.json'), '--mode', 'path', '--format', 'json']);
  const failing = (stdout: string): number => parseReport(stdout).summary.fail;
  expect(failing(path.stdout)).toBeLessThanOrEqual(failing(first.stdout));
});

test('what cannot be judged is told in a sentence', async () => {
  const other = { ...mixed, spec: { ...mixed.spec, id: 'our-own' } };
  for (const [text, sentence] of [
    [JSON.stringify(planned), /nothing was observed: it is the report of a plan/],
    [JSON.stringify(other), /made with the spec "our-own", which is not bundled; name its file: --spec FILE/],
    ['{"type":"plan","report":{}}\n', /:1: is no report of xenreach/],
    ['hello', /is not JSON/],
  ] as const) {
    const { exitCode, stdout, stderr } = await runMain(['judge', put('bad.json', text)]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(sentence);
  }
  expect((await runMain(['judge'])).stderr).toMatch(/judge takes one report/);
});

const bash = (script: string, env: Readonly<Record<string, string>> = {}): string => {
  const { status, stdout, stderr } = spawnSync('bash', [put('probe.sh', script)], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '', ...env },
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout;
};

describe('the script of a plan', () => {
  test('makes the checks that bash can make, says of the others that it cannot, and comes to a report', async () => {
    const server = createServer((socket) => void socket.end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const site = put(
      'site.json',
      JSON.stringify({
        name: "o'site",
        vantage: ['xenserver-host'],
        roles: {
          'citrix-license-server': { host: '127.0.0.1', ports: { 27000: port, 7279: 9 } },
          'nfsv4-server': { host: '127.0.0.1', ports: { 2049: port } },
          'ntp-server': '127.0.0.1',
        },
      }),
    );
    const rows = ['license-initial', 'license-checkout', 'nfsv4', 'ntp'].flatMap((row) => ['--row', row]);
    const { exitCode, stdout: script } = await runMain(['plan', '--site', site, ...rows, '--format', 'sh']);
    expect(exitCode).toBe(0);
    const ran = await new Promise<string>((resolve) => setImmediate(() => resolve(bash(script))));
    server.close();
    const judged = await runMain(['judge', put('seen.jsonl', ran), '--format', 'json']);
    const report = parseReport(judged.stdout);
    const verdicts = Object.fromEntries(report.rows.map(({ id, verdict }) => [id, verdict]));
    expect(verdicts).toMatchObject({
      'license-initial': 'pass',
      'license-checkout': 'fail',
      nfsv4: 'unverified',
      ntp: 'unverified',
    });
    expect(report.rows.find(({ id }) => id === 'nfsv4')?.because).toMatch(
      /accepted; bash cannot ask whether nfs is answered/,
    );
    expect(judged.exitCode).toBe(1);
  });

  test.skipIf(!existsSync('/usr/bin/shellcheck'))('passes shellcheck', () => {
    const script = put('probe.sh', scriptOf(hostile, planned, settings));
    expect(spawnSync('shellcheck', ['-s', 'bash', script], { encoding: 'utf8' })).toMatchObject({
      status: 0,
      stdout: '',
    });
  });

  test('a host is never a command, an option, a file or a line', () => {
    const before = readdirSync(folder);
    const lines = bash(
      scriptOf(hostile, planned, {
        ...settings,
        proxy: { host: "$(touch p)'`touch p`", port: 1, username: '"\n$(touch u)' },
      }),
    ).split('\n');
    expect(new Set(readdirSync(folder))).toEqual(new Set([...before, 'probe.sh']));
    const saw = lines.flatMap((line) => /"saw":"([^"]+)"/.exec(line)?.[1] ?? []);
    expect(saw).toEqual(hosts.map(() => 'odd-host'));
    expect(lines.filter((line) => line !== '' && !line.startsWith('{"type":"'))).toEqual([]);
  });

  test('what it prints when it is cut short is incomplete, and odd lines are told with their number', () => {
    const whole = bash(scriptOf({ rows: [], checks: [] }, planned, settings));
    const [plan = '', here = ''] = whole.split('\n');
    expect(parseSeen(`${plan}\n${here}\n`, 'f')).toMatchObject({ complete: false, durationMs: null });
    expect(() => parseSeen(`${plan}\nbash: warning\n`, 'f')).toThrow('f:2: is not a line that the script prints');
    expect(parseSeen(readFileSync('package.json', 'utf8'), 'f')).toBeUndefined();
  });
});

const settings = { timeoutMs: 1000, concurrency: 4, deadlineMs: 60_000, proxy: null };
const hosts = [
  "'; touch pwned; '",
  '$(touch pwned)',
  '`touch pwned`',
  'a\ntouch pwned\n',
  '-x',
  '--help',
  '../../pwned',
  'a b',
  '',
  '\\',
  '*',
  '"',
  '\u2028',
  'XENREACH_PLAN\n',
];
const hostile: Plan = {
  rows: [],
  checks: hosts.map((host, i) => ({
    id: `c${i}`,
    probe: ['tcp', 'https', 'resolve'][i % 3] ?? '',
    transport: 'tcp',
    host,
    address: null,
    port: 80,
    options: {},
    viaProxy: i % 2 === 0,
    isName: i % 3 === 2,
    isAnswerDue: false,
    mayBeSelf: true,
    uses: [],
  })),
};
