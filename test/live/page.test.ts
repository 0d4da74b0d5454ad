/** The HTML report in a real browser: wide and narrow, light and dark, with a script and without, by keyboard, on paper. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Report } from '../../src/model/report.ts';
import { reporters } from '../../src/report/index.ts';
import { asked, mergedSample, mixed, planned } from '../report/sample.ts';
import { accessibilityFaults, openBrowser, openPage, whyNoBrowser } from '../support/browser.ts';
import { payloads } from '../support/payloads.ts';
import { runXenreach } from '../support/run-xenreach.ts';

const folder = mkdtempSync(join(tmpdir(), 'xenreach-page-'));
const urlOf = (name: string): string => pathToFileURL(join(folder, `${name}.html`)).href;
const put = (name: string, report: Report): void =>
  writeFileSync(join(folder, `${name}.html`), reporters.html.render(report, asked));
const reportOf = (name: string): Report => JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as Report;

const why = whyNoBrowser();
let browser: Browser;

beforeAll(async () => {
  if (why !== null) return;
  browser = await openBrowser();
  await Promise.all(
    [['good'], ['broken', '--broken']].map(([name, ...args]) =>
      runXenreach(['demo', ...args, '--format', 'json', '--output', `json=${join(folder, `${name}.json`)}`]),
    ),
  );
  for (const name of ['good', 'broken']) put(name, reportOf(name));
  put('mixed', mixed);
  put('merged', mergedSample);
  put('planned', planned);
}, 60_000);

afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});

const names = ['good', 'broken', 'mixed', 'merged', 'planned'] as const;
const looks = [
  { width: 1280, height: 900, colorScheme: 'light' },
  { width: 1280, height: 900, colorScheme: 'dark' },
  { width: 390, height: 844, colorScheme: 'light' },
  { width: 390, height: 844, colorScheme: 'dark' },
] as const;
/** Every look of those that people see most; two of the others. */
const cases = names.flatMap((name) =>
  looks
    .filter((_, at) => !['mixed', 'planned'].includes(name) || at % 3 === 0)
    .map((look) => Object.assign({ name }, look)),
);

const shownRows = (page: Page): Promise<number> => page.locator('#rows tr[data-verdict]:visible').count();

