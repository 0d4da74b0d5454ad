/** The pages and addresses, as requests and answers: what they show, who may see them, and what is taken from elsewhere. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Hono } from 'hono';
import { probes } from '../../src/check/registry.ts';
import { prepare } from '../../src/check/prepare.ts';
import { settingsFor } from '../../src/check/settings.ts';
import { selectionOf } from '../../src/check/select.ts';
import { parseSite } from '../../src/load/site.ts';
import { loadSpec } from '../../src/load/spec.ts';
import { makeApp } from '../../src/watch/app.ts';
import { systemClock } from '../../src/watch/clock.ts';
import { History } from '../../src/watch/history/history.ts';
import { Keeper } from '../../src/watch/keeper.ts';
import { readConfig } from '../../src/watch/load-config.ts';
import type { Subject } from '../../src/watch/viewpoint.ts';
import { Watch } from '../../src/watch/watch.ts';
import { live, payloads, poisoned } from '../support/payloads.ts';
import { Door, portsSite, portsSpec, watchFolder, type WatchFolder } from '../support/watching.ts';
import { sampleReport } from './sample.ts';

const token = '0123456789abcdef0123';
let folder: WatchFolder;
let door: Door;
const stop = new AbortController();
const vantage = { hostname: 'here', addresses: ['127.0.0.1'] };

beforeAll(async () => {
  folder = watchFolder();
  door = new Door();
  await door.open();
  folder.put('spec.yaml', portsSpec(2));
  folder.put('tokens', `other-site ${token}\n`);
  folder.put('password', 'open sesame\n');
});

afterAll(async () => {
  stop.abort();
  await door.close();
  folder[Symbol.dispose]();
});

interface Opened {
  readonly app: Hono;
  readonly watch: Watch;
}

/** One row that answers and one that nobody listens for, looked at three times. */
async function opened(config = '', runs = 3): Promise<Opened> {
  const spec = await loadSpec(`${folder.path}/spec.yaml`, probes);
  const site = await parseSite(portsSite(['127.0.0.1', '127.0.0.1'], [door.port, 1]), 'site.yaml', spec);
  const settings = settingsFor({ timeoutMs: 2000 }, site, vantage, probes);
  const selection = selectionOf({}, spec, site);
  const subject: Subject = {
    config: await readConfig(folder.put('watch.yaml', `inbox: { tokens: tokens }\n${config}`)),
    spec,
    site,
    vantage,
    settings,
    prepare: (signal) => prepare({ spec, site, vantage, selection }, settings.run, signal),
  };
  const keeper = new Keeper(':memory:', History.open(':memory:'), () => undefined);
  const watch = new Watch(subject, { clock: systemClock, keeper, say: () => undefined });
  await watch.begin(stop.signal);
  for (let i = 0; i < runs; i += 1) await watch.once(stop.signal);
  return { app: makeApp(watch, stop.signal), watch };
}

const local = { headers: { host: '127.0.0.1:9660' } };
const get = async ({ app }: Opened, path: string, headers: Record<string, string> = {}): Promise<Response> =>
  app.request(path, { headers: { ...local.headers, ...headers } });

