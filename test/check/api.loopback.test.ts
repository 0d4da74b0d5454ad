/** A site in, a report out: the whole of the program in one call, and in as many events as it has. */
import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as v from 'valibot';
import { check, checkEvents, defineProbe, probes, UsageError, type CheckEvent } from '../../src/index.ts';
import { parseSite } from '../../src/load/site.ts';
import type { Site } from '../../src/model/site.ts';
import { xenserver8 } from '../support/sites.ts';

let server: Server;
let site: Site;

beforeAll(async () => {
  server = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const hosts = { host: '127.0.0.1', ports: { '27000': port, '7279': port } };
  site = await parseSite(JSON.stringify({ roles: { 'citrix-license-server': hosts } }), 'site.yaml', xenserver8);
});

afterAll(() => void server.close());

const asked = { rows: ['license-initial'], timeoutMs: 2000 };

test('one call checks a site', async () => {
  const report = await check(site, asked);
  expect(report).toMatchObject({
    schema: 'xenreach.report/1',
    complete: true,
    exitCode: 0,
    summary: { pass: 1, checks: 1 },
  });
  expect(report.checks[0]).toMatchObject({ probe: 'tcp', outcome: 'answered', rows: ['license-initial'] });
});

test('a misspelt row is refused with the nearest, before anything is sent', async () => {
  await expect(check(site, { rows: ['licence-initial'] })).rejects.toThrow(UsageError);
  await expect(check(site, { rows: ['licence-initial'] })).rejects.toThrow(/did you mean "license-initial"/);
});

test('the events are the report as it grows, and the generator returns the whole', async () => {
  const events: CheckEvent[] = [];
  const stream = checkEvents(site, asked);
  let step = await stream.next();
  for (; step.done !== true; step = await stream.next()) events.push(step.value);
  expect(events.map(({ type }) => type).filter((type) => type !== 'row')).toEqual(['start', 'check', 'end']);
  expect(events.filter(({ type }) => type === 'row')).toHaveLength(48);
  expect(step.value.checks).toHaveLength(1);
});

test('whoever leaves the loop ends the check', async () => {
  for await (const event of checkEvents(site, asked)) {
    expect(event.type).toBe('start');
    break;
  }
});

test('a signal leaves a report of what was learned', async () => {
  const report = await check(site, { ...asked, signal: AbortSignal.abort('enough') });
  expect(report).toMatchObject({ complete: false, exitCode: 3 });
  expect(report.checks[0]).toMatchObject({ outcome: 'aborted', detail: 'enough' });
});

test('a probe of one’s own is asked like any other', async () => {
  const mine = defineProbe({
    transport: 'tcp',
    port: 27_000,
    about: { title: 'Mine', sends: 'nothing', proves: 'that it listens', leaves: 'nothing', reference: 'none' },
    options: v.strictObject({}),
    async run(io) {
      await io.connect();
      return { outcome: 'answered', detail: 'mine answers', evidence: { mine: true } };
    },
  });
  const row = xenserver8.rows.find(({ id }) => id === 'license-initial');
  const needs = [{ ...row!.needs[0]!, probe: 'mine', options: {} }];
  const spec = { ...xenserver8, rows: [{ ...row!, needs }] };
  const report = await check(site, { spec, probes: { ...probes, mine } });
  expect(report.rows[0]).toMatchObject({ verdict: 'pass', because: 'mine answers' });
});
