/** What the machine itself does to a run: a full disk, devices, its own names, process 1. In namespaces of their own, as root. */
import { execFileSync, spawn } from 'node:child_process';
import { lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { whyNotLive } from '../support/netns.ts';
import { smallSite, type SmallSite } from '../support/license-server.ts';
import { parseReport } from '../support/report-schema.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const reason = whyNotLive('mknod');

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A script of the shell in the site's folder, in namespaces of its own; $XENREACH starts the program. */
function isolated(small: SmallSite, namespaces: readonly string[], script: string): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn('unshare', [...namespaces, 'bash', '-c', script], {
      cwd: small.folder,
      env: { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1', XENREACH: `${process.execPath} ${main}` },
    });
    const said = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk: Buffer) => (said.stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (said.stderr += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...said }));
  });
}

describe.skipIf(reason !== null)('a report', () => {
  test('goes into a device, which stays one', async () => {
    await using small = await smallSite();
    execFileSync('mknod', [join(small.folder, 'null'), 'c', '1', '3']);
    const { code } = await isolated(small, ['-m'], '$XENREACH check --quiet --output json=null');
    expect(code).toBe(0);
    expect(lstatSync(join(small.folder, 'null')).isCharacterDevice()).toBe(true);
  });

  test('that finds its file system full leaves the old one, says so, and holds up no other', async () => {
    await using small = await smallSite();
    mkdirSync(join(small.folder, 'full'));
    const script = `
      mount -t tmpfs -o size=16k none full && echo old > full/last.json && head -c 11000 /dev/zero > full/fill
      $XENREACH check --quiet --output json=full/last.json --output ndjson=full/last.ndjson --output json=other.json
      code=$?; cat full/last.json; ls -A full; exit $code`;
    const { code, stdout, stderr } = await isolated(small, ['-m'], script);
    expect(code).toBe(3);
    expect(stderr.split('\n')).toEqual([
      'xenreach: the json report cannot be written to full/last.json (ENOSPC): no room is left on its file system',
      'xenreach: the ndjson report cannot be written to full/last.ndjson (ENOSPC): no room is left on its file system',
      '',
    ]);
    expect(stdout).toMatch(/old\nfill\nlast\.json\n$/);
    expect(parseReport(readFileSync(join(small.folder, 'other.json'), 'utf8')).exitCode).toBe(0);
  });

  test('keeps the owner of the file that it replaces', async () => {
    await using small = await smallSite();
    small.file('theirs.json', 'old');
    const script =
      'chown 12:34 theirs.json; $XENREACH check --quiet --output json=theirs.json; stat -c %u:%g theirs.json';
    expect((await isolated(small, ['-m'], script)).stdout).toMatch(/12:34\n$/);
  });

  test('is written by process 1 too, after one that was killed as process 1', async () => {
    await using small = await smallSite();
    await using mute = await smallSite(() => undefined, '');
    const site = small.file(
      'mute.yaml',
      mute.text.replace(
        /citrix-license-server:.*/,
        `nfsv4-server: { host: 127.0.0.1, ports: { "2049": ${mute.server.port} } }`,
      ),
    );
    const alone = ['--pid', '--fork', '--mount-proc', '--kill-child'];
    const killed = await isolated(
      small,
      alone,
      `(sleep 2; kill -9 1) & exec $XENREACH check --site ${site} --output json=last.json`,
    );
    const again = await isolated(small, alone, 'exec $XENREACH check --quiet --output json=last.json');
    expect([killed.code, again.code, again.stderr]).toEqual([expect.anything(), 0, '']);
    expect(parseReport(readFileSync(join(small.folder, 'last.json'), 'utf8')).exitCode).toBe(0);
  });
});

describe.skipIf(reason !== null)('this machine', () => {
  test('is its own name on a loopback address, as Debian writes it', async () => {
    await using small = await smallSite();
    const hosts = small.file('hosts', '127.0.0.1 localhost\n127.0.1.1 xs01.example.test xs01\n');
    const site = small.file('pool.yaml', 'roles: { xenserver-host: [xs01.example.test, 127.0.0.9] }\n');
    const script = `hostname xs01; mount --bind ${hosts} /etc/hosts
      $XENREACH check --site ${site} --row pool-management --format json --timeout 1s`;
    const report = parseReport((await isolated(small, ['-m', '--uts'], script)).stdout);
    expect(report.checks.map(({ host }) => host)).toEqual(['127.0.0.9', '127.0.0.9']);
    expect(report.rows.find(({ id }) => id === 'pool-management')?.notes.join()).toContain(
      'xs01.example.test is this machine itself',
    );
  });

  test('has no interface of that name: refused before anything is sent', async () => {
    await using small = await smallSite();
    for (const host of ['fe80::1', 'fe80::1%nosuch']) {
      const site = small.file('link.yaml', `roles: { ntp-server: "${host}" }\n`);
      const probe = await isolated(small, ['-n'], `$XENREACH probe ntp '[${host}]:123'`);
      const check = await isolated(small, ['-n'], `$XENREACH check --site ${site}`);
      expect([probe.code, check.code]).toEqual([2, 2]);
      expect(probe.stderr + check.stderr).toMatch(/(?:.*interface.*\n){2}/);
    }
  });
});

test('the recipe of SECURITY.md for a run that may read and write nothing else', async () => {
  await using small = await smallSite();
  const recipe = /^ {4}(node --permission .*)$/m.exec(readFileSync('SECURITY.md', 'utf8'))?.[1] ?? '';
  mkdirSync(join(small.folder, 'reports'));
  writeFileSync(join(small.folder, 'secret'), 'x');
  const line = recipe
    .replace(/^node/, process.execPath)
    .replaceAll('/opt/xenreach/dist/src/main.js', main)
    .replaceAll('/opt/xenreach', fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, ''))
    .replaceAll('/etc/xenreach', small.folder)
    .replaceAll('/var/lib/xenreach', join(small.folder, 'reports'));
  const ran = execFileSync('bash', ['-c', `${line}; echo code $?`], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  expect(ran).toMatch(/code 0\n$/);
  expect(parseReport(readFileSync(join(small.folder, 'reports', 'last.json'), 'utf8')).exitCode).toBe(0);
  rmSync(join(small.folder, 'reports'), { recursive: true });
});