describe('what it shows', () => {
  test('the first page: the verdict, the one incident with what to do, and every row with its strip', async () => {
    const text = await (await get(await opened(), '/')).text();
    expect(text).toMatch(/<h1>.*FAIL.*1 incident open<\/h1>/s);
    expect(text).toMatch(/row-2: 127\.0\.0\.1 on TCP 1|nothing listens/);
    expect(text.match(/<svg[^>]*class="strip"/g)).toHaveLength(2);
    expect(text).toMatch(
      /prober to server-2: <\/span><span class="fail word">FAIL<\/span>\s+<span class="soft">1<\/span>/,
    );
  });

  test('a row: since when, because of what, what the first run that failed saw', async () => {
    const text = await (await get(await opened(), '/row/row-2')).text();
    expect(text).toMatch(/FAIL since/);
    expect(text).toContain('The first run that saw it');
    expect(text).toMatch(/tcp: refused at connect/);
    expect((await get(await opened(), '/row/nowhere')).status).toBe(404);
  });

  test('an incident, the runs, and the reports', async () => {
    const open = await opened();
    const id = open.watch.viewpoints()[0]!.state.incidents[0]!.id;
    expect(await (await get(open, `/incident/${id}`)).text()).toMatch(/OPEN/);
    expect((await get(open, '/incident/none')).status).toBe(404);
    expect((await (await get(open, '/runs')).text()).match(/<tr>/g)).toHaveLength(4);
    expect(await (await get(open, '/report.json')).json()).toMatchObject({
      schema: 'xenreach.report/1',
      summary: { fail: 1 },
    });
    expect(await (await get(open, '/report.html')).text()).toContain('<!DOCTYPE html>');
    expect(await (await get(open, '/firewall.csv')).text()).toMatch(/^source,/);
  });

  test('before the first round there is nothing, and it says so', async () => {
    const open = await opened('', 0);
    expect(await (await get(open, '/')).text()).toContain('Nothing is known yet');
    expect((await get(open, '/report.json')).status).toBe(503);
    expect((await get(open, '/metrics')).status).toBe(503);
  });

  test('every row has all five verdicts as a state set, exactly one of them 1, in both formats', async () => {
    const open = await opened();
    const classic = await get(open, '/metrics');
    expect(classic.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const text = await classic.text();
    for (const row of ['row-1', 'row-2']) {
      const states = [
        ...text.matchAll(new RegExp(`^xenreach_row_verdict\\{row="${row}".*verdict="(\\w+)"\\} (\\d)$`, 'gm')),
      ];
      expect(states).toHaveLength(5);
      expect(states.filter(([, , value]) => value === '1').map(([, verdict]) => verdict)).toEqual([
        row === 'row-1' ? 'pass' : 'fail',
      ]);
    }
    expect(text).not.toContain('xenreach_check_outcome');
    const metrics = await get(open, '/metrics', { accept: 'application/openmetrics-text; version=1.0.0' });
    expect(metrics.headers.get('content-type')).toMatch(/^application\/openmetrics-text; version=1\.0\.0/);
    expect(await metrics.text()).toMatch(
      /# TYPE xenreach_rounds_skipped counter\nxenreach_rounds_skipped_total 0\n[^]*# EOF\n$/,
    );
    expect(await (await get(await opened('metrics: { endpoints: true }\n'), '/metrics')).text()).toContain(
      'xenreach_check_outcome',
    );
  });

  test.for(Object.entries(payloads))('what a peer or a report says stays a text: %s', async ([, text]) => {
    const open = await opened();
    const report = poisoned(
      sampleReport([{ id: 'ntp', verdict: 'fail' }], new Date().toISOString(), 'other-site'),
      text,
    );
    const body = JSON.stringify({
      ...report,
      tool: { name: 'xenreach', version: text },
      site: { ...report.site, name: 'other-site' },
    });
    const answer = await post(open, body);
    expect([answer.status, await answer.text()]).toEqual([202, 'taken\n']);
    const { id } = open.watch.viewpoints()[1]!;
    for (const path of ['/', `/?source=${id}`, `/row/ntp?source=${id}`, `/runs?source=${id}`]) {
      const page = await (await get(open, path)).text();
      expect(live.exec(page)).toBeNull();
      expect(page).not.toMatch(/<(?:img|script>)/);
    }
  });
});

const post = async ({ app }: Opened, body: string, headers: Record<string, string> = {}): Promise<Response> =>
  app.request('/inbox', {
    method: 'POST',
    body,
    headers: { ...local.headers, authorization: `Bearer ${token}`, ...headers },
  });

describe('the inbox', () => {
  const report = (minutesAgo: number, name = 'other-site'): string =>
    JSON.stringify(sampleReport([{ id: 'ntp' }], new Date(Date.now() - minutesAgo * 60_000).toISOString(), name));

  test('a report counts once; an older one comes too late', async () => {
    const open = await opened();
    const body = report(10);
    expect([(await post(open, body)).status, (await post(open, body)).status]).toEqual([202, 200]);
    expect((await post(open, report(20))).status).toBe(409);
    expect((await post(open, report(5))).status).toBe(202);
    const { id } = open.watch.viewpoints()[1]!;
    expect((await (await get(open, `/runs?source=${id}`)).text()).match(/<tr>/g)).toHaveLength(3);
  });

  test('any bytes are taken or refused, and nothing is thrown', async () => {
    const open = await opened();
    const good = report(1);
    const cut = fc
      .tuple(fc.nat(good.length), fc.string())
      .map(([at, text]) => good.slice(0, at) + text + good.slice(at + text.length));
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), cut), async (body) => {
        expect([200, 202, 400, 403, 409]).toContain((await post(open, body)).status);
      }),
    );
  });

  test.for<[about: string, body: () => string, headers: Record<string, string>, status: number, text: RegExp]>([
    ['no token', () => report(1), { authorization: '' }, 401, /token/],
    ['a wrong token', () => report(1), { authorization: 'Bearer 9999456789abcdef0123' }, 401, /token/],
    ['the report of another site', () => report(1, 'third-site'), {}, 403, /for the site other-site/],
    [
      'a row whose name is none',
      () => report(1).replace('"id":"ntp"', '"id":"../ntp"'),
      {},
      400,
      /called as no row is/,
    ],
    ['what is no JSON', () => 'hello', {}, 400, /not JSON/],
    ['what is no report', () => '{"schema":"x"}', {}, 400, /no report of xenreach/],
    ['a report of a later schema', () => '{"schema":"xenreach.report/9"}', {}, 400, /does not know/],
    ['a report from the future', () => report(-600), {}, 400, /future/],
    ['the report of a plan', () => report(1).replaceAll('"answered"', 'null'), {}, 400, /plan/],
    ['5 MiB', () => 'x'.repeat(5 * 1024 * 1024), {}, 413, /at most 4 MiB/],
    ['50 MB that are announced', () => 'x', { 'content-length': '50000000' }, 413, /at most 4 MiB/],
  ])('refuses %s', async ([, body, headers, status, text]) => {
    const answer = await post(await opened(), body(), headers);
    expect([answer.status, await answer.text()]).toEqual([status, expect.stringMatching(text)]);
  });
});

