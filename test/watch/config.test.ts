/** The file of the watch: strict, with the place of every fault; secrets only from files that others cannot read. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import * as v from 'valibot';
import { afterAll, describe, expect, test } from 'vitest';
import { probes } from '../../src/check/registry.ts';
import { shapeFaults } from '../../src/load/shape.ts';
import { loadSpec } from '../../src/load/spec.ts';
import { parseYaml } from '../../src/load/yaml.ts';
import { WatchFile } from '../../src/watch/config.ts';
import { departures } from '../support/json-schema.ts';
import { schemas } from '../support/make-schemas.ts';
import { EventShape } from '../../src/watch/event.ts';
import { holdAgainst, readConfig } from '../../src/watch/load-config.ts';
import { UsageError } from '../../src/model/errors.ts';
import { maintenanceOf, isQuiet } from '../../src/watch/maintenance.ts';

const folder = mkdtempSync(join(tmpdir(), 'xenreach-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

const written = (name: string, text: string, mode = 0o600): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
};
written('key', 'whsec_c2VjcmV0IHNlY3JldCBzZWNyZXQ=\n');
written('shared-key', 'secret\n', 0o644);
written('tokens', '# site token\n\nlon-pool-1  0123456789abcdef0123\nams 1123456789abcdef0123\n');

const config = (text: string): ReturnType<typeof readConfig> => readConfig(written('watch.yaml', text));

test('a file with every key is taken', async () => {
  const { file, notifiers, inbox, historyFile, site } = await config(`
site: site.yaml
every: 5m
rows: { iscsi: 1m, telemetry: 6h }
sections: { domains: 30m }
confirm: { runs: 3, recheck: 20s }
maintenance: [{ cron: '0 2 * * sun', for: 2h, rows: [iscsi, nfsv4], zone: Europe/Berlin }]
listen: 127.0.0.1:9660
url: https://watch.example.test/xenreach
history: { file: history.db, keep: 400d }
inbox: { folder: inbox, tokens: tokens, stale: 2h }
metrics: { endpoints: true }
notify:
  - alertmanager: [http://am1:9093, http://am2:9093]
  - webhook: https://hooks.example.test/x
    secretFile: key
  - email: { to: [ops@example.test], from: xenreach@example.test, smtp: 'smtp://mail:25' }
`);
  expect(file).toMatchObject({
    every: 300_000,
    rows: { iscsi: 60_000, telemetry: 21_600_000 },
    confirm: { recheck: 20_000 },
  });
  expect(notifiers.map(({ kind }) => kind)).toEqual(['alertmanager', 'webhook', 'email']);
  expect(inbox).toMatchObject({ folder: join(folder, 'inbox'), staleMs: 7_200_000 });
  expect(inbox?.tokens.map(({ site: name }) => name)).toEqual(['lon-pool-1', 'ams']);
  expect([historyFile, site]).toEqual([join(folder, 'history.db'), join(folder, 'site.yaml')]);
});

test.for<[about: string, text: string, message: RegExp]>([
  ['an unknown key', 'evry: 5m\n', /watch\.yaml:1:1 unknown key "evry"; did you mean "every"\?/],
  ['an interval of nothing', 'every: 0\n', /watch\.yaml:1:8 "every" must be an interval from 5s to 7d, like 5m, not 0/],
  ['an interval that is no time', 'rows:\n  iscsi: soon\n', /watch\.yaml:2:10 "iscsi" must be an interval/],
  ['no agreeing run', 'confirm: { runs: 0 }\n', /:1:18 "runs" must be a whole number from 1 to 20, not 0/],
  ['a cron line that is none', "maintenance: [{ cron: 'often', for: 1h }]\n", /:1:23 "often" is no cron line/],
  ['a zone that is none', "maintenance: [{ cron: '0 2 * * *', for: 1h, zone: Mars }]\n", /"Mars" is no time zone/],
  ['a place that is none', 'listen: 9660\n', /:1:9 "listen" must be ADDRESS:PORT/],
  [
    'a public address with nobody at the door',
    'listen: 0.0.0.0:9660\n',
    /:1:9 0\.0\.0\.0 can be reached from elsewhere.*behindProxy/,
  ],
  ['a public name likewise', 'listen: watch.example.test:9660\n', /can be reached from elsewhere/],
  [
    'a password in a URL',
    "notify: [{ webhook: 'https://u:p@h/', secretFile: key }]\n",
    /must be a URL like .*, without a password, not "https:\/\/\*\*\*@h\/"/,
  ],
  ['a webhook without a secret', "notify: [{ webhook: 'https://h/' }]\n", /the key "secretFile" is missing/],
  [
    'a secret that others can read',
    "notify: [{ webhook: 'https://h/', secretFile: shared-key }]\n",
    /notify\[0\]\.secretFile .*shared-key: others on this machine can read it \(mode 0644\); chmod 600/,
  ],
  [
    'a user without a password',
    "notify: [{ email: { to: [a@b.test], from: c@d.test, smtp: 'smtp://m', username: u } }]\n",
    /username and passwordFile go together/,
  ],
])('%s is told with its place', async ([, text, message]) => {
  await expect(config(text)).rejects.toThrow(message);
});

test('a public address is taken with authentication and TLS, or behind a proxy', async () => {
  expect((await config('listen: 0.0.0.0:9660\nbehindProxy: true\n')).file.behindProxy).toBe(true);
  written('password', 'a password\n');
  written('cert.pem', 'CERT');
  written('key.pem', 'KEY');
  const { auth, tls } = await config(
    'listen: "[::]:9660"\nauth: { username: ops, passwordFile: password }\ntls: { cert: cert.pem, key: key.pem }\n',
  );
  expect([auth, tls]).toEqual([
    { username: 'ops', password: 'a password' },
    { cert: 'CERT', key: 'KEY' },
  ]);
});

test('any file gives a config or a UsageError', async () => {
  const key = fc.constantFrom(...Object.keys(WatchFile.entries), 'evry');
  const text = fc.oneof(
    fc.string(),
    fc.dictionary(key, fc.jsonValue()).map((value) => JSON.stringify(value)),
  );
  await fc.assert(
    fc.asyncProperty(text, async (source) => {
      const found = await config(source).catch((error: unknown) => error);
      if (found instanceof Error) expect(found).toBeInstanceOf(UsageError);
    }),
  );
});

test('a token that can be guessed is refused with its line', async () => {
  written('short', 'lon-pool-1 abc\n');
  await expect(config('inbox: { tokens: short }\n')).rejects.toThrow(/short:1:1 is not SITE TOKEN/);
});

test('rows and sections that the spec does not have are told with the nearest', async () => {
  const spec = await loadSpec('xenserver-8', probes);
  const found = await config(
    'rows:\n  iscis: 1m\nsections: { domans: 5m }\nmaintenance: [{ cron: "0 2 * * *", for: 1h, rows: [nfs] }]\n',
  );
  expect(() => holdAgainst(found, spec)).toThrow(
    /:2:3 no row is called "iscis"; did you mean "iscsi"\?\n.*:3:13 no section.*"domains"[^]*no row is called "nfs"/,
  );
});

test('the config and the event in the document are good ones', async () => {
  const document = readFileSync('docs/watch.md', 'utf8');
  const [, yaml = ''] = /```yaml\n(.+?)```/s.exec(document) ?? [];
  const { value } = await parseYaml(yaml, 'docs/watch.md');
  expect(shapeFaults(WatchFile, value)).toEqual([]);
  expect(departures(schemas['watch.schema.json'] ?? false, value)).toEqual([]);
  expect(departures(schemas['watch.schema.json'] ?? false, { evry: '5m' })).toEqual(['/evry false']);
  const [, json = ''] = /```json\n(.+?)```/s.exec(document) ?? [];
  expect(v.is(EventShape, JSON.parse(json))).toBe(true);
  expect(departures(schemas['event.schema.json'] ?? false, JSON.parse(json))).toEqual([]);
});

describe('maintenance', () => {
  const windows = [
    { cron: '0 2 * * sun', for: 2 * 3_600_000, rows: ['iscsi'], zone: 'UTC' },
    { cron: '30 3 1 * *', for: 3_600_000, zone: 'UTC' },
  ];
  test.for<[at: string, iscsi: boolean, ntp: boolean]>([
    ['2026-11-22T01:59:59Z', false, false],
    ['2026-11-22T02:00:00Z', true, false],
    ['2026-11-22T03:59:59Z', true, false],
    ['2026-11-22T04:00:01Z', false, false],
    ['2026-12-01T04:00:00Z', true, true],
  ])('at %s', async ([at, iscsi, ntp]) => {
    const open = (await maintenanceOf(windows))(Date.parse(at));
    expect([isQuiet('iscsi', open), isQuiet('ntp', open)]).toEqual([iscsi, ntp]);
  });
});
