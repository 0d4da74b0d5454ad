/** What is told and measured, as the real receivers take it: Prometheus, Alertmanager, a mail server, and one that never answers. */
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { phaseOf } from '../../../src/watch/schedule.ts';
import { exec, filterAt, makeLab, setFirewall, whyNotLive, type Lab } from '../../support/netns.ts';
import { patienceMs } from '../../support/patience.ts';
import type { Server } from '../../support/servers.ts';
import { startAiosmtpd } from '../../support/servers/aiosmtpd.ts';
import { startEcho } from '../../support/servers/echo.ts';
import { startPorts } from '../../support/servers/ports.ts';
import {
  alertmanagerPort,
  prometheusPort,
  startAlertmanager,
  startPrometheus,
} from '../../support/servers/prometheus.ts';
import {
  portsSite,
  portsSpec,
  startWatching,
  watchFolder,
  type Watching,
  type WatchFolder,
} from '../../support/watching.ts';

const why = whyNotLive(
  'nft',
  'prometheus',
  'promtool',
  'prometheus-alertmanager',
  '/usr/lib/python3/dist-packages/aiosmtpd/main.py',
  '/usr/lib/python3/dist-packages/prometheus_client/parser.py',
);
const [smtpPort, mutePort, listenPort] = [2525, 2526, 9660];
const everyMs = 5000;

