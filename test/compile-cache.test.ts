/** Compiled code is kept only where nobody else can put his own. Run as a user of its own where we are root. */
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';

const module = fileURLToPath(new URL('../src/compile-cache.ts', import.meta.url));
const all = mkdtempSync(join(tmpdir(), 'xenreach-cache-'));
let home = '';

afterAll(() => rmSync(all, { recursive: true }));

beforeEach(() => {
  home = mkdtempSync(join(all, 'home-'));
});

/** The folder that is used with this environment, relative to the home of the test. */
function folderWith(env: Readonly<Record<string, string>>): string | undefined {
  const script = `import { keepCompiled } from ${JSON.stringify(module)}; console.log(keepCompiled() ?? '')`;
  const said = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    env: { PATH: process.env['PATH'], ...env },
    encoding: 'utf8',
    timeout: 20_000,
  }).trim();
  return said === '' ? undefined : said;
}

test('a home of one’s own has it', () => {
  expect(folderWith({ HOME: home })).toContain(join(home, '.cache', 'xenreach'));
  expect(folderWith({ HOME: '/nonexistent', XDG_CACHE_HOME: join(home, 'caches') })).toContain(
    join(home, 'caches', 'xenreach'),
  );
});

describe('nothing is kept, and nothing made', () => {
  test('where others can write to a folder on the way', () => {
    chmodSync(home, 0o777);
    mkdirSync(join(home, 'deep'));
    expect(folderWith({ HOME: join(home, 'deep') })).toBeUndefined();
    expect(folderWith({ XDG_CACHE_HOME: join(home, 'deep') })).toBeUndefined();
    expect(readdirSync(join(home, 'deep'))).toEqual([]);
  });

  test('where a link leads over such a folder', () => {
    const open = join(home, 'open');
    mkdirSync(join(open, 'real'), { recursive: true });
    chmodSync(open, 0o777);
    symlinkSync(join(open, 'real'), join(home, 'link'));
    expect(folderWith({ HOME: join(home, 'link') })).toBeUndefined();
  });

  test('where the cache itself is open to others', () => {
    mkdirSync(join(home, '.cache'));
    chmodSync(join(home, '.cache'), 0o775);
    expect(folderWith({ HOME: home })).toBeUndefined();
    expect(readdirSync(join(home, '.cache'))).toEqual([]);
  });

  test('in a folder that the user chose and others can write to', () => {
    chmodSync(home, 0o777);
    expect(folderWith({ HOME: home, NODE_COMPILE_CACHE: home })).toBeUndefined();
  });

  test.for(['/proc/self/fd', '/dev/fd/x', '/nonexistent/home', 'relative', ''])('below %j', (folder) => {
    expect(folderWith({ HOME: folder })).toBeUndefined();
    expect(folderWith({ XDG_CACHE_HOME: folder })).toBeUndefined();
    expect(existsSync('/nonexistent')).toBe(false);
  });
});

describe.skipIf(process.geteuid?.() !== 0)('as root', () => {
  test('another user’s home is left alone, as sudo -E leaves it in HOME', () => {
    chownSync(home, 1, 1);
    expect(folderWith({ HOME: home })).toBeUndefined();
    expect(readdirSync(home)).toEqual([]);
  });

  test('so is a cache below one', () => {
    mkdirSync(join(home, 'caches'));
    chownSync(home, 1, 1);
    expect(folderWith({ XDG_CACHE_HOME: join(home, 'caches') })).toBeUndefined();
  });
});
