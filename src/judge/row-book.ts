/**
 * Which rows still wait for checks. A row is judged when its last check is told, and what only it needed is forgotten:
 * a long run keeps what its open rows need. A row that met silence waits for the end, when other checks may say more.
 */
import type { Observation } from '../model/outcome.ts';
import type { Check, Plan, PlannedRow } from '../model/plan.ts';
import type { ReportRow } from '../model/report.ts';
import type { Mode } from '../model/verdict.ts';
import { judgeRow, type Checked, type HostNews } from './judge.ts';
import { HostLedger, isInconclusive } from './report.ts';

interface Entry extends Checked {
  readonly observations: Observation[];
  /** Rows that want it and are not judged yet. */
  rows: number;
}

export class RowBook {
  /** Nothing ended for want of resources or time. */
  complete = true;
  readonly #plan: Plan;
  readonly #mode: Mode;
  readonly #ledger = new HostLedger();
  readonly #entries = new Map<string, Entry>();
  /** Of each row: how many of its checks are still open. */
  readonly #open = new Map<string, number>();
  readonly #rowOf = new Map<string, PlannedRow>();
  /** Rows whose datagrams met silence. */
  readonly #silent = new Set<string>();
  readonly #judged = new Map<string, ReportRow>();

  constructor(plan: Plan, mode: Mode) {
    this.#plan = plan;
    this.#mode = mode;
    for (const row of plan.rows) {
      this.#open.set(row.requirement.id, row.checks.length);
      this.#rowOf.set(row.requirement.id, row);
    }
  }

  observe(check: Check, observation: Observation): void {
    const entry = this.#entries.get(check.id);
    if (entry) entry.observations.push(observation);
    else this.#enter(check, [observation]);
    this.#ledger.add(check, observation);
    if (isInconclusive(observation)) this.complete = false;
    if (check.transport === 'udp' && observation.outcome === 'timeout')
      for (const id of rowsOf(check)) this.#silent.add(id);
  }

  /** The check has no further observation: the rows that are known by it. */
  finish(check: Check): ReportRow[] {
    if (!this.#entries.has(check.id)) this.#enter(check, []);
    const judged: ReportRow[] = [];
    for (const id of rowsOf(check)) {
      const left = (this.#open.get(id) ?? 0) - 1;
      this.#open.set(id, left);
      const row = this.#rowOf.get(id);
      if (left > 0 || !row || this.#silent.has(id)) continue;
      judged.push(this.#judge(row, () => undefined));
    }
    return judged;
  }

  /** The run is over: the rows that waited for it. */
  finishAll(): ReportRow[] {
    return this.#plan.rows
      .filter((row) => !this.#judged.has(row.requirement.id))
      .map((row) => this.#judge(row, this.#ledger.news));
  }

  /** Every row that is judged, in the order of the plan. */
  rows(): ReportRow[] {
    return this.#plan.rows.flatMap((row) => this.#judged.get(row.requirement.id) ?? []);
  }

  #judge(row: PlannedRow, news: HostNews): ReportRow {
    const entries = row.checks.flatMap((id) => this.#entries.get(id) ?? []);
    const judged = judgeRow(row, entries, this.#mode, news);
    this.#judged.set(row.requirement.id, judged);
    for (const entry of entries) {
      entry.rows -= 1;
      if (entry.rows === 0) this.#entries.delete(entry.check.id);
    }
    return judged;
  }

  #enter(check: Check, observations: Observation[]): void {
    this.#entries.set(check.id, { check, observations, rows: rowsOf(check).length });
  }
}

/** A row may want a check twice, with different expectations. */
const rowsOf = ({ uses }: Check): string[] =>
  uses.length === 1 ? [uses[0]!.row] : [...new Set(uses.map(({ row }) => row))];
