/** A pair file as people mishandle it: what is wrong, where, and what to do; and nothing of the key. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { parsePair, readPair } from '../../src/load/pair.ts';
import { UsageError } from '../../src/model/errors.ts';
import type { Pair } from '../../src/model/pair.ts';
import { runMain } from '../support/run-main.ts';

const now = new Date('2026-11-25T12:00:00Z');
const key = 'k'.repeat(43);
const pair: Pair = {
  ...{ schema: 'xenreach.pair/1', key, host: 'log01', addresses: ['192.0.2.9'], roles: ['syslog-server'] },
  until: '2026-11-25T12:15:00.000Z',
  bound: { udp: [514], tcp: [] },
  held: { udp: [], tcp: [] },
};
const text = JSON.stringify(pair);
const line = Buffer.from(text).toString('base64url');
const folder = mkdtempSync(join(tmpdir(), 'xenreach-pair-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('it is taken as JSON and as the line to paste, with whatever an editor leaves around it', () => {
  for (const source of [text, JSON.stringify(pair, null, 2), line, ` ${line}\n`])
    expect(parsePair(source, 'p', now)).toEqual(pair);
});

const faults: readonly (readonly [what: string, source: string, message: RegExp])[] = [
  ['nothing', ' \n', /^p: is empty; it holds what `xenreach respond` gave out$/],
  ['a line that was cut', line.slice(0, -40), /^p: the pair is cut short: copy all/],
  ['a file that was cut', text.slice(0, -10), /^p: the pair is cut short: copy all/],
  ['another text', 'hello there', /^p: is no pair; give what `xenreach respond` printed/],
  [
    'a later version',
    JSON.stringify({ ...pair, schema: 'xenreach.pair/2' }),
    /has the schema "xenreach\.pair\/2", which this xenreach does not know; it reads xenreach\.pair\/1, so take the same version/,
  ],
  ['a report', JSON.stringify({ schema: 'xenreach.report/1' }), /is no pair: its "schema" is "xenreach\.report\/1"/],
  [
    'one that is over',
    JSON.stringify({ ...pair, until: '2026-11-25T11:59:00.000Z' }),
    /the responder on log01 ended at 2026-11-25T11:59:00\.000Z, and it is 2026-11-25T12:00:00\.000Z by this machine's clock; start `xenreach respond`/,
  ],
  ['no address', JSON.stringify({ ...pair, addresses: ['log01'] }), /"log01" among its addresses is no address/],
  [
    'a port that is none',
    JSON.stringify({ ...pair, bound: { udp: [70_000], tcp: [] } }),
    /^p:\/bound\/udp\/0: .*a port from 1 to 65535/,
  ],
  ['a key that is short', JSON.stringify({ ...pair, key: 'abc' }), /^p:\/key: .*32 bytes as base64url/],
];

test.for(faults)('is refused: %s', ([, source, message]) => {
  expect(() => parsePair(source, 'p', now)).toThrow(UsageError);
  expect(() => parsePair(source, 'p', now)).toThrow(message);
});

test('whatever it holds, it is a pair or one sentence, which has nothing of a whole key', () => {
  const changed = fc
    .tuple(fc.nat(text.length), fc.string())
    .map(([at, piece]) => text.slice(0, at) + piece + text.slice(at + 1));
  fc.assert(
    fc.property(fc.oneof(fc.string(), changed), (source) => {
      try {
        parsePair(source, 'p', now);
      } catch (error) {
        expect(error).toBeInstanceOf(UsageError);
        expect(String(error)).not.toContain(key);
      }
    }),
  );
});

test('one that others can read is told', () => {
  const file = join(folder, 'open.json');
  writeFileSync(file, text, { mode: 0o600 });
  expect(readPair(file, now).warning).toBeNull();
  chmodSync(file, 0o644);
  expect(readPair(file, now).warning).toBe(`${file} can be read by others, and holds a key: chmod 600 ${file}`);
});

describe('on the command line', () => {
  const site = join(folder, 'site.yaml');
  writeFileSync(site, 'roles: { syslog-server: 127.0.0.9 }\n');
  const write = (name: string, content: string): string => {
    writeFileSync(join(folder, name), content, { mode: 0o600 });
    return join(folder, name);
  };
  const check = (...args: readonly string[]) =>
    runMain(['check', '--site', site, '--row', 'syslog', '--timeout', '300ms', ...args]);
  const until = new Date(Date.now() + 60_000).toISOString();
  const fresh = { ...pair, until };

  test('a bad one ends in 2, before anything is sent', async () => {
    const { exitCode, stderr, stdout } = await check('--pair', write('cut.json', text.slice(0, -5)));
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/cut\.json: the pair is cut short/);
  });

  test('one of another host is told, and the check goes on', async () => {
    const { exitCode, stderr } = await check('--pair', write('other.json', JSON.stringify(fresh)));
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      'the pair of log01 (192.0.2.9) was not used: no check of this run goes to a port that it names',
    );
  });

  test('two for one port are told', async () => {
    const at = { ...fresh, addresses: ['127.0.0.9'] };
    const one = write('one.json', JSON.stringify(at));
    const two = write('two.json', JSON.stringify({ ...at, key: 'j'.repeat(43) }));
    const { stderr } = await check('--pair', one, '--pair', two);
    expect(stderr).toContain('two pairs say that they hold udp 514 of 127.0.0.9: the one that ends later is believed');
    expect(stderr).toContain('the responder on 127.0.0.9 could not be asked');
  });

  test('--both without a pair is a mistake', async () => {
    const { exitCode, stderr } = await check('--both');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('--both has the other end probe back: name its pair with --pair FILE');
  });

  test('the site and the environment may hold it too, and a plan names the files', async () => {
    write('kept.json', JSON.stringify(fresh));
    writeFileSync(site, 'roles: { syslog-server: 127.0.0.9 }\npairs: [kept.json]\n');
    expect((await check()).stderr).toContain('the pair of log01 (192.0.2.9) was not used');
    const planned = await runMain(['plan', '--site', site, '--row', 'syslog', '--format', 'json']);
    const { inputs } = JSON.parse(planned.stdout) as { inputs: { files: readonly { as: string; path: string }[] } };
    expect(inputs.files).toContainEqual({ as: 'pair', path: join(folder, 'kept.json'), note: null });
    writeFileSync(site, 'roles: { syslog-server: 127.0.0.9 }\n');
    process.env['XENREACH_PAIR'] = Buffer.from(JSON.stringify({ ...fresh, host: 'pasted' })).toString('base64url');
    expect((await check()).stderr).toContain('the pair of pasted (192.0.2.9) was not used');
    delete process.env['XENREACH_PAIR'];
  });
});
