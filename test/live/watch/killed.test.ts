/**
 * Killed at random, fifty times, while it checks and while reports come in: what was acknowledged is there, the file is
 * sound, spans follow each other, the time in between is a gap, and nobody is told twice.
 */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { existsSync } from 'node:fs';
import type { Event } from '../../../src/watch/event.ts';
import { Door, portsSite, portsSpec, startWatching, watchFolder, type WatchFolder } from '../../support/watching.ts';
import { sampleReport } from '../../watch/sample.ts';

const kills = 50;
const token = '0123456789abcdef0123';
/** Longer than the interval, so that a round is missed. */
const longPauseMs = 5500;

describe.skipIf(!existsSync('/usr/bin/setpriv'))('killed fifty times', { timeout: 300_000 }, () => {
  let folder: WatchFolder;
  const door = new Door();
  const events: Event[] = [];
  let receiver: Server;

  beforeAll(async () => {
    folder = watchFolder();
    await door.open();
    receiver = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString('utf8')));
      request.on('end', () => {
        events.push(JSON.parse(body) as Event);
        response.writeHead(204).end();
      });
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    const { port } = receiver.address() as AddressInfo;
    folder.put('spec.yaml', portsSpec(4));
    // The third row never answers, so an incident is open all the time.
    folder.put(
      'site.yaml',
      portsSite(['127.0.0.1', '127.0.0.1', '127.0.0.1', '127.0.0.1'], [door.port, door.port, 1, door.port]),
    );
    folder.put('key', 'a secret of the tests\n');
    folder.put('tokens', `other-site ${token}\n`);
    folder.put(
      'watch.yaml',
      `
site: site.yaml
every: 5s
confirm: { runs: 3, recheck: 1s }
listen: 127.0.0.1:0
history: { file: history.db }
inbox: { tokens: tokens }
notify: [{ webhook: 'http://127.0.0.1:${port}/', secretFile: key }]
`,
    );
  });

  afterAll(async () => {
    receiver?.close();
    await door.close();
    folder?.[Symbol.dispose]();
  });

  const start = (): ReturnType<typeof startWatching> =>
    startWatching(['--config', join(folder.path, 'watch.yaml'), '--spec', join(folder.path, 'spec.yaml')]);

  test('nothing that was acknowledged is lost', async ({ onTestFailed }) => {
    onTestFailed(() => void process.stderr.write(JSON.stringify(events.map(({ type, cause }) => [type, cause.text]))));
    const acknowledged: number[] = [];
    let next = Date.now() - 30 * 86_400_000;
    for (let i = 0; i < kills; i += 1) {
      const watching = await start();
      const lifeMs = 30 + Math.random() * 500;
      const over = performance.now() + (i === 0 ? 6000 : lifeMs);
      while (performance.now() < over) {
        const at = (next += 1000);
        const report = sampleReport(
          [{ id: 'ntp', verdict: next % 7000 < 1000 ? 'fail' : 'pass' }],
          new Date(at).toISOString(),
          'other-site',
        );
        const answer = await fetch(`${watching.url}/inbox`, {
          method: 'POST',
          body: JSON.stringify(report),
          headers: { authorization: `Bearer ${token}` },
        });
        expect(answer.status).toBe(202);
        acknowledged.push(at + 100);
      }
      // The signal comes between two system calls of its own, wherever that is.
      watching.signal('SIGKILL');
      expect((await watching.ended).signal).toBe('SIGKILL');
      if (i % 20 === 5) await new Promise((resolve) => setTimeout(resolve, longPauseMs));
    }
    expect(acknowledged.length).toBeGreaterThan(kills);

    const db = new DatabaseSync(join(folder.path, 'history.db'));
    const all = (sql: string): Record<string, unknown>[] => db.prepare(sql).all();
    expect(all('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
    const recorded = new Set(
      all("SELECT at FROM run JOIN source ON source.id = run.source WHERE site = 'other-site'").map(({ at }) => at),
    );
    expect(acknowledged.filter((at) => !recorded.has(at))).toEqual([]);
    expect(all('SELECT count(*) AS n FROM run GROUP BY source, at HAVING n > 1')).toEqual([]);
    const overlaps = `SELECT * FROM span AS a JOIN span AS b ON a.source = b.source AND a.row = b.row
      AND a.since < b.since AND a.until > b.since`;
    expect(all(overlaps)).toEqual([]);
    const gaps = all("SELECT until - since AS ms FROM gap WHERE why = 'xenreach did not run'").map(({ ms }) =>
      Number(ms),
    );
    expect(gaps.filter((ms) => ms >= 5000).length).toBeGreaterThanOrEqual(3);
    db.close();

    const own = events
      .filter(({ site }) => site === 'ports-site')
      .map(({ type, rows }) => `${type} ${rows.map(({ id }) => id).join('+')}`);
    expect(own).toEqual(['opened row-3']);
  });

  test('it goes on with what it knew', async () => {
    const watching = await start();
    const page = await (await fetch(`${watching.url}/`)).text();
    expect(page).toContain('1 incident open');
    watching.signal('SIGTERM');
    expect(await watching.ended).toEqual({ code: 0, signal: null });
  });
});
