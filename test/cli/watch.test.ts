/** watch, history and notify on the command line: what they refuse, with which words and exit code, and one round as cron has it. */
import { chmodSync, existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runMain } from '../support/run-main.ts';
import { runXenreach } from '../support/run-xenreach.ts';
import { Door, portsSite, portsSpec, watchFolder, type WatchFolder } from '../support/watching.ts';

let folder: WatchFolder;
const door = new Door();
const path = (name: string): string => join(folder.path, name);

beforeAll(async () => {
  folder = watchFolder();
  await door.open();
  folder.put('spec.yaml', portsSpec(2));
  folder.put('site.yaml', portsSite(['127.0.0.1', '127.0.0.1'], [door.port, 1]));
  folder.put(
    'good.yaml',
    'site: site.yaml\nlisten: 127.0.0.1:0\nhistory: { file: history.db }\nrows: { row-1: 20m }\n',
  );
});

afterAll(async () => {
  await door.close();
  folder[Symbol.dispose]();
});

const withSpec = (...args: string[]): string[] => ['watch', '--spec', path('spec.yaml'), ...args];

describe('what it refuses', () => {
  test.for<[about: string, config: string, message: RegExp]>([
    ['an unknown key', 'evry: 5m', /bad\.yaml:1:1 unknown key "evry"; did you mean "every"\?/],
    ['an interval of 0', 'every: 0', /bad\.yaml:1:8 "every" must be an interval/],
    ['a row that the spec does not have', 'rows: { row-9: 1m }', /bad\.yaml:1:9 no row is called "row-9"/],
    ['a public address', 'listen: 0.0.0.0:9660', /bad\.yaml:1:9 0\.0\.0\.0 can be reached from elsewhere/],
    [
      'a secret that others can read',
      "notify: [{ webhook: 'http://h/', secretFile: open-key }]",
      /open-key: others on this machine can read it/,
    ],
    ['a site that is not there', 'site: nowhere.yaml', /nowhere\.yaml: there is no such file/],
  ])('%s: exit 2, by --check-config and at the start', async ([, config, message]) => {
    chmodSync(folder.put('open-key', 'secret\n'), 0o644);
    folder.put('bad.yaml', config.startsWith('site:') ? config : `${config}\nsite: site.yaml\n`);
    for (const args of [['--check-config'], []]) {
      const { exitCode, stderr } = await runMain(withSpec('--config', path('bad.yaml'), ...args));
      expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringMatching(message) as string });
    }
    expect(existsSync(path('history.db'))).toBe(false);
  });

  test('a database of a newer version, which it leaves as it is', async () => {
    const file = path('newer.db');
    const db = new DatabaseSync(file);
    db.exec('CREATE TABLE t (x); PRAGMA application_id = 0x78656e72; PRAGMA user_version = 7');
    db.close();
    folder.put('newer.yaml', 'site: site.yaml\nlisten: 127.0.0.1:0\nhistory: { file: newer.db }\n');
    const { exitCode, stderr } = await runMain(withSpec('--config', path('newer.yaml')));
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/newer\.db: was written by a newer xenreach .*update xenreach/);
  });

  test.for<[line: string, message: RegExp]>([
    ['watch now', /watch takes no argument "now"/],
    ['watch --fail-on new', /watch itself tells what is new/],
    ['watch --site -', /reads its site again and again/],
    ['watch --schedule soon', /--schedule soon is no duration/],
    ['notify', /xenreach notify test/],
    ['notify now', /xenreach notify test/],
    ['history --since ever', /--since ever is no duration/],
    ['history --format html', /--format html is unknown/],
  ])('xenreach %s', async ([line, message]) => {
    const { exitCode, stderr } = await runMain(line.split(' '));
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringMatching(message) as string });
  });

  test('a port that another has', async () => {
    folder.put('taken.yaml', `site: site.yaml\nlisten: 127.0.0.1:${door.port}\nhistory: { file: taken.db }\n`);
    const { exitCode, stderr } = await runMain(withSpec('--config', path('taken.yaml')));
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr: expect.stringMatching(/another program has that port/) as string,
    });
  });
});

test('a good config is said to be one, and starts nothing', async () => {
  const { exitCode, stdout } = await runMain(withSpec('--config', path('good.yaml'), '--check-config'));
  expect([exitCode, stdout]).toEqual([
    0,
    expect.stringMatching(/good\.yaml: ports-site against ports, 0 notifiers; nothing is wrong/),
  ]);
});

test('the schedule has each round of the time, in order, and sends nothing', async () => {
  const { exitCode, stdout } = await runMain(withSpec('--config', path('good.yaml'), '--schedule', '1h'));
  const lines = stdout.trimEnd().split('\n');
  expect(exitCode).toBe(0);
  expect(lines.filter((line) => line.endsWith('  row-2'))).toHaveLength(12);
  expect(lines.filter((line) => line.endsWith('  row-1'))).toHaveLength(3);
  expect(lines).toEqual(lines.toSorted());
});

test('one round at a time, as cron has it: each is remembered, and the third is believed', async () => {
  const once = ['--config', path('good.yaml'), '--once', '--format', 'json'];
  for (const told of ['', '', 'FAIL ports-site: ']) {
    const { exitCode, stdout, stderr } = await runXenreach(withSpec(...once));
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ summary: { pass: 1, fail: 1 } });
    expect(stderr).toContain(told);
  }
  const { stdout } = await runMain(['history', '--config', path('good.yaml'), '--row', 'row-2']);
  expect(stdout).toMatch(/OPEN .*row-2[^]*FAIL {7}.*nothing listens/);
  const csv = await runMain(['history', '--config', path('good.yaml'), '--format', 'csv']);
  expect(csv.stdout).toMatch(/^site,vantage,row,since,until,seconds,verdict,because\nports-site,/);
});

test('without a history there is nothing to tell, and without notifiers nobody', async () => {
  folder.put('empty.yaml', 'history: { file: none.db }\n');
  const history = await runMain(['history', '--config', path('empty.yaml')]);
  expect([history.exitCode, history.stderr]).toEqual([2, expect.stringMatching(/none\.db: there is no history yet/)]);
  const notify = await runMain(['notify', 'test', '--config', path('empty.yaml')]);
  expect([notify.exitCode, notify.stderr]).toEqual([2, expect.stringMatching(/names nobody to tell/)]);
});
