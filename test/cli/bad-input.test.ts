/**
 * Whatever is wrong with the command line or the site: exit code 2, nothing on standard output, a message that says what,
 * where and what to do, and not a packet sent.
 */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { smallSite, type SmallSite } from '../support/license-server.ts';
import { runMain } from '../support/run-main.ts';
import { runXenreach, type RunOptions } from '../support/run-xenreach.ts';

let small: SmallSite;
let home: string;
beforeAll(async () => {
  small = await smallSite();
  small.file('not.pem', 'hello\n');
  small.file('old.json', 'old\n');
  mkdirSync(join(small.folder, 'folder'));
  // The good site lies in the folder that it runs in: a fault that is not found would send something.
  home = process.cwd();
  process.chdir(small.folder);
});
afterAll(async () => {
  process.chdir(home);
  await small[Symbol.asyncDispose]();
});

type Told = readonly RegExp[];

function expectTold(
  { exitCode, stdout, stderr }: { exitCode: number | null; stdout: string; stderr: string },
  told: Told,
): string {
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  expect(stderr).toMatch(/^xenreach: ./);
  expect(stderr).not.toMatch(/\n {4}at |node:internal|undefined|\[object/);
  for (const pattern of told) expect(stderr).toMatch(pattern);
  return stderr;
}

const expectRefusal = async (args: readonly string[], told: Told): Promise<string> =>
  expectTold(await runMain(args), told);

/** In a process of its own, as a user would. */
const expectRefusalOfProcess = async (args: readonly string[], told: Told, options: RunOptions = {}): Promise<string> =>
  expectTold(await runXenreach(args, { cwd: small.folder, ...options }), told);

const long = `${'a'.repeat(60)}.`.repeat(5);

describe('a command line', () => {
  test.for<readonly [string, ...RegExp[]]>([
    ['', /a command is needed/, /Usage: xenreach COMMAND/],
    ['bogus', /unknown command "bogus"/, /xenreach --help lists them/],
    ['chek', /unknown command "chek"/, /check/],
    ['constructor', /unknown command "constructor"/],
    ['help bogus', /unknown command "bogus"/],
    ['check --bogus', /unknown option --bogus/, /xenreach check --help/],
    ['check --sitt x', /unknown option --sitt/, /site/],
    ['check --broken', /check has no option --broken/],
    ['demo --site site.yaml', /demo has no option --site/],
    ['check extra', /check takes no argument "extra"/],
    ['check --site', /--site needs a value: --site FILE/],
    ['check --site --quiet', /--site needs a value/],
    ['check --quiet=yes', /--quiet takes no value/],
    ['check --site site.yaml --site site.yaml', /--site was given 2 times/],
    ['check --format jsonn', /--format jsonn is unknown/, /json/],
    ['check --row licence-initial', /--row licence-initial: no such row/, /license-initial/],
    ['check --section port', /--section port: no such section/, /ports/],
    ['check --role ntp-serverr', /--role ntp-serverr: no such destination role/, /ntp-server/],
    ['check --as xenserverhost', /--as xenserverhost: no such source role/, /xenserver-host/],
    ['check --mode servce', /--mode servce is unknown/, /service/],
    ['check --fail-on never', /--fail-on never is unknown/, /fail, unverified, warn/],
    ['check --concurrency 0', /--concurrency 0 is no whole number from 1/],
    ['check --concurrency many', /--concurrency many is no whole number/],
    ['check --per-host 0', /--per-host 0 is no whole number/],
    ['check --rate 0', /--rate 0 is no whole number/],
    ['check --rate 1.5', /--rate 1\.5 is no whole number/],
    ['check --retries 11', /--retries 11 is no whole number from 0 to 10/],
    ['check --timeout 5x', /--timeout 5x is no duration/, /750ms, 5s or 2m/],
    ['check --timeout 0', /--timeout 0 is no duration/],
    ['check --deadline soon', /--deadline soon is no duration/],
    ['check --family 5', /--family 5 is unknown/, /4, 6, any/],
    ['check --source-address nowhere', /--source-address nowhere is no IP address/],
    ['check --source-address 192.0.2.77', /192\.0\.2\.77 is not an address of this machine/],
    ['check --log-level loud', /--log-level loud is unknown/],
    ['check --ca missing.pem', /missing\.pem.*no such file/],
    ['check --ca not.pem', /not\.pem:1 holds no certificate/],
    ['check --ca folder', /folder.*is a directory/],
    ['check --proxy ftp://proxy.example.test:21', /--proxy .*http:\/\/HOST:PORT/],
    ['check --proxy http://proxy.example.test', /--proxy .*no port/],
    ['check --proxy http://proxy.example.test:70000', /--proxy .*from 1 to 65535/],
    ['check --spec nope', /nope/, /xenserver-8/],
    ['check --spec missing.yaml', /missing\.yaml.*no such file/],
    ['spec list', /spec has no "list"/, /spec show ID/],
    ['spec show', /takes one row id/],
    ['spec show nfs4', /no row is called "nfs4"/, /nfsv4/],
    ['spec --format html', /--format html is unknown/],
    ['probe', /probe takes a name and a host/],
    ['probe ntp', /probe takes a name and a host/],
    ['probe npt 127.0.0.1', /no probe is called "npt"/, /ntp/],
    ['probe constructor 127.0.0.1', /no probe is called "constructor"/],
    ['probe ntp 127.0.0.1:0', /127\.0\.0\.1:0: "0" is no port from 1 to 65535/],
    ['probe ntp 127.0.0.1:70000', /"70000" is no port from 1 to 65535/],
    ['probe ntp 127.0.0.1:', /no port from 1 to 65535/],
    ['probe ntp 999.1.1.1', /999\.1\.1\.1/],
    [`probe ntp ${long}`, /253|longer|long/],
    ['probe tcp 127.0.0.1', /tcp has no port of its own; write 127\.0\.0\.1:PORT/],
    ['probe ntp 127.0.0.1 --set maxStratum', /--set maxStratum: write --set KEY=VALUE/],
    ['probe ntp 127.0.0.1 --set bogus=1', /has no option "bogus"/],
    ['probe ntp 127.0.0.1 --set maxStratum=many', /--set maxStratum/],
    ['probe ntp 127.0.0.1 --format html', /--format html is unknown/],
    ['probe iscsi 10.20.40.50:3260,1', /is an iSCSI portal with its group tag/],
    ['probe http http://wlb.example.test/', /write only the host: wlb\.example\.test/],
    ['probe tcp 10.20.30.0/24:443', /is a network|has more than a host/],
    ['probe ntp 127.0.0.1 --output json=x', /--output belongs to check/],
    ['plan --rows ntp', /unknown option --rows/, /row/],
  ])('%s', async ([line, ...told]) => {
    await expectRefusal(line.split(' ').filter(Boolean), told);
  });
});

describe('a password', () => {
  test('in --proxy is refused and not repeated', async () => {
    const url = 'http://svc:Correct-Horse@proxy.example.test:3128';
    const stderr = await expectRefusal(
      ['check', '--proxy', url],
      [/--proxy/, /passwordFile/, /XENREACH_PROXY_PASSWORD/],
    );
    expect(stderr).not.toContain('Correct-Horse');
  });

  test('in the site is refused and not repeated', async () => {
    const text = small.text.replace('roles:', 'proxy: { url: "http://svc:Correct-Horse@p.example.test:3128" }\nroles:');
    const site = small.file('password.yaml', text);
    const stderr = await expectRefusal(['check', '--site', site], [/password\.yaml:3:\d+/, /XENREACH_PROXY_PASSWORD/]);
    expect(stderr).not.toContain('Correct-Horse');
  });

  test('file that is not there is told by its name', async () => {
    const proxy = 'proxy: { url: "http://p.example.test:3128", username: svc, passwordFile: gone.password }\nroles:';
    const site = small.file('file.yaml', small.text.replace('roles:', proxy));
    await expectRefusal(['check', '--site', site], [/gone\.password cannot be read/]);
  });
});

describe('an output that cannot be written is found before anything is sent', () => {
  test.for<readonly [string, RegExp]>([
    ['xml=report.xml', /unknown format "xml"; (?:did you mean "\w+"\? K|k)nown: text, json, [\w, ]+$/m],
    ['report.json', /report\.json is no FORMAT=FILE, such as json=report\.json; formats: text, json/],
    ['json', /names no file; write --output json=FILE/],
    ['json=', /names no file/],
    ['json=/nonexistent/report.json', /\/nonexistent\/report\.json cannot be written \(ENOENT\)/],
    ['json=folder', /folder is a folder; name a file in it/],
    ['json=/proc/report.json', /cannot be written/],
  ])('--output %s', async ([output, told]) => {
    await expectRefusal(['check', '--output', output], [told]);
  });

  test('and leaves the other files as they were', async () => {
    const args = ['--output', 'json=old.json', '--output', 'text=/nonexistent/x'];
    await expectRefusal(['check', ...args], [/\/nonexistent\/x/]);
    await expectRefusal(['check', '--output', 'json=old.json', '--output', 'text=old.json'], [/names old\.json twice/]);
    await expectRefusal(['check', '--output', 'json=old.json', '--row', 'ntp'], [/no check applies/]);
    expect(readFileSync(join(small.folder, 'old.json'), 'utf8')).toBe('old\n');
    expect(readdirSync(small.folder).filter((name) => name.includes('tmp'))).toEqual([]);
  });
});

describe('a site', () => {
  const changed = (from: string | RegExp, to: string): string => small.text.replace(from, to);

  test.for<readonly [string, () => string | Uint8Array, ...RegExp[]]>([
    ['that is empty', () => '', /:1/, /empty/],
    ['that is blank', () => '\n# nothing\n\n', /empty/],
    ['that is binary', () => Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 0xff, 0xfe, 1, 2, 3]), /site\.bad/],
    ['that is a list', () => '[1, 2]\n', /:1:1/],
    ['with a syntax error', () => 'roles: { a: [\n', /:\d+:\d+/],
    ['with an unknown key', () => `${small.text}role: {}\n`, /:5:1/, /"role"/, /roles/],
    ['with a key twice', () => `${small.text}name: again\n`, /:5:1/, /name/],
    [
      'with an unknown role',
      () => changed('citrix-license-server:', 'citrix-licence-server:'),
      /:4:3/,
      /citrix-license-server/,
    ],
    ['with a fact that is none', () => `${small.text}facts: { https: true }\n`, /:5:10/, /https-only/],
    [
      'with a fact of the wrong kind',
      () => `${small.text}facts: { https-only: maybe }\n`,
      /:5:22/,
      /true or false|boolean/,
    ],
    ['with a name that is a number', () => changed('name: small', 'name: 5'), /:1:7/],
    ['with port 0', () => changed(/"27000": \d+/, '"27000": 0'), /:4:\d+/, /1 to 65535/],
    ['with port 70000', () => changed(/"27000": \d+/, '"27000": 70000'), /:4:\d+/, /1 to 65535/],
    ['with a port that is text', () => changed(/"27000": \d+/, '"27000": "80"'), /:4:\d+/, /1 to 65535/],
    ['with a name of 300 characters', () => changed('127.0.0.1', long), /:4:\d+/, /253|long/],
    ['with a root that cannot be read', () => `${small.text}trust: [gone.pem]\n`, /gone\.pem.*no such file/],
    [
      'with a vantage that is no source',
      () => `${small.text}vantage: [ntp-server]\n`,
      /:5:11/,
      /sources: xenserver-host/,
    ],
    [
      'with no applicable row',
      () => 'name: none\nnot-used: [external-domain]\n',
      /no check applies here/,
      /role-is-empty/,
    ],
  ])('%s', async ([name, text, ...told]) => {
    const file = small.file(`${name.replaceAll(' ', '-')}.site.bad`, text());
    await expectRefusal(['check', '--site', file], told);
    await expectRefusal(['plan', '--site', file], told);
  });

  test('that is not there, or is a folder', async () => {
    await expectRefusal(['check', '--site', 'gone.yaml'], [/gone\.yaml.*no such file/]);
    await expectRefusal(['check', '--site', 'folder'], [/folder.*is a directory/]);
  });

  test('on standard input is read like a file', async () => {
    await expectRefusalOfProcess(['check', '--site', '-'], [/<stdin>:5:1/], { input: `${small.text}bogus: 1\n` });
    await expectRefusalOfProcess(['plan', '--site', '-'], [/<stdin>/, /empty/], { input: '' });
  });

  test('and its spec may be wrong, too', async () => {
    const site = small.file('spec.yaml', `${small.text}spec: ./own.yaml\n`);
    await expectRefusal(['check', '--site', site], [/own\.yaml.*no such file/]);
    small.file('broken.yaml', 'id: x\nrows: []\n');
    await expectRefusal(['check', '--spec', 'broken.yaml'], [/broken\.yaml:\d+:\d+/]);
  });
});

test.concurrent.for<readonly [string, ...RegExp[]]>([
  ['', /a command is needed/],
  ['bogus', /unknown command "bogus"/],
  ['check --bogus', /unknown option --bogus/],
  ['check --row licence-initial', /no such row/],
  ['check --ca missing.pem', /no such file/],
  ['check --output json=/nonexistent/report.json', /cannot be written/],
  ['plan --site gone.yaml', /no such file/],
  ['probe ntp 127.0.0.1:70000', /no port from 1 to 65535/],
])('in a process of its own: %s', async ([line, ...told]) => {
  await expectRefusalOfProcess(line.split(' ').filter(Boolean), told);
});

test('nothing was sent, whatever was wrong', () => {
  expect(small.server.sockets).toHaveLength(0);
});
