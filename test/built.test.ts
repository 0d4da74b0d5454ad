/** The program as it is shipped: built, beside its specs, and away from the checkout. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { probes } from '../src/cli/registry.ts';
import { loadSpec } from '../src/load/spec.ts';

const folder = mkdtempSync(join(tmpdir(), 'xenreach-built-'));
const dist = join(folder, 'dist/src');
const xenreach = (...argv: readonly string[]): string =>
  execFileSync(process.execPath, [join(dist, 'main.js'), ...argv], { cwd: folder, encoding: 'utf8', stdio: 'pipe' });

beforeAll(() => {
  execFileSync('node_modules/.bin/rolldown', ['-c', 'rolldown.config.ts', '-d', dist], { stdio: 'pipe' });
  for (const name of ['package.json', 'specs']) cpSync(name, join(folder, name), { recursive: true });
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

test('its version is the one of the package.json above it', () => {
  expect(xenreach('--version')).toBe(`${/"version": "(.+)"/.exec(readFileSync('package.json', 'utf8'))?.[1]}\n`);
});

test('the spec that it was built with is the one that the YAML holds', async () => {
  expect(JSON.parse(readFileSync(join(dist, 'xenserver-8.json'), 'utf8'))).toEqual(
    await loadSpec('xenserver-8', probes),
  );
});

test('whoever changes the YAML of the package gets what it says', () => {
  expect(xenreach('spec')).toContain('XenServer 8 connectivity requirements');
  const yaml = join(folder, 'specs/xenserver-8.yaml');
  appendFileSync(yaml, '\nmistake: true\n');
  expect(() => xenreach('spec')).toThrow('unknown key "mistake"');
});

test('the licenses of what is inside lie beside it', () => {
  expect(readFileSync(join(dist, 'licenses.txt'), 'utf8')).toMatch(/^valibot\n\nMIT License[^]+\nyaml\n\nCopyright/);
});
