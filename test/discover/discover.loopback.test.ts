/** `xenreach discover` against an API on a socket and on TLS, sound and hostile, as a user runs it. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { TcpPeer } from '../../src/lab/caller.ts';
import { runMain, type Ended } from '../support/run-main.ts';
import { patienceMs } from '../support/patience.ts';
import { runXenreach } from '../support/run-xenreach.ts';
import { typeAtPrompt } from '../support/terminal.ts';
import { recordsOf, startPeer, startXapi } from '../support/xapi.ts';

/** In no domain: nobody's resolvers are asked by these tests. */
const records = recordsOf('xenserver-8');
for (const fields of Object.values(records['host']!)) Object.assign(fields, { external_auth_type: '' });
const password = 'correct horse';

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'xenreach-discover-'));
  onTestFinished(() => rmSync(made, { recursive: true }));
  return made;
}

/** One user name, and the password where a program should have it. */
async function discover(args: readonly string[], secret = password): Promise<Ended> {
  vi.stubEnv('XENREACH_XAPI_PASSWORD', secret);
  try {
    return await runMain(['discover', ...args]);
  } finally {
    vi.unstubAllEnvs();
  }
}

test('over the socket no password is needed, and nothing but the site is on standard output', async () => {
  await using xapi = await startXapi({ records });
  const { exitCode, stdout, stderr } = await discover(['--xapi', xapi.path], '');
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout).toContain('\n    - 10.20.30.11 # host.address of xs-lon-01 (coordinator)\n');
  expect(xapi.api.calls.at(-1)).toBe('session.logout');
  expect(xapi.api.openSessions).toBe(0);
});

test('a certificate that nobody vouches for is refused before a byte of the password is sent, with the pin to copy', async () => {
  await using xapi = await startXapi({ records, password });
  const { exitCode, stdout, stderr } = await discover(['--xapi', `https://127.0.0.1:${xapi.port}`]);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  expect(stderr).toContain(`--tls-fingerprint ${xapi.fingerprint}`);
  expect(stderr).not.toContain(password);
  expect(xapi.api.calls).toEqual([]);
});

test('a pinned certificate is taken, a named authority too, another pin is not', async () => {
  await using xapi = await startXapi({ records, password });
  const at = ['--xapi', `https://127.0.0.1:${xapi.port}`, '--format', 'json'];
  const pinned = await discover([...at, '--tls-fingerprint', xapi.fingerprint.toUpperCase().match(/../g)!.join(':')]);
  expect(pinned).toMatchObject({ exitCode: 0, stderr: '' });
  const ca = join(folder(), 'ca.pem');
  writeFileSync(ca, xapi.certificate);
  expect(await discover([...at, '--ca', ca])).toMatchObject({ exitCode: 0, stdout: pinned.stdout });
  const calls = xapi.api.calls.length;
  const other = await discover([...at, '--tls-fingerprint', '0'.repeat(64)]);
  expect(other).toMatchObject({ exitCode: 2, stdout: '' });
  expect(other.stderr).toContain(xapi.fingerprint);
  expect(xapi.api.calls.length).toBe(calls);
});

describe('the prompt on a terminal', () => {
  const question = 'Password of root at 127.0.0.1: ';

  test('takes what is typed, slips mended, and does not show it', async () => {
    await using xapi = await startXapi({ records, password });
    const args = ['discover', '--xapi', `https://127.0.0.1:${xapi.port}`, '--tls-fingerprint', xapi.fingerprint];
    const { exitCode, shown } = await typeAtPrompt(args, question, `${password}x\u007f\r`);
    expect({ exitCode, shown }).toMatchObject({ exitCode: 0 });
    expect(shown).toContain('- 10.20.30.11 # host.address');
    expect(shown).not.toContain(password);
  });

  test('asks nobody anything when it is left with Ctrl+C', async () => {
    await using xapi = await startXapi({ records, password });
    const args = ['discover', '--xapi', `https://127.0.0.1:${xapi.port}`, '--tls-fingerprint', xapi.fingerprint];
    const { exitCode, shown } = await typeAtPrompt(args, question, 'corr\u0003');
    expect({ exitCode, shown }).toEqual({
      exitCode: 2,
      shown: expect.stringMatching(/^Password of root at 127\.0\.0\.1: \r\n.*no password was given/) as string,
    });
    expect(xapi.api.calls).toEqual([]);
  });
});

