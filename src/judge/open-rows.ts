/**
 * Which rows still wait for checks. A row is judged when its last check is told, and what only it needed is forgotten:
 * a long run keeps what its open rows need. A row that met silence waits for the end, when other checks have said more.
 */
import type { Observation } from '../model/outcome.ts';
import type { Check, Plan, PlannedRow } from '../model/plan.ts';
import type { ReportRow } from '../model/report.ts';
import type { Mode } from '../model/verdict.ts';
import { HostSigns, isSilence } from './host-signs.ts';
import { judgeRow, type CheckResult } from './judge.ts';
import { isInconclusive, rowIdsOf } from './report.ts';

/** A row, and the indexes of its checks in the plan, in the row's own order. */
interface OpenRow {
  readonly row: PlannedRow;
  readonly indexes: readonly number[];
  /** How many of its checks are still open. */
  open: number;
  /** Its packets met silence. */
  isSilent: boolean;
  judged: ReportRow | undefined;
}

/** Indexed by the check's place in the plan: maps keyed by id took a third of the time. */
export class OpenRows {
  /** Nothing ended for want of resources or time. */
  complete = true;
  readonly #plan: Plan;
  readonly #mode: Mode;
  readonly #signs = new HostSigns();
  readonly #rows: ReadonlyMap<string, OpenRow>;
  readonly #rowsOfIds = new Map<readonly string[], readonly OpenRow[]>();
  readonly #seen: (Observation[] | undefined)[];
  /** Rows that want the check and are not judged yet. */
  readonly #wanted: Uint32Array;

  constructor(plan: Plan, mode: Mode) {
    this.#plan = plan;
    this.#mode = mode;
    this.#seen = Array.from({ length: plan.checks.length });
    this.#wanted = new Uint32Array(plan.checks.length);
    this.#rows = openRows(plan);
    for (const { indexes } of this.#rows.values()) for (const index of indexes) this.#wanted[index]! += 1;
  }

  /** `index`: of the check in the plan. */
  observe(index: number, observation: Observation): void {
    const check = this.#plan.checks[index]!;
    const seen = this.#seen[index];
    if (seen) seen.push(observation);
    // Made with its one element: the first push to an empty array makes room for sixteen more.
    else this.#seen[index] = [observation];
    this.#signs.add(check, observation);
    if (isInconclusive(observation)) this.complete = false;
    if (isSilence(check, observation)) for (const row of this.#rowsOf(check)) row.isSilent = true;
  }

  /** The check has no further observation: the rows that are known by it. */
  finish(index: number): ReportRow[] {
    this.#seen[index] ??= [];
    const judged: ReportRow[] = [];
    for (const row of this.#rowsOf(this.#plan.checks[index]!)) {
      row.open -= 1;
      if (row.open <= 0 && !row.isSilent) judged.push(this.#judge(row));
    }
    return judged;
  }

  /** The run is over: the silent observations, each with what the others say about it. `down`: nobody has these addresses. */
  settle(down: Iterable<string>): CheckResult[] {
    this.#signs.markDown(down);
    const settled: CheckResult[] = [];
    for (const [index, check] of this.#plan.checks.entries()) {
      const seen = this.#seen[index];
      if (!seen?.some((one) => isSilence(check, one))) continue;
      const observations = seen.map((one) => this.#signs.settled(check, one));
      this.#seen[index] = observations;
      settled.push({ check, observations: observations.filter((_, i) => isSilence(check, seen[i]!)) });
    }
    return settled;
  }

  /** The rows that waited for the end of the run. */
  finishAll(): ReportRow[] {
    return [...this.#rows.values()].filter(({ judged }) => !judged).map((row) => this.#judge(row));
  }

  /** Every row that is judged, in the order of the plan. */
  rows(): ReportRow[] {
    return [...this.#rows.values()].flatMap(({ judged }) => judged ?? []);
  }

  #judge(booked: OpenRow): ReportRow {
    const { row, indexes } = booked;
    const checked: CheckResult[] = [];
    for (const index of indexes) {
      const observations = this.#seen[index];
      if (observations) checked.push({ check: this.#plan.checks[index]!, observations });
    }
    const judged = judgeRow(row, checked, this.#mode, this.#signs);
    booked.judged = judged;
    for (const index of indexes) {
      this.#wanted[index]! -= 1;
      if (this.#wanted[index] === 0) this.#seen[index] = undefined;
    }
    return judged;
  }

  #rowsOf(check: Check): readonly OpenRow[] {
    const ids = rowIdsOf(check);
    let rows = this.#rowsOfIds.get(ids);
    if (!rows) this.#rowsOfIds.set(ids, (rows = ids.map((id) => this.#rows.get(id)!)));
    return rows;
  }
}

function openRows({ rows, checks }: Plan): Map<string, OpenRow> {
  const indexes = new Map<string, number[]>(rows.map(({ requirement }) => [requirement.id, []]));
  for (const [index, check] of checks.entries()) for (const id of rowIdsOf(check)) indexes.get(id)?.push(index);
  return new Map(
    rows.map((row) => {
      const { id } = row.requirement;
      const inOrder = inOrderOf(row.checks, indexes.get(id)!, checks);
      return [id, { row, indexes: inOrder, open: inOrder.length, isSilent: false, judged: undefined }];
    }),
  );
}

/** A row may name first what an earlier row has planned last. */
function inOrderOf(ids: readonly string[], indexes: readonly number[], checks: readonly Check[]): readonly number[] {
  if (indexes.every((index, i) => checks[index]!.id === ids[i])) return indexes;
  const order = new Map(ids.map((id, i) => [id, i]));
  return indexes.toSorted((a, b) => order.get(checks[a]!.id)! - order.get(checks[b]!.id)!);
}
