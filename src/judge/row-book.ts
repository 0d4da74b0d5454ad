/**
 * Which rows still wait for checks. A row is judged when its last check is told, and what only it needed is forgotten:
 * a long run keeps what its open rows need. A row that met silence waits for the end, when other checks have said more.
 */
import type { Observation } from '../model/outcome.ts';
import type { Check, Plan, PlannedRow } from '../model/plan.ts';
import type { ReportRow } from '../model/report.ts';
import type { Mode } from '../model/verdict.ts';
import { HostSigns, isSilence } from './host-signs.ts';
import { judgeRow, type Checked } from './judge.ts';
import { isInconclusive, rowIdsOf } from './report.ts';

/** A row, and where its checks stand in the plan, in the row's own order. */
interface BookedRow {
  readonly row: PlannedRow;
  readonly places: readonly number[];
  /** How many of its checks are still open. */
  open: number;
  /** Its packets met silence. */
  isSilent: boolean;
  judged: ReportRow | undefined;
}

/** Everything by the place in the plan: tables of ids took a third of the time. */
export class RowBook {
  /** Nothing ended for want of resources or time. */
  complete = true;
  readonly #plan: Plan;
  readonly #mode: Mode;
  readonly #signs = new HostSigns();
  readonly #rows: ReadonlyMap<string, BookedRow>;
  readonly #rowsOfIds = new Map<readonly string[], readonly BookedRow[]>();
  readonly #seen: (Observation[] | undefined)[];
  /** Rows that want the check and are not judged yet. */
  readonly #wanted: Uint32Array;

  constructor(plan: Plan, mode: Mode) {
    this.#plan = plan;
    this.#mode = mode;
    this.#seen = Array.from({ length: plan.checks.length });
    this.#wanted = new Uint32Array(plan.checks.length);
    this.#rows = bookRows(plan);
    for (const { places } of this.#rows.values()) for (const at of places) this.#wanted[at]! += 1;
  }

  /** `at` is the check's place in the plan. */
  observe(at: number, observation: Observation): void {
    const check = this.#plan.checks[at]!;
    const seen = this.#seen[at];
    if (seen) seen.push(observation);
    // Made with its one element: the first push to an empty array makes room for sixteen more.
    else this.#seen[at] = [observation];
    this.#signs.add(check, observation);
    if (isInconclusive(observation)) this.complete = false;
    if (isSilence(check, observation)) for (const row of this.#rowsOf(check)) row.isSilent = true;
  }

  /** The check has no further observation: the rows that are known by it. */
  finish(at: number): ReportRow[] {
    this.#seen[at] ??= [];
    const judged: ReportRow[] = [];
    for (const row of this.#rowsOf(this.#plan.checks[at]!)) {
      row.open -= 1;
      if (row.open <= 0 && !row.isSilent) judged.push(this.#judge(row));
    }
    return judged;
  }

  /** The run is over: the silent observations, each with what the others say about it. `down`: nobody has these addresses. */
  settle(down: Iterable<string>): Checked[] {
    this.#signs.markDown(down);
    const settled: Checked[] = [];
    for (const [at, check] of this.#plan.checks.entries()) {
      const seen = this.#seen[at];
      if (!seen?.some((one) => isSilence(check, one))) continue;
      const observations = seen.map((one) => this.#signs.settled(check, one));
      this.#seen[at] = observations;
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

  #judge(booked: BookedRow): ReportRow {
    const { row, places } = booked;
    const checked: Checked[] = [];
    for (const at of places) {
      const observations = this.#seen[at];
      if (observations) checked.push({ check: this.#plan.checks[at]!, observations });
    }
    const judged = judgeRow(row, checked, this.#mode, this.#signs);
    booked.judged = judged;
    for (const at of places) {
      this.#wanted[at]! -= 1;
      if (this.#wanted[at] === 0) this.#seen[at] = undefined;
    }
    return judged;
  }

  #rowsOf(check: Check): readonly BookedRow[] {
    const ids = rowIdsOf(check);
    let rows = this.#rowsOfIds.get(ids);
    if (!rows) this.#rowsOfIds.set(ids, (rows = ids.map((id) => this.#rows.get(id)!)));
    return rows;
  }
}

function bookRows({ rows, checks }: Plan): Map<string, BookedRow> {
  const places = new Map<string, number[]>(rows.map(({ requirement }) => [requirement.id, []]));
  for (const [at, check] of checks.entries()) for (const id of rowIdsOf(check)) places.get(id)?.push(at);
  return new Map(
    rows.map((row) => {
      const { id } = row.requirement;
      const inOrder = inOrderOf(row.checks, places.get(id)!, checks);
      return [id, { row, places: inOrder, open: inOrder.length, isSilent: false, judged: undefined }];
    }),
  );
}

/** A row may name first what an earlier row has planned last. */
function inOrderOf(ids: readonly string[], places: readonly number[], checks: readonly Check[]): readonly number[] {
  if (places.every((at, i) => checks[at]!.id === ids[i])) return places;
  const order = new Map(ids.map((id, i) => [id, i]));
  return places.toSorted((a, b) => order.get(checks[a]!.id)! - order.get(checks[b]!.id)!);
}