describe.skipIf(why !== null)(`the HTML report${why === null ? '' : `: ${why}`}`, () => {
  test.for(cases)(
    '$name, $width wide, $colorScheme: no trouble, nothing wider than the screen, axe content',
    async (look) => {
      const { name, width, height, colorScheme } = look;
      await using watched = await openPage(browser, urlOf(name), { viewport: { width, height }, colorScheme });
      const { page, troubles } = watched;
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
      // Unfolded too, and so all of it is looked at.
      await page.evaluate('for (const each of document.querySelectorAll("details")) each.open = true');
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
      expect(await accessibilityFaults(page)).toEqual([]);
      expect(troubles).toEqual([]);
    },
  );

  test('what axe would complain of is known to be found', async () => {
    await using watched = await openPage(browser, urlOf('good'));
    await watched.page.evaluate('document.documentElement.removeAttribute("lang")');
    expect(await accessibilityFaults(watched.page)).toEqual([expect.stringContaining('html-has-lang')]);
  });

  test('the verdict and the first cause with what to do are on the first screen', async () => {
    for (const [width, height] of [
      [1280, 900],
      [390, 844],
    ] as const) {
      await using watched = await openPage(browser, urlOf('broken'), { viewport: { width, height } });
      const { page } = watched;
      for (const place of ['h1', '#failing h2', '#failing .card h3 >> nth=0', '#failing .card p >> nth=0']) {
        const box = await page.locator(place).first().boundingBox();
        expect(box!.y + box!.height).toBeLessThan(height);
      }
    }
  });

  test('without a script everything is there and unfolds, and no tool that could do nothing', async () => {
    await using watched = await openPage(browser, urlOf('broken'), { javaScriptEnabled: false });
    const { page, troubles } = watched;
    expect(await shownRows(page)).toBe(48);
    for (const tool of await page.locator('form, button').all()) expect(await tool.isVisible()).toBe(false);
    const evidence = page.locator('#failing .checks').first();
    expect(await evidence.locator('li').first().isVisible()).toBe(false);
    await evidence.locator('summary').click();
    expect(await evidence.locator('li').first().isVisible()).toBe(true);
    expect(await page.locator('#rules-list').textContent()).toContain('ad-netbios-name');
    // A cell of the matrix leads to its row.
    await page.locator('.matrix a[data-to="iscsi"], .matrix a[data-to="san-controller"]').click();
    expect(page.url()).toMatch(/#row-iscsi$/);
    expect(troubles).toEqual([]);
  });

  test('search, verdicts and the matrix narrow the rows, and say how many are left', async () => {
    await using watched = await openPage(browser, urlOf('broken'));
    const { page, troubles } = watched;
    const told = page.getByRole('status').and(page.locator('#shown'));
    expect(await told.textContent()).toBe('48 of 48 rows');
    await page.getByLabel('Search').fill('nfs dynamic');
    expect([await shownRows(page), await told.textContent()]).toEqual([1, '1 of 48 rows']);
    await page.getByLabel('Search').fill('');
    await page.getByRole('button', { name: /^UNVERIFIED/ }).click();
    const { unverified } = reportOf('broken').summary;
    expect(await shownRows(page)).toBe(unverified);
    await page.getByRole('button', { name: /^UNVERIFIED/ }).click();
    await page.locator('.matrix a[data-from="xencenter"][data-to="vm"]').click();
    expect(await shownRows(page)).toBe(2);
    await page.locator('#route').click();
    expect(await shownRows(page)).toBe(48);
    // A link to a row that is filtered away shows it.
    await page.getByLabel('Search').fill('no such row');
    expect(await shownRows(page)).toBe(0);
    await page.locator('a[href="#row-license-initial"]').first().click();
    await expect.poll(() => page.locator('#row-license-initial').isVisible()).toBe(true);
    expect(troubles).toEqual([]);
  });

  test('what is searched for is found among the rows that were left out', async () => {
    await using watched = await openPage(browser, urlOf('mixed'));
    const { page } = watched;
    const skipped = mixed.rows.find(({ skip }) => skip === 'other-vantage')!;
    expect(await page.locator(`#row-${skipped.id}`).isVisible()).toBe(false);
    await page.getByLabel('Search').fill(skipped.id);
    expect(await page.locator(`#row-${skipped.id}`).isVisible()).toBe(true);
    expect(await shownRows(page)).toBe(1);
  });

  test('the keyboard alone reaches the content, a cause, its evidence and the search', async () => {
    await using watched = await openPage(browser, urlOf('broken'));
    const { page } = watched;
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('To what was found');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.closest("details").className')).toContain('card');
    const open = (): Promise<unknown> => page.evaluate('document.activeElement.closest("details").open');
    expect(await open()).toBe(true);
    await page.keyboard.press('Enter');
    expect(await open()).toBe(false);
    await page.locator('#search').focus();
    await page.keyboard.type('kerberos');
    expect(await page.locator('#shown').textContent()).toMatch(/^[1-9] of 48 rows$/);
  });

  test('the rules to ask for are copied as the firewall list', async () => {
    await using watched = await openPage(browser, urlOf('broken'), {
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    const { page, troubles } = watched;
    await page.getByRole('button', { name: 'Copy the list' }).click();
    await expect.poll(() => page.locator('#rules-list-told').textContent()).toBe('Copied.');
    const copied = await page.evaluate<string>('navigator.clipboard.readText()');
    expect(copied).toBe(reporters.firewall.render(reportOf('broken'), asked));
    expect(troubles).toEqual([]);
  });

  test('where nothing may be copied, the list is selected', async () => {
    await using watched = await openPage(browser, urlOf('broken'));
    const { page } = watched;
    await page.evaluate('navigator.clipboard.writeText = () => Promise.reject(new Error("no"))');
    await page.getByRole('button', { name: 'Copy the list' }).click();
    await expect.poll(() => page.locator('#rules-list-told').textContent()).toContain('Ctrl+C');
    expect(await page.evaluate('getSelection().toString()')).toContain('ad-netbios-name');
  });

  test('the policy forbids every other script and style', async () => {
    await using watched = await openPage(browser, urlOf('good'));
    const { page } = watched;
    await page.evaluate(`{
      const script = document.createElement('script');
      script.textContent = 'window.ran = true';
      document.body.append(script);
      document.body.insertAdjacentHTML('beforeend', '<p id="styled" style="color: red" onclick="window.ran = true">x</p>');
      document.getElementById('styled').click();
    }`);
    expect(await page.evaluate('window.ran')).toBeUndefined();
    expect(await page.evaluate('getComputedStyle(document.getElementById("styled")).color')).not.toBe('rgb(255, 0, 0)');
    expect(await page.evaluate('fetch("http://127.0.0.1:9/").then(() => "sent", () => "refused")')).toBe('refused');
  });

  test.for(Object.entries(payloads))('hostile text is text: %s', async ([, text], { task }) => {
    const poisoned = JSON.parse(JSON.stringify(mergedSample), (key, value: unknown) =>
      typeof value === 'string' && ['because', 'detail', 'host', 'remedy', 'purpose', 'vantage', 'text'].includes(key)
        ? `${value}${text}`
        : value,
    ) as Report;
    put(`hostile-${task.id}`, poisoned);
    await using watched = await openPage(browser, urlOf(`hostile-${task.id}`));
    const { page, troubles } = watched;
    expect(await page.evaluate('document.querySelectorAll("script, img, iframe, svg, base, object").length')).toBe(1);
    expect(troubles).toEqual([]);
  });

  test('on paper the remedies of folded causes are there, and the tools are not', async () => {
    await using watched = await openPage(browser, urlOf('broken'));
    const { page } = watched;
    await page.emulateMedia({ media: 'print' });
    const last = page.locator('#failing .card:not([open]) p').last();
    expect(await last.evaluate((element) => element.checkVisibility({ contentVisibilityAuto: true }))).toBe(true);
    expect((await last.boundingBox())!.height).toBeGreaterThan(5);
    for (const tool of await page.locator('form, button, nav').all()) expect(await tool.isVisible()).toBe(false);
    expect((await page.pdf({ format: 'A4' })).length).toBeGreaterThan(10_000);
  });
});
