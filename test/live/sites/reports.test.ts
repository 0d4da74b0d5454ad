/** What scripts see of a run on a real network: exit codes, runs that end early, and every format beside the others. */
import { readFileSync, mkdtempSync, rmSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Report } from '../../../src/model/report.ts';
import { checkSite, runOnSite, verdictsOf } from '../../support/check-site.ts';
import { exec, filterAt, makeLab, setFirewall, whyNotLive, type Lab } from '../../support/netns.ts';
import { reportOf } from '../../support/run-xenreach.ts';
import type { Server } from '../../support/servers.ts';
import { startRsyslog } from '../../support/servers/rsyslog.ts';
import { startTgt } from '../../support/servers/tgt.ts';
import { patienceMs } from '../../support/patience.ts';

describe.skipIf(whyNotLive('tgtd', 'rsyslogd') !== null)('a run', () => {
  let lab: Lab<'san' | 'log' | 'mute'>;
  let folder: string;
  const servers: Server[] = [];

  beforeAll(async () => {
    lab = makeLab(['san', 'log', 'mute']);
    folder = mkdtempSync(join(tmpdir(), 'xenreach-reports-'));
    setFirewall(lab.router, filterAt('forward', `ip daddr ${lab.hosts.mute.address} drop`));
    servers.push(...(await Promise.all([startTgt(lab.hosts.san), startRsyslog(lab.hosts.log)])));
  });

  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()));
    lab?.[Symbol.dispose]();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  const roles = (...names: readonly ('san' | 'log' | 'mute')[]): object => ({
    'not-used': ['external-domain'],
    roles: {
      'san-controller': names.flatMap((name) => (name === 'log' ? [] : [lab.hosts[name].address])),
      'syslog-server': names.includes('log') ? [lab.hosts.log.address] : [],
    },
  });
  const quick = ['--timeout', '1s'];

  test.for([
    ['all is well', ['san'], [], 0],
    ['syslog cannot be verified', ['san', 'log'], [], 0],
    ['unverified is not good enough', ['san', 'log'], ['--fail-on', 'unverified'], 1],
    ['a row fails', ['san', 'mute'], [], 1],
    ['nothing is to be checked', [], [], 2],
    ['nothing is to be checked of what was asked for', ['san'], ['--row', 'ntp'], 2],
  ] as const)('exit code: %s', async ([, names, args, code]) => {
    const ran = await runOnSite(lab.client, roles(...names), { args: [...quick, ...args] });
    expect(ran.exitCode).toBe(code);
    expect(ran.stdout === '').toBe(code === 2);
    expect(ran.stderr === '').toBe(code !== 2);
  });

  test('--deadline ends it: what was learned is told, the rest is aborted, exit code 3', async () => {
    const { ran, report, row, checks } = await checkSite(lab.client, roles('san', 'mute'), {
      args: ['--deadline', '1s'],
    });
    expect(ran.exitCode).toBe(3);
    expect(ran.durationMs).toBeLessThan(patienceMs);
    expect(report).toMatchObject({ complete: false, exitCode: 3 });
    expect(checks('iscsi').map(({ outcome, verdict }) => [outcome, verdict])).toEqual([
      ['answered', 'pass'],
      ['aborted', 'unverified'],
    ]);
    expect(row('iscsi')).toMatchObject({ verdict: 'unverified' });
    expect(row('iscsi').because).toContain("the run's deadline of 1 s passed");
  });

  test('where a row fails and the run is cut short, 1 wins', async () => {
    const site = {
      'not-used': ['external-domain'],
      roles: { 'san-controller': [lab.hosts.log.address, lab.hosts.mute.address] },
    };
    const { ran, report } = await checkSite(lab.client, site, { args: ['--deadline', '1s'] });
    expect([ran.exitCode, report.complete, report.exitCode]).toEqual([1, false, 1]);
  });

  test.for(['SIGTERM', 'SIGINT'] as const)('%s leaves a complete report of what was learned', async (signal) => {
    const [output, text] = ['json', 'txt'].map((extension) => join(folder, `${signal}.${extension}`)) as [
      string,
      string,
    ];
    const ran = await runOnSite(lab.client, roles('san', 'mute'), {
      args: ['--format', 'ndjson', '--output', `text=${text}`, '--output', `json=${output}`],
      onOutput: (stdout, kill) => {
        if (stdout.includes('"answered"')) kill(signal);
      },
    });
    expect([ran.exitCode, ran.signal]).toEqual([3, null]);
    expect(ran.durationMs).toBeLessThan(patienceMs);
    const report = JSON.parse(readFileSync(output, 'utf8')) as Report;
    expect(report).toMatchObject({ complete: false, exitCode: 3 });
    expect(report.checks.map(({ outcome }) => outcome)).toEqual(['answered', 'aborted']);
    expect(report.rows).toHaveLength(48);
    expect(readFileSync(text, 'utf8')).toContain('interrupted');
  });

  test('a second signal ends it at once, and leaves no file behind', async () => {
    const own = mkdtempSync(join(folder, 'twice-'));
    const ran = await runOnSite(lab.client, roles('mute'), {
      args: ['--format', 'ndjson', '--output', `json=${join(own, 'report.json')}`],
      onOutput: (stdout, kill) => {
        if (!stdout.includes('"start"')) return;
        kill('SIGTERM');
        setImmediate(() => kill('SIGTERM'));
      },
    });
    expect([3, 143]).toContain(ran.exitCode);
    expect(readdirSync(own).filter((file) => file.endsWith('.tmp'))).toEqual([]);
  });

  test('every format at once, each well formed and of the same run', async () => {
    const formats = ['text', 'json', 'ndjson', 'junit', 'prometheus', 'nagios', 'html', 'markdown'];
    const outputs = formats.flatMap((format) => ['--output', `${format}=${join(folder, `all.${format}`)}`]);
    const ran = await runOnSite(lab.client, roles('san', 'log', 'mute'), {
      args: [...quick, '--format', 'json', ...outputs],
    });
    const file = (format: string): string => readFileSync(join(folder, `all.${format}`), 'utf8');
    const report = reportOf(ran);
    expect(ran.exitCode).toBe(1);
    expect(verdictsOf(report)).toEqual({ iscsi: 'fail', syslog: 'unverified' });
    expect(JSON.parse(file('json'))).toEqual(report);

    const lines = file('ndjson')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string });
    const count = (type: string): number => lines.filter((line) => line.type === type).length;
    expect([lines[0]?.type, lines.at(-1)?.type]).toEqual(['start', 'end']);
    expect([count('row'), count('check')]).toEqual([48, report.checks.length]);

    parses('junit', 'import sys, xml.etree.ElementTree as t; t.parse(sys.argv[1])');
    parses('html', 'import sys, html.parser as h; h.HTMLParser().feed(open(sys.argv[1]).read())');
    expect(file('junit').match(/<testcase /g)).toHaveLength(48);
    expect(file('junit').match(/<failure /g)).toHaveLength(1);
    const sample = /^[a-z_]+(?:\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*\})? -?[0-9.e+-]+$/;
    for (const line of file('prometheus').trimEnd().split('\n')) {
      if (!line.startsWith('#')) expect(line).toMatch(sample);
    }
    expect(file('nagios')).toMatch(/^XENREACH CRITICAL\b.*\|/);
    expect(file('text')).toContain('iscsi');
    expect(file('markdown')).toContain('iscsi');

    function parses(format: string, script: string): void {
      exec(null, ['python3', '-c', script, join(folder, `all.${format}`)]);
    }
  });

  test('as a Nagios plugin: 0 and 2, and one first line with performance data', async () => {
    const codes = [];
    for (const [names, word] of [
      [['san'], 'OK'],
      [['san', 'mute'], 'CRITICAL'],
    ] as const) {
      // One machine, one run at a time.
      const ran = await runOnSite(lab.client, roles(...names), { args: [...quick, '--format', 'nagios'] });
      expect(ran.stdout).toMatch(new RegExp(`^XENREACH ${word}\\b.*\\|`));
      codes.push(ran.exitCode);
    }
    expect(codes).toEqual([0, 2]);
  });
});
