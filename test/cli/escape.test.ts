/** What files, names, peers and arguments hold reaches a terminal or a log escaped, through whatever command it goes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { runMain } from '../support/run-main.ts';
import { live, payloads } from '../support/payloads.ts';
import { listening } from '../support/real-io.ts';

const folder = mkdtempSync(join(tmpdir(), 'xenreach-escape-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Half a character is none in a file. */
const cases = Object.entries(payloads).map(([name, text]): [string, string] => [name, text.toWellFormed()]);

function file(name: string, content: unknown): string {
  writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  return join(folder, name);
}

const spec = (text: string): object => ({
  id: 'mine',
  title: text,
  revision: text,
  source: { title: text, product: text, sha256: '0'.repeat(64) },
  sections: { ports: text },
  roles: { a: { title: text }, b: { title: text } },
  facts: { f: { title: text, default: text } },
  rows: [
    {
      id: 'row',
      section: 'ports',
      source: { table: text, row: 1 },
      from: 'a',
      to: 'b',
      purpose: text,
      note: text,
      when: { f: text },
      needs: [{ probe: 'tcp', ports: [1], note: text }],
    },
  ],
});

async function expectInert(args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await runMain(args);
  expect(stdout + stderr).not.toBe('');
  expect(live.exec(stdout + stderr)?.[0]).toBeUndefined();
  return stdout;
}

describe.for(cases)('%s', ([, text]) => {
  test('in the faults of a site', async () => {
    const sites = [
      { name: text, roles: { 'ntp-server': text } },
      { roles: { [text]: '10.0.0.1' } },
      { [text]: 1 },
      { vantage: [text], facts: { [text]: text, 'https-only': text } },
      { roles: { 'ntp-server': `http://${text}` } },
      { roles: { 'domain-controller': { domain: text } }, dns: { query: text, type: text } },
      { names: { [text]: [text] }, 'not-used': [text] },
      { proxy: { url: text, username: text, passwordFile: text } },
      { spec: text },
      { spec: `./${text}`, trust: [text] },
      { trust: [text], roles: { 'ntp-server': '10.0.0.1' } },
    ];
    for (const site of sites) await expectInert(['plan', '--site', file('site.yaml', site)]);
    await expectInert(['plan', '--site', file('alias.yaml', `roles: *x${text.replaceAll(/\s/g, '')}\n`)]);
    await expectInert(['plan', '--site', file('broken.yaml', `${text}: [\n`)]);
    await expectInert(['plan', '--site', file('quoted.yaml', `"${text}`)]);
  });

  test('in the faults of a spec, in spec, spec show and their JSON', async () => {
    const mine = file('spec.yaml', spec(text));
    await expectInert(['spec', '--spec', mine]);
    await expectInert(['spec', 'show', 'row', '--spec', mine]);
    const json = await expectInert(['spec', 'show', 'row', '--spec', mine, '--format', 'json']);
    expect(JSON.parse(json)).toMatchObject({ purpose: text });
    await expectInert(['spec', '--spec', file('bad.yaml', { ...spec('x'), [text]: text })]);
  });

  test('in an argument', async () => {
    const lines = [
      ['check', '--site', text],
      ['check', `--${text}`],
      [text],
      ['plan', '--row', text, '--site', file('empty.yaml', { name: 'x' })],
      ['probe', text, 'x'],
      ['probe', 'tcp', text],
      ['probe', 'tcp', `${text}:1`],
      ['probe', 'dns', '127.0.0.1', '--set', `query=${text}`],
      ['check', '--output', `json=/none/${text}`],
      ['check', '--output', text],
      ['check', '--format', text],
      ['check', '--proxy', text],
      ['check', '--ca', text],
      ['spec', 'show', text],
      ['help', text],
    ];
    // A NUL and a half character cannot stand in an argument.
    for (const line of lines) await expectInert(line);
  });
});

describe('what a peer says', () => {
  test.for(cases)('%s', async ([, text]) => {
    await using server = await listening((socket) => socket.end(`SSH-2.0-${text}\r\n`));
    for (const format of ['text', 'json', 'ndjson']) {
      const args = ['probe', 'ssh', `127.0.0.1:${server.port}`, '--format', format, '--log-level', 'trace'];
      const { stdout, stderr } = await runMain(args);
      expect(live.exec(stdout + stderr)?.[0]).toBeUndefined();
      if (format !== 'text') expect(() => void JSON.parse(stdout)).not.toThrow();
    }
  });
});
