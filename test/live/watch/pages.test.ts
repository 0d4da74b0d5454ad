/** The pages in a real browser: nothing in its console, nothing fetched from elsewhere, no script needed, a keyboard enough. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import axe, { type AxeResults } from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { patienceMs } from '../../support/patience.ts';
import {
  Door,
  portsSite,
  portsSpec,
  startWatching,
  watchFolder,
  type Watching,
  type WatchFolder,
} from '../../support/watching.ts';
import { sampleReport } from '../../watch/sample.ts';

const chromium = '/usr/bin/chromium';
const token = '0123456789abcdef0123';
const rowCount = 48;
const widths = [390, 1280] as const;
const schemes = ['light', 'dark'] as const;

describe.skipIf(!existsSync(chromium))('in Chromium', { timeout: 120_000 }, () => {
  let folder: WatchFolder;
  let watching: Watching;
  let browser: Browser;
  const door = new Door();

  beforeAll(async () => {
    folder = watchFolder();
    await door.open();
    folder.put('spec.yaml', portsSpec(rowCount));
    const hosts = Array.from({ length: rowCount }, () => '127.0.0.1');
    folder.put(
      'site.yaml',
      portsSite(
        hosts,
        hosts.map((_, i) => (i % 9 === 4 ? 1 : door.port)),
      ),
    );
    folder.put('tokens', `other-site ${token}\n`);
    folder.put(
      'watch.yaml',
      'site: site.yaml\nevery: 5s\nconfirm: { runs: 2, recheck: 1s }\nlisten: 127.0.0.1:0\nhistory: { file: history.db }\ninbox: { tokens: tokens }\n',
    );
    watching = await startWatching([
      '--config',
      join(folder.path, 'watch.yaml'),
      '--spec',
      join(folder.path, 'spec.yaml'),
    ]);
    const { chromium: engine } = await import('playwright-core');
    browser = await engine.launch({ executablePath: chromium, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
    await vi.waitFor(
      async () => {
        if (!(await (await fetch(`${watching.url}/`)).text()).includes('1 incident open')) throw new Error('not yet');
      },
      { timeout: patienceMs, interval: 200 },
    );
    const report = sampleReport(
      [{ id: 'ntp', verdict: 'fail' }],
      new Date(Date.now() - 60_000).toISOString(),
      'other-site',
    );
    const hostile = JSON.parse(
      JSON.stringify(report).replaceAll(
        'what was seen',
        '<script>window.owned = 1</script><img src=x onerror=window.owned=1>',
      ),
    ) as object;
    const body = JSON.stringify(hostile);
    await fetch(`${watching.url}/inbox`, { method: 'POST', body, headers: { authorization: `Bearer ${token}` } });
  });

  afterAll(async () => {
    await browser?.close();
    watching?.signal('SIGKILL');
    await watching?.ended;
    await door.close();
    folder?.[Symbol.dispose]();
  });

  /** A page of its own; what it complains of and asks for elsewhere is in the list. */
  async function opened(
    options: Parameters<Browser['newContext']>[0],
    path: string,
  ): Promise<{ page: Page; wrong: string[] }> {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    const wrong: string[] = [];
    page.on('console', (message) => wrong.push(`console: ${message.text()}`));
    page.on('pageerror', (error) => wrong.push(`error: ${error.message}`));
    page.on('request', (request) => {
      if (!request.url().startsWith(watching.url)) wrong.push(`request: ${request.url()}`);
    });
    await page.goto(watching.url + path, { waitUntil: 'load' });
    return { page, wrong };
  }

  /** What axe finds and calls serious or worse. Its script is not the page's: it is put in past the policy. */
  async function seriousOf(page: Page): Promise<string[]> {
    await page.evaluate(axe.source);
    const { violations } = await page.evaluate<AxeResults>('axe.run()');
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
  }

  const looks = widths.flatMap((width) => schemes.map((colorScheme) => ({ width, colorScheme })));
  test.for(looks)(
    'at $width pixels, $colorScheme, nothing is wrong and nothing sticks out',
    async ({ width, colorScheme }) => {
      const incident = /\/incident\/\w+/.exec(await (await fetch(`${watching.url}/`)).text())?.[0] ?? '';
      for (const path of [
        '/',
        '/row/row-5',
        '/row/row-1',
        incident,
        '/runs',
        '/?source=2',
        '/row/ntp?source=2',
        '/report.html',
      ]) {
        const { page, wrong } = await opened({ viewport: { width, height: 900 }, colorScheme }, path);
        const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
        expect([path, overflow, wrong]).toEqual([path, 0, []]);
        expect(await page.evaluate('window.owned')).toBeUndefined();
        expect(await page.locator('h1').count()).toBe(1);
        expect([path, await seriousOf(page)]).toEqual([path, []]);
        await page.context().close();
      }
    },
  );

  test('without script all of it is there', async () => {
    const { page } = await opened({ javaScriptEnabled: false }, '/');
    expect(await page.locator('h1').innerText()).toMatch(/FAIL\s+1 incident open/);
    expect(await page.locator('.rows li').count()).toBe(rowCount);
    expect(await page.locator('.matrix td a').count()).toBe(rowCount);
    await page.getByRole('button', { name: 'Run now' }).click();
    expect(page.url()).toBe(`${watching.url}/`);
    await page.getByRole('link', { name: 'row-5', exact: true }).first().click();
    expect(await page.locator('h1').innerText()).toMatch(/^FAIL\s+row-5/);
    await page.context().close();
  });

  test('by keyboard: past the navigation, into an incident, to a row', async () => {
    const { page } = await opened({}, '/');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('To the content');
    await page.keyboard.press('Enter');
    const seen: string[] = [];
    for (let i = 0; i < 6; i += 1) {
      await page.keyboard.press('Tab');
      seen.push(
        String(
          await page.evaluate('document.activeElement.tagName + " " + document.activeElement.textContent.slice(0, 20)'),
        ),
      );
    }
    expect(seen[0]).toMatch(/^BUTTON Run now/);
    expect(seen[1]).toMatch(/^SUMMARY/);
    expect(seen[2]).toBe('A row-5');
    await page.locator('a', { hasText: 'row-5' }).first().focus();
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/row\/row-5/);
    await page.context().close();
  });

  test('it shows what is new by itself, and leaves alone what was unfolded', async () => {
    const { page, wrong } = await opened({}, '/');
    await page.locator('details').first().evaluate('(element) => { element.open = false }');
    const before = await page.locator('.counts').innerText();
    await door.close();
    await expect.poll(() => page.locator('.counts').innerText(), { timeout: 30_000 }).not.toBe(before);
    expect(await page.locator('h1').innerText()).toMatch(/FAIL/);
    expect(wrong).toEqual([]);
    await page.context().close();
  });

  test('the first load is small', async () => {
    const sizes = await Promise.all(
      ['/', '/style.css', '/live.js'].map(async (path) => {
        const answer = await fetch(watching.url + path, { headers: { 'accept-encoding': 'gzip' } });
        expect(answer.headers.get('content-encoding')).toBe('gzip');
        return gzipSync(Buffer.from(await answer.arrayBuffer())).length;
      }),
    );
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(40_000);
  });
});