test('a wrong password is exit code 2, no file, and not shown', async () => {
  await using xapi = await startXapi({ records, password });
  const file = join(folder(), 'site.yaml');
  const args = ['--xapi', `https://127.0.0.1:${xapi.port}`, '--tls-fingerprint', xapi.fingerprint, '--output', file];
  const { exitCode, stderr } = await discover(args, 'wrong-one');
  expect(exitCode).toBe(2);
  expect(stderr).toContain('SESSION_AUTHENTICATION_FAILED');
  expect(stderr).not.toContain('wrong-one');
  expect(statSync(file, { throwIfNoEntry: false })).toBeUndefined();
});

test.for<[string, string[], string]>([
  ['http', ['--xapi', 'http://10.0.0.1'], 'goes by https'],
  ['a user in the URL', ['--xapi', 'https://root:pw@10.0.0.1'], 'takes no user in the URL'],
  ['no host', ['--xapi', 'https://'], 'is neither https://HOST nor'],
  ['half a fingerprint', ['--xapi', 'https://10.0.0.1', '--tls-fingerprint', 'abcd'], '64 hex digits'],
])('%s is a usage error', async ([, args, text]) => {
  const { exitCode, stderr } = await discover(args);
  expect(exitCode).toBe(2);
  expect(stderr).toContain(text);
  expect(stderr).not.toContain('root:pw');
});

test('without a password and a terminal nobody is asked', async () => {
  const { exitCode, stderr } = await discover(['--xapi', 'https://127.0.0.1:9'], '');
  expect(exitCode).toBe(2);
  expect(stderr).toContain('the password of root at 127.0.0.1 is needed');
});

