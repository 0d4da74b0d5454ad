/** A fleet with Debian's nats-server: as its users start it, with what is killed, forged, replayed and wrong in between. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer as createWebServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { globSync } from 'node:fs';
import { setTimeout as after } from 'node:timers/promises';
import { connect, nkeyAuthenticator } from '@nats-io/transport-node';
import { jetstreamManager } from '@nats-io/jetstream';
import { describe, expect, test } from 'vitest';
import { makeAuthority } from '../../src/lab/certificate.ts';
import { connectBus } from '../../src/fleet/bus.ts';
import { newKey } from '../../src/fleet/keys.ts';
import { aliveSubject, inboxOf, reportSubject } from '../../src/fleet/layout.ts';
import { pushSite } from '../../src/fleet/operator.ts';
import { signRevision } from '../../src/fleet/revision.ts';
import type { Report } from '../../src/model/report.ts';
import { hasServer, OpenPort, TestFleet, until } from '../support/fleet.ts';
import { runXenreach } from '../support/run-xenreach.ts';

const [lon, par] = ['lon-pool-1', 'par-pool-1'];
const fakeTime = globSync('/usr/lib/*/faketime/libfaketime.so.1')[0];

/** Two ports that answer, on which the two rows of the license server are checked. */
async function doors(): Promise<{ readonly ports: readonly [number, number]; readonly all: readonly OpenPort[] }> {
  const all = [new OpenPort(), new OpenPort()];
  for (const door of all) await door.open();
  return { ports: [all[0]!.port, all[1]!.port], all };
}

const isPassing = ({ verdicts }: { readonly verdicts: Readonly<Record<string, number>> | null }): boolean =>
  verdicts?.['pass'] === 2;

