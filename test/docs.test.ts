/** The documents say what is so: whatever can be held against the program is. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { commands } from '../src/cli/index.ts';
import { options } from '../src/cli/options.ts';
import { probes } from '../src/check/registry.ts';
import { isOfPair, pairHints } from '../src/judge/explain-pair.ts';
import { verdictOf, verdictTable } from '../src/judge/table.ts';
import { parseSite } from '../src/load/site.ts';
import { loadSpec } from '../src/load/spec.ts';
import { outcomes, type Hint, type Outcome, type Stage } from '../src/model/outcome.ts';
import type { Transport } from '../src/model/probe.ts';
import { makePlan } from '../src/plan/plan.ts';
import { reporters } from '../src/report/index.ts';
import { page, probesPage } from './support/make-docs.ts';

interface Package {
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly files: readonly string[];
}

const read = (file: string): string => readFileSync(file, 'utf8');
const { dependencies, devDependencies, scripts, files } = JSON.parse(read('package.json')) as Package;
const readme = read('README.md');
const documents = globSync(['*.md', 'docs/**/*.md', 'test/README.md']).toSorted();

test('docs/probes.md is what the probes say (node --run docs makes it anew)', async () => {
  expect(read(page)).toBe(await probesPage());
});

test('test/README.md maps to tests that there are', () => {
  const cells = [...read('test/README.md').matchAll(/^\| .+ \| (.+) \|$/gm)].map(([, cell = '']) => cell);
  const named = [...cells.join('\n').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name.replace('<name>', '*'));
  expect(named.length).toBeGreaterThan(20);
  const missing = named.filter((name) => [name, `test/${name}`].every((path) => globSync(path).length === 0));
  expect(missing).toEqual([]);
});

test('every dependency has its line in CONTRIBUTING.md, and no other has', () => {
  const section = /\n## Dependencies\n(.+?)\n## /s.exec(read('CONTRIBUTING.md'))?.[0] ?? '';
  const told = [...section.matchAll(/^- `([^`]+)`: \S/gm)].map(([, name = '']) => name);
  expect(told.toSorted()).toEqual([...Object.keys(dependencies), ...Object.keys(devDependencies)].toSorted());
});

test('the table of docs/verdicts.md is the one that judges', () => {
  const lines = [...read('docs/verdicts.md').matchAll(/^\| `([a-z-]+)`(?:, (tcp|udp) ?([a-z]*))? +\|[^|]+\|(.+)\|$/gm)];
  expect(new Set(lines.map(([, outcome]) => outcome))).toEqual(new Set(outcomes));
  for (const [, outcome, transport, stage, cells = ''] of lines) {
    const seen = { outcome: outcome as Outcome, stage: (stage || null) as Stage | null, hint: null, warnings: [] };
    const side = transport === 'udp' ? 'udp' : 'tcp';
    const verdicts = [
      verdictOf(seen, side, 'service', { expect: 'open' }),
      verdictOf(seen, side, 'path', { expect: 'open' }),
      verdictOf(seen, side, 'service', { expect: 'shut' }),
    ];
    expect([outcome, stage, cells.split('|').map((cell) => cell.trim())]).toEqual([outcome, stage, verdicts]);
  }
});

test('so are its lines for two ends, each in its own place', () => {
  const pattern = /^\| `([a-z-]+)`(?: (tcp|udp))?, `([a-z-]+)`(, one-way need)?( \(capture\))? +\|[^|]+\|(.+)\|$/gm;
  const lines = [...read('docs/verdicts.md').matchAll(pattern)];
  expect(new Set(lines.map(([, , , hint]) => hint))).toEqual(new Set(pairHints));
  expect(lines).toHaveLength(verdictTable.filter(({ hint }) => isOfPair(hint ?? null)).length);
  for (const [line, outcome, transport = 'tcp', hint, oneWay, capture, cells = ''] of lines) {
    const evidence = { pair: { proof: capture ? 'capture' : 'receipt' } };
    const judged = { outcome: outcome as Outcome, stage: null, hint: hint as Hint, warnings: [], evidence };
    const verdicts = (['service', 'path', 'shut'] as const).map((column) =>
      verdictOf(judged, transport as Transport, column === 'path' ? 'path' : 'service', {
        expect: column === 'shut' ? 'shut' : 'open',
        oneWay: oneWay !== undefined,
      }),
    );
    expect([line, ...cells.split('|').map((cell) => cell.trim())]).toEqual([line, ...verdicts]);
  }
});

test('the site in the README is a good one, and gives work', async () => {
  const source = /```yaml\n(# site\.yaml\n.+?)```/s.exec(readme)?.[1] ?? '';
  const spec = await loadSpec('xenserver-8', probes);
  const site = await parseSite(source, 'README.md', spec);
  const selection = { as: ['xenserver-host'], rows: [], sections: [], roles: [] };
  const plan = makePlan({ spec, site, vantage: { hostname: 'here', addresses: [] }, selection, probes });
  expect(plan.checks.length).toBeGreaterThan(10);
});

test('the README knows every command and every format', () => {
  expect(Object.keys(commands).filter((name) => !new RegExp(String.raw`\b${name}\b`).test(readme))).toEqual([]);
  expect(Object.keys(reporters).filter((name) => !readme.includes(`\`${name}\``))).toEqual([]);
});

/** Options of docker, npm, git, node and of the benchmarks that the documents name. */
const foreign = new Set([
  'global',
  'list',
  'network',
  'project',
  'rm',
  'run',
  'rounds',
  'scale',
  'compare',
  'json',
  'max-semi-space-size',
  'min-semi-space-size',
  'allow-fs-read',
  'allow-fs-write',
  'allow-net',
  'allow-worker',
  'armor',
  'build-arg',
  'data-binary',
  'detach-sign',
  'provenance',
  'disable-sigusr',
  'permission',
  'use-openssl-ca',
]);

test.for(documents)('%s names only options and scripts that there are', (document) => {
  const text = read(document);
  const given = [...text.matchAll(/(?<![\w-])--([a-z][a-z-]+)/g)].map(([, name = '']) => name);
  expect(given.filter((name) => !(name in options) && !foreign.has(name))).toEqual([]);
  const run = [...text.matchAll(/(?:node --run|npm run(?: -s)?) ([\w:-]+)/g)].map(([, name = '']) => name);
  expect(run.filter((name) => !(name in scripts))).toEqual([]);
});

test.for(documents)('the links of %s lead somewhere', (document) => {
  const links = [...read(document).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, link = '']) => link);
  const local = links.filter((link) => !/^[a-z]+:/.test(link));
  expect(local.filter((link) => !existsSync(join(dirname(document), link)))).toEqual([]);
});

test('the package holds what the Dockerfile copies from a build, and what the program loads', () => {
  const dockerfile = read('Dockerfile');
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, names = '']) => names.split(' '));
  expect(copied.filter((name) => !existsSync(name))).toEqual([]);
  const ignored = read('.dockerignore').split('\n');
  expect(copied.filter((name) => !ignored.includes(`!${name}`))).toEqual([]);
  expect(files).toEqual(expect.arrayContaining(['dist/src', 'specs']));
});