describe.skipIf(why !== null)('the receivers', { timeout: 150_000 }, () => {
  let lab: Lab<'target'>;
  let folder: WatchFolder;
  let watching: Watching;
  let alertmanager: Server;
  let mail: Server;
  const servers: Server[] = [];
  const get = (url: string, ...args: string[]): string => exec(lab.client.namespace, ['curl', '-sg', ...args, url]);
  const alerts = (): {
    status: { state: string };
    labels: Record<string, string>;
    annotations: Record<string, string>;
    endsAt: string;
  }[] => JSON.parse(get(`http://127.0.0.1:${alertmanagerPort}/api/v2/alerts`)) as ReturnType<typeof alerts>;
  /** What came, with the lines that quoted-printable broke whole again. */
  const mails = (): string => mail.log().replaceAll('=\n', '');
  const toTarget = (rule: string): void =>
    setFirewall(lab.router, filterAt('forward', rule.replace('TARGET', lab.hosts.target.address)));

  beforeAll(async () => {
    lab = makeLab(['target']);
    folder = watchFolder();
    const ports = [9001, 9002, 9003];
    folder.put('site.yaml', portsSite(ports.map(() => lab.hosts.target.address)));
    folder.put('spec.yaml', portsSpec(ports.length));
    folder.put(
      'watch.yaml',
      `
site: site.yaml
every: 5s
confirm: { runs: 2, recheck: 1s }
listen: 127.0.0.1:${listenPort}
url: http://127.0.0.1:${listenPort}
history: { file: history.db }
notify:
  - alertmanager: [http://127.0.0.1:${alertmanagerPort}]
  - email: { to: [ops@example.test], from: xenreach@example.test, smtp: 'smtp://127.0.0.1:${smtpPort}' }
  - email: { to: [deaf@example.test], from: xenreach@example.test, smtp: 'smtp://127.0.0.1:${mutePort}' }
`,
    );
    const { client } = lab;
    servers.push(await startPorts(lab.hosts.target, ports));
    [alertmanager, mail] = await Promise.all([
      startAlertmanager(client),
      startAiosmtpd({ ...client, address: '127.0.0.1' }, smtpPort),
    ]);
    servers.push(mail, await startEcho(client, mutePort), await startPrometheus(client, `127.0.0.1:${listenPort}`));
    watching = await startWatching(
      ['--config', join(folder.path, 'watch.yaml'), '--spec', join(folder.path, 'spec.yaml'), '--timeout', '1s'],
      { namespace: client.namespace },
    );
  });

  afterAll(async () => {
    watching?.signal('SIGKILL');
    await watching?.ended;
    await Promise.all([...servers, alertmanager].map((server) => server?.stop()));
    lab?.[Symbol.dispose]();
    folder?.[Symbol.dispose]();
  });

  test('Alertmanager has one active alert for the host, the mail server one mail; both hear that it is over', async () => {
    await expect
      .poll(() => get(`${watching.url}/metrics`), { timeout: patienceMs })
      .toContain('xenreach_rows{verdict="pass"} 3');
    toTarget('ip daddr TARGET drop');
    await expect.poll(alerts, { timeout: 30_000 }).toMatchObject([
      {
        status: { state: 'active' },
        labels: { alertname: 'XenreachIncident', site: 'ports-site', cause: 'host', severity: 'critical' },
        annotations: { rows: 'row-1, row-2, row-3', flapping: 'false' },
      },
    ]);
    const [alert] = alerts();
    expect(alert?.annotations['summary']).toContain(lab.hosts.target.address);
    const endsInMs = Date.parse(alert?.endsAt ?? '') - Date.now();
    expect(endsInMs).toBeGreaterThan(200_000);
    expect(endsInMs).toBeLessThan(301_000);
    await expect
      .poll(() => mails(), { timeout: patienceMs })
      .toMatch(
        /Subject: xenreach: FAIL ports-site: nothing comes[^]*Do: .*[^]*row-1: pass -> fail[^]*http:\/\/127\.0\.0\.1:9660\/incident\/\w+/,
      );

    // It loses all that it knew, and hears it again.
    await alertmanager.stop();
    alertmanager = await startAlertmanager(lab.client);
    await expect.poll(alerts, { timeout: 75_000 }).toMatchObject([{ labels: { incident: alert?.labels['incident'] } }]);

    toTarget('');
    await expect.poll(alerts, { timeout: 30_000 }).toEqual([]);
    await expect
      .poll(() => mails().match(/^Subject: .*/gm), { timeout: patienceMs })
      .toEqual([
        expect.stringMatching(/^Subject: xenreach: FAIL /),
        expect.stringMatching(/^Subject: xenreach: OK again /),
      ]);
    expect(mails()).toMatch(/^Auto-Submitted: auto-generated$/m);
  });

  test('a mail server that never answers delays no round, and is told of', async () => {
    await expect
      .poll(() => get(`${watching.url}/metrics`), { timeout: 30_000 })
      .toMatch(/xenreach_notify_failed_total\{notifier="email deaf@example\.test"\} [1-9]/);
    expect(get(`${watching.url}/`)).toMatch(/email deaf@example\.test cannot be told/);
    expect(existsSync(join(folder.path, 'history.db'))).toBe(true);
    const db = new DatabaseSync(join(folder.path, 'history.db'), { readOnly: true });
    const starts = db
      .prepare('SELECT at - ms AS start FROM run ORDER BY id')
      .all()
      .map(({ start }) => Number(start));
    db.close();
    // Rechecks come between; the rounds of the schedule are in its phase, one in each interval.
    const phaseMs = phaseOf(`ports-site\n${hostname()}\nrow-1`, everyMs);
    const lateMs = (start: number): number => (start - phaseMs + everyMs) % everyMs;
    const onTime = starts
      .filter((start) => lateMs(start) < 1000)
      .map((start) => Math.floor((start - phaseMs) / everyMs));
    const intervals = onTime.at(-1)! - onTime[0]!;
    expect(intervals).toBeGreaterThan(10);
    expect(new Set(onTime).size).toBe(intervals + 1);
  });

  test('Prometheus takes both formats, and at every moment each row has exactly one verdict', async () => {
    expect(exec(null, ['promtool', 'check', 'metrics'], get(`${watching.url}/metrics`))).toBe('');
    const open = get(`${watching.url}/metrics`, '-H', 'accept: application/openmetrics-text');
    const parse = `
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
print(len([sample for family in text_string_to_metric_families(sys.stdin.read()) for sample in family.samples]))`;
    expect(Number(exec(null, ['/usr/bin/python3', '-c', parse], open))).toBeGreaterThan(30);
    const query = (expression: string): { metric: Record<string, string>; values: [number, string][] }[] => {
      const end = Date.now() / 1000;
      const url = `http://127.0.0.1:${prometheusPort}/api/v1/query_range?query=${encodeURIComponent(expression)}&start=${end - 120}&end=${end}&step=1`;
      return (JSON.parse(get(url)) as { data: { result: ReturnType<typeof query> } }).data.result;
    };
    const sums = query('sum by (row) (xenreach_row_verdict)');
    expect(new Set(sums.map(({ metric }) => metric['row']))).toEqual(new Set(['row-1', 'row-2', 'row-3']));
    for (const { values } of sums) {
      expect(values.length).toBeGreaterThan(10);
      expect(new Set(values.map(([, value]) => value))).toEqual(new Set(['1']));
    }
    expect(query('xenreach_row_verdict{verdict="fail"} == 1')).toHaveLength(3);
    expect(query('max(xenreach_incidents)')[0]?.values.some(([, value]) => value === '1')).toBe(true);
  });

  test('a test notice goes to each, and says which did not take it', async () => {
    const run = (): string => {
      try {
        return exec(lab.client.namespace, [
          process.execPath,
          'src/main.ts',
          'notify',
          'test',
          '--config',
          join(folder.path, 'watch.yaml'),
        ]);
      } catch (error) {
        return `${String((error as { status: unknown }).status)} ${String((error as { stdout: unknown }).stdout)}`;
      }
    };
    expect(run()).toMatch(/^1 ok {4}alertmanager .*\nok {4}email ops@.*\nFAIL {2}email deaf@example\.test: /);
    expect(alerts()).toMatchObject([{ labels: { alertname: 'XenreachTest' } }]);
    await expect.poll(() => mails(), { timeout: patienceMs }).toContain('Subject: xenreach: TEST test: a test');
  });
});