test('a file that is there stays, unless it is forced', async () => {
  await using xapi = await startXapi({ records });
  const file = join(folder(), 'site.yaml');
  writeFileSync(file, 'mine\n', { mode: 0o600 });
  const refused = await discover(['--xapi', xapi.path, '--output', file], '');
  expect(refused.exitCode).toBe(2);
  expect(refused.stderr).toContain('--force overwrites it');
  expect(readFileSync(file, 'utf8')).toBe('mine\n');
  expect(xapi.api.calls).toEqual([]);
  expect(await discover(['--xapi', xapi.path, '--output', file, '--force'], '')).toMatchObject({
    exitCode: 0,
    stdout: '',
  });
  expect(readFileSync(file, 'utf8')).toContain('name: lon-pool-1');
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('--merge adds to what a person wrote, and tells what differs', async () => {
  await using xapi = await startXapi({ records });
  const file = join(folder(), 'site.yaml');
  writeFileSync(file, 'roles:\n  dns-server: [10.20.30.2, 10.9.9.9] # mine\nfacts: { ssh-enabled: false }\n');
  const args = ['--xapi', xapi.path, '--merge', file, '--output', file, '--force'];
  const { exitCode, stdout, stderr } = await discover(args, '');
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' });
  expect(stderr).toContain('ssh-enabled: the file says false, found was true');
  expect(stderr).toContain('dns-server: 10.9.9.9 stands in the file and was not found');
  const merged = readFileSync(file, 'utf8');
  expect(merged).toContain('  dns-server: [10.20.30.2, 10.9.9.9, 10.20.30.3] # mine\n');
  expect(merged).toContain('  citrix-license-server:\n    - lic01.example.test # host.license_server of');
});

test('a class that cannot be read is exit code 3, and the rest is written', async () => {
  await using xapi = await startXapi({ records }, ({ body }) =>
    body.includes('SR.get_all_records')
      ? { status: 500, headers: { 'Content-Type': 'text/html' }, body: '<html>' }
      : undefined,
  );
  const { exitCode, stdout, stderr } = await discover(['--xapi', xapi.path], '');
  expect(exitCode).toBe(3);
  expect(stderr).toContain('SR could not be read: it answered with HTTP status 500 instead of JSON');
  expect(stdout).toContain('citrix-license-server:');
  expect(xapi.api.openSessions).toBe(0);
});

const hostile: readonly (readonly [string, TcpPeer])[] = [
  [
    'answers without an end',
    async (caller) => {
      await caller.readUntil('\r\n\r\n');
      caller.write(
        'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n{"result":"',
      );
      const piece = 'a'.repeat(1 << 20);
      while (caller.socket.writable) {
        if (!caller.socket.write(piece))
          await new Promise((resolve) => caller.socket.once('drain', resolve).once('close', resolve));
      }
    },
  ],
  [
    'has a head without an end',
    async (caller) => {
      await caller.readUntil('\r\n\r\n');
      caller.write('HTTP/1.1 200 OK\r\n');
      while (caller.socket.writable) {
        if (!caller.socket.write(`X-A: ${'a'.repeat(4096)}\r\n`))
          await new Promise((resolve) => caller.socket.once('drain', resolve).once('close', resolve));
      }
    },
  ],
  ['speaks something else', async (caller) => caller.write('SSH-2.0-OpenSSH_9.2\r\n')],
  ['hangs up', async (caller) => caller.reset()],
  [
    'sends us elsewhere',
    async (caller) => {
      await caller.readUntil('\r\n\r\n');
      caller.write('HTTP/1.1 302 Found\r\nLocation: https://elsewhere.test/\r\nContent-Length: 0\r\n\r\n');
    },
  ],
  [
    'answers XML',
    async (caller) => {
      await caller.readUntil('\r\n\r\n');
      caller.write('HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 20\r\n\r\n<methodResponse></m>');
    },
  ],
  [
    'answers a tower of brackets',
    async (caller) => {
      await caller.readUntil('\r\n\r\n');
      const body = `{"id":1,"result":${'['.repeat(5_000_000)}`;
      caller.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
      await caller.untilGone();
    },
  ],
];

test.for(hostile)('an API that %s harms nothing: exit code 2, a sentence, no site', async ([, peer]) => {
  await using xapi = await startPeer(peer);
  const { exitCode, stdout, stderr } = await discover(['--xapi', xapi.path], '');
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  expect(stderr).toMatch(/could not be asked: \S/);
  expect(stderr).not.toContain('defect');
});

test('silence ends at the deadline', async () => {
  await using xapi = await startPeer(async (caller) => caller.untilGone());
  const { exitCode, stderr } = await discover(['--xapi', xapi.path, '--deadline', '300ms'], '');
  expect(exitCode).toBe(2);
  expect(stderr).toContain("the run's deadline of 0.3 s passed");
});

test(
  'an interrupt in the middle logs out, and writes what was learned',
  async () => {
    let kill: (signal: NodeJS.Signals) => void = () => undefined;
    await using xapi = await startXapi({ records }, ({ body }) => {
      if (!body.includes('Repository.get_all_records')) return undefined;
      kill('SIGINT');
      // Nothing follows a head that promises more.
      return { status: 200, headers: { 'Transfer-Encoding': 'chunked' }, body: '' };
    });
    const ran = await runXenreach(['discover', '--xapi', xapi.path], { onStart: (end) => (kill = end) });
    expect(ran).toMatchObject({ exitCode: 3, signal: null });
    expect(ran.stdout).toContain('name: lon-pool-1');
    expect(xapi.api.calls.at(-1)).toBe('session.logout');
    expect(xapi.api.openSessions).toBe(0);
  },
  patienceMs,
);
