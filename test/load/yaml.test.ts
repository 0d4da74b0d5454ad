/** What a file may not be, or hold, whatever it is for. */
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { firstOf, show } from '../../src/load/faults.ts';
import { readFile } from '../../src/load/read-file.ts';
import { parseYaml } from '../../src/load/yaml.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

test.for<[about: string, source: string | Uint8Array, message: string]>([
  ['nothing', '', 'a.yaml:1:1 is empty; write at least one key'],
  ['comments only', '# a\n# b\n', 'a.yaml:1:1 is empty; write at least one key'],
  ['a tab', 'a:\n\tb: 1\n', 'a.yaml:2:1 a tab cannot indent; use spaces'],
  ['two documents', 'a: 1\n---\nb: 2\n', 'a.yaml:2:1 a second document begins here; keep one document in a file'],
  ['a tag', 'a: !secret b\n', 'a.yaml:1:4 tags (!...) are not used here; remove it'],
  ['a key twice', 'a: 1\nb: 2\n"a": 3\n', 'a.yaml:3:1 the key "a" is here a second time; keep one of them'],
  ['a list as a key', '? [a]\n: b\n', 'a.yaml:1:1 a key must be a word, not a list or a mapping'],
  ['a key that every object has', 'a:\n  __proto__: 1\n', 'a.yaml:2:3 unknown key "__proto__"'],
  ['infinity', 'a: .inf\n', 'a.yaml:1:4 .inf is not a number that can be used here'],
  ['an alias to nothing', 'a: *b\n', 'a.yaml:1:4 the alias "*b" has no anchor "&b" before it'],
  ['an alias to what it is in', 'a: &b [*b]\n', 'a.yaml:1:8 the alias "*b" has no anchor "&b" before it'],
  ['a bracket too few', 'a: [1, 2\n', 'a.yaml:2:1 not valid YAML: Flow sequence in block collection must be'],
  ['a NUL', 'a: 1\nb: \0\n', 'a.yaml:2:1 is a binary file (it holds a NUL); give a text file'],
  ['Latin-1', bytes(0x61, 0x3a, 0x20, 0xe9), 'a.yaml:1:1 is not UTF-8 text; save it as UTF-8'],
  ['UTF-16', Buffer.from('﻿a: 1', 'utf16le'), 'a.yaml:1:1 is not UTF-8 text; save it as UTF-8'],
  ['more than 4 MiB', `a: ${'b'.repeat(4 * 1024 * 1024)}`, 'a.yaml: is larger than 4 MiB; give a smaller file'],
  ['too many values', `[${'1,'.repeat(100_001)}]`, 'holds more than 100000 values; keep it smaller'],
  ['deep lists', `${'['.repeat(50)}${']'.repeat(50)}`, 'a.yaml:1:42 is nested too deeply; at most 40 levels are read'],
])('%s is refused', async ([, source, message]) => {
  await expect(parseYaml(source, 'a.yaml')).rejects.toThrow(message);
});

test('aliases that grow without end are refused in no time', async () => {
  const levels = Array.from({ length: 30 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(10)}]`);
  await expect(parseYaml(`a0: &a0 [1]\n${levels.join('\n')}`, 'a.yaml')).rejects.toThrow(
    'holds more than 100000 values',
  );
});

test('lists that are deep enough to exhaust the stack are refused', async () => {
  await expect(parseYaml('['.repeat(100_000), 'a.yaml')).rejects.toThrow(
    /^a\.yaml:1:\d+ is nested too deeply; at most 40 levels are read$/,
  );
});

test('an alias is its anchor, and a place inside it is found', async () => {
  const document = await parseYaml('a: &x { port: 1 }\nb: *x\n', 'a.yaml');
  expect(document.value).toEqual({ a: { port: 1 }, b: { port: 1 } });
  expect(document.positionOf(['b', 'port'])).toBe('1:15');
  expect(document.positionOf(['b', 'port', 'deeper'])).toBe('1:15');
  expect(document.positionOf(['b'], true)).toBe('2:1');
});

test('a number as a key is its digits', async () => {
  await expect(parseYaml('{ 111: 1, 0x6f: 2, true: 3 }', 'a.yaml')).resolves.toHaveProperty('value', {
    '111': 1,
    '0x6f': 2,
    true: 3,
  });
});

test('JSON comes out as it went in', async () => {
  const json = fc.dictionary(
    fc.string().filter((key) => !(key in {})),
    fc.jsonValue({ maxDepth: 4 }),
    { minKeys: 1 },
  );
  await fc.assert(
    fc.asyncProperty(json, async (value) => {
      const text = JSON.stringify(value);
      fc.pre(!/"(?:__proto__|prototype|constructor|toString|valueOf)"/.test(text));
      await expect(parseYaml(text, 'a.json')).resolves.toHaveProperty('value', JSON.parse(text));
    }),
  );
});

describe('a file', () => {
  test.for([
    ['fixtures/none.yaml', 'fixtures/none.yaml: there is no such file; check the name'],
    ['fixtures', 'fixtures: is a directory; give a file in it'],
    ['/dev/zero', '/dev/zero: is larger than 4 MiB; give a smaller file'],
    ['a\0b', 'cannot be read (ERR_INVALID_ARG_VALUE)'],
  ])('%s is refused', ([file = '', message = '']) => {
    expect(() => readFile(file)).toThrow(message);
  });

  test('is read whole', () => {
    const file = join(tmpdir(), `xenreach-${process.pid}.yaml`);
    onTestFinished(() => rmSync(file));
    writeFileSync(file, 'a: 1\n');
    expect(Buffer.from(readFile(file)).toString()).toBe('a: 1\n');
  });
});

test('after twenty faults the rest is counted', () => {
  const lines = Array.from({ length: 23 }, (_, i) => String(i));
  expect(firstOf(lines)).toEqual([...lines.slice(0, 20), 'and 3 more']);
});

test.for([
  [null, 'nothing'],
  [[1], 'a list'],
  [{}, 'a mapping'],
  [true, 'true'],
  ['a\u001b[31m', '"a\\u001b[31m"'],
  ['http://user:pass/w@rd@host:80', '"http://***@host:80"'],
])('%j in a message is %s', ([value, text]) => {
  expect(show(value)).toBe(text);
});
