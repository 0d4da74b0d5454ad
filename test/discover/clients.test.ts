/**
 * The embedded API is a faithful one: clients that are not ours, the vendor's own in Python by XML-RPC and xen-api of npm by
 * JSON-RPC, log in to it and read every class from it (.ci/setup servers fetches them).
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { patienceMs } from '../support/patience.ts';
import { pools, recordsOf, startXapi, type PoolName } from '../support/xapi.ts';

const run = promisify(execFile);
const folder = resolve('node_modules/.cache/xenreach/clients');
const isThere = existsSync(folder);
const password = 'correct horse';

const python = `
import sys, json, XenAPI
session = XenAPI.Session(sys.argv[1], ignore_ssl=True)
session.login_with_password('root', sys.argv[2], '1.0', 'xenreach test')
read = {name: session.xenapi_request(name + '.get_all_records', ()) for name in json.loads(sys.argv[3])}
try:
    session.xenapi.host.get_record('OpaqueRef:none')
except XenAPI.Failure as failure:
    read['failure'] = failure.details
session.xenapi.session.logout()
json.dump(read, sys.stdout)
`;

const node = `
import { createClient } from 'xen-api';
const [url, password, classes] = process.argv.slice(2);
const xapi = createClient({ url, auth: { user: 'root', password }, allowUnauthorized: true, watchEvents: false });
await xapi.connect();
const read = {};
for (const name of JSON.parse(classes)) read[name] = await xapi.call(name + '.get_all_records');
read.failure = await xapi.call('host.get_record', 'OpaqueRef:none').catch((error) => [error.code, ...error.params]);
await xapi.disconnect();
process.stdout.write(JSON.stringify(read));
`;

/** XML-RPC has every integer as text. */
const asTexts = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, each: unknown) => (Number.isInteger(each) ? String(each) : each)));

async function readBy(client: 'python' | 'node', name: PoolName): Promise<{ read: unknown; openSessions: number }> {
  await using xapi = await startXapi({ records: recordsOf(name), password });
  const classes = JSON.stringify(Object.keys(recordsOf(name)));
  const args = [`https://127.0.0.1:${xapi.port}`, password, classes];
  if (client === 'python') {
    const ran = await run('python3', ['-c', python, ...args], { env: { ...process.env, PYTHONPATH: folder } });
    return { read: asTexts(JSON.parse(ran.stdout)), openSessions: xapi.api.openSessions };
  }
  const place = mkdtempSync(join(folder, 'run-'));
  onTestFinished(() => rmSync(place, { recursive: true }));
  writeFileSync(join(place, 'read.mjs'), node);
  const ran = await run(process.execPath, [join(place, 'read.mjs'), ...args], { cwd: tmpdir() });
  return { read: asTexts(JSON.parse(ran.stdout)), openSessions: xapi.api.openSessions };
}

for (const client of ['python', 'node'] as const) {
  test.skipIf(!isThere).for(pools)(
    `%s is read whole by a client in ${client}`,
    { timeout: patienceMs },
    async (name) => {
      const { read, openSessions } = await readBy(client, name);
      const failure = ['HANDLE_INVALID', 'host', 'OpaqueRef:none'];
      expect(read).toEqual({ ...(asTexts(recordsOf(name)) as object), failure });
      expect(openSessions).toBe(0);
    },
  );
}