describe('who may see it', () => {
  test('every answer forbids the browser what the page does not need', async () => {
    const { headers } = await get(await opened(), '/');
    expect(headers.get('content-security-policy')).toMatch(
      /default-src 'none'.*script-src 'self'.*frame-ancestors 'none'/,
    );
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    const text = await (await get(await opened(), '/')).text();
    expect(text).not.toMatch(/<style|style=|onclick|<script>/);
  });

  test('on loopback only names of this machine are answered: another may be a page that means us harm', async () => {
    const open = await opened();
    expect((await open.app.request('/', { headers: { host: 'evil.example.test' } })).status).toBe(403);
    expect((await open.app.request('/', { headers: { host: 'localhost:9660' } })).status).toBe(200);
  });

  test('with authentication all is closed but whether it lives and the inbox', async () => {
    const open = await opened('auth: { username: ops, passwordFile: password }\n');
    const basic = (text: string): Record<string, string> => ({
      authorization: `Basic ${Buffer.from(text).toString('base64')}`,
    });
    for (const path of ['/', '/metrics', '/report.json', '/events', '/style.css'])
      expect((await get(open, path)).status).toBe(401);
    expect((await get(open, '/healthz')).status).toBe(200);
    expect((await get(open, '/', basic('ops:open sesame'))).status).toBe(200);
    for (const wrong of ['ops:open', 'root:open sesame', 'ops', ''])
      expect((await get(open, '/', basic(wrong))).status).toBe(401);
  });

  test('a round is started from the page alone', async () => {
    const open = await opened();
    const page = await (await get(open, '/')).text();
    const [, runToken = ''] = /name="token" value="([^"]+)"/.exec(page) ?? [];
    const run = async (body: string, headers: Record<string, string>): Promise<number> => {
      const all = { ...local.headers, 'content-type': 'application/x-www-form-urlencoded', ...headers };
      return (await open.app.request('/run', { method: 'POST', body, headers: all })).status;
    };
    expect(await run(`token=${runToken}`, { 'sec-fetch-site': 'same-origin' })).toBe(303);
    expect(await run(`token=${runToken}`, { 'sec-fetch-site': 'cross-site' })).toBe(403);
    expect(await run('token=guess', { 'sec-fetch-site': 'same-origin' })).toBe(403);
    expect((await open.app.request('/run', local)).status).toBe(404);
  });

  test('health says no when no round ends', async () => {
    const open = await opened();
    expect((await get(open, '/healthz')).status).toBe(200);
    const late = { ...open.watch.status(), isHealthy: false };
    open.watch.status = () => late;
    expect((await get(open, '/healthz')).status).toBe(503);
  });
});

test('whoever listens hears of a change', async () => {
  const open = await opened();
  const answer = await get(open, '/events');
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  expect((await reader.read()).value).toBe('retry: 5000\n\n');
  await open.watch.once(stop.signal);
  expect((await reader.read()).value).toBe('event: change\ndata: {}\n\n');
  await reader.cancel();
});
