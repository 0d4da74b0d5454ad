/**
 * A proxy's password through proxies that repeat it wherever a peer can put text: it is in no report of any format, no
 * log, no list of processes, whatever writing it was repeated in.
 */
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { makeAuthority, soundLeaf } from '../../src/lab/certificate.ts';
import { reporters } from '../../src/report/index.ts';
import { listening, type Listening } from '../support/real-io.ts';
import { runXenreach } from '../support/run-xenreach.ts';

const username = 'svc-xs';
const password = 'Zürich+7% "&<x';
const pair = `${username}:${password}`;
const row = 'updates-repo';
const vendor = 'repo.ops.xenserver.com';

/** What a proxy may write, knowing what it was sent; each of these is searched for as well. */
const writings: readonly string[] = [
  password,
  pair,
  Buffer.from(pair).toString('base64'),
  Buffer.from(pair).toString('base64url'),
  Buffer.from(password).toString('base64'),
  Buffer.from(pair).toString('hex'),
  Buffer.from(password).toString('hex').toUpperCase(),
  encodeURIComponent(password),
  encodeURIComponent(password).replaceAll('%20', '+'),
  encodeURIComponent(password).toLowerCase(),
  JSON.stringify(password).slice(1, -1),
  password.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;'),
];

/** Long enough to be nothing else. */
const telling = writings.flatMap((text) => [text, text.slice(0, 12), text.slice(-10)]);

type Answers = (socket: Socket, sent: string) => void;

/** Wants basic credentials, and answers as told once it has them. */
const wanting = (answers: Answers): Promise<Listening> =>
  listening((socket) => {
    let head = '';
    const onData = (bytes: Buffer): void => {
      head += bytes.toString('latin1');
      if (!head.includes('\r\n\r\n')) return;
      socket.off('data', onData);
      const sent = /Proxy-Authorization: (.*)\r\n/.exec(head)?.[1];
      if (sent !== undefined) return answers(socket, sent);
      socket.end('HTTP/1.1 407 Prove it\r\nProxy-Authenticate: Basic realm="x"\r\nConnection: close\r\n\r\n');
    };
    socket.on('data', onData);
  });

const all = [...writings, ''].join(' ');
const says =
  (status: string, lines: (echo: string) => readonly string[]): Answers =>
  (socket, sent) => {
    const text = [`HTTP/1.1 ${status}`, ...lines(`${sent} ${all}`), '', `<p>${all}</p>`].join('\r\n');
    socket.end(Buffer.from(text, 'utf8'));
  };

const inspector = makeAuthority(`Inspection of ${pair}`);

/** Says yes and plays the destination itself, with the password in its certificate and in every header. */
const inspects: Answers = (socket) => {
  socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
  const { cert, key } = inspector.issue(soundLeaf(password, [vendor]));
  const secured = new TLSSocket(socket, { isServer: true, cert, key });
  secured.on('error', () => undefined);
  secured.once('data', () => {
    const lines = [
      'HTTP/1.1 302 Found',
      `Server: ${all}`,
      `Location: https://portal.test/?${encodeURIComponent(pair)}`,
    ];
    secured.end(Buffer.from([...lines, `Retry-After: ${all}`, 'Content-Length: 0', '', ''].join('\r\n'), 'utf8'));
  });
};

const hostile: readonly (readonly [string, Answers])[] = [
  ['rejects it, and says which', says('407 No', (echo) => [`Proxy-Authenticate: ${echo}`, `Server: ${echo}`])],
  [
    'sends us away with it',
    says('302 Found', (echo) => [`Location: https://${encodeURIComponent(password)}.portal.test/${echo}`]),
  ],
  ['has it in Squid’s header', says('503 No', (echo) => [`X-Squid-Error: ERR_${echo}`, `Retry-After: ${echo}`])],
  ['calls itself by it', says('400 No', (echo) => [`Server: ${echo}`])],
  ['has it in the status line', says(`500 ${pair}`, () => [])],
  ['answers with it alone', (socket, sent) => void socket.end(Buffer.from(`${sent} ${all}\r\n\r\n`, 'utf8'))],
  ['has it in a header line without a name', says('200 Fine', (echo) => [`: ${echo}`])],
  ['plays the destination', inspects],
];

test.for(hostile)('a proxy that %s', async ([, answers]) => {
  await using proxy = await wanting(answers);
  const folder = mkdtempSync(join(tmpdir(), 'xenreach-secrets-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'proxy.password'), `${password}\n`);
  writeFileSync(join(folder, 'ca.pem'), inspector.certificate);
  const site = {
    proxy: { url: `http://127.0.0.1:${proxy.port}`, username, passwordFile: 'proxy.password' },
    trust: ['ca.pem'],
  };
  writeFileSync(join(folder, 'site.yaml'), JSON.stringify(site));
  const outputs = Object.keys(reporters).flatMap((format) => [
    '--output',
    `${format}=${join(folder, `report.${format}`)}`,
  ]);
  const args = [
    'check',
    '--site',
    join(folder, 'site.yaml'),
    '--row',
    row,
    '--verbose',
    '--log-level',
    'trace',
    ...outputs,
  ];
  const seen = new Set<string>();
  const ran = await runXenreach([...args, '--timeout', '3s'], {
    onOutput: () => {
      for (const line of commandLines()) seen.add(line);
    },
  });
  expect(proxy.sockets.length).toBeGreaterThan(1);
  expect(ran.exitCode).toBeLessThan(2);
  const written = readdirSync(folder).filter((name) => name.startsWith('report.'));
  expect(written).toHaveLength(Object.keys(reporters).length);
  const told = [ran.stdout, ran.stderr, ...seen, ...written.map((name) => readFileSync(join(folder, name), 'utf8'))];
  const found = telling.filter((secret) => told.some((text) => text.includes(secret)));
  expect(found).toEqual([]);
});

function commandLines(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
      } catch {
        return '';
      }
    })
    .filter((line) => line.includes('main.ts'));
}
