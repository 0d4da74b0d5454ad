/** What a site names may be a stranger's choice: which files are read for it, and what a plan shows of them beforehand. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { smallSite, type SmallSite } from '../support/license-server.ts';
import { runXenreach, type Ran, type RunOptions } from '../support/run-xenreach.ts';

const inside = (small: SmallSite, args: readonly string[], options: RunOptions = {}): Promise<Ran> =>
  runXenreach(args, { cwd: small.folder, limitMs: 20_000, ...options });

const withProxy = (passwordFile: string): string =>
  `proxy: { url: "http://127.0.0.1:9", username: bob, passwordFile: "${passwordFile}" }\n`;

/** A site two folders below another's secret. */
async function siteBeside(more: (small: SmallSite) => string): Promise<SmallSite & { readonly named: string }> {
  const small = await smallSite();
  mkdirSync(join(small.folder, 'site', 'below'), { recursive: true });
  small.file('secret', 'hunter2-outside\n');
  const named = small.file('site/site.yaml', small.text + more(small));
  return { ...small, named };
}

describe.concurrent('a file that a site names', () => {
  test.for([
    ['passwordFile', (small: SmallSite) => withProxy(join(small.folder, 'secret'))],
    ['passwordFile', () => withProxy('../secret')],
    ['trust', () => 'trust: [../secret]\n'],
    ['spec', () => 'spec: ../secret\n'],
  ] as const)('as %s does not lie outside its folder', async ([what, more]) => {
    await using small = await siteBeside(more);
    const { exitCode, stderr } = await inside(small, ['check', '--site', small.named]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(new RegExp(`${what} .*/secret: a site names files below its own folder only`));
    expect(stderr).toContain(`--allow-files ${small.folder}\n`);
    expect(stderr).not.toContain('hunter2');
  });

  test('nor does a link lead there', async () => {
    await using small = await siteBeside(() => withProxy('link'));
    symlinkSync('../secret', join(small.folder, 'site', 'link'));
    const { exitCode, stderr } = await inside(small, ['check', '--site', small.named]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('a site names files below its own folder only');
  });

  test('is read there when the command line says so, and below its own folder anyway', async () => {
    await using small = await siteBeside(() => withProxy('../secret'));
    const allowed = await inside(small, ['check', '--site', small.named, '--allow-files', '.']);
    small.file('site/below/secret', 'hunter2\n');
    const below = await inside(small, [
      'check',
      '--site',
      small.file('site/below.yaml', small.text + withProxy('below/secret')),
    ]);
    expect([allowed.exitCode, below.exitCode]).toEqual([0, 0]);
  });

  test.for([
    ['a device', '/dev/zero', /is no regular file/],
    ['an endless one', '/dev/urandom', /is no regular file/],
    ['a folder', '.', /is no regular file/],
  ] as const)('is never %s', async ([, file, told]) => {
    await using small = await siteBeside(() => withProxy(file));
    const { exitCode, stderr } = await inside(small, ['check', '--site', small.named, '--allow-files', '/']);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(told);
  });

  test.for([
    ['larger than a password', 'x'.repeat(2000), /is larger than 1024 bytes/],
    ['several lines', 'root:hunter2:1\ndaemon:*:2\n', /is not one line of text/],
    ['empty', '\n', /is empty/],
  ] as const)('is told when it is %s, and nothing of it is', async ([, text, told]) => {
    await using small = await siteBeside(() => withProxy('secret'));
    small.file('site/secret', text);
    const { exitCode, stderr } = await inside(small, ['check', '--site', small.named]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(told);
    expect(stderr).not.toMatch(/hunter2|xxxx/);
  });

  test.for(['hunter2-token', 'TOKEN=hunter2\nKEY: hunter2', 'root:$6$hunter2:19000:0:99999:7:::'])(
    'is no spec: %j stays its own',
    async (text) => {
      await using small = await siteBeside(() => 'spec: ./token\n');
      small.file('site/token', text);
      const { exitCode, stderr } = await inside(small, ['check', '--site', small.named]);
      expect(exitCode).toBe(2);
      expect(stderr).toContain('/token is no spec that can be used; xenreach spec --spec ');
      expect(stderr).not.toContain('hunter2');
    },
  );

  test('is shown by a plan, which reads no password', async () => {
    await using small = await siteBeside(() => withProxy('/etc/xenreach/proxy.password'));
    const [text, json] = await Promise.all([
      inside(small, ['plan', '--site', small.named]),
      inside(small, ['plan', '--site', small.named, '--format', 'json']),
    ]);
    expect(text.exitCode).toBe(0);
    expect(text.stdout.replaceAll(/\s+/g, ' ')).toContain(
      'proxy.passwordFile /etc/xenreach/proxy.password: it does not lie below',
    );
    expect(text.stdout).toMatch(/proxy 127\.0\.0\.1:9, as bob/);
    expect(JSON.parse(json.stdout)).toMatchObject({
      inputs: {
        files: [
          { as: 'site', path: small.named, note: null },
          {
            as: 'proxy.passwordFile',
            path: '/etc/xenreach/proxy.password',
            note: expect.stringContaining('--allow-files /etc/xenreach'),
          },
        ],
        proxy: { host: '127.0.0.1', port: 9, username: 'bob' },
      },
    });
  });
});

describe.concurrent('a pipe without a writer holds nobody up', () => {
  test.for([
    ['--site', 'fifo'],
    ['--ca', 'fifo'],
    ['--spec', './fifo'],
  ])('%s %s', async (args) => {
    await using small = await smallSite();
    fifo(small);
    const { exitCode, stderr } = await inside(small, ['check', ...args]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/fifo: is a pipe that nobody writes to/);
  });

  test('as a trust of the site', async () => {
    await using small = await smallSite(undefined, 'trust: [fifo]\n');
    fifo(small);
    const { exitCode, stderr } = await inside(small, ['check']);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/fifo: is no regular file/);
  });
});

describe.concurrent('a site that nobody named', () => {
  test.for([
    ['the file', 'site.yaml', 0o666, 'everybody can write to it'],
    ['its folder', '.', 0o777, 'everybody can write to its folder'],
    ['its folder, sticky', '.', 0o1777, 'everybody can write to its folder'],
  ] as const)('is not taken when others can write to %s', async ([, file, mode, told]) => {
    await using small = await smallSite();
    chmodSync(join(small.folder, file), mode);
    const { exitCode, stderr } = await inside(small, ['check']);
    expect([exitCode, stderr]).toEqual([
      2,
      `xenreach: site.yaml is not taken by itself: ${told}, and a site says what is sent, and to whom. Read it, then name it: --site site.yaml\n`,
    ]);
    expect((await inside(small, ['check', '--site', 'site.yaml'])).exitCode).toBe(0);
    expect(small.server.sockets).toHaveLength(1);
  });
});

const fifo = (small: SmallSite): void => void execFileSync('sh', ['-c', 'mkfifo fifo'], { cwd: small.folder });
