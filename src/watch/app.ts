/** The pages and the other addresses, as requests and answers: no socket here. */
import { randomBytes } from 'node:crypto';
import { Hono, type Context } from 'hono';
import { compress } from 'hono/compress';
import type { Report } from '../model/report.ts';
import { reporters } from '../report/index.ts';
import { isAuthorized, isKnownHost, isOwnPage, isSameSecret, siteOfToken } from './access.ts';
import { maxReportBytes, takeReport } from './inbox.ts';
import { contentTypes, metricsText } from './metrics.ts';
import { script } from './pages/script.ts';
import { style } from './pages/style.ts';
import { eventStream } from './stream.ts';
import { Views } from './views.ts';
import type { Watch } from './watch.ts';
import { wholeSite } from './whole-site.ts';

const policy =
  "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const reportPolicy =
  "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const icon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="6" fill="none" stroke="#0969da" stroke-width="2"/><circle cx="8" cy="8" r="2" fill="#0969da"/></svg>';

export function makeApp(watch: Watch, stop: AbortSignal): Hono {
  const app = new Hono();
  const runToken = randomBytes(18).toString('base64url');
  const views = new Views(watch, runToken);
  const render = { color: false, width: 80, verbose: true, quiet: false };

  app.use(async (c, next) => {
    const { config } = watch.subject;
    c.header('x-content-type-options', 'nosniff');
    c.header('referrer-policy', 'no-referrer');
    c.header('content-security-policy', policy);
    c.header('cache-control', 'no-store');
    c.header('cross-origin-resource-policy', 'same-origin');
    if (!isKnownHost(c.req.header('host'), config)) return c.text('not a name of this machine\n', 403);
    const isOpen = c.req.path === '/healthz' || c.req.path === '/inbox';
    if (config.auth && !isOpen && !isAuthorized(c.req.header('authorization'), config.auth)) {
      c.header('www-authenticate', 'Basic realm="xenreach", charset="UTF-8"');
      return c.text('who are you?\n', 401);
    }
    return next();
  });

  // But for what never ends.
  const packed = compress();
  app.use((c, next) => (c.req.path === '/events' ? next() : packed(c, next)));

  app.get('/style.css', (c) =>
    c.body(style, 200, { 'content-type': 'text/css; charset=utf-8', 'cache-control': 'max-age=300' }),
  );
  app.get('/live.js', (c) =>
    c.body(script, 200, { 'content-type': 'text/javascript; charset=utf-8', 'cache-control': 'max-age=300' }),
  );
  app.get('/icon.svg', (c) => c.body(icon, 200, { 'content-type': 'image/svg+xml', 'cache-control': 'max-age=86400' }));

  app.get('/', (c) => views.home(c));
  app.get('/row/:id', (c) => views.row(c, c.req.param('id')));
  app.get('/incident/:id', (c) => views.incident(c, c.req.param('id')));
  app.get('/runs', (c) => views.runs(c));

  const ofReport = (c: Context, type: string, make: (report: Report) => string): Response => {
    const site = c.req.query('site');
    const report = site === undefined ? views.viewpoint(c).report : wholeSite(watch, site);
    return report ? c.body(make(report), 200, { 'content-type': type }) : c.text('nothing is known yet\n', 503);
  };
  app.get('/report.json', (c) => ofReport(c, 'application/json', (report) => reporters.json.render(report, render)));
  app.get('/firewall.csv', (c) =>
    ofReport(c, 'text/csv; charset=utf-8', (report) => reporters.firewall.render(report, render)),
  );
  app.get('/report.html', (c) => {
    // That page has its own style within it, and a stricter policy in its head, by hashes: both hold.
    c.header('content-security-policy', reportPolicy);
    return ofReport(c, 'text/html; charset=utf-8', (report) => reporters.html.render(report, render));
  });

  app.get('/metrics', (c) => {
    const all = watch.viewpoints();
    const own = all.find(({ isOwn }) => isOwn) ?? null;
    const report = own ? own.report : all.find((each) => each.report)?.report;
    if (!report) return c.text('# nothing is known yet\n', 503);
    const isOpenMetrics = (c.req.header('accept') ?? '').includes('application/openmetrics-text');
    const text = metricsText({
      report,
      own,
      others: all.filter(({ isOwn }) => !isOwn),
      status: watch.status(),
      failed: watch.outbox.failed(),
      hasEndpoints: watch.subject.config.file.metrics.endpoints,
      isOpenMetrics,
    });
    return c.body(text, 200, { 'content-type': isOpenMetrics ? contentTypes.open : contentTypes.classic });
  });

  app.get('/healthz', (c) => {
    const { isHealthy, lastRoundAgoMs } = watch.status();
    const ago =
      lastRoundAgoMs === null ? 'no round yet' : `the last round ended ${Math.round(lastRoundAgoMs / 1000)} s ago`;
    return c.text(`${isHealthy ? 'ok' : 'late'}: ${ago}\n`, isHealthy ? 200 : 503);
  });

  app.get('/events', (c) =>
    c.body(eventStream(watch, stop), 200, {
      'content-type': 'text/event-stream',
      'x-accel-buffering': 'no',
    }),
  );

  app.post('/run', async (c) => {
    const form = await smallBody(c, 1000);
    const token = new URLSearchParams(form ? Buffer.from(form).toString('utf8') : '').get('token') ?? '';
    if (!isOwnPage(c.req.header('sec-fetch-site')) || !isSameSecret(token, runToken))
      return c.text('a round is started from the page itself\n', 403);
    watch.runNow();
    return c.redirect('/', 303);
  });

  app.post('/inbox', async (c) => {
    const { inbox } = watch.subject.config;
    if (!inbox || inbox.tokens.length === 0)
      return c.text('no reports are taken here: the config has no inbox: tokens:\n', 404);
    const site = siteOfToken(c.req.header('authorization'), inbox.tokens);
    if (site === null) {
      c.header('www-authenticate', 'Bearer');
      return c.text('a token of a site is wanted: Authorization: Bearer TOKEN\n', 401);
    }
    const body = await smallBody(c, maxReportBytes);
    if (!body) return c.text(`a report has at most ${maxReportBytes / 1024 / 1024} MiB\n`, 413);
    const { status, text } = takeReport(watch, body, 'report', site);
    return c.text(`${text}\n`, status);
  });

  app.notFound((c) => c.text('there is no such page\n', 404));
  app.onError((error, c) => {
    watch.say(`a page failed: ${error.stack ?? error.message}`);
    return c.text('this page cannot be shown; the log says why\n', 500);
  });
  return app;
}

/** The body, or null where it is larger: what was announced so is not even read. */
async function smallBody(c: Context, most: number): Promise<Uint8Array | null> {
  if (Number(c.req.header('content-length') ?? 0) > most) return null;
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of c.req.raw.body ?? []) {
    length += chunk.length;
    if (length > most) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}
