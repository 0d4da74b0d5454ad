/** Four megabytes of anything end in a sentence, before the library has made a thousand times as much of it. */
import { expect, test } from 'vitest';
import { parseYaml } from '../../src/load/yaml.ts';
import { UsageError } from '../../src/model/errors.ts';

const size = 4_000_000;

test.for([
  ['{}', 'not valid YAML'],
  [']', 'not valid YAML'],
  ['[,,,,,,,', 'nested too deeply|not valid YAML|words and signs'],
  ['[', 'nested too deeply'],
  ['{"a":', 'nested too deeply'],
  ['- ', 'nested too deeply'],
  ['? ', 'nested too deeply'],
  ['&a ', 'words and signs'],
  ['!a ', 'words and signs'],
  ['*a ', 'words and signs|not valid YAML'],
  ['"a" ', 'words and signs|not valid YAML'],
  ['---\n', '200000 lines|second document'],
  ['...\n', '200000 lines'],
  ['%a\n', '200000 lines|directives'],
  ['#\n', '200000 lines'],
  ['- 10.0.0.1\n', '200000 lines|words and signs'],
  ['a: ', 'nested too deeply|not valid YAML'],
] as const)('%j without end', async ([piece, told]) => {
  const before = process.memoryUsage().heapUsed;
  const error: unknown = await parseYaml(piece.repeat(size / piece.length), 'a.yaml').catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(UsageError);
  expect(String(error)).toMatch(new RegExp(`^UsageError: a\\.yaml.*(?:${told})`));
  expect(String(error).length).toBeLessThan(3000);
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(150_000_000);
});

test.for([
  ['%a\n---\nb: 1\n', /1:1 directives/],
  ['a: 1\n---\nb: 1\n', /2:1 a second document begins here/],
  ['a: 1\n]\n', /2:1 not valid YAML/],
] as const)('%j is told where it stands', async ([text, told]) => {
  await expect(parseYaml(text, 'a.yaml')).rejects.toThrow(told);
});

test('what is large and sound is read', async () => {
  const hosts = Array.from({ length: 50_000 }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
  expect((await parseYaml(hosts.map((host) => `- ${host}\n`).join(''), 'a.yaml')).value).toEqual(hosts);
});
