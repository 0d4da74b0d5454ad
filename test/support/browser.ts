/** A real browser, where one is: Debian's Chromium, driven by playwright-core. It fetches nothing by itself. */
import { existsSync } from 'node:fs';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';

const program = '/usr/bin/chromium';

/** The reason for which tests of pages are skipped, or null. */
export const whyNoBrowser = (): string | null => (existsSync(program) ? null : `there is no ${program}`);

export async function openBrowser(): Promise<Browser> {
  const { chromium } = await import('playwright-core');
  // As root Chromium has no sandbox of its own.
  return chromium.launch({
    executablePath: program,
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  });
}

export interface Watched {
  readonly page: Page;
  /** What went wrong: messages of the console, exceptions, requests to elsewhere, dialogs. */
  readonly troubles: readonly string[];
  [Symbol.asyncDispose](): Promise<void>;
}

/** A page in a context of its own, whose every trouble is kept. */
export async function openPage(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Watched> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const troubles: string[] = [];
  page.on('console', (message) => void troubles.push(`console ${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => void troubles.push(`exception: ${error.message}`));
  page.on(
    'request',
    (request) => void (request.url().split('#')[0] === url || troubles.push(`request: ${request.url()}`)),
  );
  page.on('dialog', (dialog) => {
    troubles.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.goto(url);
  return { page, troubles, [Symbol.asyncDispose]: () => context.close() };
}

/** What axe finds that is serious or critical, each as one line. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  const { default: axe } = await import('axe-core');
  await page.evaluate(axe.source);
  const found = await page.evaluate<readonly Violation[]>('axe.run().then(({ violations }) => violations)');
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

interface Violation {
  readonly id: string;
  readonly impact: string | null;
  readonly nodes: readonly { readonly html: string }[];
}
