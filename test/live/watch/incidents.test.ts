/**
 * A real watch on a network of its own: a firewall that drops one host, a link that is down, a restart, signals. What is
 * told is read at a real receiver.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Event } from '../../../src/watch/event.ts';
import { exec, filterAt, makeLab, setFirewall, whyNotLive, type Lab } from '../../support/netns.ts';
import { patienceMs } from '../../support/patience.ts';
import type { Server } from '../../support/servers.ts';
import { startPorts } from '../../support/servers/ports.ts';
import { startReceiver, type Receiver } from '../../support/servers/receiver.ts';
import {
  portsSite,
  portsSpec,
  startWatching,
  watchFolder,
  type Watching,
  type WatchFolder,
} from '../../support/watching.ts';

const rowCount = 12;
const ofBig = 9;

describe.skipIf(whyNotLive('nft') !== null)('a watch on a network of its own', () => {
  let lab: Lab<'big' | 'other' | 'third'>;
  let folder: WatchFolder;
  let receiver: Receiver;
  let watching: Watching;
  const servers: Server[] = [];

  const config = (recheck: string): string => `
site: site.yaml
every: 5s
confirm: { runs: 3, recheck: ${recheck} }
listen: 127.0.0.1:0
history: { file: history.db }
notify: [{ webhook: 'http://127.0.0.1:8080/hook', secretFile: key }]
`;
  const start = (): Promise<Watching> =>
    startWatching(
      ['--config', join(folder.path, 'watch.yaml'), '--spec', join(folder.path, 'spec.yaml'), '--timeout', '1s'],
      { namespace: lab.client.namespace },
    );
  const events = (): Event[] => receiver.received() as Event[];
  const told = (): string[] => events().map(({ type, cause, rows }) => `${type} ${cause.kind} ${rows.length}`);
  const get = (path: string): string => exec(lab.client.namespace, ['curl', '-s', `${watching.url}${path}`]);

  beforeAll(async () => {
    lab = makeLab(['big', 'other', 'third']);
    folder = watchFolder();
    const ports = Array.from({ length: rowCount }, (_, i) => 9001 + i);
    const { big, other, third } = lab.hosts;
    const hosts = ports.map((_, i) => (i < ofBig ? big : i === ofBig ? other : third).address);
    folder.put('site.yaml', portsSite(hosts));
    folder.put('spec.yaml', portsSpec(rowCount));
    folder.put('key', 'a secret of the tests\n');
    folder.put('watch.yaml', config('1s'));
    servers.push(...(await Promise.all([big, other, third].map((host) => startPorts(host, ports)))));
    receiver = await startReceiver(lab.client, 8080);
    watching = await start();
  });

  afterAll(async () => {
    watching?.signal('SIGKILL');
    await watching?.ended;
    await Promise.all([...servers, receiver].map((server) => server?.stop()));
    lab?.[Symbol.dispose]();
    folder?.[Symbol.dispose]();
  });

  test('a host that is dropped is one event with its nine rows, and one when it is back', async () => {
    await expect.poll(() => get('/metrics'), { timeout: patienceMs }).toMatch(/xenreach_rows\{verdict="pass"\} 12/);
    setFirewall(lab.router, filterAt('forward', `ip daddr ${lab.hosts.big.address} drop`));
    await expect.poll(told, { timeout: 40_000 }).toEqual([`opened host ${ofBig}`]);
    const [opened] = events();
    expect(opened).toMatchObject({
      schema: 'xenreach.event/1',
      site: 'ports-site',
      rows: [{ was: 'pass', now: 'fail' }, ...Array.from({ length: ofBig - 1 }, () => ({}))],
    });
    expect(opened?.cause.text).toContain(`nothing comes`);
    expect(opened?.cause.text).toContain(lab.hosts.big.address);
    expect(get('/firewall.csv').trimEnd().split('\n')).toHaveLength(1 + ofBig);
    setFirewall(lab.router, filterAt('forward'));
    await expect.poll(told, { timeout: 40_000 }).toEqual([`opened host ${ofBig}`, `closed host ${ofBig}`]);
    expect(events()[1]?.incident).toBe(opened?.incident);
  });

  test('the own link that is down is one incident of this vantage, and none of a row', async () => {
    const before = told().length;
    exec(lab.client.namespace, ['ip', 'link', 'set', 'eth0', 'down']);
    await expect.poll(() => told().slice(before), { timeout: 40_000 }).toEqual([`opened vantage ${rowCount}`]);
    exec(lab.client.namespace, ['ip', 'link', 'set', 'eth0', 'up']);
    exec(lab.client.namespace, ['ip', 'route', 'replace', '10.91.0.0/16', 'via', '10.91.0.1']);
    await expect
      .poll(() => told().slice(before), { timeout: 40_000 })
      .toEqual([`opened vantage ${rowCount}`, `closed vantage ${rowCount}`]);
  });

  test('a broken file at SIGHUP changes nothing but what the page says; a good one is taken', async () => {
    folder.put('watch.yaml', `${config('1s')}evry: 1m\n`);
    watching.signal('SIGHUP');
    await expect.poll(() => get('/'), { timeout: patienceMs }).toMatch(/are not taken.*unknown key &#34;evry&#34;/);
    expect(get('/healthz')).toMatch(/^ok/);
    folder.put('watch.yaml', `${config('2s')}rows: { row-1: 7s }\n`);
    watching.signal('SIGHUP');
    await expect.poll(() => get('/row/row-1'), { timeout: patienceMs }).toContain('looked at every 7 s');
    expect(get('/')).not.toContain('are not taken');
  });

  test('a host that dies while nobody watches is told after the restart, and the downtime is a gap', async () => {
    const before = told().length;
    watching.signal('SIGTERM');
    const began = performance.now();
    expect(await watching.ended).toEqual({ code: 0, signal: null });
    expect(performance.now() - began).toBeLessThan(5000);
    setFirewall(lab.router, filterAt('forward', `ip daddr ${lab.hosts.other.address} drop`));
    // Longer than an interval, so that a round is missed.
    await new Promise((resolve) => setTimeout(resolve, 6000));
    watching = await start();
    await expect.poll(() => told().slice(before), { timeout: 40_000 }).toEqual(['opened row 1']);
    expect(get('/')).toContain('xenreach did not run');
    const history = exec(lab.client.namespace, [
      process.execPath,
      'src/main.ts',
      'history',
      '--config',
      join(folder.path, 'watch.yaml'),
    ]);
    expect(history).toMatch(/gap {3}\S+, \d+ s: xenreach did not run/);
    expect(history).toMatch(/OPEN {2}\S+, \d+ m?s: .*row-10/);
  });

  test('a second watch on the same history does not start, and says who has it', () => {
    const args = [
      'src/main.ts',
      'watch',
      '--config',
      join(folder.path, 'watch.yaml'),
      '--spec',
      join(folder.path, 'spec.yaml'),
    ];
    expect(() => exec(lab.client.namespace, [process.execPath, ...args])).toThrow(
      new RegExp(`another run holds .*process ${watching.pid}`),
    );
  });
});
