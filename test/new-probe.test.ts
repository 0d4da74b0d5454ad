/** npm run new-probe NAME: the skeleton is sound, and says itself what is to be filled in. In a copy of the repository. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

interface Told {
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly status: string; readonly title: string }[];
  }[];
}

const copy = mkdtempSync(join(tmpdir(), 'xenreach-new-probe-'));
const bin = (name: string): string => join(process.cwd(), 'node_modules/.bin', name);
const make = (...words: readonly string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, ['test/support/make-probe.ts', ...words], { cwd: copy, encoding: 'utf8' });

beforeAll(() => {
  const tracked = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    encoding: 'utf8',
  });
  for (const file of tracked.split('\0').filter((name) => name !== ''))
    cpSync(file, join(copy, file), { recursive: true });
  symlinkSync(join(process.cwd(), 'node_modules'), join(copy, 'node_modules'));
});
afterAll(() => rmSync(copy, { recursive: true }));

test('types, lint and format are those of the house, and only what is to be filled in fails', () => {
  expect(make('whois-server', '43')).toEqual(
    expect.objectContaining({
      status: 0,
      stdout:
        'probes/whois-server.ts\ntest/probes/whois-server.test.ts\nfixtures/wire/whois-server/\nsrc/lab/peers/whois-server.ts\n',
    }),
  );
  for (const [tool = '', ...args] of [['tsc'], ['oxlint', '--deny-warnings'], ['oxfmt', '--check']]) {
    const { status, stdout, stderr } = spawnSync(bin(tool), args, { cwd: copy, encoding: 'utf8' });
    expect([tool, status, status === 0 ? '' : stdout + stderr]).toEqual([tool, 0, '']);
  }
  const files = ['test/probes/whois-server.test.ts', 'test/lab/peers.test.ts', 'test/docs.test.ts'];
  const report = join(copy, 'results.json');
  const words = ['run', '--reporter=json', `--outputFile=${report}`, ...files];
  spawnSync(bin('vitest'), words, { cwd: copy, stdio: 'ignore' });
  const told: Told = JSON.parse(readFileSync(report, 'utf8'));
  const results = told.testResults.flatMap(({ assertionResults }) => assertionResults);
  expect(results.length).toBeGreaterThan(60);
  expect(results.filter(({ status }) => status !== 'passed').map(({ title }) => title)).toEqual([
    expect.stringMatching(/^says what it sends and proves: fill in/),
    expect.stringMatching(/^is recorded with a real server/),
  ]);
}, 120_000);

test.for([
  [['ntp'], 'probes/ntp.ts is there already'],
  [['No Name'], 'a name is lower-case words with hyphens'],
  [['fine', '70000'], '70000 is no port'],
] as const)('%j is refused', ([words, why]) => {
  expect(make(...words)).toEqual(expect.objectContaining({ status: 2, stderr: expect.stringContaining(why) }));
});
