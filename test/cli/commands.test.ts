/** The commands that send nothing, and `probe`, as a user runs them. */
import { createSocket } from 'node:dgram';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import * as everyProbe from '../../probes/index.ts';
import { runMain } from '../support/run-main.ts';
import { smallSite } from '../support/license-server.ts';
import { listening, vacantPort } from '../support/real-io.ts';
import { parseCheck, parseReport } from '../support/report-schema.ts';
import { runXenreach } from '../support/run-xenreach.ts';
import { xenserver8 } from '../support/sites.ts';
import { patienceMs } from '../support/patience.ts';

describe('spec', () => {
  const SpecJson = v.object({
    id: v.literal('xenserver-8'),
    revision: v.string(),
    rows: v.array(
      v.object({
        id: v.string(),
        section: v.string(),
        from: v.string(),
        to: v.string(),
        purpose: v.string(),
        needs: v.array(
          v.object({
            probe: v.string(),
            transport: v.picklist(['tcp', 'udp']),
            ports: v.pipe(v.array(v.union([v.number(), v.string()])), v.nonEmpty()),
            level: v.picklist(['required', 'advisory']),
            expect: v.picklist(['open', 'path', 'shut']),
          }),
        ),
      }),
    ),
  });

  test('lists every row under its section', async () => {
    const { exitCode, stdout, stderr } = await runMain(['spec']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    for (const { id } of xenserver8.rows) expect(stdout).toMatch(new RegExp(`^ +${id} `, 'm'));
    for (const title of Object.values(xenserver8.sections)) expect(stdout).toContain(`\n${title}\n`);
  });

  test('in JSON is what the contract says', async () => {
    const { exitCode, stdout } = await runMain(['spec', '--format', 'json']);
    expect(exitCode).toBe(0);
    const { rows } = v.parse(SpecJson, JSON.parse(stdout));
    expect(rows.map(({ id }) => id)).toEqual(xenserver8.rows.map(({ id }) => id));
    const ntp = rows.find(({ id }) => id === 'ntp')?.needs;
    expect(ntp).toMatchObject([
      { probe: 'ntp', transport: 'udp', ports: [123], level: 'required', expect: 'open' },
      { probe: 'tcp', transport: 'tcp', ports: [123], level: 'advisory' },
    ]);
    expect(rows.find(({ id }) => id === 'nfsv3-dynamic')?.needs.map(({ ports }) => ports)).toEqual([
      ['dynamic'],
      ['dynamic'],
    ]);
  });

  test.for(xenserver8.rows.map(({ id }) => id))('show %s explains it', async (id) => {
    const { exitCode, stdout } = await runMain(['spec', 'show', id]);
    expect(exitCode).toBe(0);
    const row = xenserver8.rows.find((each) => each.id === id)!;
    expect(stdout.split('\n')[0]).toBe(id);
    expect(stdout).toContain(`row ${row.source.row}`);
    for (const { probe } of row.needs) expect(stdout).toContain(probe);
    expect(stdout).not.toMatch(/undefined|\[object|\$/);
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThan(160);
  });

  test('starts quickly, in a process of its own', async () => {
    const { exitCode, durationMs } = await runXenreach(['spec']);
    expect(exitCode).toBe(0);
    expect(durationMs).toBeLessThan(patienceMs);
  });
});

describe('plan', () => {
  test('tells every check and every skip, with the outcomes left null, and sends nothing', async () => {
    await using small = await smallSite();
    const { exitCode, stdout, stderr } = await runMain(['plan', '--site', small.site, '--format', 'json']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const report = parseReport(stdout);
    expect(report).toMatchObject({
      exitCode: null,
      durationMs: null,
      summary: { verdict: null, skipped: 46, checks: 1 },
    });
    expect(report.checks).toMatchObject([
      { outcome: null, verdict: null, rows: ['license-initial', 'license-checkout'] },
    ]);
    expect(small.server.sockets).toHaveLength(0);
  });

  test('names the checks that check makes', async () => {
    await using small = await smallSite();
    const plan = parseReport((await runMain(['plan', '--site', small.site, '--format', 'json'])).stdout);
    const report = parseReport((await runMain(['check', '--site', small.site, '--format', 'json'])).stdout);
    expect(report.checks.map(({ id }) => id)).toEqual(plan.checks.map(({ id }) => id));
    const skips = ({ rows }: typeof plan): unknown[] => rows.map(({ id, skip }) => [id, skip]);
    expect(skips(report)).toEqual(skips(plan));
  });

  test('is the same text each time', async () => {
    const args = ['plan', '--site', 'fixtures/sites/lon-pool-1.yaml'];
    const [first, second] = [await runMain(args), await runMain(args)];
    const timeless = (text: string): string => text.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '');
    expect(timeless(second.stdout)).toBe(timeless(first.stdout));
    expect(first.exitCode).toBe(0);
  });
});

describe('probe', () => {
  test('--list names every probe', async () => {
    const text = await runMain(['probe', '--list']);
    expect(
      text.stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split(' ')[0]),
    ).toEqual(Object.keys(everyProbe));
    const json = await runMain(['probe', '--list', '--format', 'json']);
    expect(JSON.parse(json.stdout)).toEqual(Object.keys(everyProbe));
  });

  test('tells an outcome with its evidence: 0 for an answer', async () => {
    await using server = await listening((socket) => socket.resume());
    const endpoint = `127.0.0.1:${server.port}`;
    const { exitCode, stdout, stderr } = await runMain(['probe', 'tcp', endpoint]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(/^tcp 127\.0\.0\.1:\d+\/tcp: PASS\n {2}outcome {3}answered/);
    expect(stdout).toMatch(/^ {2}connectMs/m);
  });

  test('in JSON is one check of a report', async () => {
    await using server = await listening((socket) => socket.resume());
    const { stdout } = await runMain(['probe', 'tcp', `127.0.0.1:${server.port}`, '--format', 'json']);
    const told = parseCheck(JSON.parse(stdout));
    expect(told).toMatchObject({ probe: 'tcp', outcome: 'answered', verdict: 'pass', rows: [], port: server.port });
  });

  test('tells a failure with its layer and its remedy: 1, or 0 in path mode', async () => {
    const endpoint = `127.0.0.1:${await vacantPort()}`;
    const { exitCode, stdout } = await runMain(['probe', 'tcp', endpoint]);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/: FAIL\n {2}outcome {3}refused at connect \(service\) \[ECONNREFUSED\]/);
    expect(stdout).toMatch(/^ {2}remedy {4}The way is open/m);
    expect((await runMain(['probe', 'tcp', endpoint, '--mode', 'path'])).exitCode).toBe(0);
  });

  test('of UDP that is silent proves nothing: 0, or 1 when that is asked for', async () => {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    const args = ['probe', 'udp', `127.0.0.1:${socket.address().port}`, '--timeout', '200ms'];
    expect((await runMain(args)).exitCode).toBe(0);
    expect((await runMain([...args, '--fail-on', 'unverified'])).exitCode).toBe(1);
    socket.close();
  });

  test('takes the options of its protocol: --set KEY=VALUE', async () => {
    await using server = await listening((socket) => socket.once('data', () => socket.write('+OK ready')));
    const endpoint = `127.0.0.1:${server.port}`;
    const sets = ['--set', 'send=hello', '--set', 'expect=^\\+OK', '--set', 'linger=10'];
    const { exitCode, stdout } = await runMain(['probe', 'tcp', endpoint, ...sets, '--format', 'json']);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ outcome: 'answered', evidence: { reply: '+OK ready' } });
  });

  test('is over when the deadline passes: 3', async () => {
    await using server = await listening((socket) => socket.resume());
    const args = ['probe', 'ssh', `127.0.0.1:${server.port}`, '--deadline', '200ms', '--format', 'json'];
    const { exitCode, stdout } = await runMain(args);
    expect(exitCode).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({ outcome: 'aborted', verdict: 'unverified' });
  });

  test('of a name with several addresses works when one of them does', async () => {
    await using server = await listening((socket) => socket.resume());
    const { exitCode, stdout } = await runMain(['probe', 'tcp', `localhost:${server.port}`, '--format', 'json']);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ host: 'localhost', address: '127.0.0.1', outcome: 'answered' });
  });
});

describe('help', () => {
  test.for([['--help'], ['-h'], ['help']])('%s lists the commands', async (args) => {
    const { exitCode, stdout, stderr } = await runMain(args);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    for (const command of ['check', 'plan', 'discover', 'spec', 'probe', 'demo'])
      expect(stdout).toMatch(new RegExp(`^ +${command} `, 'm'));
  });

  test.for(['check', 'plan', 'discover', 'spec', 'probe', 'demo'])(
    'of %s tells each of its options',
    async (command) => {
      const first = await runMain([command, '--help']);
      const second = await runMain(['help', command]);
      expect(first.exitCode).toBe(0);
      expect(second.stdout).toBe(first.stdout);
      expect(first.stdout).toMatch(/--help/);
    },
  );

  test('--version is the package’s', async () => {
    expect((await runMain(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
