/** A responder on a production host: strangers get nothing, nobody gets much, and it is gone when it should be. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tagWith } from '../../src/net/crypto.ts';
import { encodeRequest, newRequest } from '../../src/wire/pair.ts';
import { checkSite } from '../support/check-site.ts';
import { exec, filterAt, makeLab, on, setFirewall, whyNotLive, type Lab } from '../support/netns.ts';
import { kinds, python, startResponder, type Kind, type Running } from '../support/respond.ts';
import { runXenreach } from '../support/run-xenreach.ts';

const roles = ['cluster-member', 'wlb-appliance'];

describe.skipIf(whyNotLive(python) !== null)('a responder', () => {
  let lab: Lab<'server' | 'other'>;

  beforeAll(() => {
    lab = makeLab(['server', 'other']);
  });

  afterAll(() => lab?.[Symbol.dispose]());

  const site = () => ({
    roles: {
      ...Object.fromEntries(roles.map((role) => [role, lab.hosts.server.address])),
      'xenserver-host': lab.client.address,
    },
  });
  const start = (kind: Kind, ...args: readonly string[]): Promise<Running> =>
    startResponder(lab.hosts.server, site(), { kind, roles, args });
  const open = (): string => exec(lab.hosts.server.namespace, ['ss', '-Hlntu']);

  /** A script on the client; what it prints is JSON. */
  async function onClient(script: string, ...args: readonly string[]): Promise<Record<string, number>> {
    const [program, ...rest] = on(lab.client.namespace, [
      process.execPath,
      '--input-type=module',
      '-e',
      script,
      ...args,
    ]);
    const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
    let printed = '';
    child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    await once(child, 'close');
    return JSON.parse(printed) as Record<string, number>;
  }

  const residentMiB = ({ child }: Running): number =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024;

  test.for(kinds)('%s: gives strangers no byte, however many they are, and lives', async (kind) => {
    await using responder = await start(kind);
    const { udp, tcp } = responder.pair.bound;
    const flood = () =>
      onClient(
        `import { createSocket } from 'node:dgram';
       import { connect } from 'node:net';
       import { randomBytes } from 'node:crypto';
       const [address, udp, tcp] = [process.argv[1], JSON.parse(process.argv[2]), JSON.parse(process.argv[3])];
       let got = 0, sent = 0;
       const socket = createSocket('udp4').on('message', (message) => (got += message.length));
       const junk = () => {
         const bytes = randomBytes(1 + Math.floor(Math.random() * 1400));
         if (Math.random() < 0.5) bytes.write('XRP1');
         return bytes;
       };
       for (const port of udp)
         for (let i = 0; i < 10_000; i += 1) {
           await new Promise((done) => socket.send(junk(), port, address, done));
           sent += 1;
         }
       const one = (port) => new Promise((done) => {
         const stream = connect(port, address, () => stream.write(Buffer.concat([Buffer.of(0, 128), randomBytes(128)])));
         stream.on('data', (chunk) => (got += chunk.length)).on('error', () => undefined).on('close', done);
         sent += 1;
       });
       for (const port of tcp) for (let i = 0; i < 20; i += 1) await Promise.all(Array.from({ length: 50 }, () => one(port)));
       setTimeout(() => { console.log(JSON.stringify({ got, sent })); process.exit(); }, 300);`,
        ...[lab.hosts.server.address, JSON.stringify(udp), JSON.stringify(tcp)],
      );
    const first = await flood();
    // The first one makes room in V8's heap, once; what a second one adds would go on.
    const before = residentMiB(responder);
    const second = await flood();
    const sent = udp.length * 10_000 + tcp.length * 1000;
    expect([first, second]).toEqual([
      { got: 0, sent },
      { got: 0, sent },
    ]);
    expect(residentMiB(responder) - before).toBeLessThan(5);
    const { row } = await checkSite(lab.client, site(), {
      args: ['--pair', responder.pairFile, '--row', 'clustering-udp'],
    });
    expect(row('clustering-udp').verdict).toBe('pass');
  });

  test.for(kinds)(
    '%s: answers a datagram that is sent again and again three times, and never with more bytes',
    async (kind) => {
      await using responder = await start(kind);
      const nonce = new Uint8Array(16).fill(3);
      const tag = tagWith(Buffer.from(responder.pair.key, 'base64url'));
      const message = encodeRequest(newRequest({ type: 'probe', transport: 'udp', port: 5405, nonce }), tag);
      const { replies, longest } = await onClient(
        `import { createSocket } from 'node:dgram';
       const [address, hex] = process.argv.slice(1);
       let replies = 0, longest = 0;
       const socket = createSocket('udp4').on('message', (m) => { replies += 1; longest = Math.max(longest, m.length); });
       for (let i = 0; i < 30; i += 1) await new Promise((done) => socket.send(Buffer.from(hex, 'hex'), 5405, address, done));
       setTimeout(() => { console.log(JSON.stringify({ replies, longest })); process.exit(); }, 500);`,
        ...[lab.hosts.server.address, Buffer.from(message).toString('hex')],
      );
      expect(replies).toBe(3);
      expect(longest).toBeLessThanOrEqual(message.length);
    },
  );

  test.for(kinds)('%s: answers with --from only whoever is named', async (kind) => {
    await using responder = await start(kind, '--from', '10.91.2.0/24');
    const args = ['--pair', responder.pairFile, '--row', 'clustering-udp', '--timeout', '1s'];
    const stranger = await checkSite(lab.client, site(), { args });
    expect(stranger.row('clustering-udp').verdict).not.toBe('pass');
    const named = await checkSite(lab.hosts.other, site(), { args });
    expect(named.row('clustering-udp').verdict).toBe('pass');
  });

  test.for(kinds)('%s: ends by its time, with nothing left', async (kind) => {
    const responder = await start(kind, '--for', '1s');
    expect(open()).toContain(':5405');
    expect((await responder.ended).exitCode).toBe(0);
    expect(open()).toBe('');
  });

  test.for(kinds)('%s: ends when whoever should come was seen', async (kind) => {
    const responder = await start(kind, '--until-seen', '--for', '1m');
    const { row } = await checkSite(lab.client, site(), {
      args: ['--pair', responder.pairFile, '--row', 'clustering-udp'],
    });
    expect(row('clustering-udp').verdict).toBe('pass');
    const { exitCode, stdout } = await responder.ended;
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ ended: 'seen' });
  });

  test('ends with its standard input, as with the connection that it was started over', async () => {
    const responder = await start('node');
    const at = performance.now();
    responder.child.stdin?.end();
    const { exitCode, stdout } = await responder.ended;
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ ended: 'input' });
    expect(performance.now() - at).toBeLessThan(1000);
    expect(open()).toBe('');
  });

  test('is not ended by a standard input that was at its end from the start', async () => {
    const argv = ['respond', '--site', '-', '--as', 'cluster-member', '--for', '1500ms', '--format', 'json'];
    const { namespace } = lab.hosts.server;
    const ran = await runXenreach(argv, { namespace, input: JSON.stringify(site()) });
    expect(ran.exitCode).toBe(0);
    expect(JSON.parse(ran.stdout)).toMatchObject({ ended: 'time' });
  });

  test('in Python, whose standard input is the program itself, ends when nobody reads its output', async () => {
    const responder = await start('python');
    responder.child.stdout?.destroy();
    responder.child.stderr?.destroy();
    expect((await responder.ended).exitCode).toBe(0);
    expect(open()).toBe('');
  });

  test.for(kinds)('%s: that dies in the middle leaves a whole report, which says so', async (kind) => {
    const responder = await start(kind);
    setFirewall(lab.hosts.server, filterAt('input', 'udp dport 5405 drop'));
    const running = checkSite(lab.client, site(), {
      args: ['--pair', responder.pairFile, '--row', 'clustering-udp', '--row', 'clustering-tcp', '--timeout', '3s'],
    });
    setTimeout(() => responder.child.kill('SIGKILL'), 1500);
    const { report, ran, row } = await running;
    setFirewall(lab.hosts.server, '');
    expect(report.complete).toBe(true);
    expect(row('clustering-tcp').verdict).toBe('pass');
    expect(row('clustering-udp')).toMatchObject({ verdict: 'unverified' });
    expect(ran.stderr).toContain(`the responder on ${lab.hosts.server.address} could not be asked`);
  });

  test('that may not bind a port ends with 1 and says what to do', async () => {
    const argv = ['respond', '--site', '-', '--as', 'syslog-server', '--for', '5s'];
    const ran = await runXenreach(argv, {
      namespace: lab.hosts.server.namespace,
      input: JSON.stringify({ roles: { 'syslog-server': lab.hosts.server.address } }),
      wrap: ['setpriv', '--bounding-set=-net_bind_service', '--inh-caps=-net_bind_service'],
    });
    expect(ran.stderr).toMatch(
      /udp 514 is free and could not be bound \(EACCES\): run as root, or grant CAP_NET_BIND_SERVICE/,
    );
    expect(ran.exitCode).toBe(1);
  });
});
