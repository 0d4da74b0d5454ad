/** A machine that stands still (a snapshot of the VM, a stopped process) blames nobody for the time that it lost. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { parseCheck } from '../support/report-schema.ts';
import { runXenreach } from '../support/run-xenreach.ts';

/** Longer than an attempt may take. */
const [timeout, stallMs] = ['5s', 6000];
const stepMs = 100;

let server: Server | undefined;
afterEach(() => void server?.close());

/** A server that is asked when the stall is over: without its time back, the attempt has none left for the answer. */
async function startSlowServer(onConnection: () => void): Promise<number> {
  server = createServer((socket) => {
    onConnection();
    socket.on('error', () => undefined);
    socket.once('data', () => setTimeout(() => socket.write('world\n'), stepMs));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

test('a stall in the middle of a conversation fails nothing, and invents no lost packet', async () => {
  let kill: (signal: NodeJS.Signals) => void = () => undefined;
  const port = await startSlowServer(() => {
    kill('SIGSTOP');
    setTimeout(() => kill('SIGCONT'), stallMs);
  });
  const options = ['--set', 'send=hello', '--set', 'expect=world', '--timeout', timeout, '--format', 'json'];
  const ran = await runXenreach(['probe', 'tcp', `127.0.0.1:${port}`, ...options], {
    onStart: (given) => (kill = given),
  });
  expect(parseCheck(JSON.parse(ran.stdout))).toMatchObject({ outcome: 'answered', verdict: 'pass', notes: [] });
  expect(ran.durationMs).toBeGreaterThan(stallMs);
});
