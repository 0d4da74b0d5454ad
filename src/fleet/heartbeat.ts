/**
 * What an agent says while nothing changes: 400 bytes instead of a report. It is a sign of life on its own subject, and one
 * run among the reports. A letter for each row, in the order of the table; a capital where this run has news of it.
 */
import * as v from 'valibot';
import type { ReportRow } from '../model/report.ts';
import { Id, Text } from '../model/spec.ts';
import { rowVerdicts, type RowVerdict } from '../model/verdict.ts';

export const heartbeatSchema = 'xenreach.heartbeat/1';
const maxHeartbeatBytes = 8192;

const Whole = v.pipe(v.number(), v.integer(), v.minValue(0));
const Seconds = v.pipe(v.number(), v.minValue(1), v.maxValue(7 * 86_400));
const Short = v.pipe(v.string(), v.maxLength(1000));

export const HeartbeatShape = v.object({
  schema: v.literal(heartbeatSchema),
  site: Id,
  /** The agent's name. */
  vantage: Id,
  roles: v.pipe(v.array(Id), v.maxLength(20)),
  /** The id of the run; null before the first. */
  run: v.nullable(v.pipe(Text, v.maxLength(64))),
  /** Of this process, and its how many-th run that is: they order runs where clocks do not. */
  boot: v.pipe(Text, v.maxLength(32)),
  n: Whole,
  verdicts: v.pipe(v.string(), v.maxLength(2000), v.regex(/^[pwfusPWFUS.]*$/)),
  /** The one that is followed; 0 where there is none yet. */
  revision: Whole,
  /** Why a later one is not followed. */
  refused: v.nullable(Short),
  /** The run whose whole report was sent last. */
  full: v.nullable(v.pipe(Text, v.maxLength(64))),
  /** Seconds until the next sign of life, and between two runs. */
  next: Seconds,
  every: Seconds,
  /** By the agent's clock, which may be wrong. */
  at: v.pipe(v.string(), v.isoTimestamp()),
  version: v.pipe(Text, v.maxLength(64)),
});
export type Heartbeat = v.InferOutput<typeof HeartbeatShape>;

/** Null where it is none. */
export function readHeartbeat(bytes: Uint8Array): Heartbeat | null {
  if (bytes.length > maxHeartbeatBytes) return null;
  try {
    const { success, output } = v.safeParse(HeartbeatShape, JSON.parse(new TextDecoder().decode(bytes)));
    return success ? output : null;
  } catch {
    return null;
  }
}

const letters: Readonly<Record<RowVerdict, string>> = {
  pass: 'p',
  warn: 'w',
  fail: 'f',
  unverified: 'u',
  skipped: 's',
};

export const verdictOf: ReadonlyMap<string, RowVerdict> = new Map(
  rowVerdicts.map((verdict) => [letters[verdict], verdict]),
);

type Judged = Pick<ReportRow, 'id' | 'verdict'>;

export function lettersOf(rows: readonly Judged[], news: ReadonlySet<string>): string {
  const letterOf = ({ id, verdict }: Judged): string => {
    const letter = verdict === null ? '.' : letters[verdict];
    return news.has(id) ? letter.toUpperCase() : letter;
  };
  return rows.map(letterOf).join('');
}

/** The rows that a run has news of; null where the letters are not those of these rows. */
export function newsIn(verdicts: string, rows: readonly Judged[]): ReadonlySet<string> | null {
  if (verdicts.length !== rows.length || verdicts.toLowerCase() !== lettersOf(rows, new Set())) return null;
  return new Set(rows.flatMap(({ id }, i) => (/[A-Z]/.test(verdicts[i]!) ? [id] : [])));
}
