/** From what is known to what a page shows: each page with its questions to the history. */
import type { Context } from 'hono';
import { version } from '../load/version.ts';
import * as ask from './history/ask.ts';
import { isQuiet } from './maintenance.ts';
import { home, worstOf, type Heard, type Other } from './pages/home.ts';
import { incidentPage } from './pages/incident.ts';
import { page, type Frame } from './pages/layout.ts';
import { html, type Html } from './pages/markup.ts';
import { rowPage } from './pages/row.ts';
import { runsPage, runsShown } from './pages/runs.ts';
import type { Viewpoint } from './viewpoint.ts';
import type { Watch } from './watch.ts';
import { remarkOf, sitesOfSeveral } from './whole-site.ts';

const dayMs = 86_400_000;
const monthMs = 30 * dayMs;
const chartsShown = 6;

export class Views {
  readonly #watch: Watch;
  readonly #runToken: string;

  constructor(watch: Watch, runToken: string) {
    this.#watch = watch;
    this.#runToken = runToken;
  }

  /** The one that ?source=N names, else this process's own. */
  viewpoint(c: Context): Viewpoint {
    const all = this.#watch.viewpoints();
    const wanted = Number(c.req.query('source') ?? 0);
    return all.find(({ id }) => wanted !== 0 && id === wanted) ?? all[0]!;
  }

  home(c: Context): Response {
    const viewpoint = this.viewpoint(c);
    const { report, state, untold, isOwn } = viewpoint;
    const now = this.#watch.clock.wall();
    const status = this.#watch.status();
    const query = queryOf(viewpoint);
    const view = {
      ...status,
      now,
      report,
      rows: state.rows,
      open: state.incidents,
      untold,
      past: this.#asked(viewpoint, (db, id) => ask.incidents(db, id, 12)) ?? [],
      spans: this.#asked(viewpoint, (db, id) => ask.spans(db, id, now - dayMs, now)) ?? [],
      gaps: this.#asked(viewpoint, (db, id) => ask.gaps(db, id, now - dayMs, now)) ?? [],
      isQuiet: (row: string) => isQuiet(row, status.quiet),
      runToken: isOwn ? this.#runToken : null,
      elsewhere: isOwn ? null : heardOf(viewpoint),
      others: this.#others(viewpoint),
      wholes: sitesOfSeveral(this.#watch).map((site) => ({
        site,
        href: `/report.html?site=${encodeURIComponent(site)}`,
      })),
      query,
    };
    return this.#page(c, viewpoint, '/', 'now', home(view));
  }

  row(c: Context, id: string): Response {
    const viewpoint = this.viewpoint(c);
    const { report, state } = viewpoint;
    const row = report?.rows.find((each) => each.id === id);
    if (!report || !row) return this.#missing(c, viewpoint, `There is no row ${id}.`);
    const now = this.#watch.clock.wall();
    const spans = this.#asked(viewpoint, (db, source) => ask.spans(db, source, now - monthMs, now, id)) ?? [];
    const bad = spans.findLast(({ verdict }) => verdict === 'fail' || verdict === 'warn' || verdict === 'unverified');
    const firstBad = bad ? this.#asked(viewpoint, (db) => ask.reportOf(db, bad.run)) : null;
    const lastGood = bad ? this.#asked(viewpoint, (db, source) => ask.reportBefore(db, source, bad.run)) : null;
    const hours = row.checks
      .slice(0, chartsShown)
      .map(
        (check) =>
          [check, this.#asked(viewpoint, (db, source) => ask.hours(db, source, check, now - monthMs)) ?? []] as const,
      );
    const view = {
      now,
      row,
      report,
      state: state.rows[id],
      everyMs: this.#watch.everyOf(id),
      spans,
      gaps: this.#asked(viewpoint, (db, source) => ask.gaps(db, source, now - monthMs, now)) ?? [],
      firstBad: firstBad ?? null,
      lastGood: lastGood ?? null,
      hours,
      query: queryOf(viewpoint),
    };
    return this.#page(c, viewpoint, '', id, rowPage(view));
  }

  incident(c: Context, id: string): Response {
    const viewpoint = this.viewpoint(c);
    const incident = this.#asked(viewpoint, (db) => ask.incident(db, id));
    if (!incident) return this.#missing(c, viewpoint, 'There is no such incident, or it is forgotten by now.');
    const its = this.#watch.viewpoints().find((each) => each.id === incident.source) ?? viewpoint;
    const view = {
      now: this.#watch.clock.wall(),
      incident,
      rows: its.state.incidents.find((open) => open.id === id)?.rows ?? [],
      report: this.#asked(its, (db) => ask.reportOf(db, incident.run)) ?? its.report,
      query: queryOf(its),
    };
    return this.#page(c, its, '', incident.text, incidentPage(view));
  }

  runs(c: Context): Response {
    const viewpoint = this.viewpoint(c);
    const before = Number(c.req.query('before') ?? Number.MAX_SAFE_INTEGER);
    const runs =
      this.#asked(viewpoint, (db, id) => ask.runs(db, id, Number.isSafeInteger(before) ? before : 0, runsShown)) ?? [];
    return this.#page(c, viewpoint, '/runs', 'runs', runsPage(runs, queryOf(viewpoint)));
  }

  #asked<T>({ id }: Viewpoint, question: (db: Parameters<typeof ask.spans>[0], source: number) => T): T | undefined {
    return this.#watch.keeper.ask((history) => question(history.db, id));
  }

  #others({ id }: Viewpoint): Other[] {
    return this.#watch.viewpoints().flatMap((each): Other[] => {
      if (each.id === id || !each.report) return [];
      const { site, vantage } = each;
      return [
        {
          name: `${site}, from ${vantage}`,
          href: `/${queryOf(each)}`,
          verdict: worstOf(each.report, each.state.rows),
          ...heardOf(each),
        },
      ];
    });
  }

  #page(
    c: Context,
    { site, vantage, report, state, isOwn, id }: Viewpoint,
    here: string,
    title: string,
    body: Html,
    status: 200 | 404 = 200,
  ): Response {
    const frame: Frame = {
      title: `${title}: ${site}`,
      site,
      vantage,
      verdict: report ? worstOf(report, state.rows) : null,
      here,
      query: isOwn ? '' : `?source=${id}`,
      troubles: this.#watch.status().troubles,
      isLive: here === '/',
      version: version(),
    };
    return c.html(page(frame, body), status);
  }

  #missing(c: Context, viewpoint: Viewpoint, text: string): Response {
    return this.#page(
      c,
      viewpoint,
      '',
      'not found',
      html`<h1>${text}</h1>
        <p><a href="/">To the first page</a></p>`,
      404,
    );
  }
}

const heardOf = ({ isStale, last, presence }: Viewpoint): Heard => ({
  isStale,
  last: Math.max(last, presence?.at ?? 0),
  remark: presence ? remarkOf(presence) : null,
});

const queryOf = ({ isOwn, id }: Viewpoint): string => (isOwn ? '' : `?source=${id}`);
