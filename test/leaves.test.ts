/** Leaves speak for themselves: what plans, runs, judges and reports names no probe, no reporter and no product. */
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { expect, test } from 'vitest';
import { probes } from '../src/check/registry.ts';
import { reporters } from '../src/report/index.ts';

const centre = ['plan', 'run', 'judge', 'merge', 'report', 'cli'];

/** The list of each, and the file of a reporter itself. */
const isRegistry = (file: string): boolean => /\/(?:index|registry)\.ts$/.test(file);
const isReporter = (file: string): boolean => file.startsWith('src/report/') && basename(file, '.ts') in reporters;

const products = ['XenServer', 'XCP-ng', 'XenCenter', 'Citrix', 'xapi', 'winbind', 'chrony', 'Samba'];

/** Names of probes and reporters that are words of the model as well: transports, stages, layers, a key of the site. */
const words = new Set(['tcp', 'udp', 'tls', 'resolve', 'dns', 'firewall']);

/** These print text, JSON and Markdown of their own: no report of a check. */
const ownFormats = new Set(['csv', 'text', 'json', 'ndjson', 'markdown']);
const others = ['probe', 'spec', 'discover', 'diff', 'respond', 'receipts', 'fleet'].map(
  (name) => `src/cli/${name}.ts`,
);
const printers = new Set([...others, 'src/report/changes.ts', 'src/report/differences.ts']);

/** `discover --xapi` asks the pool, which is called so, and not the probe. */
const asksPool = (file: string, name: string): boolean =>
  name === 'xapi' && ['src/cli/discover.ts', 'src/cli/options.ts'].includes(file);

test('no file of the centre names a probe', () => {
  const names = Object.keys(probes).filter((name) => !words.has(name));
  expect(naming(names, () => true)).toEqual([]);
});

test('no file of the centre names a reporter', () => {
  const names = Object.keys(reporters).filter((name) => !words.has(name));
  const isPrinter = (file: string): boolean => printers.has(file);
  expect(naming(names, (file) => !isReporter(file) && !isPrinter(file))).toEqual([]);
  expect(
    naming(
      names.filter((name) => !ownFormats.has(name)),
      isPrinter,
    ),
  ).toEqual([]);
});

/** Quoted, as a key is compared: `check.probe === 'ntp'`. */
function naming(names: readonly string[], isHeld: (file: string) => boolean): string[] {
  return globSync(`src/{${centre.join(',')}}/**/*.ts`)
    .filter((file) => !isRegistry(file) && isHeld(file))
    .flatMap((file) => {
      const code = withoutComments(readFileSync(file, 'utf8'));
      return names
        .filter((name) => code.includes(`'${name}'`) && !asksPool(file, name))
        .map((name) => `${file} names ${name}`);
    });
}

const withoutComments = (text: string): string => text.replaceAll(/\/\*\*?[^]*?\*\/|^\s*\/\/.*$|\s\/\/ .*$/gm, '');

test('no file of the centre names a product', () => {
  const named = globSync(`src/{${centre.join(',')}}/**/*.ts`).flatMap((file) => {
    const code = withoutComments(readFileSync(file, 'utf8'));
    return products
      .filter((product) => new RegExp(product, 'i').test(code) && !asksPool(file, product))
      .map((product) => `${file} names ${product}`);
  });
  expect(named).toEqual([]);
});
