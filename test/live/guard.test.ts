/** Live tests are left out where they cannot run, which must not happen unseen where it counts. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { whyNotLive } from '../support/netns.ts';
import { cache } from '../support/servers.ts';

const list = readFileSync(new URL('../support/debian-packages.txt', import.meta.url), 'utf8');
const packages = list
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => line.split(' ') as [name: string, file: string, tree?: string]);

test('live tests run, and all of them in CI', ({ skip }) => {
  const missing = packages.filter(
    ([, file, tree]) => globSync(tree === undefined ? file : join(cache, tree, file)).length === 0,
  );
  const names = missing.map(([name]) => name);
  const reason = whyNotLive() ?? (names.length > 0 ? `not installed: ${names.join(' ')} (sh .ci/setup servers)` : null);
  if (process.env['CI'] === undefined) skip(reason !== null, reason ?? '');
  expect(reason).toBeNull();
});
