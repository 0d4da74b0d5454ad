/** The pool's own alerts, under the rows that fail and nowhere else. */
import { expect, test } from 'vitest';
import { check } from '../../src/check/api.ts';
import { alertFindings } from '../../src/discover/pool/alerts.ts';
import { PoolView } from '../../src/discover/pool/view.ts';
import { siteOfThisMachine } from '../../src/discover/here.ts';
import { parseSite } from '../../src/load/site.ts';
import { vacantPort } from '../support/real-io.ts';
import { xenserver8 } from '../support/sites.ts';
import { machine } from '../support/system-files.ts';
import { recordsOf, startXapi } from '../support/xapi.ts';

const message = (name: string, timestamp: string, body = ''): Record<string, unknown> => ({
  name,
  timestamp,
  body,
  priority: 2,
  cls: 'Host',
});
const now = Date.parse('2026-08-20T00:00:00Z');

const alertsOf = (...messages: Record<string, unknown>[]) =>
  alertFindings(
    new PoolView(
      { message: new Map(messages.map((each, n) => [`OpaqueRef:${n}`, each])) },
      { uuid: undefined, addresses: [] },
    ),
    now,
  );

test('the latest of each name is quoted in one line, without markup', () => {
  const found = alertsOf(
    message('LICENSE_SERVER_UNREACHABLE', '20260801T00:00:00Z', 'old'),
    message(
      'LICENSE_SERVER_UNREACHABLE',
      '2026-08-19T10:00:00Z',
      '<body><server>lic01</server>\n\u001b[31m gone</body>',
    ),
    message('VM_STARTED', '20260819T10:00:00Z'),
    message('constructor', '20260819T10:00:00Z'),
  );
  expect(found).toEqual([
    {
      kind: 'alert',
      rows: ['license-initial', 'license-checkout'],
      text: 'the pool has an alert LICENSE_SERVER_UNREACHABLE of 2026-08-19T10:00:00.000Z: lic01 [31m gone',
    },
  ]);
});

test('what is older than a month, or has no time, is not', () => {
  expect(
    alertsOf(message('HOST_CLOCK_SKEW_DETECTED', '20260701T00:00:00Z'), message('WLB_CONSULTATION_FAILED', 'soon')),
  ).toEqual([]);
});

test('a failed row has them, one that does not fail has none', async () => {
  const refused = await vacantPort();
  const site = await parseSite(
    JSON.stringify({
      roles: { 'citrix-license-server': { host: '127.0.0.1', ports: { 27000: refused, 7279: refused } } },
    }),
    'site.yaml',
    xenserver8,
  );
  const alerts = [{ rows: ['license-initial', 'ntp'], text: 'the pool has an alert' }];
  const report = await check({ ...site, alerts }, { rows: ['license-initial', 'license-checkout'], timeoutMs: 2000 });
  const notes = (id: string): readonly string[] => report.rows.find((row) => row.id === id)!.notes;
  expect(notes('license-initial')).toContain('the pool has an alert');
  expect(notes('license-checkout')).not.toContain('the pool has an alert');
  expect(notes('ntp')).toEqual([]);
});

test('a check without a site file reads them', async () => {
  const records = {
    ...recordsOf('xenserver-8'),
    message: { 'OpaqueRef:1': message('PERIODIC_UPDATE_SYNC_FAILED', new Date().toISOString()) },
  };
  await using xapi = await startXapi({ records });
  const here = {
    vantage: { hostname: 'here', addresses: [] },
    asksDns: false,
    signal: new AbortController().signal,
    environment: {},
  };
  const found = await siteOfThisMachine({ ...here, root: machine({}), socket: xapi.path }, xenserver8);
  expect(found?.site.alerts).toMatchObject([{ rows: ['updates-repo'] }]);
});
