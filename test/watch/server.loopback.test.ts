/** The server as its clients meet it: TLS with a password, a body that is far too large, listeners that go away, an end. */
import { readdirSync, writeFileSync, renameSync, existsSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { probes } from '../../src/check/registry.ts';
import { prepare } from '../../src/check/prepare.ts';
import { selectionOf } from '../../src/check/select.ts';
import { settingsFor } from '../../src/check/settings.ts';
import { parseSite } from '../../src/load/site.ts';
import { loadSpec } from '../../src/load/spec.ts';
import { startWatch, type Running } from '../../src/watch/index.ts';
import { readConfig } from '../../src/watch/load-config.ts';
import type { Subject } from '../../src/watch/viewpoint.ts';
import { makeAuthority } from '../support/certificates.ts';
import { patienceMs } from '../support/patience.ts';
import { Door, portsSite, portsSpec, watchFolder, type WatchFolder } from '../support/watching.ts';
import { sampleReport } from './sample.ts';

const token = '0123456789abcdef0123';
let folder: WatchFolder;
const door = new Door();

beforeAll(async () => {
  folder = watchFolder();
  await door.open();
  folder.put('spec.yaml', portsSpec(1));
  folder.put('tokens', `other-site ${token}\n`);
  folder.put('password', 'open sesame\n');
  const { certificate, key } = makeAuthority().issue({ names: ['127.0.0.1'] });
  folder.put('cert.pem', certificate);
  folder.put('key.pem', key);
});

afterAll(async () => {
  await door.close();
  folder[Symbol.dispose]();
});

interface Started extends Running {
  readonly said: string[];
  end(): Promise<void>;
}

async function started(config: string): Promise<Started> {
  const vantage = { hostname: 'here', addresses: ['127.0.0.1'] };
  const load = async (): Promise<Subject> => {
    const spec = await loadSpec(join(folder.path, 'spec.yaml'), probes);
    const site = await parseSite(portsSite(['127.0.0.1'], [door.port]), 'site.yaml', spec);
    const settings = settingsFor({}, site, vantage, probes);
    const selection = selectionOf({}, spec, site);
    const read = await readConfig(join(folder.path, 'watch.yaml'));
    return {
      config: read,
      spec,
      site,
      vantage,
      settings,
      prepare: (signal) => prepare({ spec, site, vantage, selection }, settings.run, signal),
    };
  };
  folder.put('watch.yaml', config);
  const stop = new AbortController();
  const said: string[] = [];
  const running = await startWatch({ load, say: (text) => said.push(text), stop: stop.signal });
  const end = async (): Promise<void> => {
    stop.abort();
    await running.done;
  };
  return { ...running, said, end };
}

const history = (name: string): string => `history: { file: ${name}.db }\n`;

test('over TLS, with a name and a password', async () => {
  const running = await started(
    `listen: 127.0.0.1:0\nauth: { username: ops, passwordFile: password }\ntls: { cert: cert.pem, key: key.pem }\n${history('tls')}`,
  );
  const get = (auth?: string): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      request(running.url(), { rejectUnauthorized: false, ...(auth !== undefined && { auth }) }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      })
        .on('error', reject)
        .end();
    });
  expect(running.url()).toMatch(/^https:/);
  expect([await get(), await get('ops:wrong'), await get('ops:open sesame')]).toEqual([401, 401, 200]);
  await running.end();
});

test('fifty megabytes are not read', async () => {
  const running = await started(`listen: 127.0.0.1:0\ninbox: { tokens: tokens }\n${history('large')}`);
  const body = new ReadableStream({
    pull(controller) {
      sent += 1 << 20;
      if (sent > 50 << 20) controller.close();
      else controller.enqueue(new Uint8Array(1 << 20));
    },
  });
  let sent = 0;
  const answer = fetch(`${running.url()}inbox`, {
    method: 'POST',
    body,
    duplex: 'half',
    headers: { authorization: `Bearer ${token}` },
  });
  const status = await answer.then(
    (response) => response.status,
    // The connection may be gone before the answer is read.
    () => 413,
  );
  expect(status).toBe(413);
  expect(sent).toBeLessThan(40 << 20);
  await running.end();
});

test('who listens and goes away is forgotten; who stays hears that it ends', async () => {
  const running = await started(`listen: 127.0.0.1:0\n${history('events')}`);
  let listeners = 0;
  const onChange = running.watch.onChange.bind(running.watch);
  running.watch.onChange = (listener) => {
    const off = onChange(listener);
    listeners += 1;
    return () => {
      listeners -= 1;
      return off();
    };
  };
  const gone = new AbortController();
  await fetch(`${running.url()}events`, { signal: gone.signal });
  const stays = await fetch(`${running.url()}events`);
  await expect.poll(() => listeners).toBe(2);
  gone.abort();
  await expect.poll(() => listeners, { timeout: patienceMs }).toBe(1);
  const text = stays.text();
  await running.end();
  await expect(text).resolves.toMatch(/^retry: 5000/);
  expect(listeners).toBe(0);
});

test('a report in the folder is taken once it has its name, one that is none is put aside', async () => {
  const running = await started(`listen: 127.0.0.1:0\ninbox: { folder: inbox, stale: 1m }\n${history('folder')}`);
  const inbox = join(folder.path, 'inbox');
  const report = JSON.stringify(
    sampleReport([{ id: 'ntp', verdict: 'fail' }], new Date(Date.now() - 120_000).toISOString(), 'far-site'),
  );
  writeFileSync(join(inbox, 'half.tmp'), report.slice(0, 100));
  writeFileSync(join(inbox, 'bad.json'), '{ "schema": "nothing" }');
  writeFileSync(join(inbox, 'good.tmp'), report);
  renameSync(join(inbox, 'good.tmp'), join(inbox, 'good.json'));
  await expect
    .poll(() => readdirSync(inbox).toSorted((a, b) => a.localeCompare(b)), { timeout: patienceMs })
    .toEqual(['bad.json.refused', 'half.tmp']);
  const page = await (await fetch(running.url())).text();
  expect(page).toContain('far-site, from here');
  expect(running.said.join('\n')).toMatch(/bad\.json is not taken: .*no report of xenreach/);
  // It was made two minutes ago, and one is all that is waited for.
  await expect
    .poll(() => running.said.join('\n'), { timeout: patienceMs })
    .toMatch(/STALE far-site: no report from here since/);
  expect(existsSync(join(inbox, 'good.json'))).toBe(false);
  await running.end();
});

test('the pages move when the file says so, and stay where the new place cannot be had', async () => {
  const running = await started(`listen: 127.0.0.1:0\n${history('moves')}`);
  const before = running.url();
  folder.put('watch.yaml', `listen: 127.0.0.1:${door.port}\n${history('moves')}`);
  await running.reload();
  expect((await fetch(`${before}healthz`)).status).toBe(200);
  expect(await (await fetch(before)).text()).toMatch(/are not taken.*another program has that port/);
  folder.put('watch.yaml', `listen: localhost:0\n${history('moves')}`);
  await running.reload();
  expect(running.url()).not.toBe(before);
  expect((await fetch(`${running.url()}healthz`)).status).toBe(200);
  await expect(fetch(before)).rejects.toThrow('fetch failed');
  await running.end();
});
