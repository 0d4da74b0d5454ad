/** The frame of every page: what is watched, how it stands, where to go. */
import type { RowVerdict } from '../../model/verdict.ts';
import { words } from '../../report/phrases.ts';
import { html, nothing, type Html } from './markup.ts';

export interface Frame {
  readonly title: string;
  readonly site: string;
  readonly vantage: string;
  readonly verdict: RowVerdict | null;
  /** The path of this page, of those in the navigation. */
  readonly here: string;
  /** "?source=3", or nothing for this process's own. */
  readonly query: string;
  /** Wrong with the watch itself. */
  readonly troubles: readonly string[];
  readonly isLive: boolean;
  readonly version: string;
}

const places = [
  ['/', 'Now'],
  ['/runs', 'Runs'],
  ['/report.html', 'Report'],
  ['/report.json', 'JSON'],
  ['/firewall.csv', 'Firewall rules (CSV)'],
  ['/metrics', 'Metrics'],
] as const;

export function page(frame: Frame, body: Html): string {
  const { title, site, vantage, verdict, here, query, troubles, isLive, version } = frame;
  return html`<!DOCTYPE html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        <link rel="stylesheet" href="/style.css" />
        <link rel="icon" href="/icon.svg" type="image/svg+xml" />
        <script type="module" src="/live.js"></script>
      </head>
      <body>
        <a class="skip-link" href="#main">To the content</a>
        <header>
          <p>
            <b>${site}</b>
            <span class="soft">seen from ${vantage}</span> ${verdict === null ? nothing : wordOf(verdict)}
          </p>
          <nav aria-label="Pages">
            ${places.map(
              ([path, text]) =>
                html`<a
                  href="${path}${path === '/metrics' ? '' : query}"
                  ${path === here ? html` aria-current="page"` : nothing}
                  >${text}</a
                > `,
            )}
          </nav>
        </header>
        <main id="main" data-live="${isLive ? 'yes' : 'no'}">
          ${troubles.map((each) => html`<p class="trouble" role="alert">${each}</p> `)}${body}
        </main>
        <footer>xenreach ${version}</footer>
      </body>
    </html> `.text;
}

export const wordOf = (verdict: RowVerdict): Html =>
  html`<span class="${verdict}"><span class="word">${words[verdict]}</span></span>`;