describe.skipIf(!hasServer)('with nats-server', { timeout: 180_000 }, () => {
  test('two sites, three agents, one hub: a revision reaches its own site alone, and there is one picture', async () => {
    await using fleet = await TestFleet.make();
    const { ports, all } = await doors();
    await fleet.add(lon, 'xs-lon-01', 'xs-lon-02');
    await fleet.add(par, 'xs-par-01');
    const hub = await fleet.hub();
    const agents = [fleet.agent(lon, 'xs-lon-01'), fleet.agent(lon, 'xs-lon-02'), fleet.agent(par, 'xs-par-01')];
    await until(
      'all are there',
      () => fleet.status(),
      (now) => now.every(({ presence }) => presence === 'present'),
    );
    const pushed = await fleet.push(fleet.site(lon, ports));
    expect(pushed.stdout).toBe(`${lon}: revision 1 is there for xs-lon-01, xs-lon-02\n`);
    await until(
      'lon follows it',
      () => fleet.status(),
      (now) => now.filter(isPassing).length === 2,
      10_000,
    );
    expect((await fleet.status()).map(({ revision }) => revision)).toEqual([1, 1, 0]);
    await fleet.push(fleet.site(par, ports));
    await until(
      'par too',
      () => fleet.status(),
      (now) => now.every(isPassing),
    );
    const { stdout } = await fleet.run('status');
    expect(stdout).toMatch(/xs-lon-01 {2}present {2}2 pass, 46 skipped {2}revision 1\n[^]*3 of 3 agents present\n$/);

    const url = `http://127.0.0.1:${fleet.pages}/report.json?site=${lon}`;
    const report = await until(
      'one picture',
      async () => (await (await fetch(url)).json()) as Report,
      ({ merged }) => merged?.length === 2,
    );
    expect(report.rows).toHaveLength(48);
    expect(report.rows.find(({ id }) => id === 'license-initial')).toMatchObject({
      verdict: 'pass',
      coverage: { have: 2, of: 2 },
    });
    // A port is closed: the next report is a whole one, and it is an incident of each vantage.
    await all[0]!.close();
    await until(
      'it is told',
      () => hub.log(),
      (log) => log.split(`FAIL ${lon}`).length === 3,
    );
    const asked = await fleet.run('run', lon, '--row', 'license-initial');
    expect({ code: asked.exitCode, lines: asked.stdout }).toEqual({
      code: 0,
      lines: 'xs-lon-01: a round begins\nxs-lon-02: a round begins\n',
    });
    expect((await fleet.run('run', lon)).stdout).toContain('looks no more often');
    await agents[2]!.kill('SIGTERM');
    const nobody = await fleet.run('run', par);
    expect(nobody).toMatchObject({ exitCode: 1, stdout: 'xs-par-01: is not there\n' });
    expect(nobody.durationMs).toBeLessThan(5000);
    const began = performance.now();
    await hub.kill('SIGTERM');
    expect(performance.now() - began).toBeLessThan(9000);
    expect(hub.log()).not.toMatch(/rejected|refuses/);
    await all[1]!.close();
  });

  test('an agent can do its own things and nothing else, and a stranger nothing at all', async () => {
    await using fleet = await TestFleet.make();
    await fleet.add(lon, 'xs-lon-01');
    await fleet.add(par, 'xs-par-01');
    await fleet.hub();
    await fleet.push(fleet.site(lon, [1, 2]), fleet.site(par, [1, 2]));
    const { seed, ca, url } = fleet.agentLogin(lon, 'xs-lon-01');
    const thief = await connect({
      servers: url,
      tls: { ca },
      authenticator: nkeyAuthenticator(new TextEncoder().encode(seed)),
      inboxPrefix: inboxOf.agent(lon, 'xs-lon-01'),
    });
    const refused: string[] = [];
    void (async () => {
      for await (const status of thief.status()) if (status.type === 'error') refused.push(status.error.message);
    })();
    const publishes = [
      reportSubject(lon, 'xs-lon-02'),
      reportSubject(par, 'xs-par-01'),
      aliveSubject(par, 'xs-par-01'),
      `xr.do.${lon}.xs-lon-01`,
      `xr.do.${par}.xs-par-01`,
      `$KV.xr-sites.${lon}`,
      `$JS.API.DIRECT.GET.KV_xr-sites.$KV.xr-sites.${par}`,
      `$JS.API.CONSUMER.CREATE.KV_xr-sites.mine.$KV.xr-sites.${par}`,
      `$JS.API.CONSUMER.CREATE.KV_xr-sites.mine.$KV.xr-sites.${lon}`,
      '$JS.API.STREAM.INFO.KV_xr-sites',
      '$JS.API.CONSUMER.CREATE.XR-REPORTS.mine',
      '$JS.API.STREAM.MSG.GET.XR-REPORTS',
      '$JS.API.STREAM.DELETE.XR-REPORTS',
      '$JS.API.STREAM.PURGE.XR-REPORTS',
      '$JS.API.STREAM.CREATE.MINE',
      '$JS.ACK.XR-REPORTS.hub.1.1.1.1.1',
      '$SYS.REQ.SERVER.PING',
      '_INBOX.hub.forged',
    ];
    for (const subject of publishes) thief.publish(subject, '{}');
    const reads = ['>', 'xr.report.>', `xr.do.${par}.xs-par-01`, '_INBOX.>', '_INBOX.hub.>', `$KV.xr-sites.${par}`];
    for (const subject of reads) thief.subscribe(subject, { callback: () => undefined });
    await thief.flush();
    await until(
      'all of it is refused',
      () => refused.length,
      (count) => count >= publishes.length + reads.length,
    );
    const missing = [...publishes, ...reads].filter(
      (subject) => !refused.some((text) => text.includes(`"${subject}"`)),
    );
    expect(missing).toEqual([]);
    expect(refused.every((text) => /permissions violation/i.test(text))).toBe(true);
    // What is its own it may.
    const own = await connectBus(fleet.agentLogin(lon, 'xs-lon-01'));
    expect(new TextDecoder().decode((await own.site(lon))!)).toContain(`"site":"${lon}"`);
    await own.close();
    await thief.close();

    const stranger = { ...fleet.agentLogin(lon, 'xs-lon-01'), seed: (await newKey()).seed };
    await expect(connectBus(stranger)).rejects.toThrow('the server does not know this key');
    const otherCa = { ...fleet.agentLogin(lon, 'xs-lon-01'), ca: makeAuthority('somebody').certificate };
    await expect(connectBus(otherCa)).rejects.toThrow('not from the authority of this fleet');
    const byAddress = { ...fleet.agentLogin(lon, 'xs-lon-01'), url: `tls://127.0.0.1:${fleet.port}` };
    await expect(connectBus(byAddress)).rejects.toThrow('names an address');
    const file = fleet.path(`${lon}-xs-lon-01/agent.yaml`);
    writeFileSync(file, readFileSync(file, 'utf8').replace('tls://localhost:', 'tls://127.0.0.1:'));
    const ran = await runXenreach(['agent', '--config', file]);
    expect(ran).toMatchObject({ exitCode: 2 });
    expect(ran.stderr).toContain('names an address, and the server');
    // Its key is taken from it.
    await fleet.run('remove', par, 'xs-par-01');
    await until(
      'it is let in no more',
      () => connectBus(fleet.agentLogin(par, 'xs-par-01')).then((bus) => bus.close().then(() => 'let in'), String),
      (text) => text.includes('does not know this key'),
    );
  });

  test('the hub cannot write a revision, and what it could do to the bus makes no agent do anything', async () => {
    await using fleet = await TestFleet.make();
    await fleet.hub();
    const { seed, ca, url } = fleet.login(fleet.path('fleet/hub/hub.key'), inboxOf.hub);
    const authenticator = nkeyAuthenticator(new TextEncoder().encode(seed));
    const hub = await connect({ servers: url, tls: { ca }, authenticator, inboxPrefix: inboxOf.hub });
    const refused: string[] = [];
    void (async () => {
      for await (const status of hub.status()) if (status.type === 'error') refused.push(status.error.message);
    })();
    for (const subject of [`$KV.xr-sites.${lon}`, reportSubject(lon, 'xs-lon-01'), aliveSubject(lon, 'xs-lon-01')])
      hub.publish(subject, '{}');
    await hub.flush();
    await until(
      'each is refused',
      () => refused.length,
      (count) => count >= 3,
    );
    expect(refused.every((text) => /permissions violation/i.test(text))).toBe(true);
    await hub.close();
  });

  test('a revision that is not to be believed is refused and told, and the last good one goes on', async () => {
    await using fleet = await TestFleet.make();
    const { ports, all } = await doors();
    await fleet.add(lon, 'xs-lon-01');
    const file = fleet.path(`${lon}-xs-lon-01/agent.yaml`);
    writeFileSync(file, readFileSync(file, 'utf8').replace('- any', '- 127.0.0.0/8'));
    await fleet.hub();
    const agent = fleet.agent(lon, 'xs-lon-01');
    const siteFile = fleet.site(lon, ports);
    const first = (await fleet.run('sign', siteFile, '--config', fleet.path('every.yaml'))).stdout.trim();
    const second = (await fleet.run('sign', siteFile, '--config', fleet.path('every.yaml'))).stdout.trim();
    const bus = await fleet.operatorBus();
    const put = (text: string): Promise<void> => pushSite(bus, lon, text, ['xs-lon-01']);
    await put(second);
    await until(
      'it is followed',
      () => fleet.status(),
      ([one]) => one?.revision === 2 && isPassing(one),
    );
    const operator = {
      seed: readFileSync(fleet.path('fleet/operator.key'), 'utf8').trim(),
      name: JSON.parse(second).by,
    };
    const { signature: _, schema: __, by: ___, ...good } = JSON.parse(second);
    const sign = (change: object): Promise<string> => signRevision({ ...good, number: 9, ...change }, operator);
    const outside = fleet.site(lon, ports, '').replace(/$/, '');
    const far = readFileSync(outside, 'utf8').replace('127.0.0.1', '192.0.2.7');
    const cases: readonly (readonly [string, string])[] = [
      [JSON.stringify({ ...JSON.parse(second), signature: undefined, number: 9 }), 'the revision is not signed'],
      [await signRevision({ ...good, number: 9 }, await newKey()), "none of this agent's operators"],
      [second.replace('"number":2', '"number":9'), 'does not hold: the revision was changed on its way'],
      [first, 'revision 1 is older than 2, which is followed'],
      [await sign({ site: par }), `the revision is for the site ${par}`],
      [await sign({ yaml: far }), 'it wants 192.0.2.7, which reach: of this agent does not allow'],
      [await sign({ yaml: 'name: other\n' }), 'revision 9: '],
      [await sign({ yaml: `${good.yaml}\nnonsense: 1\n` }), 'unknown key "nonsense"'],
      [await sign({ watch: { every: 5, rows: { 'no-such-row': 60 } } }), 'it names the row no-such-row'],
      [await sign({ watch: { every: 1 } }), 'every'],
      [await sign({ spec: { ...good.spec, sha256: '0'.repeat(64) } }), 'it was made for another xenserver-8'],
      ['{}', 'the revision is not signed'],
    ];
    for (const [revision, why] of cases) {
      await put(revision);
      const [one] = await until(
        `refused: ${why}`,
        () => fleet.status(),
        ([now]) => now?.refused?.includes(why) === true,
        15_000,
      );
      expect(one).toMatchObject({ revision: 2, presence: 'present' });
    }
    expect((await fleet.run('status')).stdout).toContain(
      '    refuses the newest revision: the revision is not signed\n',
    );
    // Over a restart, and then a good one.
    await agent.kill('SIGKILL');
    fleet.agent(lon, 'xs-lon-01');
    await until(
      'by the last good one',
      () => fleet.status(),
      ([now]) => now?.revision === 2 && now.refused !== null,
    );
    await put(await sign({ number: 10 }));
    await until(
      'the good one',
      () => fleet.status(),
      ([now]) => now?.revision === 10 && now.refused === null,
    );
    await bus.close();
    for (const door of all) await door.close();
  });

  test('whatever is killed, each acknowledged run is in the history once', async () => {
    await using fleet = await TestFleet.make();
    const { ports, all } = await doors();
    const names = ['a', 'b', 'c'];
    await fleet.add(lon, ...names);
    let hub = await fleet.hub();
    await fleet.push(fleet.site(lon, ports));
    const agents = names.map((name) => fleet.agent(lon, name));
    await until(
      'all pass',
      () => fleet.status(),
      (now) => now.every(isPassing),
    );
    let kills = 0;
    const end = performance.now() + 30_000;
    while (performance.now() < end) {
      // Every round is another: what is killed in the middle of is a whole report as often as not.
      await (kills % 2 === 0 ? all[0]!.close() : all[0]!.open());
      if (kills % 2 === 0) process.kill(fleet.serverPid(), 'SIGKILL');
      else {
        await hub.kill('SIGKILL');
        hub = await fleet.hub();
      }
      kills += 1;
      await after(1500 + 500 * (kills % 3));
    }
    expect(kills).toBeGreaterThan(5);
    for (const agent of agents) await agent.kill('SIGTERM');
    const revived = names.map((name) => fleet.agent(lon, name));
    await until(
      'nothing waits',
      () => names.map((name) => fleet.outbox(lon, name).waiting),
      (waiting) => waiting.every((count) => count === 0),
    );
    for (const agent of revived) await agent.kill('SIGTERM');
    await until(
      'nothing waits',
      () => names.map((name) => fleet.outbox(lon, name).waiting),
      (all3) => all3.every((count) => count === 0),
    );
    const acknowledged = names.flatMap((name) =>
      globSync(fleet.path(`${lon}-${name}/state/outbox/sent/*`)).map(
        (file) => `${lon}/${name}/${JSON.parse(readFileSync(file, 'utf8').split('\n')[0]!).id}`,
      ),
    );
    expect(acknowledged.length).toBeGreaterThan(15);
    const stored = await until(
      'all are stored',
      () => fleet.ask('SELECT digest FROM run').map(({ digest }) => String(digest)),
      (found) => found.length >= acknowledged.length,
    );
    expect(new Set(stored).size).toBe(stored.length);
    expect(stored.toSorted()).toEqual(acknowledged.toSorted());
    await all[1]!.close();
    if (kills % 2 === 0) await all[0]!.close();
  });

  test('while the server is away rounds go on, and then all of them are there, in order and without a gap', async () => {
    await using fleet = await TestFleet.make();
    const { ports, all } = await doors();
    await fleet.add(lon, 'xs-lon-01');
    let hub = await fleet.hub();
    await fleet.push(fleet.site(lon, ports));
    fleet.agent(lon, 'xs-lon-01');
    await until(
      'it passes',
      () => fleet.status(),
      ([one]) => one !== undefined && isPassing(one),
    );
    // The hub ends the server with it.
    await hub.kill('SIGTERM');
    const before = fleet.ask('SELECT count(*) AS n FROM run')[0]!['n'] as number;
    await until(
      'runs wait',
      () => fleet.outbox(lon, 'xs-lon-01').waiting,
      (waiting) => waiting >= 6,
      60_000,
    );
    hub = await fleet.hub();
    await until(
      'they are sent',
      () => fleet.outbox(lon, 'xs-lon-01').waiting,
      (waiting) => waiting === 0,
      60_000,
    );
    await until(
      'they are there',
      () => fleet.ask('SELECT count(*) AS n FROM run')[0]!['n'] as number,
      (n) => n >= before + 6,
    );
    const times = fleet.ask('SELECT at FROM run ORDER BY id').map(({ at }) => Number(at));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    // As they were made, five seconds apart, and not as they came in.
    const apart = times.slice(1).map((at, i) => at - times[i]!);
    expect(Math.max(...apart)).toBeLessThan(11_000);
    const spans = fleet.ask("SELECT verdict, until - since AS ms FROM span WHERE row = 'license-initial'");
    expect(spans).toHaveLength(1);
    expect(fleet.ask('SELECT * FROM gap')).toEqual([]);
    for (const door of all) await door.close();
  });

  test.skipIf(fakeTime === undefined)(
    'a clock that is wrong is shown and harmless; who is killed is stale once',
    async () => {
      await using fleet = await TestFleet.make();
      const { ports, all } = await doors();
      const told: { readonly id: string; readonly type: string }[] = [];
      const receiver = createWebServer((request, response) => {
        let body = '';
        request.on('data', (data: Buffer) => (body += data.toString()));
        request.on('end', () => {
          told.push({ id: String(request.headers['webhook-id']), type: JSON.parse(body).type });
          response.end();
        });
      });
      await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
      const hook = (receiver.address() as AddressInfo).port;
      fleet.put('hook.key', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
      const notify = `notify: [{ webhook: 'http://127.0.0.1:${hook}/', secretFile: hook.key }]\n`;
      fleet.put('hub.yaml', `${readFileSync(fleet.path('hub.yaml'), 'utf8')}${notify}`);
      await fleet.add(lon, 'right', 'wrong');
      await fleet.hub();
      await fleet.push(fleet.site(lon, ports));
      fleet.agent(lon, 'right');
      const wrong = fleet.agent(lon, 'wrong', { LD_PRELOAD: fakeTime!, FAKETIME: '-4m', DONT_FAKE_MONOTONIC: '1' });
      const now = await until(
        'both pass',
        () => fleet.status(),
        (both) => both.every(isPassing),
      );
      expect(now[1]!.skewMs).toBeLessThan(-230_000);
      expect((await fleet.run('status')).stdout).toContain("its clock is 4 min behind the server's");
      const page = `http://127.0.0.1:${fleet.pages}/`;
      await until(
        'the page tells',
        async () => (await fetch(page)).text(),
        (text) => /clock is 4 min\s+behind/.test(text) || text.includes('clock is 4 min behind'),
      );
      const runs = fleet.ask('SELECT at FROM run').map(({ at }) => Number(at));
      expect(Math.max(...runs) - Math.min(...runs)).toBeLessThan(60_000);
      await wrong.kill('SIGKILL');
      await until(
        'it is stale',
        () => told,
        (events) => events.some(({ type }) => type === 'stale'),
        40_000,
      );
      const picture = (await (await fetch(`${page}report.json?site=${lon}`)).json()) as Report;
      expect(picture.rows.find(({ id }) => id === 'license-initial')).toMatchObject({
        verdict: 'unverified',
        coverage: { have: 1, of: 2, missing: ['wrong'] },
      });
      await after(12_000);
      expect(told.map(({ type }) => type)).toEqual(['stale']);
      receiver.close();
      for (const door of all) await door.close();
    },
  );

  test('what is no good is rejected once, and nothing of it is known', async () => {
    await using fleet = await TestFleet.make();
    await fleet.add(lon, 'xs-lon-01');
    const hub = await fleet.hub();
    const bus = await connectBus(fleet.agentLogin(lon, 'xs-lon-01'));
    const subject = reportSubject(lon, 'xs-lon-01');
    const id = '01M89FS4AJJV0RN9QY2JEDWP74';
    const words = { 'Xr-Kind': 'full', 'Xr-Verdicts': '', 'Xr-Every': '5', 'Xr-Age-Ms': '0' };
    await bus.publish(subject, Buffer.from('no gzip'), id, words);
    await bus.publish(subject, Buffer.from('{}'), '01M89FS4AJJV0RN9QY2JEDWP75', { ...words, 'Xr-Kind': 'beat' });
    await bus.publish(subject, Buffer.from('{}'), 'another id', words);
    await until(
      'each is told',
      () => hub.log().match(/is rejected:/g)?.length ?? 0,
      (count) => count === 3,
    );
    // It is not asked for again.
    const operator = await connect({
      servers: `tls://localhost:${fleet.port}`,
      tls: { ca: fleet.agentLogin(lon, 'xs-lon-01').ca },
      authenticator: nkeyAuthenticator(readFileSync(fleet.path('fleet/operator.key')).subarray(0, 58)),
      inboxPrefix: inboxOf.operator,
    });
    const manager = await jetstreamManager(operator);
    const consumers = await manager.consumers.list('XR-REPORTS').next();
    expect(consumers.map(({ num_ack_pending, num_pending }) => [num_ack_pending, num_pending])).toEqual([[0, 0]]);
    expect(fleet.ask('SELECT * FROM run')).toEqual([]);
    await operator.close();
    await bus.close();
  });
});

test('without a server there is one sentence', async () => {
  await using fleet = await TestFleet.make();
  const args = ['hub', '--fleet', fleet.path('fleet'), '--config', fleet.path('hub.yaml')];
  const ran = await runXenreach([...args, '--nats', 'tls://127.0.0.1:4222']);
  expect(ran).toMatchObject({ exitCode: 2, stdout: '' });
  expect(ran.stderr).toMatch(/^xenreach: tls:\/\/127\.0\.0\.1:4222: names an address.*\n$/);
});
