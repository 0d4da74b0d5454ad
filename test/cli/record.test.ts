/** xenreach probe --record FILE: the file appears when there was a conversation, and only then. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openPeer } from '../../src/lab/peer.ts';
import { ntpServer } from '../../src/lab/peers/ntp.ts';
import { Listeners } from '../../src/net/listeners.ts';
import { runMain } from '../support/run-main.ts';

const folder = mkdtempSync(join(tmpdir(), 'xenreach-record-'));
const listeners = new Listeners();
afterAll(async () => {
  await listeners.close();
  rmSync(folder, { recursive: true });
});

test('a conversation is kept, with its answer and what was random', async () => {
  const file = join(folder, 'ntp.json');
  const port = await openPeer(listeners, '127.0.0.1', ntpServer());
  const { exitCode, stderr } = await runMain(['probe', 'ntp', `127.0.0.1:${port}`, '--record', file]);
  expect([exitCode, stderr]).toEqual([0, '']);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
    options: { maxStratum: 15 },
    random: [expect.stringMatching(/^[0-9a-f]{16}$/)],
    steps: [{ send: expect.stringMatching(/^23/), reply: expect.stringMatching(/^24/) }],
    answer: { outcome: 'answered', evidence: { stratum: 2 } },
  });
});

test('silence leaves no file, and says why', async () => {
  const file = join(folder, 'silence.json');
  const port = await openPeer(listeners, '127.0.0.1', { udp: () => undefined });
  const { exitCode, stderr } = await runMain([
    'probe',
    'ntp',
    `127.0.0.1:${port}`,
    '--record',
    file,
    '--timeout',
    '300ms',
  ]);
  expect([exitCode, existsSync(file)]).toEqual([3, false]);
  expect(stderr).toContain(`nothing came back, so there is no conversation to keep in ${file}`);
  expect(readdirSync(folder)).not.toContain('silence.json');
});

test.for([
  [['--record', folder], `--record: ${folder} is a folder; name a file in it`],
  [
    ['--record', join(folder, 'x'), '--proxy', 'http://127.0.0.1:3128'],
    '--record keeps what a server itself says; leave out the proxy',
  ],
] as const)('%j is refused before anything is sent', async ([args, why]) => {
  const { exitCode, stderr } = await runMain(['probe', 'https', '127.0.0.1:9', ...args]);
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining(why)]);
});
