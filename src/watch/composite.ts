/**
 * The site as it is known now: the newest observations of every check, however often each is made, judged together. A row
 * that is due once a day shares what others of its endpoints learned a minute ago.
 */
import { baseId, observationOf } from '../check/again.ts';
import { checkPrepared, type Prepared } from '../check/check.ts';
import { judge, noStats } from '../check/report.ts';
import type { CheckSettings } from '../check/settings.ts';
import type { Observation } from '../model/outcome.ts';
import type { Plan } from '../model/plan.ts';
import type { Report, ReportCheck } from '../model/report.ts';

interface Known {
  readonly observations: readonly Observation[];
  /** By the wall clock, when they were made. */
  readonly at: number;
}

/** Whatever holds a round up: then what is open is aborted, and the next one comes. */
const longestMs = 10 * 60_000;

export interface RoundResult {
  /** Of all rows. */
  readonly report: Report;
  /** Those that were made now. */
  readonly checks: readonly ReportCheck[];
  /** The rows that this has news of. */
  readonly rows: ReadonlySet<string>;
}

export class Composite {
  readonly #prepared: Prepared;
  readonly #settings: CheckSettings;
  readonly #everyOf: (row: string) => number;
  readonly #known = new Map<string, Known>();
  /** Of each check, the shortest interval of its rows. */
  readonly #everyMs: ReadonlyMap<string, number>;

  constructor(prepared: Prepared, settings: CheckSettings, everyOf: (row: string) => number) {
    this.#prepared = prepared;
    this.#settings = settings;
    this.#everyOf = everyOf;
    this.#everyMs = new Map(
      prepared.plan.checks.map(({ id, uses }) => [id, Math.min(...uses.map(({ row }) => everyOf(row)))]),
    );
  }

  /** Rows that have anything to try. */
  rows(): string[] {
    return this.#prepared.plan.rows.flatMap(({ requirement, checks }) => (checks.length > 0 ? [requirement.id] : []));
  }

  /** Rows of which some check goes to one of these hosts. */
  rowsAt(hosts: ReadonlySet<string>): string[] {
    const ids = new Set(
      this.#prepared.plan.checks.flatMap(({ id, host, address }) => {
        const found = this.#known.get(id)?.observations ?? [];
        const all = [host, address, ...found.map((each) => each.address)];
        return all.some((each) => each !== null && hosts.has(each)) ? [id] : [];
      }),
    );
    const { rows } = this.#prepared.plan;
    return rows.flatMap(({ requirement, checks }) => (checks.some((id) => ids.has(id)) ? [requirement.id] : []));
  }

  /** What was known when the last process ended, of the checks that there still are. */
  restore(report: Report): void {
    for (const [id, members] of Map.groupBy(report.checks, baseId)) {
      const at = Math.max(...members.map(({ startedAt }) => Date.parse(startedAt ?? report.startedAt)));
      if (this.#everyMs.has(id)) this.#known.set(id, { observations: members.flatMap(observationOf), at });
    }
  }

  /** Whether every check of these rows was made less than their interval ago. */
  isFresh(rows: readonly string[], everyMs: number, at: number): boolean {
    const ids = this.#checksOf(new Set(rows));
    return ids.every((id) => {
      const known = this.#known.get(id);
      return known !== undefined && at - known.at < everyMs && at >= known.at;
    });
  }

  /**
   * Makes the checks of these rows; those that a quicker row makes anyway are taken as they are known. Null: it was stopped,
   * and nothing is known that was not known before.
   */
  async round(
    rows: ReadonlySet<string>,
    isRecheck: boolean,
    at: number,
    stop: AbortSignal,
  ): Promise<RoundResult | null> {
    const due = this.#checksOf(rows).filter((id) => isRecheck || !this.#isShared(id, rows, at));
    const partial = await this.#check(new Set(due), stop);
    if (stop.aborted) return null;
    const made = Map.groupBy(partial.checks, baseId);
    for (const id of due) {
      const observations = (made.get(id) ?? []).flatMap(observationOf);
      this.#known.set(id, { observations, at });
    }
    const report = this.#judged(partial);
    const news = this.#rowsWithNews(report, rows, new Set(due));
    return { report, checks: partial.checks, rows: news };
  }

  #checksOf(rows: ReadonlySet<string>): string[] {
    const { plan } = this.#prepared;
    return [...new Set(plan.rows.flatMap(({ requirement, checks }) => (rows.has(requirement.id) ? checks : [])))];
  }

  #isShared(id: string, rows: ReadonlySet<string>, at: number): boolean {
    const everyMs = this.#everyMs.get(id) ?? 0;
    const mine = Math.min(...[...rows].map(this.#everyOf));
    const known = this.#known.get(id);
    return known !== undefined && everyMs < mine && at - known.at < everyMs && at >= known.at;
  }

  async #check(ids: ReadonlySet<string>, stop: AbortSignal): Promise<Report> {
    const { plan } = this.#prepared;
    const part: Plan = {
      rows: plan.rows.map((row) => ({ ...row, checks: row.checks.filter((id) => ids.has(id)) })),
      checks: plan.checks.filter(({ id }) => ids.has(id)),
    };
    const ended = new AbortController();
    const timer = setTimeout(() => ended.abort(`the round took longer than ${longestMs / 1000} s`), longestMs);
    const end = (): void => ended.abort('the watch ends');
    stop.addEventListener('abort', end, { once: true });
    try {
      if (stop.aborted) end();
      return await checkPrepared({ ...this.#prepared, plan: part }, this.#settings, {}, { signal: ended.signal });
    } finally {
      clearTimeout(timer);
      stop.removeEventListener('abort', end);
    }
  }

  #judged(partial: Report): Report {
    const { mode, failOn, roots } = this.#settings;
    const observations = [...this.#known.values()].flatMap((known) => known.observations);
    const whole = judge({ ...this.#prepared, roots, observations, mode, failOn, stats: partial.stats ?? noStats });
    return { ...whole, startedAt: partial.startedAt, durationMs: partial.durationMs };
  }

  /** The rows that were due, and those whose verdict comes from a check that was made for another row. */
  #rowsWithNews(report: Report, due: ReadonlySet<string>, made: ReadonlySet<string>): ReadonlySet<string> {
    const checks = new Map(report.checks.map((check) => [check.id, check]));
    const isMade = (id: string): boolean => {
      const check = checks.get(id);
      return check !== undefined && made.has(baseId(check));
    };
    const isNews = (row: Report['rows'][number]): boolean => {
      if (due.has(row.id) || row.skip !== null) return true;
      const deciding = row.checks.filter((id) => row.verdict === 'pass' || checks.get(id)?.verdict === row.verdict);
      return deciding.length > 0 && deciding.every(isMade);
    };
    return new Set(report.rows.filter(isNews).map(({ id }) => id));
  }
}
